"""Reminders: who answers cards hears by mail that some are nearly due.  DOMAIN 2.2 V2.

At most one mail a person and working day, in office hours, with counts only: what a card says stays
behind the sign-in. Once a card is overdue the administrators hear of it as well. That a person was
reminded today stands in the transaction that writes the mail down: of several workers one writes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CursorResult, func, or_, select, update
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.i18n import translator
from node.services import charter as charters
from node.services import mailing, office_hours, users


@dataclass(frozen=True, slots=True)
class Waiting:
    """Cards without an answer: all, those due by the end of the next working day, those overdue."""

    all: int
    soon: int
    overdue: int


def waiting(session: Session, context: Context) -> Waiting:
    """Count what waits for an answer now."""
    now, zone = context.now(), context.settings.time_zone
    table, tomorrow = models.ReferralIn, office_hours.end_of_working_day(now, 1, zone)
    unanswered = select(func.count()).where(table.state == "received")
    return Waiting(
        all=session.scalar(unanswered) or 0,
        soon=session.scalar(unanswered.where(table.due_at.between(now, tomorrow))) or 0,
        overdue=session.scalar(unanswered.where(table.due_at < now)) or 0,
    )


def to_remind(session: Session, context: Context) -> list[models.User]:
    """Who is to be reminded today and was not yet; nobody outside office hours."""
    if not _is_open(context):
        return []
    found = waiting(session, context)
    if not found.soon and not found.overdue:
        return []
    table = models.User
    active = select(table).where(table.active.is_(True), table.role.in_(("recruiter", "admin")))
    reached = [
        user
        for user in session.scalars(active.order_by(table.id))
        if users.mailbox_of(context, user)
    ]
    answering = [user for user in reached if user.role == "recruiter"]
    # Where nobody else can be told, the administrators are whom it concerns.
    called = reached if found.overdue or not answering else answering
    begun = _day_began(context)
    return [user for user in called if user.reminded_at is None or user.reminded_at < begun]


def remind(session: Session, context: Context) -> int:
    """Write down the mails of today that are missing; how many."""
    found, written = waiting(session, context), 0
    for user in to_remind(session, context):
        if _claim(session, context, user.id):
            _write(session, context, user, found)
            written += 1
    return written


def _claim(session: Session, context: Context, user_id: str) -> bool:
    """Make today's reminder of a user ours; False when another worker has it."""
    table = models.User
    mine = (
        update(table)
        .where(table.id == user_id)
        .where(or_(table.reminded_at.is_(None), table.reminded_at < _day_began(context)))
        .values(reminded_at=context.now())
    )
    done = session.execute(mine)
    assert isinstance(done, CursorResult)
    return done.rowcount == 1


def _is_open(context: Context) -> bool:
    settings, now = context.settings, context.now()
    return settings.demo or office_hours.is_open(now, settings.send_window, settings.time_zone)


def _day_began(context: Context) -> int:
    local = datetime.fromtimestamp(context.now(), context.settings.time_zone)
    return int(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp())


def _write(session: Session, context: Context, user: models.User, found: Waiting) -> None:
    say = translator(user.locale)
    us = charters.describing(session, context.member_id)
    subject = say("[%(company)s] Referrals wait for an answer", company=us.legal_name)
    mailing.enqueue(
        session,
        context,
        to=users.mailbox_of(context, user),
        subject=subject,
        text=_text(say, context, user, found),
        purpose="reminder",
        subject_id=user.id,
    )


def _text(say: Callable[..., str], context: Context, user: models.User, found: Waiting) -> str:
    counts = [
        say("Waiting for your answer: %(count)s", count=found.all),
        say("Of these, due today or on the next working day: %(count)s", count=found.soon),
        say("Of these, overdue: %(count)s", count=found.overdue),
    ]
    paragraphs = [
        say("Dear %(name)s,", name=user.name),
        say("Other companies have referred people to you who are waiting to hear from you."),
        "\n".join(f"- {line}" for line in counts),
        f"{context.settings.public_url}/referrals/in?state=received",
        say(
            "A referral that stays without an answer ends by itself, and the person is told that "
            "there was none."
        ),
    ]
    if found.overdue and user.role == "admin":
        paragraphs.append(say("You get this as an administrator, because referrals are overdue."))
    paragraphs.append(
        say("This mail is sent at most once a working day, and only while something is due.")
    )
    return "\n\n".join(paragraphs) + "\n"
