"""Reports: how far a batch is, who got it, who did not and why, and what waits for approval."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.i18n import later
from node.services import users
from node.services.notices import recipients, sending
from node.services.notices.batches import get

PAGE_ROWS = 50

# What became of a mail that did not arrive, in words that say what to do.
FAILURES: Mapping[str, str] = {
    "recipient-refused": later("The mail server does not know this address"),
    "mail-refused": later("The mail server refused the mail"),
    "mail-invalid": later("The address or the text cannot stand in a mail"),
    "mail-unknown": later("The connection broke; whether it arrived is unknown"),
    "bounced": later("The mail came back"),
    "value-missing": later("A variable has no value any more"),
    "restored": later("The node was restored: it may have been sent already"),
    "stopped": later("Stopped before it left"),
}
# The second number of a status says what was wrong (RFC 3463 3); in words that say what to do.
BOUNCES: Mapping[str, str] = {
    "1": later("There is no such address; ask for the right one"),
    "2": later("The mailbox is full or closed"),
    "4": later("The other mail server could not be reached"),
    "7": later("The other mail server refuses mail from here; ask your IT team"),
}
BOUNCED = later("The other mail server did not deliver it")


@dataclass(frozen=True, slots=True)
class BatchView:
    """One batch in the list: what, how many, by whom, when."""

    id: str
    template: str
    state: str
    total: int
    sent: int
    failed: int
    requested_by: str
    requested_by_id: str
    approved_by: str
    cancelled_by: str
    created_at: int
    requested_at: int | None
    approved_at: int | None
    scheduled_at: int | None
    cancelled_at: int | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a batch is."""

    state: str
    total: int
    sent: int
    failed: int
    withheld: int

    @property
    def done(self) -> int:
        """Return how many need nothing more."""
        return self.sent + self.failed + self.withheld

    @property
    def is_over(self) -> bool:
        """Tell whether nothing will change by itself any more."""
        return self.state in ("sent", "cancelled")


@dataclass(frozen=True, slots=True)
class NoticeView:
    """One notice in a list; name and address stand on HR's page only."""

    id: str
    applicant_id: str
    name: str
    email: str
    job: str
    stage: str
    state: str
    with_link: bool
    reason: str | None
    sent_at: int | None
    bounce_status: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of one person's notice, for the person's page."""

    batch_id: str
    state: str
    reason: str | None
    sent_at: int | None
    bounced_at: int | None
    bounce_status: str | None


def listing(
    session: Session, *, before: tuple[int, str] | None = None, limit: int = PAGE_ROWS
) -> tuple[list[BatchView], tuple[int, str] | None]:
    """Return one page of batches, newest first, and where the next page begins."""
    batch = models.NoticeBatch
    rows = select(batch, models.Template.name).join(
        models.Template, models.Template.id == batch.template_id
    )
    if before is not None:
        rows = rows.where(tuple_(batch.created_at, batch.id) < before)
    order = (batch.created_at.desc(), batch.id.desc())
    found = list(session.execute(rows.order_by(*order).limit(limit + 1)))
    names = users.names(session)
    more = found[limit - 1][0] if len(found) > limit else None
    page = [_view(row, name, names) for row, name in found[:limit]]
    return page, (more.created_at, more.id) if more else None


def one(session: Session, batch_id: str) -> BatchView:
    """Return one batch as people see it; raise BatchUnknown."""
    batch = get(session, batch_id)
    template = session.get(models.Template, batch.template_id)
    return _view(batch, template.name if template else "", users.names(session))


def waiting(session: Session, *, limit: int = PAGE_ROWS) -> list[BatchView]:
    """Return what waits for approval, the oldest request first."""
    batch = models.NoticeBatch
    rows = (
        select(batch, models.Template.name)
        .join(models.Template, models.Template.id == batch.template_id)
        .where(batch.state == "waiting_approval")
        .order_by(batch.requested_at, batch.id)
        .limit(limit)
    )
    names = users.names(session)
    return [_view(row, name, names) for row, name in session.execute(rows)]


def waiting_count(session: Session) -> int:
    """Return how many batches wait for approval."""
    state = models.NoticeBatch.state
    rows = select(func.count()).select_from(models.NoticeBatch)
    return session.scalar(rows.where(state == "waiting_approval")) or 0


def progress(session: Session, batch_id: str) -> Progress:
    """Return how far a batch is, counted now."""
    batch = get(session, batch_id)
    counts = sending.counts_of(session, batch_id)
    open_ = counts.get("queued", 0) + counts.get("waiting", 0)
    sent, failed = counts.get("sent", 0), counts.get("failed", 0)
    # Those left out at the request were never part of the total.
    withheld = max(0, batch.total - open_ - sent - failed)
    return Progress(batch.state, batch.total, sent, failed, withheld)


def notices(
    session: Session,
    context: Context,
    batch_id: str,
    *,
    states: Collection[str],
    after: str = "",
    limit: int = PAGE_ROWS,
) -> tuple[list[NoticeView], str | None]:
    """Return one page of a batch's notices in these states, and where the next page begins."""
    notice = models.Notice
    rows = list(
        session.scalars(
            select(notice)
            .where(notice.batch_id == batch_id, notice.state.in_(states), notice.id > after)
            .order_by(notice.id)
            .limit(limit + 1)
        )
    )
    shown = rows[:limit]
    return _people(session, context, shown), shown[-1].id if len(rows) > limit else None


