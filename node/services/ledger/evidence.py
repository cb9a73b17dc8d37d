"""Evidence that an owner signed two orders for one place: kept, and shown to all.  SPEC §6.8."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.refusals import NotThere
from node.services import charter as charters
from node.services.ledger.books import SQLBooks
from protocol import (
    Charter,
    Evidence,
    Order,
    Signed,
    SignedDocument,
    epoch_claimed,
    errors,
    evidence_of,
    limits,
    order_within,
    verify_evidence,
    verify_order,
)

# More than one proof of a member's fault proves nothing more; its owner can make them without end.
KEPT_MAX_PER_ACCOUNT = 64
# A round tells so many; the next round the rest.
TOLD_AT_ONCE = 16

_table = models.LedgerEvidence


@dataclass(frozen=True, slots=True)
class Accusation:
    """A proof as people see it: whose orders, for which place, found when, and the signed bytes."""

    account: str
    sequence: int
    incarnation: int
    found_at: int
    told_at: int | None
    document: bytes


def look_for(
    session: Session, context: Context, charter: Charter, books: SQLBooks, order: Signed[Order]
) -> bool:
    """Compare a proven order with the one that holds its place here; True when they accuse."""
    account, sequence = order.body.slot
    lock, applied = books.lock(account, sequence), None
    if sequence <= books.head(account).sequence:
        applied = books.certificate(account, sequence)
    for document in (lock.document if lock else b"", order_within(applied or b"")):
        if not document or document == order.document.encode():
            continue
        try:
            known = verify_order(SignedDocument.parse(document), charter)
            evidence = evidence_of(order, known)
        except (errors.EvidenceInvalid, errors.EpochMismatch, errors.KeyUnknown):
            continue
        keep(session, context, evidence)
        return True
    return False


def receive(session: Session, context: Context, body: bytes) -> None:
    """Keep the evidence that a member shows, once it is proven, of this epoch or an earlier one."""
    epoch = epoch_claimed(body)
    try:
        charter = charters.of_epoch(session, epoch)
    except charters.NotFounded:
        ours = context.charter(session).epoch
        raise errors.EpochMismatch(f"evidence of epoch {epoch}", epoch=ours) from None
    evidence = verify_evidence(body, charter)
    # Whoever found it shows everybody at once, and several may have found it.
    SQLBooks(session).hold(context.charter(session).accounts)
    keep(session, context, evidence)


def keep(session: Session, context: Context, evidence: Evidence) -> None:
    """Store a proof, if it is new and the account has not too many already."""
    if session.get(_table, evidence.place) is not None:
        return
    kept = select(func.count()).where(_table.account == evidence.account)
    if (session.scalar(kept) or 0) >= KEPT_MAX_PER_ACCOUNT:
        return
    account, sequence, incarnation = evidence.place
    session.add(
        models.LedgerEvidence(
            account=account,
            sequence=sequence,
            incarnation=incarnation,
            document=evidence.encode(),
            found_at=context.now(),
        )
    )
    session.flush()


def untold(session: Session, skip: int = 0) -> list[tuple[str, bytes]]:
    """Accused and proof of those that not every other member is known to have, oldest first."""
    waiting = select(_table.account, _table.document).where(_table.told_at.is_(None))
    ordered = waiting.order_by(_table.found_at, *_table.__table__.primary_key)
    rows = session.execute(ordered.offset(skip).limit(TOLD_AT_ONCE))
    return [(row.account, row.document) for row in rows]


def note_told(session: Session, context: Context, document: bytes) -> None:
    """Note that every other member has a proof."""
    session.execute(update(_table).where(_table.document == document).values(told_at=context.now()))


def proof(session: Session, account: str, sequence: int, incarnation: int) -> bytes:
    """The signed bytes of one proof; NotThere when there is none."""
    # No column holds larger numbers, and an address may carry any.
    storable = max(sequence, incarnation) <= limits.SEQUENCE_MAX
    row = session.get(_table, (account, sequence, incarnation)) if storable else None
    if row is None:
        raise NotThere
    return row.document


def accusations(session: Session) -> Iterator[Accusation]:
    """Every proof that is kept here, newest first."""
    newest = select(_table).order_by(_table.found_at.desc(), _table.account, _table.sequence)
    for row in session.scalars(newest):
        yield Accusation(
            row.account, row.sequence, row.incarnation, row.found_at, row.told_at, row.document
        )
