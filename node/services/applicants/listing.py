"""Listing: pages of applicants by key, never by offset, so that page 500 costs what page 1 costs.

Three orders, each carried by an index: newest first; by day of application; and those who wait
longest for their notice.  Counts stop at 1,000: nobody reads on, and they stay cheap at 100,000.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func, literal, select, tuple_
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.models.applicants import UNTOLD
from node.refusals import NotThere, ValueInvalid
from node.services.applicants import people
from node.services.applicants.people import Person
from node.services.applicants.values import STAGE_CODES

LIMITS = (50, 100, 200)
COUNT_MAX = 1_000
JOBS_MAX = 200
BATCH_ROWS = 500
CHOSEN_MAX = 3_000  # The largest batch of notices.

ORDERS = ("newest", "applied", "waiting")


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to; every field may be left empty."""

    words: str = ""
    job: str = ""
    stage_code: str = ""
    from_stage: str = ""
    status: str = ""
    applicant_type: str = ""
    applied_from: date | None = None
    applied_to: date | None = None
    told: str = ""  # "yes" or "no": has the notice been sent?
    days: int | None = None  # rejected and without a notice for at least so many days
    order: str = ""

    @property
    def effective_order(self) -> str:
        """Return the chosen order, or the one that fits what was filtered for."""
        if self.order in ORDERS:
            return self.order
        if self.days is not None:
            return "waiting"
        return "applied" if self.applied_from or self.applied_to else "newest"


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the list; `person` is None when the data was erased."""

    row: models.Applicant
    person: Person | None
    days_waiting: int | None


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page, and the cursors of its neighbours."""

    entries: list[Entry]
    previous: str | None
    next: str | None


def list_page(
    session: Session, context: Context, filters: Filters, cursor: str = "", limit: int = 50
) -> ListPage:
    """Return the page that `cursor` names; the first without one."""
    limit = limit if limit in LIMITS else LIMITS[0]
    order = filters.effective_order
    backwards, key = _parse_cursor(cursor, order) if cursor else (False, None)
    found = _ordered(_narrowed(context, filters), order, key, backwards=backwards)
    rows = list(session.scalars(found.limit(limit + 1)))
    more = len(rows) > limit
    rows = rows[:limit]
    if backwards:
        rows.reverse()
    entries = _entries(session, context, rows)
    if not rows:
        return ListPage([], None, None)
    has_next, has_previous = (bool(cursor), more) if backwards else (more, bool(cursor))
    return ListPage(
        entries,
        previous=_cursor(rows[0], order, backwards=True) if has_previous else None,
        next=_cursor(rows[-1], order, backwards=False) if has_next else None,
    )


def count(session: Session, context: Context, filters: Filters) -> tuple[int, bool]:
    """Return how many there are, and whether counting stopped because there are more."""
    table = models.Applicant
    some = _narrowed(context, filters).with_only_columns(table.id).limit(COUNT_MAX + 1)
    found = session.scalar(select(func.count()).select_from(some.subquery())) or 0
    return min(found, COUNT_MAX), found > COUNT_MAX


def exact_count(session: Session, context: Context, filters: Filters) -> int:
    """Return how many there are, however many: for a file, not for a page."""
    inner = _narrowed(context, filters).with_only_columns(models.Applicant.id).subquery()
    return session.scalar(select(func.count()).select_from(inner)) or 0


def every(
    session: Session, context: Context, filters: Filters, ids: Sequence[str] = ()
) -> Iterator[Entry]:
    """Yield every applicant of the filter, or those of `ids`, a few hundred at a time."""
    table = models.Applicant
    if ids:
        for at in range(0, len(ids), BATCH_ROWS):
            some = select(table).where(table.id.in_(ids[at : at + BATCH_ROWS]))
            yield from _entries(session, context, list(session.scalars(some)))
        return
    order, key = filters.effective_order, None
    while True:
        found = _ordered(_narrowed(context, filters), order, key, backwards=False)
        rows = list(session.scalars(found.limit(BATCH_ROWS)))
        yield from _entries(session, context, rows)
        session.expunge_all()
        if len(rows) < BATCH_ROWS:
            return
        key = _key(rows[-1], order)


def chosen(
    session: Session, context: Context, filters: Filters, limit: int = CHOSEN_MAX
) -> list[str]:
    """Return the ids of everybody in the filter, up to `limit`: choose all, not only this page."""
    found = _ordered(_narrowed(context, filters), filters.effective_order, None, backwards=False)
    return list(session.scalars(found.with_only_columns(models.Applicant.id).limit(limit)))


def get(session: Session, applicant_id: str) -> models.Applicant:
    """Return an applicant; raise NotThere."""
    found = session.get(models.Applicant, applicant_id)
    if found is None:
        raise NotThere
    return found


