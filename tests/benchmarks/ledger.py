"""The ledger: single-entry orders against their Ed25519 operations.

One thread, no I/O: four replicas with books in memory, and between them the bytes as on the wire.
Owners take turns, as the members of an alliance do.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, cycle

from protocol import (
    REFERRAL_ENTRY,
    Ballot,
    Cast,
    Entry,
    MemoryBooks,
    OrderAnswer,
    Signed,
    SignedDocument,
    SigningKey,
    Voted,
    advance,
    build_order,
    cast_vote,
    judge,
    verify_certificate,
    verify_order,
)
from tests.benchmarks.registry import Figure, benchmark
from tests.benchmarks.timing import cpu_us
from tests.protocol.alliance import NAMES, founded
from tests.protocol.cast import SIGNING

CHARTER = founded()


class Replica:
    """One member with its books in memory, and what it remembers between vote and certificate."""

    def __init__(self, name: str) -> None:
        self.name, self.books, self.key = name, MemoryBooks(), SIGNING[name]
        self._voted: Voted | None = None

    def build(self, entry: Entry) -> Signed:
        order = build_order(self.name, [entry], charter=CHARTER, books=self.books, key=self.key)
        assert order is not None
        return order

    def open(self, entry: Entry) -> Signed:
        order = self.build(entry)
        self._lock(order)
        return order

    def vote(self, body: bytes) -> bytes:
        order = verify_order(SignedDocument.parse(body), CHARTER)
        self._lock(order)
        vote = cast_vote(order, self.key)
        self._voted = Voted(order, vote)
        return OrderAnswer(vote=vote).encode()

    def _lock(self, order: Signed) -> None:
        verdict = judge(order, CHARTER, self.books)
        assert isinstance(verdict, Cast)
        assert verdict.lock is not None
        self.books.lock_order(order.body.account, order.body.sequence, verdict.lock)

    def certify(self, ballot: Ballot) -> bytes:
        certificate = ballot.certificate()
        assert certificate is not None
        changes = advance(certificate, self.books)
        assert changes is not None
        self.books.commit(changes)
        return certificate.data

    def receive(self, body: bytes) -> None:
        certificate = verify_certificate(body, CHARTER, voted=self._voted)
        changes = advance(certificate, self.books)
        assert changes is not None
        self.books.commit(changes)


def one_order(owner: Replica, others: list[Replica], entry: Entry) -> None:
    """From building to applied everywhere; every member votes, the owner counts until enough."""
    order = owner.open(entry)
    body = order.document.encode()
    ballot = Ballot(order, CHARTER)
    for answer, other in [(other.vote(body), other) for other in others]:
        if not ballot.is_complete:
            vote = OrderAnswer.parse(answer).vote
            assert vote is not None
            ballot.add(vote, other.name)
    certificate = owner.certify(ballot)
    for other in others:
        other.receive(certificate)


@dataclass(frozen=True)
class Operations:
    """The Ed25519 operations that one order needs, with four members of whom three are enough.

    The owner signs its order and the others their votes; the others verify the order; the owner
    verifies the two votes that it needs; of these two, each of their voters verifies the other's,
    and the third member verifies both.
    """

    order: tuple[SigningKey, bytes, bytes]
    votes: list[tuple[SigningKey, bytes, bytes]]

    def __call__(self) -> None:
        for key, message, _ in (self.order, *self.votes):
            key.sign(message)
        first, second, _ = self.votes
        for key, message, signature in (*[self.order] * 3, *[first, second] * 3):
            key.verify_key.verify(message, signature)


SIGNATURES, VERIFICATIONS = 1 + 3, 3 + 2 + (1 + 1 + 2)


def operations(order: Signed, voters: list[Replica]) -> Operations:
    """The operations of a real order, of its own lengths."""
    votes = [(replica.key, cast_vote(order, replica.key)) for replica in voters]
    return Operations(
        _signed(SIGNING[order.signer], order.document), [_signed(key, vote) for key, vote in votes]
    )


def _signed(key: SigningKey, document: SignedDocument) -> tuple[SigningKey, bytes, bytes]:
    return key, document.signing_bytes, document.signatures[0].value


@benchmark("orders")
def single_entry_orders() -> Iterator[Figure]:
    replicas = [Replica(name) for name in NAMES]
    numbers = count()

    def entry_and_owner() -> tuple[Entry, Replica, list[Replica]]:
        number = next(numbers)
        owner = replicas[number % 4]
        others = [replica for replica in replicas if replica is not owner]
        to = others[number // 4 % 3].name
        return Entry(f"{number:032x}", REFERRAL_ENTRY, to, 1, bytes(32)), owner, others

    def order() -> None:
        entry, owner, others = entry_and_owner()
        one_order(owner, others, entry)

    # Many different ones: a processor learns the branches of a signature that comes again.
    prepared = []
    for _ in range(100):
        entry, owner, others = entry_and_owner()
        prepared.append(operations(owner.build(entry), others))
    floor = cycle(prepared)

    def needed() -> None:
        next(floor)()

    ours_us, floor_us = cpu_us(order, needed)
    heads = {replica.books.head(name) for name in NAMES for replica in replicas}
    assert len(heads) == len(NAMES), "the replicas agree on every account"
    what = f"its {SIGNATURES} signatures and {VERIFICATIONS} verifications"
    yield Figure("an order, signed to applied", ours_us, "us")
    yield Figure(what, floor_us, "us")
    yield Figure("against the Ed25519 operations", ours_us / floor_us, "times", at_most=1.4)
    yield Figure("on one core", 1e6 / ours_us, "orders/s")
