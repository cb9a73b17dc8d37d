"""The ledger: single-entry orders against their Ed25519 operations.

One thread, no I/O: four replicas with books in memory, and between them the bytes as on the wire.
Owners take turns, as the members of an alliance do.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, cycle

from protocol import REFERRAL_ENTRY, Entry, Order, Signed, SignedDocument, SigningKey, cast_vote
from tests.benchmarks.registry import Figure, benchmark
from tests.benchmarks.replicas import Replica, one_order
from tests.benchmarks.timing import cpu_us
from tests.protocol.alliance import NAMES, founded
from tests.protocol.cast import SIGNING

CHARTER = founded()


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


def operations(order: Signed[Order], voters: list[Replica]) -> Operations:
    """The operations of a real order, of its own lengths."""
    votes = [(replica.key, cast_vote(order, replica.key)) for replica in voters]
    return Operations(
        _signed(SIGNING[order.signer], order.document), [_signed(key, vote) for key, vote in votes]
    )


def _signed(key: SigningKey, document: SignedDocument) -> tuple[SigningKey, bytes, bytes]:
    return key, document.signing_bytes, document.signatures[0].value


@benchmark("orders")
def single_entry_orders() -> Iterator[Figure]:
    replicas = [Replica(name, CHARTER, SIGNING[name]) for name in NAMES]
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