def delayed(
    session: Session, context: Context, batch_id: str, *, limit: int = PAGE_ROWS
) -> list[NoticeView]:
    """Return the first notices of a batch that another mail server holds back for now."""
    notice = models.Notice
    mine = (notice.batch_id == batch_id, notice.state == "sent", notice.bounced_at.is_not(None))
    rows = list(session.scalars(select(notice).where(*mine).order_by(notice.id).limit(limit)))
    return _people(session, context, rows)


def of_applicant(session: Session, applicant_id: str) -> Standing | None:
    """Return the notice that binds this person; None while there is only a draft or none."""
    notice = models.Notice
    row = session.scalar(
        select(notice).where(
            notice.applicant_id == applicant_id,
            notice.kind == recipients.RESULT,
            notice.state.not_in(("draft", "cancelled")),
        )
    )
    if row is None:
        return None
    bounce = (row.bounced_at, row.bounce_status)
    return Standing(row.batch_id, row.state, row.error, row.sent_at, *bounce)


def bounce_words(status: str) -> str:
    """Return what a status such as 5.1.1 means, as a sentence to translate."""
    return BOUNCES.get(status.split(".")[1], BOUNCED)


def by_applicants(
    session: Session, context: Context, batch_id: str, applicant_ids: Collection[str]
) -> list[NoticeView]:
    """Return the notices of these people, in the batch's order."""
    notice = models.Notice
    rows: list[models.Notice] = []
    for piece in recipients.pieces(applicant_ids):
        mine = (notice.batch_id == batch_id, notice.applicant_id.in_(piece))
        rows += session.scalars(select(notice).where(*mine))
    return _people(session, context, sorted(rows, key=lambda row: row.id))


def _people(
    session: Session, context: Context, rows: Collection[models.Notice]
) -> list[NoticeView]:
    ids = [row.applicant_id for row in rows]
    applicant = models.Applicant
    known = {
        row.id: row
        for piece in recipients.pieces(ids)
        for row in session.scalars(select(applicant).where(applicant.id.in_(piece)))
    }
    people = recipients.people(session, context, list(known.values()))
    found = []
    for row in rows:
        person, about = people.get(row.applicant_id), known[row.applicant_id]
        found.append(
            NoticeView(
                id=row.id,
                applicant_id=row.applicant_id,
                name=person.name if person else "",
                email=person.email if person else "",
                job=about.job,
                stage=about.stage,
                state=row.state,
                with_link=row.link_id is not None,
                reason=row.error or row.exclusion,
                sent_at=row.sent_at,
                bounce_status=row.bounce_status,
            )
        )
    return found


def _view(batch: models.NoticeBatch, template: str, names: Mapping[str, str]) -> BatchView:
    return BatchView(
        id=batch.id,
        template=template,
        state=batch.state,
        total=batch.total,
        sent=batch.sent,
        failed=batch.failed,
        requested_by=names.get(batch.requested_by, ""),
        requested_by_id=batch.requested_by,
        approved_by=names.get(batch.approved_by or "", ""),
        cancelled_by=names.get(batch.cancelled_by or "", ""),
        created_at=batch.created_at,
        requested_at=batch.requested_at,
        approved_at=batch.approved_at,
        scheduled_at=batch.scheduled_at,
        cancelled_at=batch.cancelled_at,
    )
