"""The replica: what a member answers to another member's order, and how a certificate applies.

An order is *valid* as a pure function of its causal past: the epoch, the number before it, what
its owner had seen, entry ids that are new, and points that are there. Incoming points only ever
raise what is available, so a vote that was right stays right.  SPEC §6.2, §6.4.

    judge    order -> Cast (lock it durably, then vote) | Settled | Need | OrderConflict | refusal
    advance  certificate -> Changes, or None while something it builds on is not applied yet
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from protocol.charter import Charter
from protocol.documents.ledger import FIRST_INCARNATION, FREE_HIRE, VOTE, Order, encode_vote
from protocol.errors import IncarnationStale, LimitExceeded, OrderConflict, OrderInvalid
from protocol.keys import SigningKey
from protocol.ledger.books import Books, Changes, Head, Lock
from protocol.ledger.certificates import Certificate, content_digest
from protocol.signed import Signed, SignedDocument, sign


class Cast(NamedTuple):
    """Vote for the order. `lock` is to be durable before the vote leaves; None: it already is."""

    order: Signed[Order]
    lock: Lock | None


@dataclass(frozen=True, slots=True)
class Settled:
    """The place is taken by an applied order; here is its certificate."""

    certificate: bytes


@dataclass(frozen=True, slots=True)
class Need:
    """We lack certificates that the order builds on: account -> (first, last) missing."""

    ranges: Mapping[str, tuple[int, int]]


Verdict = Cast | Settled | Need


def judge(
    order: Signed[Order], charter: Charter, books: Books, warrant: bytes | None = None
) -> Verdict:
    """What to answer to an order whose signature and epoch are proven.  SPEC §6.2.

    Raises OrderConflict with the other signed order when another one holds the place here, and the
    refusal that fits when the order is not valid. Nothing is changed by asking. A later incarnation
    comes through `recovery.judge_guarded`, which hands in the warrant that it has checked.
    """
    body, digest = order.body, order.digest
    if body.account not in charter.accounts:
        raise OrderInvalid(f"{body.account} keeps no account")
    head = books.head(body.account)
    if body.sequence <= head.sequence:
        settled = books.certificate(body.account, body.sequence)
        assert settled is not None
        return Settled(settled)
    lock = books.lock(body.account, body.sequence)
    if lock is not None and lock.digest == digest:
        return Cast(order, None)
    # A later incarnation needs the promises that fenced the earlier ones, and ends their votes.
    if (body.incarnation != FIRST_INCARNATION and warrant is None) or (
        lock is not None and lock.incarnation > body.incarnation
    ):
        raise IncarnationStale("the account has moved on, or its promises are missing")
    if lock is not None and lock.incarnation == body.incarnation:
        raise OrderConflict(
            f"another order holds number {body.sequence} of {body.account}",
            order=SignedDocument.parse(lock.document).to_json(),
        )
    missing = missing_before(body, books, charter)
    if missing:
        return Need(missing)
    check_valid(body, head, charter, books)
    return Cast(order, Lock(body.incarnation, digest, order.document.encode(), warrant or b""))


def missing_before(
    order: Order, books: Books, charter: Charter | None = None
) -> Mapping[str, tuple[int, int]]:
    """The certificates that must be applied here before the order can be applied.

    Under a `charter` before it can be judged: that takes the whole of the cut the epoch opened on.
    """
    vector, seen = books.vector(), order.seen if charter is None else charter.past_of(order.seen)
    # Mostly it has seen just what we have applied.
    before = order.sequence - 1
    if before <= vector.get(order.account, 0) and seen.items() <= vector.items():
        return {}
    missing = {}
    for account, sequence in {**seen, order.account: before}.items():
        applied = vector.get(account, 0)
        if sequence > applied:
            missing[account] = (applied + 1, sequence)
    return missing


def check_valid(order: Order, head: Head, charter: Charter, books: Books) -> None:
    """Raise the first rule of SPEC §6.2 that the order breaks. Its causal past is applied here."""
    if order.previous != head.digest:
        raise OrderInvalid(f"order {order.sequence} does not follow our order {head.sequence}")
    accounts, own = charter.accounts, order.account
    if own in order.seen or not accounts.issuperset(order.seen):
        raise OrderInvalid(f"seen names {min(set(order.seen) - (accounts - {own}))}")
    for entry in order.entries:
        if entry.to not in accounts or entry.to == own:
            raise OrderInvalid(f"{entry.to} cannot be paid by {own}")
    repeated = books.repeated(order.account, [entry.id for entry in order.entries])
    if repeated is not None:
        raise OrderInvalid(f"entry {repeated} was paid before")

    earned = books.credited(order.account, charter.past_of(order.seen))
    left = earned - head.debits - order.debit
    floor = floor_of(order, charter)
    if left < floor:
        raise LimitExceeded(
            f"the order would leave {left} points and the floor is {floor}", left=left, floor=floor
        )


def floor_of(order: Order, charter: Charter) -> int:
    """The lowest balance the order may leave: a free hire is spent from what was earned."""
    if FREE_HIRE in [entry.kind for entry in order.entries]:
        return 0
    return -charter.member(order.account).credit_limit


def cast_vote(order: Signed[Order], key: SigningKey) -> SignedDocument:
    """The vote for an order that `judge` answered with Cast, and whose lock is durable."""
    return sign(VOTE, encode_vote(order.body, order.digest), key)


def advance(certificate: Certificate, books: Books) -> Changes | None:
    """The changes of applying a certificate; None while it must be held back, or is applied.

    The limit is not checked again: the quorum judged it on the same causal past.
    """
    order = certificate.order.body
    head = books.head(order.account)
    if order.sequence <= head.sequence or missing_before(order, books):
        return None
    # A quorum never certifies two chains of one account.
    assert order.previous == head.digest
    paid: dict[str, int] = {}
    for entry in order.entries:
        paid[entry.to] = paid.get(entry.to, 0) + entry.points
    debits = head.debits + order.debit
    return Changes(
        account=order.account,
        head=Head(order.sequence, content_digest(certificate.order), debits, head.credits),
        credits=paid,
        entries=order.entries,
        certificate=certificate.data,
    )
