"""Asked first: the profile goes after the person's yes, and a no costs the company nothing."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from node import models
from node.services import erasures, interest, ledger, referrals
from node.services.applicants import Person, suppress
from node.worker.interest import end_questions
from tests.equipment.alliance import House
from tests.equipment.candidates import EMAIL, NAME, Candidates, Walker
from tests.equipment.letters import carry
from tests.equipment.referring import accept, received
from tests.equipment.season import DAY_S, Season


@pytest.fixture
def season(candidates: Candidates) -> Season:
    return Season(candidates.alliance)


@pytest.fixture
def walker(candidates: Candidates) -> Walker:
    """Somebody who wished to be asked, and whom biwa would like to meet."""
    _, token = candidates.invite()
    walker = candidates.walker(token)
    walker.arrive("biwa", "seeds", order="ask")
    walker.agree("biwa", "seeds")
    carry(candidates.alliance)
    accept(candidates.alliance["biwa"], received(candidates.alliance["biwa"]).id)
    assert carry(candidates.alliance) == []
    return walker


@pytest.fixture
def page(candidates: Candidates, walker: Walker) -> str:
    """The path of the status page, as the mail with the question has it."""
    (mail,) = candidates.mails("interest")
    found = re.search(r"(/s/[A-Za-z0-9_-]{22})\n", mail.text)
    assert found
    return found[1]


def steps(walker: Walker, page: str) -> dict[str, str]:
    text = walker.get(page).text
    return dict(re.findall(r'id="state-([a-z]+)" data-step="([a-z-]+)"', text))


def say(walker: Walker, page: str, answer: str) -> None:
    values: dict[str, object] = {"company": "biwa", "answer": answer}
    # The token of any page serves: once answered, there is no question to press again.
    assert walker.post(f"{page}/interest", values, page=f"{page}/withdraw").status_code == 302


def work(candidates: Candidates) -> tuple[int, int]:
    """What the worker does every minute: how many it ended, for how many a point went back."""
    return end_questions(candidates.node)


def balance(house: House) -> int:
    with house.database.reading() as session:
        return ledger.position(session, house.context).available


def test_the_profile_goes_after_the_yes_and_is_recorded_then(
    candidates: Candidates, walker: Walker, page: str
) -> None:
    biwa = candidates.alliance["biwa"]
    (mail,) = candidates.mails("interest")
    assert (mail.to, NAME in mail.text, "株式会社biwa" in mail.text) == (EMAIL, True, True)
    assert "asks-first" in candidates.grounds()[0].items
    assert "送ってよいか" in candidates.mails("receipt")[0].text

    candidates.web.clock.move(3600)
    assert steps(walker, page) == {"biwa": "asking", "seeds": "waiting"}
    assert (received(biwa).state, received(biwa).profile_blob) == ("accepted", None)
    say(walker, page, "yes")
    assert steps(walker, page) == {"biwa": "selection", "seeds": "waiting"}
    before = candidates.rows()
    say(walker, page, "yes")
    say(walker, page, "no")
    assert candidates.rows() == before
    assert carry(candidates.alliance) == []
    assert received(biwa).state == "profile_received"


@pytest.mark.parametrize("silent", [False, True])
def test_without_a_yes_nothing_goes_and_the_point_comes_back_once(
    candidates: Candidates, walker: Walker, page: str, season: Season, silent: bool
) -> None:
    aoba, biwa = candidates.alliance["aoba"], candidates.alliance["biwa"]
    if silent:
        candidates.web.clock.move(5 * DAY_S)
        assert work(candidates) == (0, 0)
        candidates.web.clock.move(4 * DAY_S)
        # What was never paid does not go back.
        assert work(candidates) == (1, 0)
    else:
        say(walker, page, "no")
    assert steps(walker, page)["biwa"] == "erasing"
    assert "プロフィールは送っていません" in walker.get(page).text
    say(walker, page, "yes")
    assert carry(candidates.alliance) == []
    assert (steps(walker, page)["biwa"], received(biwa).state) == ("erased", "withdrawn")

    assert work(candidates) == (0, 0)
    assert season.certify("biwa")
    assert (balance(aoba), balance(biwa)) == (1, -1)
    assert [work(candidates), work(candidates)] == [(0, 1), (0, 0)]
    assert season.certify("aoba")
    assert (balance(aoba), balance(biwa)) == (0, 0)
    assert work(candidates) == (0, 0)


def test_a_consent_taken_back_while_the_question_stands_is_a_no(
    candidates: Candidates, walker: Walker, season: Season
) -> None:
    node = candidates.node
    season.certify("biwa")
    with node.database.transaction() as session:
        row = session.query(models.ReferralOut).filter_by(recipient="biwa").one()
        erasures.withdraw(session, node.context, row.consent_id)
    assert work(candidates) == (0, 1)


def test_a_member_that_pays_something_else_gets_nothing_back(
    candidates: Candidates, walker: Walker, page: str, season: Season
) -> None:
    biwa, node = candidates.alliance["biwa"], candidates.node
    with biwa.database.transaction() as session:
        # The promised id, for another reference: the promise is not kept, and never can be.
        session.query(models.PendingEntry).one().reference = bytes(32)
    say(walker, page, "no")
    season.certify("biwa")
    assert work(candidates) == (0, 0)
    with node.database.reading() as session:
        row = session.query(models.ReferralOut).filter_by(recipient="biwa").one()
        assert row.point_settled_at is not None
        assert ledger.waiting(session) == []


def test_whoever_wants_no_more_mail_is_asked_all_the_same(candidates: Candidates) -> None:
    _, token = candidates.invite()
    walker = candidates.walker(token)
    walker.arrive("biwa", order="ask")
    walker.agree("biwa")
    with candidates.node.database.transaction() as session:
        suppress(session, candidates.node.context, Person(name="", email=EMAIL))
    carry(candidates.alliance)
    biwa = candidates.alliance["biwa"]
    accept(biwa, received(biwa).id)
    assert carry(candidates.alliance) == []
    (mail,) = candidates.mails("interest")
    assert "転送しないでください" in mail.text


def test_neither_yes_nor_no_is_no_answer(candidates: Candidates, walker: Walker, page: str) -> None:
    for said in ("", "maybe"):
        values: dict[str, object] = {"company": "biwa", "answer": said}
        answer = walker.post(f"{page}/interest", values, page=f"{page}/withdraw")
        assert answer.status_code == 422
    assert steps(walker, page)["biwa"] == "asking"


def test_yes_and_the_end_of_the_time_at_once_have_one_outcome(
    candidates: Candidates, walker: Walker, page: str
) -> None:
    node, token = candidates.node, page.removeprefix("/s/")
    candidates.web.clock.move(20 * DAY_S)

    def yes() -> bool:
        with node.database.transaction() as session:
            return interest.answer(session, node.context, token, "biwa", yes=True)

    def end() -> int:
        return end_questions(node)[0]

    with ThreadPoolExecutor(4) as pool:
        tries = [pool.submit(each) for each in (yes, end, yes, end)]
        assert sum(each.result() for each in tries) == 1


def test_a_later_start_stands_in_the_mail_and_on_the_page(candidates: Candidates) -> None:
    alliance, (_, token) = candidates.alliance, candidates.invite()
    walker = candidates.walker(token)
    walker.arrive("biwa", "seeds", order="ask", share_progress="yes")
    walker.agree("biwa", "seeds")
    carry(alliance)
    for house, start in ((alliance["biwa"], "interview_1"), (alliance["seeds"], "screening")):
        own = received(house).id
        with house.database.transaction() as session:
            referrals.accept(session, house.context, own, user_id="hanako", start=start)
    carry(alliance)
    words = "この会社は一次面接からのご案内を予定しています"
    mails = candidates.mails("interest")
    assert sorted(words in mail.text for mail in mails) == [False, True]
    page = re.search(r"(/s/[A-Za-z0-9_-]{22})\n", mails[0].text)
    assert page
    shown = walker.get(page[1]).text
    assert words in shown
    assert re.findall(r'id="start-([a-z]+)"', shown) == ["biwa"]


def test_a_company_that_leaves_while_the_question_stands_gets_nothing(
    candidates: Candidates, walker: Walker, page: str
) -> None:
    node = candidates.node
    with node.database.transaction() as session:
        referrals.close_offers(session, node.context, "biwa")
    say(walker, page, "yes")
    assert steps(walker, page)["biwa"] == "no-answer"
    assert "提携から離れたため" in walker.get(page).text
    with node.database.reading() as session:
        row = session.query(models.ReferralOut).filter_by(recipient="biwa").one()
        assert (row.state, row.profile_blob) == ("expired", None)
