"""The applicant's pages in a real browser: a phone in Japanese, a desk in English, no scripts."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from node.database import Database
from tests.equipment import browser as browsers
from tests.equipment import pdf_files
from tests.equipment.browser import AccessibilityCheck
from tests.equipment.candidates import NAME, Candidates

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


class Way:
    """A person on the way, with a look at each page before going on."""

    def __init__(self, page: Page, candidates: Candidates, look: AccessibilityCheck | None) -> None:
        self.page, self.candidates, self.look = page, candidates, look

    def arrive(self, address: str, token: str, language: str = "ja") -> None:
        self.page.goto(f"{address}/l/{token}")
        if language != "ja":
            self.page.click(f"#language-{language}")
        self.at("#start")
        self.page.click("#start")

    def at(self, control: str) -> None:
        """We are on the page that has this control; it is for everyone."""
        expect(self.page.locator(control)).to_be_visible()
        if self.look:
            self.look(self.page)

    def go_on(self, control: str) -> None:
        self.page.click("#submit")
        self.at(control)

    def choose(self, *members: str) -> None:
        self.at("#partners")
        expect(self.page.locator("[name=partner]:checked")).to_have_count(0)
        for member in members:
            self.page.check(f"#partner-{member}")
        self.go_on("#how")

    def prove(self) -> None:
        self.page.check("#share_progress")
        self.go_on("#send")
        self.page.click("#send")
        self.at("#code")
        self.page.fill("#code", self.candidates.code())
        self.go_on("#about")

    def tell(self) -> None:
        self.page.fill("#city", "港区")
        self.page.select_option("#occupation", "研究・技術の職業")
        self.go_on("#experience")
        self.page.fill("#experience_years", "6")
        self.page.fill("#skills", "Python\nPostgreSQL")
        self.page.fill("#work-0-name", "株式会社みどり商事")
        self.page.fill("#work-0-start", "2020-04")
        self.page.click("#more-work")
        self.at("#work-1-name")
        expect(self.page.locator("#work-0-name")).to_have_value("株式会社みどり商事")
        self.page.set_input_files(
            "#file", {"name": "cv.pdf", "mimeType": "application/pdf", "buffer": pdf_files.sound()}
        )
        self.page.click("#attach")
        self.at("#attached")
        self.go_on("#agreement")

    def agree(self, *members: str) -> None:
        expect(self.page.locator("[name=agree]:checked")).to_have_count(0)
        for member in members:
            self.page.check(f"#agree-{member}")
        self.go_on("#done")
        self.page.click("#to-status")
        self.at("#withdraw-all")


def walk(way: Way, address: str, token: str, language: str = "ja") -> None:
    way.arrive(address, token, language)
    way.choose("biwa", "bridge")
    way.prove()
    way.tell()
    way.agree("biwa", "bridge")
    assert [len(sent) for sent in way.candidates.envelopes().values()] == [1, 0, 1]


def test_the_whole_way_on_a_phone_in_japanese(
    candidates: Candidates, address: str, phone: Page, check_accessibility: AccessibilityCheck
) -> None:
    _, token = candidates.invite()
    walk(Way(phone, candidates, check_accessibility), address, token)
    assert "お届け中" in phone.inner_text("#main")


def test_the_whole_way_at_a_desk_in_english(
    candidates: Candidates, address: str, desk: Page, check_accessibility: AccessibilityCheck
) -> None:
    _, token = candidates.invite()
    walk(Way(desk, candidates, check_accessibility), address, token, "en")
    page = desk.inner_text("#main")
    assert "On its way" in page
    assert not re.search(r"[ぁ-ん]", page)


def test_the_whole_way_without_any_script(
    candidates: Candidates, address: str, plain_phone: Page
) -> None:
    _, token = candidates.invite()
    walk(Way(plain_phone, candidates, None), address, token)


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
