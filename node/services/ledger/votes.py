"""Other members' orders and everybody's certificates: vote, hold back, apply.  SPEC §6.2, §6.4."""

from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock as Mutex

from sqlalchemy import Table, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.driver import Driver, Prepared, listed
from node.services import restores, seats
from node.services.ledger import evidence, tenure
from node.services.ledger.books import SQLBooks
from node.services.ledger.guards import SQLGuards
from protocol import (
    FIRST_INCARNATION,
    Cast,
    Certificate,
    Charter,
    Need,
    Order,
    OrderAnswer,
    OrderRequest,
    ProtocolError,
    Settled,
    Signed,
    SignedDocument,
    Voted,
    advance,
    cast_vote,
    errors,
    guard_after,
    judge_guarded,
    order_within,
    verify_certificate,
    verify_order,
)

# A vote stays in memory until its certificate comes back a moment later.
VOTES_MAX = 64
# A peer far ahead of us is pulled from in order; what it pushes beyond this is fetched again.
HELD_MAX_PER_ACCOUNT = 256

_held: Table = models.table_of(models.HeldCertificate)
_pending: Table = models.table_of(models.PendingEntry)
_HELD = Prepared(
    select(_held.c.account, _held.c.sequence, _held.c.document).order_by(
        _held.c.account, _held.c.sequence
    )
)
_HOLD_BACK = Prepared(
    {
        name: make(_held).on_conflict_do_nothing()
        for name, make in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
    }
)
_LET_GO = Prepared(
    delete(_held).where(_held.c.account == bindparam("of"), _held.c.sequence == bindparam("at"))
)
# What stands in our order is owed no more.
_PAID = Prepared(
    {
        name: delete(_pending).where(_pending.c.entry_id.in_(select(ids.c.value)))
        for name, ids in listed("ids").items()
    }
)


class RecentVotes:
    """What this process voted for lately, so that a certificate costs the others' votes only.

    Found by the order's signed bytes, which a certificate repeats.
    """

    def __init__(self) -> None:
        self._votes: OrderedDict[bytes, Voted] = OrderedDict()
        self._mutex = Mutex()

    def keep(self, order: Signed[Order], vote: SignedDocument) -> None:
        with self._mutex:
            self._votes[order.document.encode()] = Voted(order, vote)
            if len(self._votes) > VOTES_MAX:
                self._votes.popitem(last=False)

    def find(self, order: bytes) -> Voted | None:
        with self._mutex:
            return self._votes.get(order)


_recent = RecentVotes()


def vote_on(session: Session, context: Context, body: bytes) -> bytes | ProtocolError:
    """Answer a member's order: our vote, what we need first, or the certificate that settled it.

    Any member may hand on an order; the owner's signature is what counts. The lock is written in
    this transaction, so the vote may leave once the caller has committed. A certificate that comes
    with the order is received first, and with the order refused. A refusal that is returned, not
    raised, comes with evidence against the owner, to be committed.
    """
    if restores.is_recovering(session):
        # We may have voted for another order here, and forgotten it with the disk.  LEDGER 4.
        raise errors.Recovering
    charter = context.charter(session)
    request = OrderRequest.parse(body)
    order = verify_order(request.order, charter)
    books = SQLBooks(session)
    books.hold(charter.accounts)
    seats.require_voting(session, charter)
    if request.certificate is not None:
        _receive(session, context, charter, books, request.certificate)
    try:
        verdict = judge_guarded(order, request.warrant, charter, books, SQLGuards(session))
    except errors.OrderConflict as refusal:
        evidence.look_for(session, context, charter, books, order)
        return refusal
    if isinstance(verdict, Need):
        return OrderAnswer(need=verdict.ranges).encode()
    if isinstance(verdict, Settled):
        evidence.look_for(session, context, charter, books, order)
        return OrderAnswer(certificate=verdict.certificate).encode()
    lock_if_new(books, context, verdict)
    vote = cast_vote(order, context.signing(charter))
    _recent.keep(order, vote)
    return OrderAnswer(vote=vote).encode()


def lock_if_new(books: SQLBooks, context: Context, verdict: Cast) -> None:
    """Write the lock that a verdict asks for, unless it stands already."""
    if verdict.lock is not None:
        order = verdict.order.body
        now = context.now()
        books.lock_order(order.account, order.sequence, verdict.lock, order.epoch, now)


def receive_certificate(session: Session, context: Context, body: bytes) -> bool:
    """Verify a certificate and apply it, with all that waited for it; False: known or held."""
    charter = context.charter(session)
    books = SQLBooks(session)
    books.hold(charter.accounts)
    return _receive(session, context, charter, books, body)


def _receive(
    session: Session, context: Context, charter: Charter, books: SQLBooks, body: bytes
) -> bool:
    voted = _recent.find(order_within(body))
    certificate = verify_certificate(body, charter, voted=voted)
    # What we voted for a moment ago holds its place here: there is nothing to compare it with.
    if voted is None:
        evidence.look_for(session, context, charter, books, certificate.order)
    if not apply_certificate(session, context, books, certificate):
        return False
    _apply_held(session, context, books, charter)
    return True


def apply_certificate(
    session: Session, context: Context, books: SQLBooks, certificate: Certificate
) -> bool:
    """Apply a proven certificate, or hold it back; True when it was applied now."""
    order = certificate.order.body
    changes = advance(certificate, books)
    if changes is None:
        beyond = order.sequence - books.head(order.account).sequence
        if 0 < beyond <= HELD_MAX_PER_ACCOUNT:
            _hold_back(session, certificate)
        return False
    books.commit(changes, order.epoch, order.incarnation, context.now())
    if order.incarnation != FIRST_INCARNATION:
        _raise_guard(session, order)
    if order.account == context.member_id:
        forget_owed(session, (entry.id for entry in order.entries))
        tenure.settle(session, context, order)
    return True


def forget_owed(session: Session, entry_ids: Iterable[str]) -> None:
    """What stands in an applied order of ours is owed no more."""
    driver = Driver(session.connection())
    driver.run(_PAID, {"ids": driver.list(entry_ids)})


def _raise_guard(session: Session, order: Order) -> None:
    guards = SQLGuards(session)
    guard = guard_after(order, guards.guard(order.account))
    if guard is not None:
        guards.keep(order.account, guard)


def _hold_back(session: Session, certificate: Certificate) -> None:
    order = certificate.order.body
    row = {"account": order.account, "sequence": order.sequence, "document": certificate.data}
    Driver(session.connection()).run(_HOLD_BACK, row)


def _apply_held(session: Session, context: Context, books: SQLBooks, charter: Charter) -> None:
    """Apply what waited, round by round, until a round moves nothing."""
    driver, moved = Driver(session.connection()), True
    while moved:
        moved = False
        for account, sequence, document in driver.all(_HELD, {}):
            applied = books.head(account).sequence
            if sequence > applied + 1:
                continue
            if sequence == applied + 1:
                # Held ones were verified when they came; the database is ours.
                certificate = verify_certificate(document, charter)
                if not apply_certificate(session, context, books, certificate):
                    continue
                moved = True
            driver.run(_LET_GO, {"of": account, "at": sequence})
