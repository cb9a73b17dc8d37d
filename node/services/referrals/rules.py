"""The rule that accepts cards without a person, as agencies want it; with an end each month."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import audit
from node.services.ledger import hold, position
from protocol import Card

RULE_ID = "rule"


def rule(session: Session) -> models.AcceptanceRule | None:
    """The rule, if HR has ever written one."""
    return session.get(models.AcceptanceRule, RULE_ID)


def write_rule(
    session: Session,
    context: Context,
    *,
    active: bool,
    monthly_cap: int,
    applicant_types: tuple[str, ...],
    regions: tuple[str, ...],
    user_id: str,
) -> None:
    """Set the rule; `monthly_cap` is 1 to 1000."""
    row = rule(session) or models.AcceptanceRule(
        id=RULE_ID, active=active, monthly_cap=monthly_cap, updated_by=user_id, updated_at=0
    )
    row.active, row.monthly_cap = active, monthly_cap
    row.applicant_types, row.regions = ",".join(applicant_types), ",".join(regions)
    row.updated_by, row.updated_at = user_id, context.now()
    session.add(row)
    session.flush()
    audit.record(
        session,
        context,
        actor=user_id,
        action="acceptance_rule.written",
        subject=RULE_ID,
        detail=f"{'on' if active else 'off'} {monthly_cap}",
    )


def wants(session: Session, context: Context, card: Card) -> bool:
    """Whether the rule takes this card now: it fits, the month has room, the account has too."""
    found = rule(session)
    if found is None or not found.active:
        return False
    if not _fits(found.applicant_types, card.applicant_type):
        return False
    if not _fits(found.regions, card.region):
        return False
    # Two workers that count at the same time would both find room.
    hold(session, context)
    if accepted_this_month(session, context) >= found.monthly_cap:
        return False
    charter, here = context.charter(session), position(session, context)
    return here.available - charter.policy.points_per_referral >= -here.credit_limit


def _fits(wanted: str, value: str) -> bool:
    return not wanted or value in wanted.split(",")


def accepted_this_month(session: Session, context: Context) -> int:
    """How many cards the rule has accepted since the month began where HR works."""
    today = datetime.fromtimestamp(context.now(), context.settings.time_zone)
    begin = today.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    table = models.ReferralIn
    return (
        session.scalar(
            select(func.count()).where(
                table.answered_at >= int(begin.timestamp()),
                table.answered_by.is_(None),
                table.acceptance.is_not(None),
            )
        )
        or 0
    )
