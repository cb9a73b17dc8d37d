"""The pages as people see them, in a real browser: at the desk, on a phone, by keyboard, by all."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from node import models
from tests.equipment import browser as browsers
from tests.equipment.web_house import WebHouse

pytestmark = pytest.mark.browser

SignIn = Callable[[Page, str], None]
Check = Callable[[Page], None]


def is_phone(page: Page) -> bool:
    size = page.viewport_size
    return size is not None and size["width"] < 600


def open_menu(page: Page) -> None:
    if is_phone(page):
        page.click("#menu-toggle")
        expect(page.locator("#menu")).to_have_class(re.compile(r"\bshow\b(?!ing)"))


def test_signing_in_and_out(
    page: Page, web: WebHouse, address: str, check_accessibility: Check
) -> None:
    web.user("admin")
    page.goto(address)
    expect(page).to_have_title("ログイン | Tasuki")
    check_accessibility(page)

    page.fill("#login", "admin")
    page.fill("#password", "something else")
    page.click("[data-reveal=password]")
    expect(page.locator("#password")).to_have_attribute("type", "text")
    page.keyboard.press("Enter")
    page.click("#submit")
    expect(page.locator("#form-errors")).to_be_focused()
    check_accessibility(page)

    page.fill("#password", "ekiden no tasuki")
    page.click("#submit")
    expect(page.locator("h1")).to_have_text("山田 花子さん、おつかれさまです")

    page.click("#user-menu")
    page.click("#sign-out")
    expect(page.locator("[role=status]")).to_contain_text("ログアウトしました。")


def test_the_front_page_before_anything_happened(
    page: Page, sign_in: SignIn, check_accessibility: Check
) -> None:
    sign_in(page, "recruiter")
    expect(page.locator("#points")).to_contain_text("次の無料採用枠まで、あと10ポイント")
    expect(page.locator("#peer-states tbody tr")).to_have_count(3)
    expect(page.locator("#peer-states tbody tr").first).to_contain_text("株式会社biwa")
    expect(page.locator("#peer-states tbody tr").first).to_contain_text("未接続")
    check_accessibility(page)


def test_the_front_page_shows_the_points_and_the_peers(
    page: Page, web: WebHouse, sign_in: SignIn, check_accessibility: Check
) -> None:
    now = web.clock.now()
    with web.node.database.transaction() as session:
        session.merge(models.LedgerAccount(account="aoba", digest=bytes(32), credits=7))
        for member, state, failures in (("biwa", "closed", 0), ("seeds", "open", 4)):
            session.merge(
                models.Peer(
                    member=member, state=state, failures=failures, last_success_at=now - 7200
                )
            )
    sign_in(page, "approver")
    expect(page.locator("#points svg")).to_have_attribute("aria-label", "10ポイント中7ポイント")
    expect(page.locator("#points")).to_contain_text("あと3ポイント")
    rows = page.locator("#peer-states tbody tr")
    expect(rows.nth(0)).to_contain_text("正常")
    expect(rows.nth(0)).to_contain_text("2時間前")
    expect(rows.nth(1)).to_contain_text("接続できません")
    check_accessibility(page)


def test_a_viewer_sees_no_points(page: Page, sign_in: SignIn) -> None:
    sign_in(page, "viewer")
    expect(page.locator("#points")).to_have_count(0)
    expect(page.locator("#menu-points")).to_have_count(0)


def test_the_menu_leads_to_the_pages_and_says_where_one_is(
    page: Page, sign_in: SignIn, address: str, check_accessibility: Check
) -> None:
    sign_in(page, "admin")
    open_menu(page)
    check_accessibility(page)
    page.click("#menu-users")
    expect(page).to_have_url(f"{address}/users")
    expect(page.locator("#menu-users")).to_have_attribute("aria-current", "page")
    check_accessibility(page)


def test_every_page_of_the_menu_is_for_everyone_before_anything_happened(
    page: Page, sign_in: SignIn, address: str, check_accessibility: Check
) -> None:
    sign_in(page, "admin")
    links = page.eval_on_selector_all(".menu-link", "all => all.map(one => one.pathname)")
    assert len(links) == 14
    for link in links:
        page.goto(f"{address}{link}")
        expect(page.locator("h1")).to_have_count(1)
        check_accessibility(page)


def test_a_user_is_added_corrected_and_shown_in_the_list(
    page: Page, web: WebHouse, sign_in: SignIn, address: str, check_accessibility: Check
) -> None:
    sign_in(page, "admin")
    page.goto(f"{address}/users")
    page.click("#new-user")
    check_accessibility(page)
    page.fill("#name", "田中 美咲")
    page.fill("#login", "admin")
    page.fill("#password", "hashiru-mainichi")
    page.click("#submit")

    expect(page.locator("#form-errors li")).to_have_text(
        "ユーザー名: このユーザー名はすでに使われています。別のユーザー名を入力してください。"
    )
    check_accessibility(page)
    page.click("#form-errors a")
    expect(page.locator("#login")).to_be_focused()
    expect(page.locator("#name")).to_have_value("田中 美咲")

    page.fill("#login", "misaki")
    page.fill("#password", "")
    page.click("#submit")
    expect(page.locator("#done h2")).to_have_text("ユーザーを追加しました")
    expect(page.locator("#password")).to_have_text(re.compile(r"^(\w{5}-){3}\w{5}$"))
    check_accessibility(page)

    page.click("#to-users")
    expect(page.locator("#users tbody tr")).to_have_count(2)
    page.click("#edit-misaki")
    page.uncheck("#active")
    check_accessibility(page)
    page.click("#submit")
    expect(page.locator("#users tbody tr", has_text="美咲")).to_contain_text("停止中")


def test_a_new_password_is_asked_for_twice_and_shown_once(
    page: Page, web: WebHouse, sign_in: SignIn, address: str, check_accessibility: Check
) -> None:
    user = web.user("viewer")
    sign_in(page, "admin")
    page.goto(f"{address}/users/{user.id}")
    page.click("#reset-password")
    expect(page.locator("#confirmation")).to_contain_text("高橋 三郎")
    check_accessibility(page)
    page.click("#submit")
    expect(page.locator("#made-password")).to_contain_text("表示されるのは一度だけ")
    check_accessibility(page)
    page.goto(f"{address}/users/me/password")
    check_accessibility(page)


def test_the_language_can_be_switched_on_every_page(
    page: Page, sign_in: SignIn, address: str, check_accessibility: Check
) -> None:
    sign_in(page, "admin")
    page.goto(f"{address}/users")
    page.click("#language")
    expect(page).to_have_url(f"{address}/users")
    expect(page.locator("h1")).to_have_text("Users")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    check_accessibility(page)


def test_a_refusal_is_a_page_like_the_others(
    page: Page, sign_in: SignIn, address: str, check_accessibility: Check
) -> None:
    sign_in(page, "viewer")
    page.goto(f"{address}/users")
    expect(page.locator("#error-code")).to_have_text("role-missing")
    check_accessibility(page)
    page.click("#go-on")
    expect(page).to_have_url(f"{address}/")


def test_everything_is_reached_by_keyboard(desk: Page, sign_in: SignIn) -> None:
    sign_in(desk, "admin")
    desk.keyboard.press("Tab")
    expect(desk.locator(".skip-link")).to_be_focused()
    desk.keyboard.press("Enter")
    expect(desk.locator("#main")).to_be_focused()
    desk.locator("#user-menu").focus()
    desk.keyboard.press("Enter")
    desk.keyboard.press("ArrowDown")
    expect(desk.locator("#own-password")).to_be_focused()
    desk.keyboard.press("Escape")
    expect(desk.locator("#user-menu")).to_be_focused()


def test_targets_on_a_phone_are_large_enough_for_a_thumb(phone: Page, sign_in: SignIn) -> None:
    sign_in(phone, "admin")
    small = phone.evaluate(
        """() => [...document.querySelectorAll("button, a.btn, input, select, .todo a")]
            .filter(one => one.offsetParent && one.type !== "hidden")
            .filter(one => one.getBoundingClientRect().height < 40)
            .map(one => one.id || one.outerHTML.slice(0, 80))"""
    )
    assert small == []
    assert browsers.PHONE["has_touch"]
