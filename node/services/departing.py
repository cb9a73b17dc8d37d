"""A member goes: what that ends at the members that stay, and at its own node.  PEER 4.

Letters that wait are cancelled with the reason, which HR reads on each referral; what was offered
and not answered ends, and the profile that waited for the answer is destroyed.
"""

from sqlalchemy.orm import Session

from node.context import Context
from node.services import audit, outbox, referrals
from protocol import Charter


def part(session: Session, context: Context, before: Charter, after: Charter) -> None:
    """End what was under way with the members that `after` does not name any more."""
    us = context.member_id
    if us in before.by_id and us not in after.by_id:
        gone = before.by_id.keys() | after.by_id.keys()
    else:
        gone = before.by_id.keys() - after.by_id.keys()
    for member in sorted(gone - {us}):
        _cancel(session, context, after, member)
        referrals.close_offers(session, context, member)


def tidy(session: Session, context: Context, charter: Charter) -> None:
    """Cancel what was on its way when its recipient, or this member, left, and did not arrive."""
    for member in outbox.recipients(session):
        if not outbox.reaches(session, context, member):
            _cancel(session, context, charter, member)


def _cancel(session: Session, context: Context, charter: Charter, member: str) -> None:
    we_left = context.member_id not in charter.by_id
    reason = outbox.WE_LEFT if we_left else outbox.PARTNER_LEFT
    if count := outbox.abandon(session, context, member, reason):
        audit.record(
            session,
            context,
            actor="worker",
            action="letters.cancelled",
            subject=member,
            detail=f"{reason} {count}",
        )
