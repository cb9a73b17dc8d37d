"""Batches: notices that are chosen, previewed, approved, booked and cancelled together.

    draft -> waiting_approval -> approved -> sending -> sent
      ^______ returned _______|      |
      `-> cancelled              cancelled

A draft binds nobody. With the request each notice becomes a promise: nobody can stand in a second
batch, and what was shown is what will be sent. From a number of notices on (`approval_from`) a
second person approves. Between approval and the first mail lies the cancel window.
"""

import secrets
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.models.notices import EXCLUDED_GET
from node.services import audit, links, templates
from node.services.notices import booking, recipients
from node.services.notices.letter import Sender
from node.services.notices.refusals import (
    ApprovalBySamePerson,
    BatchChanged,
    BatchEmpty,
    BatchNotDraft,
    BatchNotWaiting,
    BatchTooLarge,
    BatchUnknown,
    BookingTooFar,
    CancelTooLate,
    SenderIncomplete,
    ValuesMissing,
)
from node.services.notices.review import Review, review

# A season's largest batch is 2,500 (DOMAIN 7.2); more is a mistake, or two batches.
NOTICES_MAX = 3000
BOOKING_MAX_S = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Wish:
    """What HR chose for a draft."""

    template_id: str
    sender: Sender
    excluded_get: str = "plain"
    wished_at: int | None = None


def draft(
    session: Session,
    context: Context,
    applicant_ids: Sequence[str],
    wish: Wish,
    *,
    user_id: str,
) -> models.NoticeBatch:
    """Begin a batch for the chosen applicants; nobody is bound by it yet."""
    ids = list(dict.fromkeys(applicant_ids))
    if not ids:
        raise BatchEmpty
    if len(ids) > NOTICES_MAX:
        raise BatchTooLarge(chosen=len(ids), most=NOTICES_MAX)
    standings = recipients.judge(session, context, ids)
    if not any(standing.told for standing in standings.values()):
        raise BatchEmpty

    text = templates.text_of(session, wish.template_id)
    batch = models.NoticeBatch(
        id=uuid.uuid4().hex,
        template_id=text.template_id,
        version=text.version,
        requested_by=user_id,
        created_at=context.clock.now(),
        sender_name="",
        sender_department="",
        sender_phone="",
        sender_email="",
    )
    _take(batch, wish)
    session.add(batch)
    session.flush()
    # Ids that sort in the order of the choice; beside it they are chance.
    run = secrets.token_hex(8)
    session.add_all(
        models.Notice(
            id=f"{run}{at:04x}{secrets.token_hex(6)}",
            batch_id=batch.id,
            applicant_id=applicant_id,
            kind=recipients.RESULT,
            exclusion=standing.reason,
        )
        for at, (applicant_id, standing) in enumerate(standings.items())
        if standing.applicant is not None
    )
    audit.record(session, context, actor=user_id, action="notices.draft", subject=batch.id)
    return batch


def change(
    session: Session, context: Context, batch_id: str, wish: Wish, *, user_id: str
) -> models.NoticeBatch:
    """Choose another template, sender, time or treatment of people without a link."""
    batch = get(session, batch_id, lock=True)
    if batch.state != "draft":
        raise BatchNotDraft
    if wish.wished_at is not None and wish.wished_at > context.clock.now() + BOOKING_MAX_S:
        raise BookingTooFar
    text = templates.text_of(session, wish.template_id)
    batch.template_id, batch.version = text.template_id, text.version
    _take(batch, wish)
    audit.record(session, context, actor=user_id, action="notices.change", subject=batch.id)
    return batch


def leave_out(session: Session, batch_id: str, applicant_id: str) -> None:
    """Take one person out of a draft."""
    if get(session, batch_id, lock=True).state != "draft":
        raise BatchNotDraft
    notice = models.Notice
    session.execute(
        delete(notice).where(notice.batch_id == batch_id, notice.applicant_id == applicant_id)
    )


def request(
    session: Session, context: Context, batch_id: str, *, user_id: str, digest: str
) -> models.NoticeBatch:
    """Ask for the batch as it was shown: it waits for approval, or is booked when it is small.

    `digest` is that of the review the person looked at; anything else is BatchChanged.
    """
    batch = get(session, batch_id, lock=True)
    if batch.state != "draft":
        raise BatchNotDraft
    shown = review(session, context, batch)
    if shown.missing:
        raise ValuesMissing(people=len(shown.missing))
    if not shown.sender_complete:
        raise SenderIncomplete
    if not shown.to_send:
        raise BatchEmpty
    if shown.digest != digest:
        raise BatchChanged

    batch.requested_by, batch.requested_at = user_id, context.clock.now()
    try:
        _promise(session, batch, shown)
    except IntegrityError as error:
        # Somebody else asked for one of these people in the same moment.
        raise BatchChanged from error
    audit.record(
        session,
        context,
        actor=user_id,
        action="notices.request",
        subject=batch.id,
        detail=f"total={batch.total} version={batch.version}",
    )
    if booking.needs_approval(context, batch.total):
        batch.state = "waiting_approval"
    else:
        _book(session, context, batch)
    return batch


def approve(
    session: Session, context: Context, batch_id: str, *, user_id: str, digest: str
) -> models.NoticeBatch:
    """Approve as the second person what the page showed, and book the batch.

    `digest` is that of the review the person looked at; anything else is BatchChanged.
    """
    batch = get(session, batch_id, lock=True)
    if batch.state != "waiting_approval":
        raise BatchNotWaiting
    if batch.requested_by == user_id:
        raise ApprovalBySamePerson
    # Somebody's data may have changed while the batch waited.
    shown = review(session, context, batch)
    if shown.missing:
        raise ValuesMissing(people=len(shown.missing))
    if shown.digest != digest:
        raise BatchChanged

    batch.approved_by = user_id
    _book(session, context, batch)
    audit.record(session, context, actor=user_id, action="notices.approve", subject=batch.id)
    return batch


