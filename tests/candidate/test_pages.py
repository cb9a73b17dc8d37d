"""The applicant's pages in a real browser: mistakes, ends of the way, no scripts, no mouse.

The way itself, in each language, is in `test_whole_way`.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from node.database import Database
from tests.equipment import browser as browsers
from tests.equipment.browser import AccessibilityCheck
from tests.equipment.candidates import NAME, Candidates
from tests.equipment.way import Way

pytestmark = pytest.mark.browser


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    """Which engine it is makes no difference to a page."""
    database = Database(sqlite_url)
    yield database
    database.close()


@pytest.fixture
def address(candidates: Candidates) -> Iterator[str]:
    with candidates.web.served() as served:
        yield served


@pytest.fixture
def plain_phone(chromium: Browser) -> Iterator[Page]:
    """A phone whose browser runs no script at all."""
    shape = {**browsers.PHONE, "java_script_enabled": False}
    with browsers.page_of(chromium, shape) as page:
        yield page


def test_the_whole_way_without_any_script(
    candidates: Candidates, address: str, plain_phone: Page
) -> None:
    _, token = candidates.invite()
    Way(plain_phone, candidates, None).walk(address, token)
    assert [len(sent) for sent in candidates.envelopes().values()] == [1, 0, 1]


def test_mistakes_are_shown_where_they_are(
    candidates: Candidates, address: str, phone: Page, check_accessibility: AccessibilityCheck
) -> None:
    _, token = candidates.invite()
    way = Way(phone, candidates, check_accessibility)
    way.arrive(address, token)
    phone.click("#submit")
    way.at("#form-errors")
    way.choose("biwa")
    way.prove()
    phone.fill("#phone", "そのうち")
    phone.click("#submit")
    way.at("#phone-error")
    expect(phone.locator("#phone")).to_have_value("そのうち")


def test_five_wrong_codes_on_a_phone(
    candidates: Candidates, address: str, phone: Page, check_accessibility: AccessibilityCheck
) -> None:
    _, token = candidates.invite()
    way = Way(phone, candidates, check_accessibility)
    way.arrive(address, token)
    way.choose("biwa")
    phone.click("#submit")
    phone.click("#send")
    wrong = f"{(int(candidates.code()) + 1) % 1_000_000:06}"
    for _ in range(5):
        phone.fill("#code", wrong)
        phone.click("#submit")
        way.at("#code-error")
    assert "5回を超えた" in phone.inner_text("#code-error")
    assert NAME not in phone.content()


def test_pages_where_the_way_ends_are_for_everyone_too(
    candidates: Candidates, address: str, phone: Page, check_accessibility: AccessibilityCheck
) -> None:
    _, token = candidates.invite(days=1)
    phone.goto(f"{address}/l/{'x' * 22}")
    check_accessibility(phone)
    phone.goto(f"{address}/l/partners")
    check_accessibility(phone)
    phone.goto(f"{address}/l/{token}")
    phone.click("#no-more summary")
    check_accessibility(phone)
    phone.click("#stop")
    expect(phone.locator("#stopped")).to_be_visible()
    check_accessibility(phone)
    candidates.web.clock.move(86_400)
    phone.goto(f"{address}/l/{token}")
    check_accessibility(phone)


def test_everything_can_be_done_by_keyboard(
    candidates: Candidates, address: str, desk: Page
) -> None:
    _, token = candidates.invite()
    desk.goto(f"{address}/l/{token}")
    desk.focus("#start")
    desk.keyboard.press("Enter")
    desk.focus("#partner-biwa")
    desk.keyboard.press("Space")
    desk.keyboard.press("Enter")
    expect(desk.locator("#how")).to_be_visible()
