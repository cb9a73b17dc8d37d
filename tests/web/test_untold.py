"""The report of those who were never told: on the front page, as a list, as a file."""

import csv
import html
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.equipment.alliance import House
from tests.equipment.notices_room import MORNING, Room, open_room
from tests.equipment.smtp import MailServer
from tests.equipment.web_house import Visitor, WebHouse

SignIn = Callable[[Page, str], None]
Check = Callable[[Page], None]
DAY_S = 86_400


@pytest.fixture
def room(tmp_path: Path, sqlite_url: str, mail_server: MailServer) -> Iterator[Room]:
    with open_room(tmp_path, sqlite_url, mail_server) as opened:
        yield opened


@pytest.fixture
def web(room: Room) -> WebHouse:
    return WebHouse(House(room.node.context, room.node.database))


def silent(room: Room, count: int, *, days: int = 20, first: int = 1) -> list[str]:
    return room.applicants(count, first=first, rejected_on=MORNING - days * DAY_S)


def read(visitor: Visitor, address: str = "/notices/untold") -> str:
    answer = visitor.get(address)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


@pytest.mark.browser
def test_the_front_page_leads_to_the_report_and_the_report_to_the_notices(
    page: Page, room: Room, address: str, sign_in: SignIn, check_accessibility: Check
) -> None:
    room.template()
    chosen = silent(room, 2)
    room.request(room.draft(silent(room, 1, days=40, first=10), room.template(name="別")))
    sign_in(page, "recruiter")
    page.click("#untold")
    expect(page.locator("h1")).to_have_text("未通知")
    expect(page.locator("#count")).to_contain_text("3名")
    check_accessibility(page)
    if folder := os.environ.get("TASUKI_SCREENSHOTS"):
        width = page.viewport_size["width"] if page.viewport_size else 0
        page.screenshot(path=Path(folder) / f"untold-{width}.png", full_page=True)
    page.check(f"#chosen-{chosen[0]}")
    page.click("#notices-chosen")
    expect(page.locator("#count-with-link")).to_contain_text("1")


def test_the_days_are_a_filter_and_pages_turn_within_it(room: Room, web: WebHouse) -> None:
    visitor = web.signed_in("viewer")
    silent(room, 60)
    silent(room, 3, days=3, first=100)
    first = read(visitor)
    assert first.count('id="open-') == 50
    assert "60名" in first
    turned = html.unescape(first.partition('id="page-next" rel="next" href="')[2].split('"')[0])
    following = read(visitor, turned)
    assert following.count('id="open-') == 10
    assert read(visitor, "/notices/untold?days=3").count('id="open-') == 50
    assert "63名" in read(visitor, "/notices/untold?days=3")
    assert "ほかに、未通知の方が" in read(visitor, "/notices/untold?days=30")
    # Nobody may choose who may not send.
    assert 'id="notices-chosen"' not in first
    assert 'id="download"' not in first


@pytest.mark.parametrize("days", ["-1", "x", "99999", "1e3"])
def test_days_that_are_none_are_said_at_their_field(room: Room, web: WebHouse, days: str) -> None:
    page = read(web.signed_in("viewer"), f"/notices/untold?days={days}")
    assert 'id="days-error"' in page


def test_nobody_silent_is_no_line_on_the_front_page(room: Room, web: WebHouse) -> None:
    visitor = web.signed_in("viewer")
    assert 'id="untold"' not in read(visitor, "/")
    silent(room, 1)
    assert 'id="untold"' in read(visitor, "/")


def test_the_report_is_a_file_too(room: Room, web: WebHouse) -> None:
    silent(room, 2)
    room.applicants(1, first=30, name="=1+1", rejected_on=MORNING - 50 * DAY_S)
    answer = web.signed_in("approver").get("/notices/untold.csv?days=7")
    rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert rows[0] == [
        *("氏名", "メールアドレス", "求人", "選考ステップ", "不合格日", "経過日数", "状態")
    ]
    assert [row[5] for row in rows[1:]] == ["50", "20", "20"]
    assert rows[1][0] == "'=1+1"
    assert rows[2][6] == "通知の準備なし"
    assert 'filename="untold-7-days.csv"' in answer.headers["Content-Disposition"]
    assert web.signed_in("viewer").get("/notices/untold.csv").status_code == 403
