"""Promised points: whether the ledger shows exactly the payment that an acceptance promised.

The entry's id is the acceptor's to choose, so an id alone proves nothing: a member could name one
entry in two acceptances, or one that paid somebody else. The reference commits to the receipt of
our referral, which no other referral has.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import exchange, ledger, outbox
from node.services.ledger import Place
from node.services.pages import PAGE_ROWS_MAX
from protocol import REFERRAL_ENTRY, Acceptance, Entry, SignedDocument, commitment


def paid(
    session: Session, context: Context, rows: Sequence[models.ReferralOut]
) -> Mapping[str, Place]:
    """Referral id -> where its point stands in the ledger, for those that were paid as promised."""
    receipts = outbox.receipts(session, [row.envelope_id for row in rows])
    found = {}
    for member in {row.recipient for row in rows}:
        theirs = [row for row in rows if row.recipient == member]
        ids = [row.entry_id for row in theirs if row.entry_id is not None]
        certified = ledger.entries(session, member, ids)
        for row in theirs:
            shown, receipt = certified.get(row.entry_id or ""), receipts.get(row.envelope_id)
            if shown and receipt is not None and _keeps(context, row, shown.entry, receipt):
                found[row.id] = shown.place
    return found


def _keeps(context: Context, row: models.ReferralOut, entry: Entry, receipt: bytes) -> bool:
    """Whether an entry pays us what this referral's acceptance promised."""
    reference = commitment(salt_of(row), exchange.receipt_digest(receipt))
    promise = (REFERRAL_ENTRY, context.member_id, row.points, reference)
    return (entry.kind, entry.to, entry.points, entry.reference) == promise


def salt_of(row: models.ReferralOut) -> bytes:
    """The salt that opens the payment's reference; of a referral that was accepted."""
    assert row.acceptance is not None
    return Acceptance.parse(SignedDocument.parse(row.acceptance).payload).salt


def promised(session: Session, context: Context, *, by: str = "") -> int:
    """Points that members have promised us by signed acceptance and not certified yet.

    Without `by` those that may still come: a closed account pays nothing any more.
    """
    table = models.ReferralOut
    accounts = [by] if by else context.charter(session).accounts
    rows = session.scalars(
        select(table)
        .where(table.entry_id.is_not(None), table.recipient.in_(accounts))
        .order_by(table.answered_at.desc())
        .limit(PAGE_ROWS_MAX)
    ).all()
    done = paid(session, context, rows)
    return sum(row.points for row in rows if row.id not in done)
