"""The page from which a person who was not hired is handed on, and who may do that."""

import pytest

from node import models
from tests.equipment.handing import MAKI
from tests.equipment.season import Season
from tests.equipment.web_house import WebHouse


@pytest.fixture
def own(season: Season) -> str:
    """Referred to `aoba` by `bridge`, and not hired."""
    found = season.accepted("bridge", "aoba", MAKI)
    season.move("aoba", found, "interview_final", "declined_by_company")
    season.carry()
    return found


def text(web: WebHouse, role: str, path: str) -> str:
    answer = web.signed_in(role).get(path)
    assert answer.status_code == 200, answer.status_code
    return answer.get_data(as_text=True)


def test_a_recruiter_reads_what_happens_and_hands_on_once(web: WebHouse, own: str) -> None:
    page = text(web, "recruiter", f"/referrals/in/{own}")
    assert 'id="hand-on"' in page
    asked = text(web, "recruiter", f"/referrals/in/{own}/hand-on")
    assert "この操作では何も送られません" in asked
    assert count(web) == 0, "looking changes nothing"

    recruiter = web.signed_in("recruiter")
    first = recruiter.post(f"/referrals/in/{own}/hand-on")
    again = recruiter.post(f"/referrals/in/{own}/hand-on")
    assert (first.status_code, first.location) == (302, again.location)
    assert count(web) == 1

    detail = text(web, "recruiter", first.location)
    assert f'href="/referrals/in/{own}"' in detail
    page = text(web, "recruiter", f"/referrals/in/{own}")
    assert f'href="{first.location}"' in page
    assert "ほかの企業への案内の対象にしました" in page
    assert 'id="hire"' not in page
    assert 'id="twins"' not in page, "this very person is no duplicate"
    assert recruiter.get(f"/referrals/in/{own}/hand-on").location == first.location


def count(web: WebHouse) -> int:
    with web.node.database.reading() as session:
        return session.query(models.Relay).count()


@pytest.mark.parametrize("role", ["viewer", "approver"])
def test_only_a_recruiter_hands_on(web: WebHouse, own: str, role: str) -> None:
    assert 'id="hand-on"' not in text(web, role, f"/referrals/in/{own}")
    visitor = web.signed_in(role)
    assert visitor.get(f"/referrals/in/{own}/hand-on").status_code == 403
    assert visitor.post(f"/referrals/in/{own}/hand-on").status_code == 403
    assert count(web) == 0


def test_without_the_token_of_the_page_nobody_is_handed_on(web: WebHouse, own: str) -> None:
    answer = web.signed_in("recruiter").client.post(f"/referrals/in/{own}/hand-on")
    assert answer.status_code == 400
    assert count(web) == 0


def test_who_is_still_in_selection_is_not_offered_and_refused(
    web: WebHouse, season: Season
) -> None:
    here = season.accepted("bridge", "aoba", MAKI)
    assert 'id="hand-on"' not in text(web, "recruiter", f"/referrals/in/{here}")
    recruiter = web.signed_in("recruiter")
    for answer in (
        recruiter.get(f"/referrals/in/{here}/hand-on"),
        recruiter.post(f"/referrals/in/{here}/hand-on"),
    ):
        assert answer.status_code == 409
        assert "採用を見送った方だけ" in answer.get_data(as_text=True)
    assert count(web) == 0
