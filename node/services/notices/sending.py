"""Sending: which notices are due, what their mails say, and what became of each.  STYLE 25-27.

The worker leases a few notices in one transaction, talks to the mail server without any, and
records each outcome in a transaction of its own. A worker that is killed between the server's yes
and that commit leaves one notice leased: when the lease has run out it is sent again, with the same
Message-ID and the same link. Nothing is lost, and at worst one person reads the same mail twice.

At the last moment everybody is judged once more: who was taken back into the selection, or asked
for no more contact, since the batch was booked is not written to, or not invited.
"""

import uuid
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import audit, links, mailing, relays
from node.services.applicants import Person
from node.services.mailing import Outgoing
from node.services.notices import booking, letter, recipients
from node.services.notices.batches import get
from node.services.notices.refusals import NothingFailed
from node.services.notices.review import occasion_of

# One connection's worth: many servers close a connection after a hundred mails.
LEASE_NOTICES = 100
# A tenth of the hour's mails stays free for codes and receipts, which people wait for.
SHARE_OF_HOUR = 0.9


def is_open(context: Context) -> bool:
    """Tell whether notices may leave now."""
    return booking.in_hours(context, context.clock.now()) == context.clock.now()


def is_due(session: Session, context: Context) -> bool:
    """Tell whether a batch's time has come; a look that takes no lock."""
    batch = models.NoticeBatch
    due = (batch.state.in_(("approved", "sending")), batch.scheduled_at <= context.clock.now())
    return is_open(context) and session.scalar(select(batch.id).where(*due).limit(1)) is not None


def lease_due(session: Session, context: Context, *, limit: int = LEASE_NOTICES) -> list[Outgoing]:
    """Take the next notices of the oldest batch that is due; none outside office hours."""
    now = context.clock.now()
    allowed = int(context.settings.mails_per_hour * SHARE_OF_HOUR) or 1
    limit = min(limit, allowed - mailing.sent_within_the_hour(session, now))
    if limit <= 0 or not is_open(context):
        return []
    for batch in _due_batches(session, now):
        rows = _due_notices(session, batch, now, limit)
        if rows:
            batch.state = "sending"
            return _prepare(session, context, batch, rows)
    return []


def record_sent(session: Session, context: Context, mail: Outgoing) -> None:
    """The mail server has taken it: this person has been told."""
    notice = session.get(models.Notice, mail.id)
    # Also when the lease ran out meanwhile: it was sent, and must not be sent again.
    if notice is None or notice.state != "queued":
        return
    now = context.clock.now()
    notice.state, notice.sent_at = "sent", now
    notice.error = notice.lease = notice.lease_until = None
    notice.attempts += 1
    applicant = session.get(models.Applicant, notice.applicant_id)
    if applicant is not None:
        applicant.notified_at = applicant.updated_at = now


def record_failed(
    session: Session, context: Context, mail: Outgoing, code: str, *, for_good: bool
) -> None:
    """It was not taken: try again later, or put it on the list of failures."""
    notice = session.get(models.Notice, mail.id)
    if notice is None or notice.state != "queued" or notice.lease != mail.lease:
        return
    notice.attempts += 1
    notice.error, notice.lease, notice.lease_until = code, None, None
    if for_good or notice.attempts >= mailing.ATTEMPTS_MAX:
        notice.state = "failed"
    else:
        notice.next_attempt_at = context.clock.now() + mailing.back_off_s(notice.attempts)


def release(session: Session, mails: Sequence[Outgoing], *, until: int) -> None:
    """Give leased notices back untried; no try is counted."""
    for mail in mails:
        notice = session.get(models.Notice, mail.id)
        if notice is not None and notice.state == "queued" and notice.lease == mail.lease:
            notice.lease = notice.lease_until = None
            notice.next_attempt_at = max(notice.next_attempt_at, until)


def settle(session: Session, context: Context) -> None:
    """Bring the counts of batches under way up to date, and close those with nothing left."""
    batch = models.NoticeBatch
    under_way = select(batch).where(batch.state == "sending").with_for_update(skip_locked=True)
    for row in session.scalars(under_way):
        counts = _take_counts(session, row)
        if not counts.get("queued"):
            row.state = "sent"
            detail = f"sent={row.sent} failed={row.failed} cancelled={row.cancelled}"
            audit.record(
                session,
                context,
                actor="worker",
                action="notices.sent",
                subject=row.id,
                detail=detail,
            )


def recount(session: Session, batch_id: str) -> None:
    """Bring the counts of one batch up to date, after a mail that was sent came back."""
    batch = session.get_one(models.NoticeBatch, batch_id, with_for_update=True)
    session.flush()
    _take_counts(session, batch)


def _take_counts(session: Session, batch: models.NoticeBatch) -> dict[str, int]:
    counts = counts_of(session, batch.id)
    batch.sent, batch.failed = counts.get("sent", 0), counts.get("failed", 0)
    batch.cancelled = counts.get("cancelled", 0)
    return counts


