"""Recovery among five, where the owner needs three promises of four.  SPEC §6.6."""

from protocol import (
    ORDER,
    Ballot,
    Cast,
    Fence,
    MemoryBooks,
    MemoryGuards,
    Order,
    Promises,
    Signed,
    SignedDocument,
    Tenure,
    advance,
    begin,
    cast_vote,
    content_digest,
    judge_guarded,
    pledge,
    settled,
    sign,
    verify_fence,
    verify_order,
)
from tests.protocol.orders import entry
from tests.simulator.parties import NAMES, charter_of, signing_key

CHARTER = charter_of(5, trusting=False, real=True)
OWNER, *OTHERS = NAMES[:5]
KEYS = {name: signing_key(name, real=True) for name in NAMES[:5]}


def order_of(sequence: int, previous: bytes, incarnation: int = 1) -> Signed[Order]:
    body = Order(
        CHARTER.alliance, 1, OWNER, sequence, incarnation, previous, {}, (entry(OTHERS[0]),)
    )
    return verify_order(sign(ORDER, body.encode(), KEYS[OWNER]), CHARTER)


def apply(order: Signed[Order], books: MemoryBooks) -> None:
    ballot = Ballot(order, CHARTER)
    for name in OTHERS:
        ballot.add(cast_vote(order, KEYS[name]), name)
    certificate = ballot.certificate()
    assert certificate is not None
    changes = advance(certificate, books)
    assert changes is not None
    books.commit(changes)


def test_a_member_beyond_the_owners_head_does_not_bind_it_behind_its_place() -> None:
    """It had applied place 1 and locked place 2; the others promised while both were new to them.

    The owner learns of place 1 only after it went on. Place 2 is free by the three others, and an
    order that the fourth had locked there must not stop every other one.
    """
    first = order_of(1, bytes(32))
    second = order_of(2, first.digest)
    books = {name: MemoryBooks() for name in OTHERS}
    guards = {name: MemoryGuards() for name in OTHERS}
    ahead = OTHERS[0]
    apply(first, books[ahead])
    verdict = judge_guarded(second, b"", CHARTER, books[ahead], guards[ahead])
    assert isinstance(verdict, Cast)
    assert verdict.lock is not None
    books[ahead].lock_order(OWNER, 2, verdict.lock)

    tenure = begin(Tenure(), 1, OWNER, charter=CHARTER, key=KEYS[OWNER], attempt=bytes([7]) * 16)
    fence: Signed[Fence] = verify_fence(SignedDocument.parse(tenure.fence), CHARTER)
    promises = Promises(tenure, CHARTER)
    for name in OTHERS:
        given = pledge(fence, CHARTER, books[name], guards[name], KEYS[name])
        assert given.guard is not None
        guards[name].keep(OWNER, given.guard)
        promises.add(given.answer, name)
    resumption = promises.resume(MemoryBooks().head(OWNER), KEYS[OWNER])
    assert resumption is not None
    assert resumption.order is None

    for name in OTHERS[1:]:
        apply(first, books[name])
    warrant = settled(resumption.tenure).warrant
    free = order_of(2, content_digest(first), incarnation=2)
    for name in OTHERS:
        verdict = judge_guarded(free, warrant, CHARTER, books[name], guards[name])
        assert isinstance(verdict, Cast)
