"""The rule for automatic acceptance, as HR sets it."""

import pytest

from node.services import referrals
from tests.equipment.season import PEOPLE, Season
from tests.equipment.web_house import WebHouse


def test_the_rule_accepts_what_fits_until_the_month_is_full(season: Season, web: WebHouse) -> None:
    recruiter = web.signed_in("recruiter")
    wish = {"active": "yes", "monthly_cap": "1", "applicant_types": "midcareer", "regions": "13"}
    assert recruiter.post("/referrals/rule", wish).status_code == 302
    fits = season.offered("bridge", "aoba", PEOPLE[0])
    other = season.offered("bridge", "aoba", PEOPLE[1])
    over = season.offered("bridge", "aoba", PEOPLE[4])
    states = [season.row_in("aoba", own).state for own in (fits, other, over)]
    assert states == ["profile_received", "received", "received"]
    page = recruiter.get("/referrals/rule").get_data(as_text=True)
    assert "1 / 1" in page
    course = recruiter.get(f"/referrals/in/{fits}").get_data(as_text=True)
    assert "自動受入ルール" in course


@pytest.mark.parametrize("cap", ["0", "1001", "many", ""])
def test_a_rule_without_an_end_is_refused(season: Season, web: WebHouse, cap: str) -> None:
    refused = web.signed_in("recruiter").post(
        "/referrals/rule", {"active": "yes", "monthly_cap": cap}
    )
    assert refused.status_code == 422
    with season.alliance["aoba"].database.reading() as session:
        assert referrals.rule(session) is None