def resend_failed(
    session: Session, context: Context, batch_id: str, *, user_id: str
) -> models.NoticeBatch:
    """Queue the failed notices of a batch again, with the links they have."""
    batch = get(session, batch_id, lock=True)
    notice = models.Notice
    failed = list(
        session.scalars(select(notice).where(notice.batch_id == batch.id, notice.state == "failed"))
    )
    if batch.state not in ("sending", "sent") or not failed:
        raise NothingFailed
    at = booking.in_hours(context, context.clock.now())
    # Where no second person was asked, whoever sends again has looked at it again.
    alone = batch.approved_by is None
    ids = [row.applicant_id for row in failed] if alone else []
    prints = recipients.fingerprints(session, context, ids)
    for row in failed:
        row.state, row.attempts, row.error, row.next_attempt_at = "queued", 0, None, at
        row.bounced_at = row.bounce_status = None
        row.approved_as = prints.get(row.applicant_id, row.approved_as)
    batch.state, batch.failed = "sending", 0
    audit.record(
        session,
        context,
        actor=user_id,
        action="notices.resend",
        subject=batch.id,
        detail=f"failed={len(failed)}",
    )
    return batch


def counts_of(session: Session, batch_id: str) -> dict[str, int]:
    """Return how many notices of a batch are in each state."""
    notice = models.Notice
    rows = select(notice.state, func.count()).where(notice.batch_id == batch_id)
    return {row[0]: row[1] for row in session.execute(rows.group_by(notice.state))}


def _due_batches(session: Session, now: int) -> list[models.NoticeBatch]:
    """Return the batches whose time has come, locked: nobody can cancel one while it begins."""
    batch = models.NoticeBatch
    due = (
        select(batch)
        .where(batch.state.in_(("approved", "sending")), batch.scheduled_at <= now)
        .order_by(batch.scheduled_at, batch.id)
        .with_for_update()
    )
    return list(session.scalars(due))


def _due_notices(
    session: Session, batch: models.NoticeBatch, now: int, limit: int
) -> list[models.Notice]:
    notice = models.Notice
    due = (
        select(notice)
        .where(notice.batch_id == batch.id, notice.state == "queued")
        .where(notice.next_attempt_at <= now)
        .where(notice.lease_until.is_(None) | (notice.lease_until <= now))
        .order_by(notice.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(session.scalars(due))


def _prepare(
    session: Session,
    context: Context,
    batch: models.NoticeBatch,
    rows: Sequence[models.Notice],
) -> list[Outgoing]:
    """Lease these notices and write their mails; those that must not leave any more are closed."""
    occasion = occasion_of(session, context, batch)
    standings = recipients.judge(
        session, context, [row.applicant_id for row in rows], batch_id=batch.id
    )
    leaving = [row for row in rows if _may_leave(session, context, batch, row, standings)]
    applicants = {row.id: standings[row.applicant_id].applicant for row in leaving}
    people = recipients.people(session, context, [one for one in applicants.values() if one])
    handed_on = relays.handed_on(session, people.keys())
    lease, until = uuid.uuid4().hex, context.clock.now() + mailing.LEASE_S

    mails = []
    for row in leaving:
        applicant = applicants[row.id]
        assert applicant is not None, "who may leave is in the list"
        if _has_changed(context, row, applicant, people[applicant.id]):
            _withhold(session, context, row, "changed_since")
            continue
        with_link = row.link_id is not None
        url = links.url_of(context, links.token_of(context, row.link_id)) if row.link_id else ""
        person = people[applicant.id]
        given = letter.values(occasion, person, job=applicant.job, stage=applicant.stage, url=url)
        if letter.missing(occasion.text, given, with_link=with_link):
            row.state, row.error = "failed", "value-missing"
            continue
        subject, body = letter.compose(
            occasion, given, with_link=with_link, handed_on=applicant.id in handed_on
        )
        row.lease, row.lease_until = lease, until
        mails.append(
            Outgoing(
                id=row.id,
                lease=lease,
                message_id=mailing.message_id(context, "notice", row.id),
                to=person.email,
                subject=subject,
                text=body,
                reply_to=occasion.sender.email,
                headers=_headers(context, row),
            )
        )
    return mails


def _headers(context: Context, row: models.Notice) -> tuple[tuple[str, str], ...]:
    """What mail programs make a button of (RFC 8058); who gets no link hears of a selection only.

    That is no mailing to be unsubscribed from: a button there would mislead.
    """
    if row.link_id is None:
        return ()
    return (
        ("List-Unsubscribe", f"<{links.stop_url_of(context, row.link_id)}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    )


def _may_leave(
    session: Session,
    context: Context,
    batch: models.NoticeBatch,
    row: models.Notice,
    standings: dict[str, recipients.Standing],
) -> bool:
    """Tell whether this notice still may leave; take its link away, or stop it, if it may not."""
    standing = standings[row.applicant_id]
    if standing.told and (standing.link or row.link_id is None):
        return True
    row.exclusion = standing.reason
    _take_link(session, context, row)
    if standing.told and batch.excluded_get == "plain":
        return True
    row.state, row.error = "cancelled", standing.reason
    return False


def _has_changed(
    context: Context, row: models.Notice, applicant: models.Applicant, person: Person
) -> bool:
    """Tell whether another letter, or another address, would leave than was approved."""
    approved = row.approved_as
    return approved is not None and approved != recipients.fingerprint(context, applicant, person)


def _withhold(session: Session, context: Context, row: models.Notice, reason: str) -> None:
    """Stop one notice: the person can stand in a new batch, which is looked at again."""
    _take_link(session, context, row)
    row.state, row.error = "cancelled", reason


def _take_link(session: Session, context: Context, row: models.Notice) -> None:
    if row.link_id is not None:
        links.revoke(session, context, [row.link_id])
        row.link_id = None
