"""Referrals, hires, points and peers in a real browser, at the desk and on a phone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from node import models
from node.services import erasures
from tests.equipment.referring import PDF
from tests.equipment.season import PEOPLE, Season, whole_season
from tests.equipment.web_house import WebHouse

pytestmark = pytest.mark.browser

SignIn = Callable[[Page, str], None]
Check = Callable[[Page], None]


def test_a_recruiter_answers_selects_and_hires(
    page: Page, season: Season, address: str, sign_in: SignIn, check_accessibility: Check
) -> None:
    for number in range(12):
        season.accepted("aoba", ("biwa", "seeds")[number % 2], PEOPLE[number])
    season.certify_all()
    for number, sender in enumerate(("bridge", "seeds", "biwa")):
        season.refer(sender, "aoba", PEOPLE[number], resume=PDF)
    season.carry()
    sign_in(page, "recruiter")

    page.goto(f"{address}/referrals/in?state=received")
    check_accessibility(page)
    expect(page.locator("#accept-chosen")).to_be_disabled()
    boxes = page.locator("input[name=chosen]")
    boxes.nth(0).check()
    boxes.nth(1).check()
    expect(page.locator("[data-choice-count]")).to_have_text("2")
    page.click("#accept-chosen")
    expect(page.locator("#confirmation")).to_contain_text("2ポイント")
    check_accessibility(page)
    page.click("#submit")
    expect(page.locator("#done")).to_contain_text("紹介を受け入れました")
    check_accessibility(page)
    season.carry()

    page.goto(f"{address}/referrals/in?state=profile_received")
    page.locator("#board a").first.click()
    page.click("#stage-interview_1")
    expect(page.locator("#stage-now")).to_have_text("一次面接")
    check_accessibility(page)
    with page.expect_download() as download:
        page.click("#download-resume")
    assert download.value.suggested_filename.startswith("resume-")
    page.click("#open-profile")
    expect(page.locator(".message-info")).to_contain_text("閲覧を記録しました")
    check_accessibility(page)
    page.go_back()

    page.click("#hire")
    check_accessibility(page)
    page.fill("#joins_on", "2027-04-01")
    page.check("#how-slot")
    page.click("#submit")
    expect(page.locator("#confirmation")).to_contain_text("現在 10 → ")
    check_accessibility(page)
    page.click("#submit")
    expect(page.locator("#done")).to_contain_text("入社を登録しました")
    check_accessibility(page)
    page.click("#to-hires")
    expect(page.locator("#hires tbody tr")).to_have_count(1)
    check_accessibility(page)


def test_every_page_of_a_season_is_for_everyone(
    page: Page, season: Season, web: WebHouse, address: str, sign_in: SignIn,
    check_accessibility: Check,
) -> None:  # fmt: skip
    ids = whole_season(season)
    with web.node.database.transaction() as session:
        waiting = session.query(models.ReferralIn).filter_by(state="received").first()
        released, taken_back = session.query(models.ReferralOut).filter_by(state="released")[:2]
        declined = session.query(models.ReferralOut).filter_by(state="declined").first()
        assert waiting
        assert declined
        out = [row.id for row in (released, taken_back, declined)]
        erasures.withdraw(session, web.node.context, taken_back.consent_id)
    sign_in(page, "admin")
    offer, chosen = f"/referrals/in/{waiting.id}", f"/referrals/in/{ids['selected']}"
    for path in (
        "/",
        "/referrals/in",
        offer,
        f"{offer}/accept",
        f"{offer}/decline",
        chosen,
        f"{chosen}/known",
        f"{chosen}/end/withdrawn_by_candidate",
        f"/referrals/in/{ids['hired']}",
        "/referrals/rule",
        "/referrals/out",
        f"/referrals/out/{ids['sent']}",
        *(f"/referrals/out/{each}" for each in out),
        "/referrals/in/board",
        "/erasures",
        "/retention",
        "/points",
        "/points/certificates/aoba/1?check=now",
        "/points/comparison/biwa",
        "/charter",
        "/hires",
        "/peers",
        "/peers/seeds",
    ):
        answer = page.goto(f"{address}{path}")
        assert answer, path
        assert answer.status == 200, path
        check_accessibility(page)


def test_the_points_are_drawn_and_stand_in_a_table_too(
    page: Page, season: Season, address: str, sign_in: SignIn, check_accessibility: Check
) -> None:
    season.accepted("aoba", "biwa", PEOPLE[0])
    season.certify_all()
    sign_in(page, "approver")
    page.goto(f"{address}/points")
    expect(page.locator("#balance-chart canvas")).to_be_visible()
    page.click("#balance-chart summary")
    expect(page.locator("#balance-chart tbody tr")).to_have_count(90)
    check_accessibility(page)
    page.locator("#points-statement a").first.click()
    page.click("#check")
    expect(page.locator("#check-result")).to_contain_text("この証明書は有効です")
