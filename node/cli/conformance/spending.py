"""Cases 7xx: a vote, and what becomes of an owner that signs two orders for one place.  SPEC §6.2.

They spend the account: the peer is locked on the first order, and holds the proof of the second.
Only for an account of an alliance that was made for tests.
"""

from node.cli.conformance.caller import Answer, Caller, Deviation, NotApplicable, said
from node.cli.conformance.cases import Chapter
from node.cli.conformance.fences import EVIDENCE, STANDING
from node.cli.conformance.sync import read_ledger
from node.cli.conformance.votes import ORDERS, account_of, answered, entry, order
from protocol import (
    ORDER,
    Ballot,
    Order,
    OrderRequest,
    ProtocolError,
    Signed,
    SignedDocument,
    Standing,
    errors,
    evidence_of,
    limits,
    sign,
    verify_order,
)

CHAPTER = Chapter([])
case = CHAPTER.case


def following(caller: Caller, **changes: object) -> Signed[Order]:
    """An order in our open place, as far as the peer's own ledger says."""
    books, page = read_ledger(caller)
    head = books.head(account_of(caller))
    seen = {account: at for account, at in page.vector.items() if account != caller.us}
    body = order(caller, sequence=head.sequence + 1, previous=head.digest, seen=seen, **changes)
    return verify_order(sign(ORDER, body.encode(), caller.key), caller.charter)


def voted_on(caller: Caller, asked: Signed[Order]) -> Answer:
    """What the peer says to it."""
    return caller.call(ORDERS, OrderRequest(asked.document).encode())


def voted_first(caller: Caller, asked: Signed[Order]) -> Answer:
    """The same, while the place is open; NotApplicable when an earlier run has spent it."""
    answer = voted_on(caller, asked)
    conflict = errors.OrderConflict.code
    if answer.status == errors.OrderConflict.status and conflict in said(answer):
        shown = caller.refused(answer, conflict).facts.get("order")
        try:
            held = verify_order(SignedDocument.from_json(shown), caller.charter)
        except ProtocolError as error:
            raise Deviation(f"{conflict} without our order: {error}") from error
        # We signed it: nobody else can have spent the place.
        if held.body.slot == asked.body.slot and held.digest != asked.digest:
            raise NotApplicable("the account was spent before")
    return answer


@case(701, "more points than the account has", "6.2", "the refusal limit")
def _limit(caller: Caller) -> None:
    if caller.charter.member(account_of(caller)).credit_limit == limits.POINTS_MAX:
        raise NotApplicable("the account may owe any number of points")
    much = (entry(caller, points=limits.POINTS_MAX),)
    asked = following(caller, entries=(*much, entry(caller, points=limits.POINTS_MAX)))
    caller.refused(voted_first(caller, asked), "limit")


@case(702, "points for oneself", "6.2", "the refusal order-invalid")
def _oneself(caller: Caller) -> None:
    asked = following(caller, entries=(entry(caller, to=caller.us),))
    caller.refused(voted_first(caller, asked), "order-invalid")


@case(703, "an order that follows another", "6.2", "the refusal order-invalid")
def _previous(caller: Caller) -> None:
    asked = following(caller, entries=(entry(caller),))
    other = asked.body._replace(previous=b"\1" * 32)
    document = sign(ORDER, other.encode(), caller.key)
    caller.refused(voted_first(caller, verify_order(document, caller.charter)), "order-invalid")


@case(704, "an order that saw what is not there", "6.2", "a need of it")
def _unseen(caller: Caller) -> None:
    asked = following(caller)
    payee = asked.body.entries[0].to
    other = asked.body._replace(seen={**asked.body.seen, payee: limits.SEQUENCE_MAX})
    document = sign(ORDER, other.encode(), caller.key)
    need = answered(caller, voted_first(caller, verify_order(document, caller.charter))).need
    if need is None or need.get(payee, (0, 0))[1] != limits.SEQUENCE_MAX:
        raise Deviation(f"need of {need}")


@case(711, "a good order", "6.2", "a vote for exactly this order")
def _vote(caller: Caller) -> None:
    asked = following(caller)
    vote = answered(caller, voted_first(caller, asked)).vote
    caller.spent = asked
    _counted(caller, asked, vote)


def _counted(caller: Caller, asked: Signed[Order], vote: SignedDocument | None) -> SignedDocument:
    if vote is None:
        raise Deviation("no vote")
    try:
        Ballot(asked, caller.charter).add(vote, caller.peer.id)
    except ProtocolError as error:
        raise Deviation(f"a vote that does not count: {error}") from error
    return vote


def _spent(caller: Caller) -> Signed[Order]:
    if caller.spent is None:
        raise NotApplicable("nothing was voted for")
    return caller.spent


@case(712, "the same order again", "6.2", "the same vote")
def _again(caller: Caller) -> None:
    asked = _spent(caller)
    one, two = (answered(caller, voted_on(caller, asked)).vote for _ in range(2))
    if _counted(caller, asked, one) != _counted(caller, asked, two):
        raise Deviation("another vote")


@case(713, "what it shows of a lock", "6.6", "the order that it voted for")
def _locked(caller: Caller) -> None:
    asked = _spent(caller)
    try:
        standing = Standing.parse(caller.accepted(caller.call(STANDING, b"{}")))
    except ProtocolError as error:
        raise Deviation(f"no standing: {error}") from error
    if standing.order is None or standing.order.digest != asked.digest:
        raise Deviation("another order, or none")


@case(714, "another order for the place", "6.2", "the refusal double-spend, with the first order")
def _double(caller: Caller) -> None:
    first = _spent(caller)
    facts = caller.refused(voted_on(caller, following(caller)), "double-spend").facts
    if facts.get("order") != first.document.to_json():
        raise Deviation("without the order that it is locked on")


@case(715, "both as evidence", "6.8", "an empty answer: it keeps the proof")
def _evidence(caller: Caller) -> None:
    proof = evidence_of(_spent(caller), following(caller))
    caller.accepted(caller.call(EVIDENCE, proof.encode()))
