"""Our own orders: one open at a time, sent until a quorum voted.  SPEC §6.1.

The open order is our own lock: the signed bytes at our next place. It is durable before it is
sent, and after a crash the same bytes are sent again.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.driver import Driver, Prepared
from node.services import restores, seats
from node.services.ledger import tenure
from node.services.ledger.books import SQLBooks
from node.services.ledger.votes import apply_certificate, lock_if_new
from protocol import (
    Ballot,
    Cast,
    Certificate,
    Charter,
    Entry,
    Order,
    Signed,
    SignedDocument,
    build_order,
    errors,
    judge,
    limits,
    verify_order,
)

_pending = models.table_of(models.PendingEntry)
_oldest = (
    select(
        _pending.c.entry_id,
        _pending.c.kind,
        _pending.c.recipient,
        _pending.c.points,
        _pending.c.reference,
    )
    .order_by(_pending.c.entry_id)
    .limit(limits.ORDER_ENTRIES_MAX)
)
_WAITING = Prepared(_oldest)


def open_order(session: Session, context: Context) -> Signed[Order] | None:
    """Our open order; a new one over what is waiting when there is none; None: nothing to pay.

    None as well while we recover or fence: the next number may be taken by an order we forgot; and
    while the alliance decides about its next charter.
    """
    if restores.is_recovering(session):
        return None
    books, us = SQLBooks(session), context.member_id
    charter = context.charter(session)
    if us not in charter.accounts:
        return None
    books.hold(charter.accounts)
    held = tenure.free(session, context, charter)
    if held is None or seats.is_stopped(session, charter):
        return None
    lock = books.lock(us, books.head(us).sequence + 1)
    if lock is not None:
        return verify_order(SignedDocument.parse(lock.document), charter)
    order = build_order(
        us,
        _payable(session, charter),
        charter=charter,
        books=books,
        key=context.signing(charter),
        incarnation=held.incarnation,
    )
    if order is None:
        return None
    # Our own node judges our order like anybody's: what it would refuse is never signed away.
    verdict = judge(order, charter, books, held.warrant or None)
    assert isinstance(verdict, Cast)
    lock_if_new(books, context, verdict)
    return order


def waiting(session: Session) -> list[Entry]:
    """The entries that we owe and that stand in no certified order yet, oldest first."""
    return [Entry(*row) for row in Driver(session.connection()).all(_WAITING, {})]


def _payable(session: Session, charter: Charter) -> list[Entry]:
    """What of these may be paid: a page owed to whoever has left hides nothing behind it."""
    found = waiting(session)
    if all(entry.to in charter.accounts for entry in found):
        return found
    rows = session.execute(_oldest.where(_pending.c.recipient.in_(charter.accounts)))
    return [Entry(*row) for row in rows]


def certify(session: Session, context: Context, ballot: Ballot) -> Certificate:
    """Apply our own order, whose ballot is complete; its certificate is to be broadcast."""
    certificate = ballot.certificate()
    assert certificate is not None
    books = SQLBooks(session)
    books.hold(context.charter(session).accounts)
    epoch = context.charter(session).epoch
    if certificate.order.body.epoch != epoch:
        # What the decree made of it stands in its cut.
        raise errors.EpochMismatch("the epoch of this order has ended", epoch=epoch)
    apply_certificate(session, context, books, certificate)
    return certificate


def new_ballot(order: Signed[Order], charter: Charter) -> Ballot:
    """An empty ballot for our open order."""
    return Ballot(order, charter)


def has_work(session: Session, context: Context) -> bool:
    """Whether there is an open order to drive or an entry to pay; a cheap look before a round."""
    lock, entry = models.LedgerLock, models.PendingEntry
    is_open = select(lock.account).where(lock.account == context.member_id).limit(1)
    payable = entry.recipient.in_(context.charter(session).accounts)
    is_owed = select(entry.entry_id).where(payable).limit(1)
    return session.scalar(is_open) is not None or session.scalar(is_owed) is not None
