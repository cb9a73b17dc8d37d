"""The ledger: single-entry orders against their Ed25519 operations.

One thread, no I/O: four replicas with books in memory, and between them the bytes as on the wire.
Owners take turns, as the members of an alliance do.
"""

from collections.abc import Iterator
from itertools import count

from protocol import (
    REFERRAL_ENTRY,
    Ballot,
    Cast,
    Entry,
    MemoryBooks,
    OrderAnswer,
    Signed,
    SignedDocument,
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

    def open(self, entry: Entry) -> Signed:
        order = build_order(self.name, [entry], charter=CHARTER, books=self.books, key=self.key)
        assert order is not None
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


# What four replicas with q = 3 cannot do without: the owner signs its order and the others their
# votes; the three others verify the order; the owner verifies the two votes that it needs; of
# these two, each of their voters verifies the other's, and the third member verifies both.
SIGNATURES = 1 + 3
VERIFICATIONS = 3 + 2 + (1 + 1 + 2)


@benchmark("orders")
def single_entry_orders() -> Iterator[Figure]:
    replicas = [Replica(name) for name in NAMES]
    numbers = count()

    def order() -> None:
        number = next(numbers)
        owner = replicas[number % 4]
        others = [replica for replica in replicas if replica is not owner]
        to = others[number // 4 % 3].name
        one_order(owner, others, Entry(f"{number:032x}", REFERRAL_ENTRY, to, 1, bytes(32)))

    key = SIGNING["aoba"]
    # As long as a single-entry order; a vote is half of it, and the difference is below 1 us.
    message = bytes(500)
    signature = key.sign(message)

    def signatures() -> None:
        for _ in range(SIGNATURES):
            key.sign(message)
        for _ in range(VERIFICATIONS):
            key.verify_key.verify(message, signature)

    ours, floor = cpu_us(order, signatures)
    heads = {replica.books.head(name) for name in NAMES for replica in replicas}
    assert len(heads) == len(NAMES), "the replicas agree on every account"
    yield Figure("an order, signed to applied", ours, "us")
    yield Figure("its 4 signatures and 9 verifications", floor, "us")
    yield Figure("against the Ed25519 operations", ours / floor, "times", at_most=1.4)
    yield Figure("on one core", 1e6 / ours, "orders/s")
