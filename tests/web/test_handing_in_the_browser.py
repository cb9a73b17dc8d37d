"""Handing on in a real browser: HR's button, and what the person sees behind the private link."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.equipment.handing import MAKI, guest
from tests.equipment.season import Season
from tests.equipment.web_house import WebHouse

pytestmark = pytest.mark.browser

SignIn = Callable[[Page, str], None]
Check = Callable[[Page], None]


def test_a_recruiter_hands_on_and_the_person_sees_by_whom_the_profile_came(
    page: Page, season: Season, web: WebHouse, address: str, sign_in: SignIn,
    check_accessibility: Check,
) -> None:  # fmt: skip
    own = season.accepted("bridge", "aoba", MAKI)
    season.move("aoba", own, "interview_1", "interview_final", "declined_by_company")
    season.carry()
    sign_in(page, "recruiter")

    page.goto(f"{address}/referrals/in/{own}")
    check_accessibility(page)
    page.click("#hand-on")
    expect(page.locator("#confirmation")).to_contain_text("この操作では何も送られません")
    check_accessibility(page)
    page.click("#submit")
    expect(page.locator("#link")).to_be_visible()
    check_accessibility(page)
    made = page.url.rsplit("/", 1)[1]
    page.click("#referral")
    expect(page.locator("#handed-on")).to_be_visible()
    expect(page.locator("#hire")).to_have_count(0)
    check_accessibility(page)

    page.context.clear_cookies()
    walker = guest(season.alliance, web.house, made)
    page.goto(f"{address}{walker.arrival}")
    expect(page.locator("#chain")).not_to_contain_text("bridge")
    expect(page.locator("#offered")).not_to_contain_text("株式会社bridge")
    check_accessibility(page)
    page.click("#start")
    expect(page.locator("input[name=partner]")).to_have_count(2)
    check_accessibility(page)
