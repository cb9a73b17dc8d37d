"""What an order costs as the alliance grows, and what the rules of recovery add to it.

One thread, no I/O, like `orders`: the bytes between the members are those on the wire.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from statistics import linear_regression

from protocol import REFERRAL_ENTRY, Entry, SigningKey, propose_quorum
from tests.benchmarks.registry import Figure, benchmark
from tests.benchmarks.replicas import Replica, one_order
from tests.benchmarks.timing import cpu_us
from tests.protocol.alliance import draft, member

SIZES = (4, 7, 10, 13, 16, 19, 22, 25, 28, 31)


class Orders:
    """An alliance of so many; every call certifies one order, each member in turn."""

    def __init__(self, members: int, *, guarded: bool = True) -> None:
        keys = [
            SigningKey.from_seed(number.to_bytes(32, "big")) for number in range(1, members + 1)
        ]
        q, b = propose_quorum(members)
        described = tuple(
            replace(
                member("aoba", credit_limit=1_000_000),
                id=f"member-{number}",
                signing_key=key.verify_key.raw,
            )
            for number, key in enumerate(keys)
        )
        charter = draft(members=described, q=q, b=b)
        self._replicas = [
            Replica(each.id, charter, key, guarded=guarded)
            for each, key in zip(described, keys, strict=True)
        ]
        self._numbers = count()

    def __call__(self) -> None:
        number = next(self._numbers)
        owner = self._replicas[number % len(self._replicas)]
        others = [each for each in self._replicas if each is not owner]
        to = others[number % len(others)].name
        one_order(owner, others, Entry(f"{number:032x}", REFERRAL_ENTRY, to, 1, bytes(32)))


@benchmark("recovery-rules")
def recovery_rules() -> Iterator[Figure]:
    """Certified orders with guards and warrants, against the same without them."""
    with_us, without_us = cpu_us(Orders(4), Orders(4, guarded=False))
    yield Figure("an order, with the rules of recovery", with_us, "us")
    yield Figure("an order, without them", without_us, "us")
    yield Figure("what they cost", 100 * (with_us / without_us - 1), "%", at_most=10)


@benchmark("members")
def members() -> Iterator[Figure]:
    """What one order costs each member, from four members to thirty-one: the line."""
    costs = []
    for size in SIZES:
        (total_us,) = cpu_us(Orders(size), rounds=12, calls=size)
        costs.append(total_us / size)
        yield Figure(f"{size} members: an order, at each of them", costs[-1], "us")
    slope, intercept = linear_regression(SIZES, costs)
    yield Figure("the line: every member more", slope, "us")
    yield Figure("the line: without any", intercept, "us")
    furthest = max(
        abs(cost - (intercept + slope * size)) / (intercept + slope * size)
        for size, cost in zip(SIZES, costs, strict=True)
    )
    yield Figure("furthest from the line", 100 * furthest, "%", at_most=10)
