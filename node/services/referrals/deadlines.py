"""Deadlines: what becomes of a card that nobody answers.  DOMAIN 1.3, 2.2 V2.

An answer is due within the charter's answer days. As many working days again HR is reminded; then
the offer ends on both sides, each by its own clock, and the person is told honestly that there was
no answer. The referrer keeps the profile sealed for as long as an acceptance that was given in time
may still be on its way.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import audit, office_hours
from node.services.referrals import profiles
from protocol import limits

# What one transaction ends.
BATCH_MAX = 200


def last_day(context: Context, answer_days: int, answer_by: int) -> int:
    """The last second in which a card can be answered that was due at `answer_by`."""
    return office_hours.end_of_working_day(answer_by, answer_days, context.settings.time_zone)


def end_unanswered(session: Session, context: Context) -> list[models.ReferralOut]:
    """End what stayed without an answer, received and sent; what we had sent of it."""
    days = context.charter(session).policy.answer_days
    now = context.now()
    received = [
        row for row in _open_in(session, context) if last_day(context, days, row.due_at) < now
    ]
    for row in received:
        profiles.forget(session, context, row)
        row.state, row.updated_at = "expired", now
        audit.record(session, context, actor="worker", action="referral.expired", subject=row.id)
    sent = [
        row for row in _open_out(session, context) if last_day(context, days, row.answer_by) < now
    ]
    for out in sent:
        out.state, out.updated_at = "expired", now
    _drop_kept(session, context)
    return sent


def _open_in(session: Session, context: Context) -> list[models.ReferralIn]:
    table = models.ReferralIn
    query = (
        select(table)
        .where(table.state == "received", table.due_at < context.now())
        .order_by(table.due_at)
        .limit(BATCH_MAX)
        .with_for_update(skip_locked=True)
    )
    return list(session.scalars(query))


def _open_out(session: Session, context: Context) -> list[models.ReferralOut]:
    table = models.ReferralOut
    query = (
        select(table)
        .where(table.state == "sent", table.answer_by < context.now())
        # The answer days are counted from the sending: this is the order of the deadlines, too.
        .order_by(table.created_at)
        .limit(BATCH_MAX)
        .with_for_update(skip_locked=True)
    )
    return list(session.scalars(query))


def _drop_kept(session: Session, context: Context) -> None:
    """Destroy the profiles for which no acceptance can be on its way any more."""
    table = models.ReferralOut
    query = (
        select(table)
        .where(
            table.state == "expired",
            table.profile_blob.is_not(None),
            table.updated_at < context.now() - limits.ENVELOPE_DEADLINE_S_MAX,
        )
        .limit(BATCH_MAX)
        .with_for_update(skip_locked=True)
    )
    for row in session.scalars(query).all():
        row.profile_blob = row.resume_blob = None