def give_back(
    session: Session, context: Context, batch_id: str, *, user_id: str
) -> models.NoticeBatch:
    """Return a waiting batch to its author, as a draft; by the approver, or by the author."""
    batch = get(session, batch_id, lock=True)
    if batch.state != "waiting_approval":
        raise BatchNotWaiting
    batch.state, batch.requested_at = "draft", None
    batch.total = batch.cancelled = 0
    notice = models.Notice
    session.execute(
        update(notice).where(notice.batch_id == batch.id).values(state="draft", error=None)
    )
    audit.record(session, context, actor=user_id, action="notices.give_back", subject=batch.id)
    return batch


def cancel(
    session: Session, context: Context, batch_id: str, *, user_id: str
) -> models.NoticeBatch:
    """Stop every mail of a batch; only before the first has left, afterwards CancelTooLate."""
    batch = get(session, batch_id, lock=True)
    if batch.state in ("sending", "sent", "cancelled"):
        raise CancelTooLate(state=batch.state)

    notice = models.Notice
    mine = (notice.batch_id == batch.id, notice.state.in_(("draft", "waiting", "queued")))
    link_ids = list(
        session.scalars(select(notice.link_id).where(*mine, notice.link_id.is_not(None)))
    )
    links.revoke(session, context, [link_id for link_id in link_ids if link_id])
    session.execute(update(notice).where(*mine).values(state="cancelled", error="stopped"))
    batch.state = "cancelled"
    batch.cancelled_by, batch.cancelled_at = user_id, context.clock.now()
    audit.record(session, context, actor=user_id, action="notices.cancel", subject=batch.id)
    return batch


def get(session: Session, batch_id: str, *, lock: bool = False) -> models.NoticeBatch:
    """Return one batch; raise BatchUnknown."""
    batch = session.get(models.NoticeBatch, batch_id, with_for_update=True if lock else None)
    if batch is None:
        raise BatchUnknown
    return batch


def last_sender(session: Session, user_id: str) -> Sender | None:
    """Return who signed this user's last batch, to begin the next one with."""
    batch = models.NoticeBatch
    rows = select(batch).where(batch.requested_by == user_id)
    last = session.scalar(rows.order_by(batch.created_at.desc(), batch.id.desc()).limit(1))
    if last is None:
        return None
    return Sender(last.sender_name, last.sender_department, last.sender_phone, last.sender_email)


def usual_template(session: Session, user_id: str, language: str) -> str | None:
    """Return the template this user wrote with last, else one in their language, else any."""
    in_use = templates.listing(session)
    batch = models.NoticeBatch
    rows = select(batch.template_id).where(batch.requested_by == user_id)
    last = session.scalar(rows.order_by(batch.created_at.desc(), batch.id.desc()).limit(1))
    in_use.sort(key=lambda row: (row.id != last, row.language != language, row.name))
    return in_use[0].id if in_use else None


def _take(batch: models.NoticeBatch, wish: Wish) -> None:
    """Write down what HR chose."""
    assert wish.excluded_get in EXCLUDED_GET, "the form offers no other"
    batch.sender_name = wish.sender.name.strip()
    batch.sender_department = wish.sender.department.strip()
    batch.sender_phone = wish.sender.phone.strip()
    batch.sender_email = wish.sender.email.strip()
    batch.excluded_get, batch.wished_at = wish.excluded_get, wish.wished_at


def _promise(session: Session, batch: models.NoticeBatch, shown: Review) -> None:
    """Make the notices of a draft binding, and put aside those who get none."""
    notice = models.Notice
    session.execute(
        update(notice).where(notice.batch_id == batch.id).values(state="waiting", error=None)
    )
    for reason, ids in shown.by_reason.items():
        _set(session, batch, ids, exclusion=reason)
    for reason, ids in shown.left_out.items():
        _set(session, batch, ids, exclusion=reason, state="cancelled", error=reason)
    _set(session, batch, shown.with_link, exclusion=None)
    batch.total = len(shown.to_send)
    batch.cancelled = sum(map(len, shown.left_out.values()))


def _set(
    session: Session, batch: models.NoticeBatch, ids: Collection[str], **values: str | None
) -> None:
    notice = models.Notice
    for piece in recipients.pieces(ids):
        chosen = (notice.batch_id == batch.id, notice.applicant_id.in_(piece))
        session.execute(update(notice).where(*chosen).values(**values))


def _book(session: Session, context: Context, batch: models.NoticeBatch) -> None:
    """Give the batch its slot, each notice its place in the queue, and who may have one a link."""
    now = context.clock.now()
    batch.state, batch.approved_at = "approved", now
    batch.scheduled_at = booking.slot(context, wished_at=batch.wished_at)
    has_link = templates.text_of(session, batch.template_id, batch.version).has_link
    waiting = select(models.Notice).where(
        models.Notice.batch_id == batch.id, models.Notice.state == "waiting"
    )
    notices = list(session.scalars(waiting))
    prints = recipients.fingerprints(session, context, [each.applicant_id for each in notices])
    made = {}
    for notice in notices:
        notice.approved_as = prints.get(notice.applicant_id)
        notice.state, notice.next_attempt_at = "queued", batch.scheduled_at
        if has_link and notice.exclusion is None:
            expires_at = batch.scheduled_at + links.LIFE_S
            made[notice.id], _ = links.issue(
                session, context, notice.applicant_id, expires_at=expires_at
            )
    session.flush()  # a link is written before the notice that names it
    for notice in notices:
        notice.link_id = made.get(notice.id)
