"""Enacting: a decree takes effect here, and goes to whoever missed it.  LEDGER 5."""

from collections.abc import Mapping

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import audit, departing, measures, seats
from node.services import charter as charters
from node.services.ledger import SQLBooks, settle
from protocol import (
    Charter,
    Need,
    Order,
    Signed,
    SignedDocument,
    decree,
    errors,
    parse_certificate,
    state_digest,
)


def enact(session: Session, context: Context, body: bytes) -> bool:
    """Take the next version into force; False while orders within its cut are not applied here.

    From the moment the decree is known no order is voted for until it is in force. A version that
    is in force already changes nothing; another one of its number is a fork.
    """
    enacted = decree.Enacted.parse(body)
    books = SQLBooks(session)
    books.hold(context.charter(session).accounts)
    charter = context.charter(session)
    if decree.compare(enacted.decree, charters.versions(session)):
        return True
    following, _ = decree.follow(enacted.decree, charter)
    carried = _carried(session, enacted, following, charter)
    activation = decree.judge_decree(enacted.decree, carried, charter, books)
    _keep_proof(session, context, following.version, enacted, carried)
    if isinstance(activation, Need):
        _stop(session, context, charter)
        return False

    settle(session, context, books, activation)
    assert following.cut is not None
    if state_digest(books.heads()) != following.cut.state:
        raise errors.DecreeInvalid("the cut's state is not what our books add up to")
    _begin_epoch(session, context, enacted, activation)
    return True


def _stop(session: Session, context: Context, charter: Charter) -> None:
    held = seats.seat(session, charter)
    if not held.is_stopped:
        seats.keep(session, context, decree.Seat(charter.epoch, abstains=True))


def _carried(
    session: Session, enacted: decree.Enacted, following: Charter, charter: Charter
) -> Mapping[bytes, Signed[Order]]:
    """The orders that the cut carries, as far as they are here, whoever sent us the decree.

    No vote covers what travels beside it: a liar may have left orders out, or put others in.
    """
    assert following.cut is not None
    found = list(enacted.orders)
    kept = session.get(models.Decree, following.version)
    if kept is not None:
        found += decree.Enacted.parse(kept.document).orders
    found += seats.seat(session, charter).orders
    locked = select(models.LedgerLock.document).order_by(models.LedgerLock.account)
    found += map(SignedDocument.parse, session.scalars(locked))
    books = SQLBooks(session)
    for account in following.cut.carried:
        data = books.certificate(account, following.cut.accounts[account].sequence)
        if data is not None and not decree.is_placed(data):
            found.append(parse_certificate(data)[0])
    return decree.find_carried(found, following.cut, charter)


def _keep_proof(
    session: Session,
    context: Context,
    version: int,
    enacted: decree.Enacted,
    carried: Mapping[bytes, Signed[Order]],
) -> None:
    orders = tuple(carried[digest].document for digest in sorted(carried))
    body = decree.Enacted(enacted.decree, orders).encode()
    row = session.get(models.Decree, version)
    if row is None:
        session.add(models.Decree(version=version, document=body, received_at=context.now()))
    else:
        row.document = body
    session.flush()


def _begin_epoch(
    session: Session, context: Context, enacted: decree.Enacted, activation: decree.Activation
) -> None:
    charter, now = activation.charter, context.now()
    before = context.charter(session)
    session.add(
        models.Charter(
            version=charter.version,
            digest=charter.digest,
            document=enacted.decree.encode(),
            adopted_at=now,
        )
    )
    proof = session.get(models.Decree, charter.version)
    assert proof is not None
    proof.enacted_at = now
    seats.keep(session, context, activation.seat)
    for member in charter.members:
        known = session.get(models.Peer, member.id)
        if member.id != context.member_id and known is None:
            session.add(models.Peer(member=member.id))
    measures.forget(session, before.epoch)
    departing.part(session, context, before, charter)
    # Words on drafts of the version that was replaced bind nobody any more.
    session.execute(delete(models.DraftWord))
    session.execute(delete(models.Draft))
    audit.record(
        session,
        context,
        actor="worker",
        action="charter.enacted",
        subject=str(charter.version),
        detail=charter.digest.hex(),
    )


def note(session: Session, context: Context, body: bytes) -> bool:
    """Keep the decree after the newest that we know; in force it comes in its turn.

    Whoever missed several versions knows them before it applies what lies between them: its peers
    speak under the keys of the last. Of the one that waits here, keep the orders that are new; then
    there is none after the newest, and the answer is False.
    """
    enacted = decree.Enacted.parse(body)
    # A peer may be telling us the same decree at this moment.
    SQLBooks(session).hold(context.charter(session).accounts)
    charter, known = context.charter(session), newest(session, context)
    held = session.get(models.Decree, charter.version + 1)
    is_known = held is not None and decree.compare(
        enacted.decree, (charter, decree.Enacted.parse(held.document).decree.motion.charter)
    )
    before = charter if is_known else known
    following, _ = decree.follow(enacted.decree, before)
    carried = _carried(session, enacted, following, before)
    _keep_proof(session, context, following.version, enacted, carried)
    return not is_known


def newest(session: Session, context: Context) -> Charter:
    """The newest version that we know to be decreed, in force here or not yet."""
    table = models.Decree
    last = session.scalar(
        select(table).where(table.enacted_at.is_(None)).order_by(table.version.desc()).limit(1)
    )
    if last is None:
        return context.charter(session)
    return decree.Enacted.parse(last.document).decree.motion.charter


def waiting(session: Session) -> bytes | None:
    """The first decree that is known and not in force here."""
    table = models.Decree
    query = select(table.document).where(table.enacted_at.is_(None)).order_by(table.version)
    return session.scalar(query.limit(1))


def following(session: Session, version: int) -> bytes:
    """The decree that enacted the version after this one, with its orders; empty: none here.

    Also one that waits here: what it lacks the asker may have, and hand back.
    """
    row = session.get(models.Decree, version + 1)
    return b"" if row is None else row.document
