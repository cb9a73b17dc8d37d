"""Voting on a decree: the three questions of a ballot, answered from our durable seat.  LEDGER 5.

Each answer is made in a transaction that holds the ledger's lines, and leaves once the seat that
it changed is committed.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import restores, seats
from node.services.decrees.drafts import known, remember
from node.services.ledger import SQLBooks
from protocol import Charter, Need, OrderAnswer, SignedDocument, decree, errors


def answer_fence(session: Session, context: Context, body: bytes) -> bytes:
    """Stop voting in this epoch for good, and report where we stand."""
    request = decree.FenceRequest.parse(body)
    charter, books = _begin(session, context)
    remember(session, context, charter, request.draft, request.approvals)
    kept = decree.judge_fence(
        request,
        seat=seats.seat(session, charter),
        charter=charter,
        books=books,
        locks=_locks(session, books),
        key=context.signing(charter),
        known=known(session, request.draft.digest),
    )
    seats.keep(session, context, kept.seat)
    return kept.answer.encode()


def answer_proposal(session: Session, context: Context, body: bytes) -> bytes:
    """Our prepare vote for a motion, or what we need first."""
    proposal = decree.Proposal.parse(body)
    charter, books = _begin(session, context)
    kept = decree.judge_proposal(
        proposal,
        seat=seats.seat(session, charter),
        charter=charter,
        books=books,
        key=context.signing(charter),
        known=known(session, proposal.motion.draft.digest),
    )
    if isinstance(kept, Need):
        return OrderAnswer(need=kept.ranges).encode()
    seats.keep(session, context, kept.seat)
    return OrderAnswer(vote=kept.answer).encode()


def answer_prepared(session: Session, context: Context, body: bytes) -> bytes:
    """Our commit vote for what q members prepared; the proof is kept before the vote leaves."""
    prepared = decree.Prepared.parse(body)
    charter, books = _begin(session, context)
    kept = decree.judge_prepared(
        prepared,
        seat=seats.seat(session, charter),
        charter=charter,
        key=context.signing(charter),
        orders=_locks(session, books).values(),
    )
    seats.keep(session, context, kept.seat)
    return OrderAnswer(vote=kept.answer).encode()


def _begin(session: Session, context: Context) -> tuple[Charter, SQLBooks]:
    if restores.is_recovering(session):
        # We may have said something else, and forgotten it with the disk.
        raise errors.Recovering
    books = SQLBooks(session)
    books.hold(context.charter(session).accounts)
    # Read again behind the lines: whoever held them may have taken the next version into force.
    return context.charter(session), books


def _locks(session: Session, books: SQLBooks) -> dict[str, SignedDocument]:
    """The order of each account that we voted for and have not applied; of the newest life."""
    table = models.LedgerLock
    rows = session.scalars(select(table).order_by(table.account, table.incarnation))
    return {
        row.account: SignedDocument.parse(row.document)
        for row in rows
        if row.sequence > books.head(row.account).sequence
    }
