"""The ledger when many act at once: one lock a place, points that move once, no vote unstored."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from threading import Barrier
from typing import TypeVar

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from node import models
from node.database import CommitUnknown, Database
from node.services import ledger
from protocol import (
    REFERRAL_ENTRY,
    Ballot,
    OrderAnswer,
    ProtocolError,
    Signed,
    SignedDocument,
    errors,
    sign,
)
from tests.equipment.alliance import Alliance, House
from tests.equipment.peers import Caller

ORDERS = "/peer/v1/orders"
AT_ONCE = 8
T = TypeVar("T")


def owe(house: House, to: str) -> None:
    with house.database.transaction() as session:
        ledger.pay(
            session,
            house.context,
            entry_id=ledger.new_entry_id(house.context.now()),
            kind=REFERRAL_ENTRY,
            to=to,
            points=1,
            reference=bytes(32),
        )


def open_order(house: House) -> Signed:
    with house.database.transaction() as session:
        order = ledger.open_order(session, house.context)
    assert order is not None
    return order


def vote_on(house: House, order: SignedDocument) -> OrderAnswer:
    with house.database.transaction() as session:
        answer = ledger.vote_on(session, house.context, order.encode())
    if isinstance(answer, errors.ProtocolError):
        raise answer
    return OrderAnswer.parse(answer)


def tell(house: House, certificate: bytes) -> bool:
    with house.database.transaction() as session:
        return ledger.receive_certificate(session, house.context, certificate)


def gathered(alliance: Alliance, order: Signed, voters: Sequence[str]) -> Ballot:
    ballot = Ballot(order, alliance.charter)
    for voter in voters:
        vote = vote_on(alliance[voter], order.document).vote
        assert vote is not None
        ballot.add(vote, voter)
    return ballot


def certify(house: House, ballot: Ballot) -> bytes:
    with house.database.transaction() as session:
        return ledger.certify(session, house.context, ballot).data


def rows(house: House, table: type[models.Model]) -> int:
    with house.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def state(house: House) -> bytes:
    with house.database.reading() as session:
        return ledger.state(session)[1]


def all_at_once(actions: Sequence[Callable[[], T]]) -> list[T | ProtocolError]:
    """Run the actions in threads that start together; what each returned, or was refused with."""
    start = Barrier(len(actions))

    def run(action: Callable[[], T]) -> T | ProtocolError:
        start.wait(timeout=30)
        try:
            return action()
        except ProtocolError as refusal:
            return refusal

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


def conflicting(house: House, order: Signed, count: int) -> list[SignedDocument]:
    """Orders for one place, all signed with the owner's real key."""
    payload = order.body.encode()
    reference = b'"reference":"'
    at = payload.index(reference) + len(reference)
    return [
        sign(
            "order",
            payload[:at] + letter.encode() + payload[at + 1 :],
            house.context.keyring.signing,
        )
        for letter in "BCDEFGHIJKLMNOPQRSTUVWXYZ"[:count]
    ]


def test_of_conflicting_orders_asked_at_once_exactly_one_is_locked(alliance: Alliance) -> None:
    biwa, seeds = alliance["biwa"], alliance["seeds"]
    owe(biwa, "aoba")
    orders = conflicting(biwa, open_order(biwa), AT_ONCE)

    outcomes = all_at_once([lambda order=order: vote_on(seeds, order) for order in orders])

    voted = [
        order
        for order, outcome in zip(orders, outcomes, strict=True)
        if isinstance(outcome, OrderAnswer) and outcome.vote is not None
    ]
    refused = [outcome for outcome in outcomes if isinstance(outcome, errors.OrderConflict)]
    assert (len(voted), len(refused)) == (1, AT_ONCE - 1)
    proofs = [SignedDocument.from_json(refusal.facts["order"]) for refusal in refused]
    assert proofs == voted * (AT_ONCE - 1)
    assert rows(seeds, models.LedgerLock) == 1


def test_the_same_order_asked_for_many_times_at_once_is_one_vote(alliance: Alliance) -> None:
    biwa, seeds = alliance["biwa"], alliance["seeds"]
    owe(biwa, "aoba")
    order = open_order(biwa).document
    answers = all_at_once([lambda: vote_on(seeds, order)] * AT_ONCE)
    assert answers == [answers[0]] * AT_ONCE
    assert rows(seeds, models.LedgerLock) == 1


