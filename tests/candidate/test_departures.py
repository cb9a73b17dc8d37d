"""A company goes while a person is choosing: each page stays one, and nothing is sent to it."""

from tests.equipment.alliance import Alliance
from tests.equipment.candidates import Candidates
from tests.equipment.departing import expel


def test_who_was_invited_by_a_company_that_left_is_offered_nobody(
    alliance: Alliance, candidates: Candidates
) -> None:
    _, token = candidates.invite()
    walker = candidates.walker(token)
    walker.arrive("biwa")
    expel(alliance, "aoba", told=["aoba"])
    assert walker.get("/l/partners").status_code == 200
    for path in ("partners", "how", "about", "experience", "check", "code"):
        answer = walker.get(f"/l/{path}")
        assert answer.status_code < 500, path
        assert "株式会社biwa" not in answer.get_data(as_text=True), path
    assert {len(sent) for sent in candidates.envelopes().values()} <= {0}


def test_a_partner_that_left_is_offered_to_nobody_any_more(
    alliance: Alliance, candidates: Candidates
) -> None:
    _, token = candidates.invite()
    walker = candidates.walker(token)
    walker.arrive("biwa", "bridge")
    expel(alliance, "bridge")
    page = walker.get("/l/partners").get_data(as_text=True)
    assert "株式会社biwa" in page
    assert "株式会社bridge" not in page
    walker.agree("biwa")
    sent = candidates.envelopes()
    assert (len(sent["biwa"]), len(sent["bridge"])) == (1, 0)
