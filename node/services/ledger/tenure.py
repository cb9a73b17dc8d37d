"""Our hold on our own account: its incarnation, the fence under way, what a peer shows.  SPEC §6.6.

The steps are `protocol`'s, each made durable in the caller's transaction before anything leaves.
While a fence is open, or once another machine with our key has taken the account over, no order of
ours is opened.
"""

import secrets

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.driver import Driver, Prepared
from node.services import audit, restores, seats
from node.services.ledger.books import SQLBooks
from node.services.ledger.guards import SQLGuards
from protocol import (
    Charter,
    Fence,
    Order,
    Promises,
    ProtocolError,
    Resumption,
    Signed,
    SignedDocument,
    Standing,
    Tenure,
    begin,
    errors,
    forgotten,
    is_current,
    limits,
    pledge,
    settled,
    standing_of,
    verify_fence,
    verify_order,
)

_tenure = models.table_of(models.LedgerTenure)
_TENURE = Prepared(
    select(
        _tenure.c.superseded_at, _tenure.c.incarnation, _tenure.c.warrant, _tenure.c.fence
    ).where(_tenure.c.account == bindparam("of"))
)
_FORGET = Prepared(delete(_tenure).where(_tenure.c.account == bindparam("of")))
_KEEP = Prepared(insert(_tenure))


def tenure(session: Session, context: Context) -> Tenure:
    """Our tenure; the first incarnation's, which nothing has to allow, when none is stored."""
    return _held(session, context)[0]


def superseded_at(session: Session, context: Context) -> int | None:
    """When another machine with our key took our account over; None: it did not."""
    return _held(session, context)[1]


def own_order(session: Session, context: Context, charter: Charter) -> Signed[Order] | None:
    """Our open order: the one we locked at our next place."""
    books, us = SQLBooks(session), context.member_id
    lock = books.lock(us, books.head(us).sequence + 1)
    return None if lock is None else verify_order(SignedDocument.parse(lock.document), charter)


def free(session: Session, context: Context, charter: Charter) -> Tenure | None:
    """Our tenure, if we may open orders: no fence is under way, nobody took the account over."""
    held, superseded = _held(session, context)
    is_free = superseded is None and not held.is_fencing and is_current(held, charter)
    return held if is_free else None


def is_outlived(session: Session, context: Context) -> bool:
    """Whether our fence, or our incarnation, is of an epoch that has ended: it proves nothing."""
    held, _ = _held(session, context)
    if not held.fence and not held.warrant:
        return False
    charter = context.charter(session)
    if held.is_fencing:
        return Fence.parse(SignedDocument.parse(held.fence).payload).epoch != charter.epoch
    return not is_current(held, charter)


def fence(session: Session, context: Context, known: int, why: str) -> Tenure:
    """Begin the incarnation after every one that is `known`; the fence may leave once committed."""
    charter, us = context.charter(session), context.member_id
    certified = SQLGuards(session).guard(us).certified
    begun = begin(
        tenure(session, context),
        max(known, certified),
        us,
        charter=charter,
        key=context.signing(charter),
        attempt=secrets.token_bytes(limits.ATTEMPT_BYTES),
    )
    _keep(session, context, begun)
    audit.record(
        session, context, actor="worker", action="ledger.fenced", subject=us, detail=f"why={why}"
    )
    return begun


def resume(session: Session, context: Context, promises: Promises) -> Resumption | None:
    """Go on as the promises say; None while more are needed.

    What it makes durable is the new tenure and the order that it issues first: our own open one,
    one that peers had locked and we forgot, or none.
    """
    charter, us = context.charter(session), context.member_id
    books = SQLBooks(session)
    books.hold(charter.accounts)
    resumption = promises.resume(
        books.head(us), context.signing(charter), own_order(session, context, charter)
    )
    if resumption is None:
        return None
    _keep(session, context, resumption.tenure)
    if resumption.order is not None:
        books.lock_own(resumption.order, resumption.tenure.warrant, context.now())
    audit.record(
        session,
        context,
        actor="worker",
        action="ledger.resumed",
        subject=us,
        detail=f"incarnation={resumption.tenure.incarnation}",
    )
    return resumption


def settle(session: Session, context: Context, order: Order) -> None:
    """An order of ours was certified: what was locked before its incarnation matters no more."""
    held = tenure(session, context)
    if order.incarnation == held.incarnation and held.warrant:
        leaner = settled(held)
        if leaner != held:
            _keep(session, context, leaner)


def supersede(session: Session, context: Context) -> None:
    """Sign no more orders: our key signed a later incarnation, which this node did not begin."""
    held, now = tenure(session, context), context.now()
    _keep(session, context, held, superseded_at=now)
    audit.record(
        session,
        context,
        actor="worker",
        action="ledger.superseded",
        subject=context.member_id,
        detail=f"incarnation={held.incarnation}",
    )


def start(session: Session, context: Context) -> None:
    """A node that is started again asks its peers again, whatever stopped it."""
    if superseded_at(session, context) is not None:
        _keep(session, context, tenure(session, context))


def shown_by(session: Session, context: Context, standing: Standing) -> int | None:
    """The incarnation of what a peer shows that we signed and do not know; None: nothing new.

    What proves nothing counts for nothing: a liar cannot make us begin anew.
    """
    charter = context.charter(session)
    try:
        return forgotten(
            standing,
            context.member_id,
            tenure(session, context),
            charter,
            SQLBooks(session),
            own_order(session, context, charter),
        )
    except ProtocolError:
        return None


def answer_fence(session: Session, context: Context, sender: str, body: bytes) -> bytes:
    """Our promise to a member that begins a new incarnation, with the order that we locked."""
    _refuse_while_recovering(session)
    charter = context.charter(session)
    proven = verify_fence(SignedDocument.parse(body, bytes_max=limits.FENCE_BYTES_MAX * 2), charter)
    account = proven.body.account
    if account != sender:
        raise errors.SenderMismatch(f"{sender} sent a fence of {account}")
    books, guards = SQLBooks(session), SQLGuards(session)
    books.hold(charter.accounts)
    given = pledge(proven, charter, books, guards, context.signing(charter))
    if given.guard is not None:
        guards.keep(account, given.guard)
    return given.answer.encode()


def answer_standing(session: Session, context: Context, sender: str) -> bytes:
    """What we can show a member of its own account, and the fences of all.

    Not while a ballot ends the epoch: a restored member may have forgotten that it stopped voting
    too, and rejoins under the version that the ballot ends in.
    """
    _refuse_while_recovering(session)
    charter = context.charter(session)
    seats.require_voting(session, charter)
    return standing_of(sender, charter, SQLBooks(session), SQLGuards(session)).encode()


def _refuse_while_recovering(session: Session) -> None:
    if restores.is_recovering(session):
        raise errors.Recovering


def _held(session: Session, context: Context) -> tuple[Tenure, int | None]:
    row = Driver(session.connection()).first(_TENURE, {"of": context.member_id})
    return (Tenure(), None) if row is None else (Tenure(*row[1:]), row[0])


def _keep(
    session: Session, context: Context, held: Tenure, superseded_at: int | None = None
) -> None:
    driver = Driver(session.connection())
    driver.run(_FORGET, {"of": context.member_id})
    driver.run(
        _KEEP,
        {
            "account": context.member_id,
            **held._asdict(),
            "began_at": context.now(),
            "superseded_at": superseded_at,
        },
    )
