"""The selection board in a real browser: set up, moved by a button and by dragging."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.equipment import browser
from tests.equipment.referring import accept, received
from tests.equipment.season import PEOPLE, Season

pytestmark = pytest.mark.browser

SignIn = Callable[[Page, str], None]
Check = Callable[[Page], None]


def test_stages_are_set_up_and_a_card_goes_through_them(
    page: Page, season: Season, address: str, sign_in: SignIn, check_accessibility: Check
) -> None:
    aoba = season.alliance["aoba"]
    season.refer("bridge", "aoba", PEOPLE[0])
    season.carry()
    accept(aoba, received(aoba).id)
    season.carry()
    card = f"#card-{received(aoba).id}"

    sign_in(page, "admin")
    page.goto(f"{address}/referrals/in/board")
    page.click("#stages")
    check_accessibility(page)
    page.fill("#name-2", "カジュアル面談")
    page.select_option("#code-2", "interview_1")
    for line in range(4, 9):
        page.fill(f"#name-{line}", "")
    page.fill("#name-3", "カジュアル面談")
    page.click("#submit")
    expect(page.locator("#form-errors")).to_contain_text("重複しない名称")
    page.fill("#name-3", "最終面接")
    page.select_option("#code-3", "interview_final")
    page.click("#submit")
    expect(page.locator(".lane h2")).to_have_count(3)
    check_accessibility(page)

    page.context.clear_cookies()
    sign_in(page, "recruiter")
    page.goto(f"{address}/referrals/in/board")
    expect(page.locator(".lane").nth(0).locator(card)).to_be_visible()
    page.locator(card).locator("button").click()
    expect(page.locator(".lane").nth(1).locator(card)).to_be_visible()
    if page.viewport_size == browser.DESK["viewport"]:
        page.locator(card).drag_to(page.locator(".lane").nth(2))
    else:
        # A finger scrolls the board; on a phone there is the button.
        page.locator(card).locator("button").click()
    expect(page.locator(".lane").nth(2).locator(card)).to_be_visible()
    expect(page.locator(".lane").nth(2).locator("h2")).to_contain_text("最終面接")
    page.locator(card).locator("a").click()
    expect(page.locator("#stage-now")).to_have_text("最終面接")
