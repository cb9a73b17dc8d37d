"""What came back of the notices, as HR sees it: in the batch, in its file, at the person."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from node.services.notices import bounces
from node.services.notices.bounce_mails import parse
from tests.equipment import bounce_files
from tests.equipment.alliance import House
from tests.equipment.notices_room import Room, open_room
from tests.equipment.smtp import MailServer
from tests.equipment.web_house import WebHouse

SignIn = Callable[[Page, str], None]
Check = Callable[[Page], None]


@pytest.fixture
def room(tmp_path: Path, sqlite_url: str, mail_server: MailServer) -> Iterator[Room]:
    with open_room(tmp_path, sqlite_url, mail_server) as opened:
        yield opened


@pytest.fixture
def web(room: Room) -> WebHouse:
    return WebHouse(House(room.node.context, room.node.database))


@pytest.fixture
def batch(room: Room, mail_server: MailServer) -> str:
    """A batch of three: one mail came back, one is delayed, one arrived."""
    made = room.booked(room.applicants(3), room.template())
    room.clock.move(900)
    room.work()
    by_address = {str(mail["To"]): mail for mail in mail_server.messages}
    back = bounce_files.of(by_address["person1@example.jp"])
    late = bounce_files.of(by_address["person2@example.jp"], action="delayed", status="4.4.1")
    for each in (back, late):
        with room.node.database.transaction() as session:
            bounces.receive(session, room.node.context, parse(each.data()))
    return made


@pytest.mark.browser
def test_the_batch_and_the_person_say_what_came_back(
    page: Page, room: Room, batch: str, address: str, sign_in: SignIn, check_accessibility: Check
) -> None:
    sign_in(page, "recruiter")
    page.goto(f"{address}/notices/{batch}")
    expect(page.locator("#failures")).to_contain_text("person1@example.jp")
    expect(page.locator("#failures")).to_contain_text("存在しません")
    expect(page.locator("#failures")).to_contain_text("5.1.1")
    expect(page.locator("#delayed")).to_contain_text("person2@example.jp")
    expect(page.locator("#delayed")).not_to_contain_text("person3@example.jp")
    check_accessibility(page)
    shoot(page, "bounces-batch")
    page.goto(f"{address}/notices/untold?days=0")
    page.click("#untold th a")
    expect(page.locator("#bounce")).to_contain_text("メールが戻ってきました")
    expect(page.locator("#bounce")).to_contain_text("5.1.1")
    check_accessibility(page)
    shoot(page, "bounces-person")


def shoot(page: Page, name: str) -> None:
    if folder := os.environ.get("TASUKI_SCREENSHOTS"):
        width = page.viewport_size["width"] if page.viewport_size else 0
        page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)


def test_the_file_says_it_too(web: WebHouse, batch: str) -> None:
    answer = web.signed_in("recruiter").get(f"/notices/{batch}/report.csv")
    rows = {row.split(",")[1]: row for row in answer.get_data().decode("utf-8-sig").splitlines()}
    assert "メールが戻ってきました: " in rows["person1@example.jp"]
    assert "(5.1.1)" in rows["person1@example.jp"]
    assert "配信遅延" in rows["person2@example.jp"]
    assert rows["person3@example.jp"].endswith(",")