def test_two_workers_open_one_order_and_certify_it_once(alliance: Alliance) -> None:
    biwa = alliance["biwa"]
    owe(biwa, "aoba")
    orders = all_at_once([lambda: open_order(biwa)] * 2)
    assert orders[0] == orders[1]
    assert rows(biwa, models.LedgerLock) == 1

    order = open_order(biwa)
    ballots = [gathered(alliance, order, voters) for voters in (("aoba", "seeds"),) * 2]
    certificates = all_at_once([lambda b=ballot: certify(biwa, b) for ballot in ballots])
    assert certificates[0] == certificates[1]
    assert rows(biwa, models.LedgerCertificate) == 1
    assert rows(biwa, models.PendingEntry) == 0
    assert rows(biwa, models.LedgerLock) == 0
    with biwa.database.reading() as session:
        assert ledger.position(session, biwa.context).balance == -1


def test_certificates_that_pay_each_other_may_come_at_once(alliance: Alliance) -> None:
    """Two chains that build on each other, each brought by a thread of its own, some twice."""
    aoba, biwa, bridge = alliance["aoba"], alliance["biwa"], alliance["bridge"]
    seeds = alliance["seeds"]
    chains: dict[str, list[bytes]] = {"aoba": [], "biwa": []}
    for _ in range(5):
        for payer, payee in ((aoba, biwa), (biwa, aoba)):
            owe(payer, payee.id)
            ballot = gathered(alliance, open_order(payer), (payee.id, "bridge"))
            certificate = certify(payer, ballot)
            tell(payee, certificate)
            tell(bridge, certificate)
            chains[payer.id].append(certificate)

    def bring(chain: list[bytes]) -> int:
        return sum(tell(seeds, certificate) for certificate in chain)

    brought = all_at_once([lambda c=chain: bring(c) for chain in (*chains.values(),) * 2])
    assert all(isinstance(count, int) for count in brought), brought
    assert state(seeds) == state(bridge)
    assert rows(seeds, models.LedgerCertificate) == 10
    assert rows(seeds, models.HeldCertificate) == 0


class FailingCommits(Database):
    """A database whose commits fail while it is told so: a rule is broken that is checked then."""

    fails = False

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with super().transaction() as session:
            yield session
            if self.fails:
                session.execute(text("INSERT INTO orphans VALUES (1)"))

    def prepare(self) -> None:
        with super().transaction() as session:
            session.execute(text("CREATE TABLE parents (id INTEGER PRIMARY KEY)"))
            session.execute(
                text(
                    "CREATE TABLE orphans (parent INTEGER"
                    " REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)"
                )
            )


@pytest.fixture
def unlucky(alliance: Alliance) -> Iterator[House]:
    """seeds, on the same database with commits that can be made to fail."""
    seeds = alliance["seeds"]
    url = seeds.database.engine.url.render_as_string(hide_password=False)
    with closing(FailingCommits(url, unsafe=True)) as database:
        database.prepare()
        yield replace(seeds, database=database)


def test_a_vote_whose_commit_failed_is_not_sent(alliance: Alliance, unlucky: House) -> None:
    biwa, database = alliance["biwa"], unlucky.database
    assert isinstance(database, FailingCommits)
    owe(biwa, "aoba")
    order = open_order(biwa).document
    caller = Caller(biwa, unlucky, alliance.charter)

    database.fails = True
    with pytest.raises(CommitUnknown):
        vote_on(unlucky, order)
    # The transaction that failed holds nothing any more, neither here nor for another process.
    assert rows(unlucky, models.LedgerLock) == 0
    assert rows(alliance["seeds"], models.LedgerLock) == 0
    owe(alliance["seeds"], "aoba")
    answer = caller.call(order.encode(), path=ORDERS)
    assert answer.status == 503
    assert b"vote" not in answer.body
    assert rows(unlucky, models.LedgerLock) == 0

    # Nothing bound us, so another order of that place may be voted for now.
    database.fails = False
    (other,) = conflicting(biwa, open_order(biwa), 1)
    assert caller.call(other.encode(), path=ORDERS).status == 200
    assert caller.call(order.encode(), path=ORDERS).code == "double-spend"
    assert rows(unlucky, models.LedgerLock) == 1
