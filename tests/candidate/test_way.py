"""The way from the link to the consent, page by page, without a browser."""

from tests.equipment.candidates import Candidates


def test_the_whole_way_sends_a_referral_to_each_company_that_was_ticked(
    candidates: Candidates,
) -> None:
    _, token = candidates.invite()
    walker = candidates.walker(token)

    walker.arrive("biwa", "bridge")
    answer = walker.agree("biwa", "bridge")

    assert answer.status_code == 302, answer.get_data(as_text=True)
    assert answer.location == "/l/done"
    done = walker.get("/l/done")
    assert done.status_code == 200
    sent = candidates.envelopes()
    assert [len(sent[member]) for member in ("biwa", "seeds", "bridge")] == [1, 0, 1]
