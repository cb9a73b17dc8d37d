"""Guards: what a member holds to when an owner, or the member itself, was restored.  SPEC §6.6.

A guard is durable before anything that rests on it leaves. It says below which incarnation the
member never votes on an account again, which fence it promised that to, and up to which place it
does not vote at all since it may have voted there before it was restored.

    pledge          fence -> Pledge (store the guard durably, then send the answer) | refusal
    judge_guarded   order -> what `judge` answers, behind the guard and the warrant
    guard_after     applied order -> the guard to store in the same transaction, if it changed
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from protocol import limits
from protocol.charter import Charter
from protocol.documents.ledger import FIRST_INCARNATION, Order
from protocol.documents.recovery import FENCE, PROMISE, Fence, Locked, Promise
from protocol.errors import (
    Abstaining,
    EpochMismatch,
    IncarnationStale,
    OrderInvalid,
    SenderMismatch,
)
from protocol.keys import SigningKey
from protocol.ledger.books import Books, Lock
from protocol.ledger.replica import Verdict, judge
from protocol.ledger.warrant import Case, Warrant, verify_warrant
from protocol.signed import Signed, SignedDocument, sign, verify


class Guard(NamedTuple):
    """What a member holds to for one account."""

    # It never votes below this incarnation: what it promised, or learned that it had.
    incarnation: int = FIRST_INCARNATION
    # The highest incarnation of an order of the account that is applied here.
    certified: int = FIRST_INCARNATION
    # The owner's signed fence that it promised, and the answer it gave, to be given again.
    fence: bytes = b""
    answer: bytes = b""
    # It does not vote up to this place.
    abstains_to: int = 0

    @property
    def lowest(self) -> int:
        """The lowest incarnation it may vote for."""
        return max(self.incarnation, self.certified)


NO_GUARD = Guard()


class Guards(Protocol):
    """What the rules may ask: the guard of an account, `NO_GUARD` when there is none."""

    def guard(self, account: str) -> Guard:
        """The account's guard."""


class MemoryGuards:
    """Guards in a dictionary."""

    def __init__(self) -> None:
        self._guards: dict[str, Guard] = {}

    def guard(self, account: str) -> Guard:
        return self._guards.get(account, NO_GUARD)

    def keep(self, account: str, guard: Guard) -> None:
        """Store a guard. What it holds to is never given up."""
        known = self.guard(account)
        assert guard.lowest >= known.lowest
        assert guard.abstains_to >= known.abstains_to
        self._guards[account] = guard


class Pledge(NamedTuple):
    """Send this answer. `guard` is to be durable before it leaves; None: it already is."""

    answer: Warrant
    guard: Guard | None


def verify_fence(document: SignedDocument, charter: Charter) -> Signed[Fence]:
    """The fence, proven to be signed by its account's owner under this charter."""
    fence = verify(document, FENCE, charter.keys, Fence.parse)
    if (fence.body.alliance, fence.body.epoch) != (charter.alliance, charter.epoch):
        raise EpochMismatch("the fence is of another epoch", epoch=charter.epoch)
    if fence.signer != fence.body.account:
        raise SenderMismatch(f"{fence.signer} signed a fence of {fence.body.account}")
    return fence


def pledge(
    fence: Signed[Fence], charter: Charter, books: Books, guards: Guards, key: SigningKey
) -> Pledge:
    """The promise that answers a fence, with the order it reports.

    The same fence again gets the same answer. IncarnationStale, with what the owner signed, when
    its incarnation is not above everything known here; Abstaining while this member may have
    forgotten a vote in the open place, which its promise could not report.
    """
    body = fence.body
    if body.account not in charter.accounts:
        raise OrderInvalid(f"{body.account} keeps no account")
    guard = guards.guard(body.account)
    document = fence.document.encode()
    if guard.fence == document and guard.answer:
        return Pledge(Warrant.parse(guard.answer), None)
    sequence = books.head(body.account).sequence
    if sequence < guard.abstains_to:
        raise Abstaining(f"restored; votes on {body.account} from {guard.abstains_to + 1} on")
    lock = books.lock(body.account, sequence + 1)
    if body.incarnation <= max(guard.lowest, lock.incarnation if lock else FIRST_INCARNATION):
        raise _stale(guard, lock)

    promise = Promise(
        alliance=body.alliance,
        epoch=body.epoch,
        account=body.account,
        incarnation=body.incarnation,
        attempt=body.attempt,
        sequence=sequence,
        locked=None if lock is None else Locked(lock.incarnation, lock.digest),
    )
    answer = Warrant((sign(PROMISE, promise.encode(), key),), _cases(lock))
    return Pledge(
        answer,
        guard._replace(incarnation=body.incarnation, fence=document, answer=answer.encode()),
    )


