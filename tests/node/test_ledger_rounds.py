"""The worker's rounds among members that lie, break off or never end: nobody blocks an owner."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from node.services import ledger
from node.transport import TransportFailure
from node.worker.ledger import CERTIFICATES_PATH, ORDERS_PATH, LedgerRounds, pull
from protocol import REFERRAL_ENTRY, OrderAnswer, PullAnswer
from tests.equipment.alliance import Alliance
from tests.equipment.wires import Answer, node_with, wires_of


def owe(alliance: Alliance, at: int) -> None:
    house = alliance["aoba"]
    with house.database.transaction() as session:
        ledger.pay(
            session,
            house.context,
            entry_id=f"a-point-we-owe-{at:04}",
            kind=REFERRAL_ENTRY,
            to="biwa",
            points=1,
            reference=bytes(32),
        )


def paid(alliance: Alliance) -> int:
    with alliance["aoba"].database.reading() as session:
        return -ledger.position(session, alliance["aoba"].context).balance


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_a_member_that_answers_with_a_false_certificate_stops_no_round(
    alliance: Alliance, executor: ThreadPoolExecutor
) -> None:
    answered = threading.Event()

    def lie(path: str, body: bytes) -> bytes:
        answered.set()
        return OrderAnswer(certificate=b'{"order":{},"vote":{}}').encode()

    node = node_with(alliance, seeds=lie)
    owe(alliance, 1)
    assert LedgerRounds(node, executor).step()
    assert answered.is_set()
    assert paid(alliance) == 1


def test_a_member_that_never_ends_its_answer_holds_up_neither_round_nor_thread(
    alliance: Alliance, executor: ThreadPoolExecutor
) -> None:
    let_go, was_waited_for = threading.Event(), threading.Event()

    def never(path: str, body: bytes) -> bytes:
        if not let_go.wait(20):
            was_waited_for.set()
        raise TransportFailure("timed-out")

    node = node_with(alliance, seeds=never)
    rounds = LedgerRounds(node, executor)
    try:
        # More rounds than the executor has threads: each would leave two of them waiting.
        for at in range(1, 13):
            owe(alliance, at)
            assert rounds.step()
    finally:
        let_go.set()
    assert paid(alliance) == 12
    assert not was_waited_for.is_set()


def test_a_round_ends_though_nobody_answers_and_the_next_asks_again(
    alliance: Alliance, executor: ThreadPoolExecutor
) -> None:
    let_go, are_away = threading.Event(), True

    def never(path: str, body: bytes) -> bytes:
        let_go.wait(20)
        raise TransportFailure("timed-out")

    def away(path: str, body: bytes) -> bytes:
        if are_away:
            raise TransportFailure("not-reached")
        return wires_of(node).honest("bridge", path, body)

    node = node_with(alliance, seeds=never, bridge=away)
    rounds = LedgerRounds(node, executor, gather_s=0.2)
    owe(alliance, 1)
    try:
        assert not rounds.step()
        are_away = False
        alliance.clock.move(60)
        assert rounds.step()
    finally:
        let_go.set()
    assert paid(alliance) == 1


def test_what_came_in_meanwhile_goes_out_with_the_certificate_before_it(
    alliance: Alliance, executor: ThreadPoolExecutor
) -> None:
    came_in, one_at_a_time = threading.Event(), threading.Lock()

    def meanwhile(member: str) -> Answer:
        def answer(path: str, body: bytes) -> bytes:
            with one_at_a_time:
                if path == ORDERS_PATH and not came_in.is_set():
                    owe(alliance, 2)
                    came_in.set()
            return wires_of(node).honest(member, path, body)

        return answer

    # No two of the three make a quorum without one of these.
    node = node_with(alliance, seeds=meanwhile("seeds"), bridge=meanwhile("bridge"))
    rounds = LedgerRounds(node, executor)
    owe(alliance, 1)
    assert rounds.step()
    assert rounds.step()
    assert not rounds.step()
    executor.shutdown()
    assert paid(alliance) == 2
    asked = wires_of(node).asked
    assert asked.count(("biwa", ORDERS_PATH)) == 2
    assert asked.count(("biwa", CERTIFICATES_PATH)) == 1, "the last one's alone"
    for house in alliance.houses.values():
        with house.database.reading() as session:
            assert ledger.state(session)[0] == {"aoba": 2}


def test_a_page_with_a_false_certificate_is_refused_and_changes_nothing(alliance: Alliance) -> None:
    def lie(path: str, body: bytes) -> bytes:
        return PullAnswer({"seeds": 9}, bytes(32), (b'{"order":{}}',), more=True).encode()

    assert pull(node_with(alliance, seeds=lie), "seeds") == 0