def entry_of(session: Session, context: Context, applicant_id: str) -> Entry:
    """Return one applicant as the list shows it; raise NotThere."""
    return _entries(session, context, [get(session, applicant_id)])[0]


def jobs(session: Session) -> list[str]:
    """Return the jobs people applied for, each read from the index once, not from every row."""
    table = models.Applicant
    first = select(func.min(table.job).label("job")).cte("jobs", recursive=True)
    following = (
        select(func.min(table.job))
        .where(table.job > first.c.job)
        .correlate(first)
        .scalar_subquery()
    )
    walk = first.union_all(select(following).where(first.c.job.is_not(None)))
    found = session.scalars(select(walk.c.job).where(walk.c.job.is_not(None)).limit(JOBS_MAX))
    return [job for job in found if job]


def _entries(session: Session, context: Context, rows: Sequence[models.Applicant]) -> list[Entry]:
    persons = people.persons_of(session, context, rows)
    today = _today(context)
    return [Entry(row, persons.get(row.id), _days_waiting(context, row, today)) for row in rows]


def _days_waiting(context: Context, row: models.Applicant, today: date) -> int | None:
    """Return the days since the rejection, for those who have not been told."""
    if row.status != "rejected" or row.notified_at is not None or row.rejected_on is None:
        return None
    rejected = datetime.fromtimestamp(row.rejected_on, context.settings.time_zone).date()
    return max((today - rejected).days, 0)


def _today(context: Context) -> date:
    return datetime.fromtimestamp(context.now(), context.settings.time_zone).date()


def day_start(day: date, zone: ZoneInfo) -> int:
    """Return the first second of `day`."""
    return int(datetime.combine(day, time(0), zone).timestamp())


def _narrowed(context: Context, filters: Filters) -> Select[models.Applicant]:
    found = select(models.Applicant)
    for condition in _conditions(context, filters):
        found = found.where(condition)
    return found


def _conditions(context: Context, filters: Filters) -> Iterator[ColumnElement[bool]]:
    table = models.Applicant
    if filters.words:
        yield people.matching(context, filters.words)
    for name in ("job", "stage_code", "status", "applicant_type"):
        if wanted := getattr(filters, name):
            yield getattr(table, name) == wanted
    if filters.from_stage in STAGE_CODES:
        yield table.stage_code.in_(STAGE_CODES[STAGE_CODES.index(filters.from_stage) :])
    yield from _days(context, filters)
    if filters.told == "yes":
        yield table.notified_at.is_not(None)
    elif filters.told == "no":
        yield table.notified_at.is_(None)


def _days(context: Context, filters: Filters) -> Iterator[ColumnElement[bool]]:
    table, zone = models.Applicant, context.settings.time_zone
    if filters.applied_from:
        yield table.applied_on >= day_start(filters.applied_from, zone)
    if filters.applied_to:
        yield table.applied_on < day_start(filters.applied_to + timedelta(days=1), zone)
    if filters.days is not None:
        yield cast(ColumnElement[bool], UNTOLD)
        until = _today(context) - timedelta(days=filters.days)
        yield table.rejected_on < day_start(until + timedelta(days=1), zone)
    # An order by a day cannot show those who have none.
    if filters.effective_order == "applied":
        yield table.applied_on.is_not(None)
    if filters.effective_order == "waiting":
        yield table.rejected_on.is_not(None)


def _ordered(
    found: Select[models.Applicant],
    order: str,
    key: tuple[int, str] | None,
    *,
    backwards: bool,
) -> Select[models.Applicant]:
    table = models.Applicant
    by = {"newest": table.created_at, "applied": table.applied_on, "waiting": table.rejected_on}
    column = by[order]
    falling = (order != "waiting") != backwards
    if key is not None:
        # A row value is one range of the index; two conditions would be a walk over it.
        place, here = tuple_(column, table.id), tuple_(literal(key[0]), literal(key[1]))
        found = found.where(place < here if falling else place > here)
    if falling:
        return found.order_by(column.desc(), table.id.desc())
    return found.order_by(column, table.id)


def _key(row: models.Applicant, order: str) -> tuple[int, str]:
    at = {"newest": row.created_at, "applied": row.applied_on, "waiting": row.rejected_on}[order]
    assert at is not None, "the order leaves out rows without that day"
    return at, row.id


def _cursor(row: models.Applicant, order: str, *, backwards: bool) -> str:
    content = json.dumps([order, backwards, *_key(row, order)], separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def _parse_cursor(cursor: str, order: str) -> tuple[bool, tuple[int, str] | None]:
    """Return the place a cursor names; one of another order begins at the first page."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        kind, backwards, at, row_id = found
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise ValueInvalid(field="cursor") from error
    shape = isinstance(backwards, bool) and type(at) is int and isinstance(row_id, str)
    if not shape or abs(at) >= 2**53:
        raise ValueInvalid(field="cursor")
    return (backwards, (at, row_id)) if kind == order else (False, None)
