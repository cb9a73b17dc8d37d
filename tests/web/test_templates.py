"""Templates in a real browser: written with the letter beside it, remarked on, kept in versions."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from node import models
from node.services import templates
from node.services.templates.defaults import DEFAULTS
from tests.equipment.alliance import House
from tests.equipment.notices_room import Room, open_room
from tests.equipment.smtp import MailServer
from tests.equipment.web_house import WebHouse

SignIn = Callable[[Page, str], None]
Check = Callable[[Page], None]
GOOD = {
    "name": "一次面接のあと",
    "kind": "with_link",
    "language": "ja",
    "subject": "選考結果のご連絡",
    "body": "{{候補者名}} 様\n\n任意・無料です。今後の選考に影響しません。\n{{専用リンク}}",
}


@pytest.fixture
def room(tmp_path: Path, sqlite_url: str, mail_server: MailServer) -> Iterator[Room]:
    with open_room(tmp_path, sqlite_url, mail_server) as opened:
        yield opened


@pytest.fixture
def web(room: Room) -> WebHouse:
    return WebHouse(House(room.node.context, room.node.database))


def versions(room: Room) -> int:
    with room.node.database.reading() as session:
        return session.scalar(select(func.count()).select_from(models.TemplateVersion)) or 0


@pytest.mark.browser
def test_a_template_is_written_with_the_letter_beside_it(
    page: Page,
    room: Room,
    web: WebHouse,
    address: str,
    sign_in: SignIn,
    check_accessibility: Check,
) -> None:
    sign_in(page, "recruiter")
    page.goto(f"{address}/templates")
    check_accessibility(page)
    page.click("#new-template")
    expect(page.locator("#letter-body")).to_contain_text("山田 太郎 様")
    check_accessibility(page)

    page.fill("#name", "最終面接のあと")
    page.fill("#body", "{{氏名}} 様\n\nご活躍をお祈り申し上げます。")
    expect(page.locator("#problems li")).to_have_count(2)
    expect(page.locator("#problems")).to_contain_text("{{氏名}} ― この変数はありません。")
    expect(page.locator("#remarks")).to_contain_text("「お祈り」（本文 3行目）")
    page.evaluate("scrollTo(0, 0)")
    check_accessibility(page)

    page.click("#submit")
    expect(page.locator("#form-errors")).to_be_visible()
    expect(page.locator("#body")).to_have_value("{{氏名}} 様\n\nご活躍をお祈り申し上げます。")
    page.evaluate("scrollTo(0, 0)")
    check_accessibility(page)
    assert versions(room) == 0

    # The list of problems stands above the buttons: it has changed before they are pressed.
    page.fill("#body", " 様\n\n任意・無料です。今後の選考に影響しません。\n")
    expect(page.locator("#problems li")).to_have_count(1)
    page.locator("#body").press("Control+Home")
    page.click("#insert-name")
    page.locator("#body").press("Control+End")
    page.click("#insert-link")
    expect(page.locator("#letter-body")).to_contain_text("山田 太郎 様")
    expect(page.locator("#preview .message-success")).to_be_visible()
    page.click("#submit")
    expect(page.locator("#templates tbody tr")).to_contain_text("最終面接のあと")
    check_accessibility(page)


@pytest.mark.browser
def test_an_earlier_version_can_be_read_and_begun_from_again(
    page: Page,
    room: Room,
    web: WebHouse,
    address: str,
    sign_in: SignIn,
    check_accessibility: Check,
) -> None:
    made = room.template()
    visitor = web.signed_in("recruiter")
    assert visitor.post(f"/templates/{made}", GOOD).status_code == 302
    sign_in(page, "recruiter")
    page.goto(f"{address}/templates/{made}")
    page.click("#versions")
    expect(page.locator("#version-2")).to_contain_text("使用中")
    check_accessibility(page)
    page.click("#use-1")
    expect(page.locator("#subject")).to_have_value(templates.default_for("ja").subject)
    page.click("#submit")
    expect(page.locator("#templates tbody tr")).to_contain_text("3")


def test_a_refused_template_names_the_place_and_is_not_saved(room: Room, web: WebHouse) -> None:
    visitor = web.signed_in("recruiter")
    for changed, said in (
        (
            {"body": GOOD["body"] + "\n{{給与}}"},
            "{{給与}} ― この変数はありません。 (5行目・1文字目)",
        ),
        ({"body": "{{候補者名}} 様"}, "専用リンクがありません"),
        ({"body": GOOD["body"] + "{{link}}"}, "専用リンクが2回以上"),
        ({"subject": "あ" * 101}, "文字数の範囲内"),
        ({"name": ""}, "文字数の範囲内"),
        ({"body": GOOD["body"] + "\n入社祝い金を差し上げます"}, "法令で禁止"),
    ):
        answer = visitor.post("/templates/new", {**GOOD, **changed})
        assert answer.status_code == 422, changed
        assert said in answer.get_data(as_text=True), changed
    assert visitor.post("/templates/new", {**GOOD, "kind": "other"}).status_code == 422
    assert versions(room) == 0
    assert visitor.post("/templates/new", GOOD).status_code == 302
    assert versions(room) == 1


def test_a_template_that_was_put_away_is_not_offered_and_comes_back(
    room: Room, web: WebHouse
) -> None:
    made, visitor = room.template(), web.signed_in("recruiter")
    visitor.post(f"/templates/{made}/archive")
    assert made not in visitor.get("/templates").get_data(as_text=True)
    assert made in visitor.get("/templates?archived=1").get_data(as_text=True)
    visitor.post(f"/templates/{made}/archive", {"restore": "yes"})
    assert made in visitor.get("/templates").get_data(as_text=True)


def test_a_viewer_reads_templates_and_changes_none(room: Room, web: WebHouse) -> None:
    made, viewer = room.template(), web.signed_in("viewer")
    for path in ("/templates", f"/templates/{made}", f"/templates/{made}/versions"):
        assert viewer.get(path).status_code == 200
    assert viewer.get("/templates/new").status_code == 403
    for path in ("/templates/new", f"/templates/{made}", f"/templates/{made}/archive"):
        assert viewer.post(path, GOOD).status_code == 403
    assert viewer.get("/templates/nothing").status_code == 404
    assert viewer.get(f"/templates/{made}?version=99").status_code == 404
    assert versions(room) == 1


def test_the_sample_texts_are_added_by_a_press_and_not_by_reading(
    room: Room, web: WebHouse
) -> None:
    visitor = web.signed_in("recruiter")
    visitor.get("/templates")
    assert versions(room) == 0
    visitor.post("/templates/defaults")
    visitor.post("/templates/defaults")
    assert versions(room) == len(DEFAULTS)
