"""Applicants in a real browser, at the desk and on the phone; accessible at every step."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from node.services.applicants import importing
from node.worker.applicants import drive_imports
from tests.equipment.applicants_office import HEADERS, line, table
from tests.equipment.browser import AccessibilityCheck
from tests.equipment.web_house import WebHouse

pytestmark = pytest.mark.browser

SignIn = Callable[[Page, str], None]
HEADERS_WITH_MORE = f"{HEADERS},性別,備考"


def shoot(page: Page, name: str, *, full: bool = True) -> None:
    """Keep a picture where somebody asked for pictures."""
    if folder := os.environ.get("TASUKI_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=full)


@pytest.fixture(params=["desk", "phone"])
def page(request: pytest.FixtureRequest) -> Page:
    found: Page = request.getfixturevalue(request.param)
    return found


def choose_file(page: Page, address: str, data: bytes) -> None:
    page.goto(f"{address}/applicants/import")
    page.set_input_files(
        "#file", {"name": "応募者一覧.csv", "mimeType": "text/csv", "buffer": data}
    )


def people(count: int) -> bytes:
    names = ("髙﨑 太郎", "山田 花子", "佐藤 健")
    results = ("不採用", "選考中", "不採用", "辞退", "不採用", "採用")
    lines = [
        line(
            n,
            name=names[n % 3],
            kana=("タカサキ タロウ", "ヤマダ ハナコ", "サトウ ケン")[n % 3],
            job=("ソフトウェアエンジニア", "法人営業", "経理・財務")[n % 3],
            result=results[n % 6],
            rejected=f"2026/11/{n % 20 + 1}" if results[n % 6] == "不採用" else "",
        )
        + ",男,①メモ"
        for n in range(count)
    ]
    return table(*lines, headers=HEADERS_WITH_MORE)


def test_a_file_is_imported_and_the_people_are_found(
    page: Page,
    web: WebHouse,
    address: str,
    sign_in: SignIn,
    check_accessibility: AccessibilityCheck,
    request: pytest.FixtureRequest,
) -> None:
    kind = request.node.callspec.params["page"]
    sign_in(page, "recruiter")
    page.goto(f"{address}/applicants")
    expect(page.get_by_text("応募者がまだ登録されていません")).to_be_visible()
    check_accessibility(page)

    page.goto(f"{address}/applicants/import")
    check_accessibility(page)
    shoot(page, f"import-new-{kind}")
    broken = "A-1,名前だけ\r\nA-2,山田 太郎,,x,,営業,一次面接,不採用,,,,\r\n".encode("cp932")
    choose_file(page, address, people(120) + broken)
    page.click("#submit")

    expect(page.locator("#columns-panel")).to_be_visible()
    assert page.locator("#column-3").input_value() == "email"
    check_accessibility(page)
    shoot(page, f"import-columns-{kind}")
    page.fill("#save_as", "いつもの媒体")
    page.click("#submit")

    expect(page.locator("#count-new")).to_contain_text("120")
    expect(page.locator("#count-failed")).to_contain_text("2")
    check_accessibility(page)
    shoot(page, f"import-check-{kind}")
    with page.expect_download() as download:
        page.click("#error-file")
    assert "取込エラー" in Path(download.value.path()).read_bytes().decode("cp932")
    page.check("#accept_broken")
    page.click("#submit")

    expect(page.locator("#done")).to_contain_text("取り込みが完了しました")
    check_accessibility(page)
    shoot(page, f"import-done-{kind}")
    page.click("#to-list")
    expect(page.locator("#count")).to_contain_text("120名")
    check_accessibility(page)
    shoot(page, f"applicants-list-{kind}", full=False)

    page.select_option("#status", "rejected")
    page.fill("#days", "10")
    page.click("#filter-submit")
    expect(page.locator("#count")).to_contain_text("名")
    assert "status=rejected" in page.url
    shoot(page, f"applicants-filtered-{kind}")
    page.locator("#applicants a[id^=open-]").first.click()
    expect(page.locator("#link")).to_be_visible()
    check_accessibility(page)
    shoot(page, f"applicants-detail-{kind}")
    page.check("#exclusion-misconduct")
    page.click("#exclusion-form #submit")
    expect(page.locator("#no-link")).to_be_visible()


def test_people_are_ticked_and_taken_out_as_a_file(
    page: Page,
    web: WebHouse,
    address: str,
    sign_in: SignIn,
    check_accessibility: AccessibilityCheck,
    request: pytest.FixtureRequest,
) -> None:
    kind = request.node.callspec.params["page"]
    sign_in(page, "recruiter")
    rare = line(900, name="𠮷田 一").replace("A-000900", "R-1")
    choose_file(page, address, table(*(line(n) for n in range(60)), rare, encoding="utf-8-sig"))
    page.click("#submit")
    page.click("#submit")
    page.click("#submit")
    page.goto(f"{address}/applicants")
    expect(page.locator("#export-chosen")).to_be_disabled()
    page.locator("input[data-choice]").nth(0).check()
    page.locator("input[data-choice]").nth(2).check()
    expect(page.locator("[data-choice-count]")).to_have_text("2")
    check_accessibility(page)
    shoot(page, f"applicants-chosen-{kind}", full=False)
    page.click("#export-chosen")
    expect(page.locator("#count")).to_contain_text("2名")
    check_accessibility(page)

    page.goto(f"{address}/applicants")
    page.click("#choose-all")
    expect(page.locator("#chosen-count")).to_contain_text("61名")
    check_accessibility(page)
    page.goto(f"{address}/applicants/export")
    page.check("#encoding-cp932")
    page.click("#submit")
    expect(page.locator("#losses")).to_be_visible()
    check_accessibility(page)
    shoot(page, f"applicants-export-{kind}")
    with page.expect_download() as download:
        page.click("#submit")
    assert "〓田 一" in Path(download.value.path()).read_bytes().decode("cp932")


def test_a_file_that_cannot_be_read_is_refused_beside_its_field(
    desk: Page,
    web: WebHouse,
    address: str,
    sign_in: SignIn,
    check_accessibility: AccessibilityCheck,
) -> None:
    sign_in(desk, "recruiter")
    choose_file(desk, address, table(line(1)) + b"\xff\xff")
    desk.click("#submit")
    expect(desk.locator("#file-error")).to_contain_text("3行目")
    check_accessibility(desk)
    shoot(desk, "import-refused-desk")


def test_a_long_import_shows_its_progress_and_leads_on(
    desk: Page,
    web: WebHouse,
    address: str,
    sign_in: SignIn,
    check_accessibility: AccessibilityCheck,
) -> None:
    sign_in(desk, "recruiter")
    rows = importing.INLINE_ROWS_MAX + 1
    choose_file(desk, address, table(*(line(n) for n in range(rows))))
    desk.click("#submit")
    desk.click("#submit")
    expect(desk.locator("#import-progress progress")).to_be_visible()
    check_accessibility(desk)
    shoot(desk, "import-progress-desk")
    drive_imports(web.node)
    # The bar asks by itself, and leads to the page where the import is confirmed.
    expect(desk.locator("#confirmation")).to_be_visible()
    desk.click("#submit")
    expect(desk.locator("#import-progress progress")).to_be_visible()
    drive_imports(web.node)
    expect(desk.locator("#done")).to_contain_text("2,001")
