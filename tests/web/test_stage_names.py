"""Names of stages that ask for what has no place in selection: said on the page, never stopped."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.equipment.browser import AccessibilityCheck
from tests.equipment.web_house import Visitor
from tests.web.conftest import SignIn

STAGES = "/referrals/in/stages"


def lines(*names: str) -> dict[str, object]:
    """The form with one line for each name."""
    codes = ["interview_1"] * len(names)
    orders = [str(number) for number in range(1, len(names) + 1)]
    return {"id": [""] * len(names), "order": orders, "name": list(names), "code": codes}


def test_a_name_that_asks_too_much_is_saved_and_said_with_its_line_and_reason(
    signed_in: Callable[[str], Visitor],
) -> None:
    recruiter = signed_in("recruiter")
    saved = recruiter.post(STAGES, lines("書類選考", "身元調査", "家族面談・健康診断"))
    assert saved.headers["Location"] == STAGES
    page = recruiter.get(STAGES).text
    assert 'value="身元調査"' in page
    for said in (
        "2行目「身元調査」",
        "3行目「家族」",
        "3行目「健康診断」",
        "選考に関係のない事項",
        "このまま使うこともできます",
    ):
        assert said in page

    saved = recruiter.post(STAGES, lines("書類選考", "最終面接"))
    assert saved.headers["Location"] == "/referrals/in/board"
    assert "stage-remarks" not in recruiter.get(STAGES).text


@pytest.mark.browser
def test_the_remark_is_for_everyone(
    signed_in: Callable[[str], Visitor],
    page: Page,
    address: str,
    sign_in: SignIn,
    check_accessibility: AccessibilityCheck,
) -> None:
    signed_in("recruiter").post(STAGES, lines("書類選考", "身元調査"))
    sign_in(page, "recruiter")
    page.goto(f"{address}{STAGES}")
    expect(page.locator("#stage-remarks li")).to_have_count(1)
    check_accessibility(page)