def _cases(lock: Lock | None) -> tuple[Case, ...]:
    """The locked order as its owner signed it, with what allowed it, and what allowed that."""
    if lock is None:
        return ()
    beneath = Warrant.parse(lock.warrant) if lock.warrant else Warrant()
    return (Case(SignedDocument.parse(lock.document), beneath.promises), *beneath.cases)


def judge_guarded(
    order: Signed[Order],
    warrant: bytes,
    charter: Charter,
    books: Books,
    guards: Guards,
) -> Verdict:
    """What `judge` answers, unless the account's guard forbids a vote or the warrant falls short.

    `warrant` are the bytes that came with the order, empty in the first incarnation.
    """
    body, guard = order.body, guards.guard(order.body.account)
    if guard is NO_GUARD and body.incarnation == FIRST_INCARNATION:
        return judge(order, charter, books)
    # A settled place is answered with its certificate, whoever asks.
    if body.sequence > books.head(body.account).sequence:
        if body.sequence <= guard.abstains_to:
            raise Abstaining(f"restored; votes on {body.account} from {guard.abstains_to + 1} on")
        if body.incarnation < guard.lowest:
            raise _stale(guard, None)
        lock = books.lock(body.account, body.sequence)
        is_held = lock is not None and lock.incarnation == body.incarnation
        # In every place, though an earlier one may have shown it: the lock is reported with it.
        # Where an order of this incarnation is locked, another one is evidence, warrant or not.
        if body.incarnation > FIRST_INCARNATION and not is_held:
            verify_warrant(order, Warrant.parse(warrant) if warrant else Warrant(), charter)
    return judge(order, charter, books, warrant)


def _stale(guard: Guard, lock: Lock | None) -> IncarnationStale:
    """The refusal, with what the owner itself signed in the later incarnation, as proof."""
    shown = [document for document in (guard.fence, lock.document if lock else b"") if document]
    return IncarnationStale(
        "the account has moved on to a later incarnation",
        shown=[SignedDocument.parse(document).to_json() for document in shown],
    )


def guard_after(order: Order, guard: Guard) -> Guard | None:
    """The guard behind an applied order, to be stored in the same transaction; None: unchanged.

    Along an account's chain the incarnation never goes down.
    """
    if order.incarnation <= guard.certified:
        return None
    return guard._replace(certified=order.incarnation)


def reports_needed(charter: Charter) -> int:
    """How many others a restored voter must have read to the end before it votes again.

    Among so many is an honest one that voted for the last certified order it may have voted behind,
    and one that gave the promise it may have given.
    """
    return min(charter.q, len(charter.members) - 1)


def restored_guards(
    member: str,
    charter: Charter,
    books: Books,
    guards: Guards,
    fences: Iterable[Signed[Fence]],
) -> Mapping[str, Guard]:
    """The guards of a restored voter, to be durable before it votes on anything again.

    To be called when the certificates of `reports_needed` others are all applied here, with the
    fences that they showed. What this member voted before, and forgot, stands at the most two
    places beyond: one that is certified and known to nobody who was asked, and one behind it.
    """
    shown: dict[str, Signed[Fence]] = {}
    for fence in fences:
        known = shown.get(fence.body.account)
        if known is None or known.body.incarnation < fence.body.incarnation:
            shown[fence.body.account] = fence
    restored = {}
    for account in sorted(charter.accounts - {member}):
        guard = guards.guard(account)
        barrier = books.head(account).sequence + limits.ABSTAINED_SEQUENCES
        guard = guard._replace(abstains_to=max(guard.abstains_to, barrier))
        newest = shown.get(account)
        if newest is not None and newest.body.incarnation > guard.incarnation:
            # Without an answer: what it reported when it promised is forgotten.
            guard = guard._replace(
                incarnation=newest.body.incarnation,
                fence=newest.document.encode(),
                answer=b"",
            )
        restored[account] = guard
    return restored
