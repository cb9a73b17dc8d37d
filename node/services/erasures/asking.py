"""Asking: a person takes a consent back here, and the companies that were told have to erase.

What waits for them is stopped in the same transaction; what may have left is followed by a
withdrawal, behind it in the same queue, so that nothing of the referral arrives after it.
RELIABILITY F22.
"""

import secrets
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import audit, outbox
from node.services.letters import Letter
from node.services.referrals import LetterUnexpected
from protocol import WITHDRAWAL, ErasureReceipt, SignedDocument, Withdrawal, limits

# Two weeks: "without delay" (個人情報保護法 35), with a weekend and an administrator's holiday.
ERASE_WITHIN_S = 14 * 86_400
# Long enough for a member that is away for a month.
PATIENCE_S = limits.ENVELOPE_DEADLINE_S_MAX - 3600
# States in which something is still to come of a referral.
OPEN = ("sent", "accepted", "released")
# How many of those that nobody answered are asked again in one transaction.
BATCH_MAX = 64
# How long a letter that came to nothing stands before the next: a peer may refuse every one.
AGAIN_S = 86_400

Out = models.ReferralOut
Row = models.Erasure


def withdraw(
    session: Session,
    context: Context,
    consent_id: str,
    recipients: Collection[str] | None = None,
    *,
    actor: str = "applicant",
) -> int:
    """Take a consent back for these companies, or for all; for how many it was done now.

    Whoever hired the person is not asked: what it holds is no longer an applicant's. Taken back
    twice, it is taken back once.
    """
    found = select(Out).where(Out.consent_id == consent_id).order_by(Out.id).with_for_update()
    rows = session.scalars(found).all()
    wanted = [row for row in rows if recipients is None or row.recipient in recipients]
    open_ = [row for row in wanted if may_withdraw(row, _asked(session, row))]
    done = [_withdraw(session, context, row) for row in open_]
    if done:
        _mark(session, context, consent_id, [row.recipient for row in done])
        for row in done:
            audit.record(session, context, actor=actor, action="referral.withdrawn", subject=row.id)
    return len(done)


def may_withdraw(row: Out, asked: Row | None) -> bool:
    """Whether a consent can be taken back for this referral; `asked` is what was asked of it."""
    return row.state not in ("hired", "withdrawn") and asked is None


def _withdraw(session: Session, context: Context, row: Out) -> Out:
    never_left = outbox.never_left(session, row.envelope_id)
    # Of a letter that was answered only the receipt is still to come, to which the point commits.
    answered = row.acceptance is not None
    outbox.cancel(session, context, row.id, but=row.envelope_id if answered else "")
    # An acceptance that was given in time may be on its way, and is taken note of.
    if row.state in OPEN or (row.state == "expired" and row.profile_blob is not None):
        row.state = "withdrawn"
    row.profile_blob = row.resume_blob = None
    row.updated_at = context.now()
    if not never_left:
        _ask(session, context, row)
    session.flush()
    return row


def _ask(session: Session, context: Context, row: Out) -> None:
    now = context.now()
    asked = Row(
        id=secrets.token_hex(16),
        direction="out",
        peer=row.recipient,
        referral_id=row.id,
        withdrawn_at=now,
        erase_by=now + ERASE_WITHIN_S,
        withdrawal=b"",
    )
    _write(session, context, asked)
    session.add(asked)


def _write(session: Session, context: Context, asked: Row) -> None:
    """The letter that asks, the same bytes every time; none where one of us has left."""
    payload = Withdrawal(asked.referral_id, asked.withdrawn_at, asked.erase_by).encode()
    asked.withdrawal = SignedDocument(WITHDRAWAL, payload, ()).digest
    if outbox.reaches(session, context, asked.peer):
        asked.envelope_id = outbox.enqueue(
            session,
            context,
            recipient=asked.peer,
            kind=WITHDRAWAL,
            payload=payload,
            subject=asked.referral_id,
            deadline_s=PATIENCE_S,
        )


def _mark(session: Session, context: Context, consent_id: str, recipients: list[str]) -> None:
    consent, now = session.get(models.Consent, consent_id), context.now()
    assert consent is not None, "its referrals were found by it"
    for member in recipients:
        choice = session.get(models.ConsentChoice, (consent_id, member))
        if choice is not None:
            choice.withdrawn_at = now
    left = select(Out.id).where(Out.consent_id == consent_id, Out.state.in_((*OPEN, "hired")))
    if session.scalar(left.limit(1)) is None:
        consent.state, consent.withdrawn_at = "withdrawn", now


def _asked(session: Session, row: Out) -> Row | None:
    return session.scalar(
        select(Row)
        .where(Row.direction == "out", Row.peer == row.recipient, Row.referral_id == row.id)
        .with_for_update()
    )


def ask_again(session: Session, context: Context) -> int:
    """Write anew what was never delivered; how many letters. A peer may be away for longer."""
    table, members = models.OutboxEntry, context.charter(session).by_id.keys()
    if context.member_id not in members:
        return 0
    lost = table.state.in_(("expired", "refused", "cancelled"))
    due = table.id.is_(None) | (lost & (table.created_at <= context.now() - AGAIN_S))
    query = (
        select(Row)
        .outerjoin(table, table.id == Row.envelope_id)
        # Who has left is not looked at: a batch of those would hold up all others.
        .where(Row.direction == "out", Row.erased_at.is_(None), Row.peer.in_(members), due)
        .order_by(Row.erase_by)
        .limit(BATCH_MAX)
    )
    asked = session.scalars(query).all()
    for row in asked:
        _write(session, context, row)
    return len(asked)


def receive_receipt(session: Session, context: Context, letter: Letter) -> None:
    """Keep the receiver's proof that it destroyed what it had."""
    receipt = ErasureReceipt.parse(letter.document.payload)
    asked = session.scalar(
        select(Row)
        .where(
            Row.direction == "out",
            Row.peer == letter.sender,
            Row.referral_id == receipt.referral,
        )
        .with_for_update()
    )
    if asked is None:
        raise LetterUnexpected("nothing was asked of this member for that referral")
    if asked.withdrawal != receipt.withdrawal:
        raise LetterUnexpected("the receipt answers another withdrawal")
    if asked.receipt is not None:
        return
    asked.receipt, asked.erased_at = letter.document.encode(), receipt.erased_at
    asked.kept = ",".join(receipt.kept)
    audit.record(
        session, context, actor=letter.sender, action="erasure.proven", subject=asked.referral_id
    )
