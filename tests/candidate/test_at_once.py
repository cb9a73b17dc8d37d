"""Two taps at the same moment, on both databases: one draft, one consent, five tries in all."""

from concurrent.futures import ThreadPoolExecutor

from node import models
from node.services import consents
from node.services.consents import Outcome
from tests.equipment.candidates import Candidates

TAPS = 6
TEXT = "what stood above the button"


def link_id(candidates: Candidates) -> str:
    with candidates.node.database.reading() as session:
        return session.query(models.Link).one().id


def test_six_starts_at_once_make_one_draft(candidates: Candidates) -> None:
    candidates.invite()
    link, node = link_id(candidates), candidates.node

    def start(_: int) -> str:
        with node.database.transaction() as session:
            opened = consents.open_link(session, node.context, link)
            return consents.begin(session, node.context, opened, "ja").id

    with ThreadPoolExecutor(TAPS) as pool:
        drafts = set(pool.map(start, range(TAPS)))
    assert len(drafts) == 1
    assert candidates.rows()["consents"] == 1


def test_six_agreements_at_once_send_one_referral(candidates: Candidates) -> None:
    _, token = candidates.invite()
    candidates.walker(token).arrive("biwa", "seeds")
    link, node = link_id(candidates), candidates.node

    def agree(_: int) -> bool:
        with node.database.transaction() as session:
            return consents.give(
                session,
                node.context,
                link,
                agreed=["biwa", "seeds"],
                render=lambda _preview: TEXT,
                seen_hash=consents.hash_of(TEXT),
                language="ja",
                network="",
            ).now

    with ThreadPoolExecutor(TAPS) as pool:
        given = list(pool.map(agree, range(TAPS)))
    assert sorted(given) == [False] * (TAPS - 1) + [True]
    assert [len(sent) for sent in candidates.envelopes().values()] == [1, 1, 0]
    assert len(candidates.mails("receipt")) == 1


def test_tries_at_once_are_all_counted(candidates: Candidates) -> None:
    _, token = candidates.invite()
    walker = candidates.walker(token)
    walker.start()
    walker.choose("biwa")
    walker.decide()
    walker.send_code()
    wrong = f"{(int(candidates.code()) + 1) % 1_000_000:06}"
    link, node = link_id(candidates), candidates.node

    def guess(_: int) -> Outcome:
        with node.database.transaction() as session:
            return consents.verify_code(session, node.context, link, wrong)[0]

    with ThreadPoolExecutor(TAPS) as pool:
        outcomes = list(pool.map(guess, range(TAPS)))
    assert outcomes.count(Outcome.WRONG) == 4
    assert outcomes.count(Outcome.TRIED_TOO_OFTEN) == 2
