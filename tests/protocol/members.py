"""Members of the four, each with its books and guards, for the tests of recovery."""

from dataclasses import dataclass, field

from protocol import (
    ORDER,
    Cast,
    Charter,
    Fence,
    MemoryBooks,
    MemoryGuards,
    Order,
    Promises,
    Resumption,
    Signed,
    SignedDocument,
    Tenure,
    Warrant,
    advance,
    begin,
    cast_vote,
    guard_after,
    judge_guarded,
    pledge,
    reissue,
    sign,
    verify_fence,
    verify_order,
)
from tests.protocol.alliance import NAMES
from tests.protocol.cast import SIGNING
from tests.protocol.orders import CHARTER, certified

OWNER = "biwa"
OTHERS = tuple(name for name in NAMES if name != OWNER)
ATTEMPT = bytes([7]) * 16
OTHER_ATTEMPT = bytes([8]) * 16


@dataclass
class Voter:
    """One member: what `judge_guarded` and `pledge` decide is stored at once."""

    name: str
    charter: Charter = CHARTER
    books: MemoryBooks = field(default_factory=MemoryBooks)
    guards: MemoryGuards = field(default_factory=MemoryGuards)

    def vote(self, order: Signed[Order], warrant: bytes = b"") -> SignedDocument:
        verdict = judge_guarded(order, warrant, self.charter, self.books, self.guards)
        assert isinstance(verdict, Cast)
        if verdict.lock is not None:
            self.books.lock_order(*order.body.slot, verdict.lock)
        return cast_vote(order, SIGNING[self.name])

    def promise(self, fence: Signed[Fence]) -> Warrant:
        given = pledge(fence, self.charter, self.books, self.guards, SIGNING[self.name])
        if given.guard is not None:
            self.guards.keep(fence.body.account, given.guard)
        return given.answer

    def apply(self, order: Signed[Order]) -> None:
        changes = advance(certified(order, self.charter), self.books)
        assert changes is not None
        self.books.commit(changes)
        guard = guard_after(order.body, self.guards.guard(order.body.account))
        if guard is not None:
            self.guards.keep(order.body.account, guard)


def voters() -> dict[str, Voter]:
    return {name: Voter(name) for name in OTHERS}


def fencing(known: int = 1, attempt: bytes = ATTEMPT) -> Tenure:
    """biwa's tenure with an open fence above `known`."""
    return begin(Tenure(), known, OWNER, charter=CHARTER, key=SIGNING[OWNER], attempt=attempt)


def fence_of(tenure: Tenure) -> Signed[Fence]:
    return verify_fence(SignedDocument.parse(tenure.fence), CHARTER)


def gathered(tenure: Tenure, members: dict[str, Voter], *names: str) -> Promises:
    """The promises of these members, all others if none is named."""
    promises = Promises(tenure, CHARTER)
    for name in names or OTHERS:
        promises.add(members[name].promise(fence_of(tenure)), name)
    return promises


def resumed(
    tenure: Tenure, members: dict[str, Voter], own: Signed[Order] | None = None
) -> Resumption:
    head = members["aoba"].books.head(OWNER)
    resumption = gathered(tenure, members).resume(head, SIGNING[OWNER], own)
    assert resumption is not None
    return resumption


def again(order: Signed[Order], incarnation: int) -> Signed[Order]:
    return reissue(order, incarnation, CHARTER, SIGNING[OWNER])


def in_other_bytes(order: Signed[Order]) -> Signed[Order]:
    """The order with a space in it: it says the same in another writing."""
    payload = order.document.payload.replace(b'"epoch":', b'"epoch": ')
    return verify_order(sign(ORDER, payload, SIGNING[order.signer]), CHARTER)
