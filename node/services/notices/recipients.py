"""Recipients: who may be told the result, and who of them may get a private link.  DOMAIN 2.7.

Some cannot be told at all: they are still in the selection, withdrew, know it already, or have no
address. Others are told, but are not invited: too young, unwilling, lately placed. Why stays here:
the reason is shown to HR, and never stands in a mail.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.i18n import later
from node.services import applicants
from node.services.applicants import Person

# The kind of notice that this file speaks of: the result of a selection. One for each person.
RESULT = "result"
# How many ids one statement names: PostgreSQL and SQLite take more, planners like fewer.
CHUNK = 500

# Why somebody is left out of a batch.
LEFT_OUT: Mapping[str, str] = {
    "unknown": later("No longer in the list of applicants"),
    "still-in-selection": later("Still in the selection"),
    "withdrawn": later("Withdrew the application"),
    "hired": later("Was hired"),
    "already-notified": later("Has been told already"),
    "in-another-batch": later("Stands in another batch of notices"),
    "no-email": later("Has no e-mail address"),
    "erased": later("The person's data was erased"),
}
T = TypeVar("T")
_BY_STATUS = {"active": "still-in-selection", "withdrawn": "withdrawn", "hired": "hired"}


@dataclass(frozen=True, slots=True)
class Standing:
    """What one person may get: a letter or none, a link or none, and why not."""

    applicant: models.Applicant | None
    told: bool
    link: bool
    reason: str | None = None


def judge(
    session: Session,
    context: Context,
    applicant_ids: Collection[str],
    *,
    batch_id: str | None = None,
) -> dict[str, Standing]:
    """Say for each id what the person may get now; `batch_id` is the batch that asks."""
    rows = {row.id: row for row in _applicants(session, applicant_ids)}
    busy = _in_other_batches(session, rows, batch_id)
    erased = _erased(session, rows)
    candidates = []
    found: dict[str, Standing] = {}
    for applicant_id in applicant_ids:
        row = rows.get(applicant_id)
        reason = "unknown" if row is None else _left_out(row, busy, erased)
        if reason is None:
            candidates.append(applicant_id)
        found[applicant_id] = Standing(row, told=reason is None, link=False, reason=reason)

    allowed, excluded = applicants.notifiable(session, context, candidates)
    for applicant_id in candidates:
        reason = excluded.get(applicant_id)
        link = applicant_id in allowed and reason is None
        found[applicant_id] = Standing(rows[applicant_id], told=True, link=link, reason=reason)
    return found


def people(
    session: Session, context: Context, rows: Sequence[models.Applicant]
) -> dict[str, Person]:
    """Return the person behind each applicant, by the applicant's id."""
    return {
        applicant_id: person
        for piece in pieces(rows)
        for applicant_id, person in applicants.persons_of(session, context, piece).items()
    }


def _left_out(row: models.Applicant, busy: Collection[str], erased: Collection[str]) -> str | None:
    if row.person_id in erased:
        return "erased"
    if row.notified_at is not None:
        return "already-notified"
    if row.id in busy:
        return "in-another-batch"
    if row.status in _BY_STATUS:
        return _BY_STATUS[row.status]
    return "no-email" if row.email_index is None else None


def _applicants(session: Session, ids: Collection[str]) -> Iterator[models.Applicant]:
    for piece in pieces(ids):
        yield from session.scalars(select(models.Applicant).where(models.Applicant.id.in_(piece)))


def _in_other_batches(
    session: Session, ids: Collection[str], batch_id: str | None
) -> frozenset[str]:
    """Return who stands in a batch that was requested already, the asking batch apart."""
    notice = models.Notice
    found: set[str] = set()
    for piece in pieces(ids):
        rows = select(notice.applicant_id).where(
            notice.applicant_id.in_(piece),
            notice.kind == RESULT,
            notice.state.not_in(("draft", "cancelled")),
        )
        if batch_id is not None:
            rows = rows.where(notice.batch_id != batch_id)
        found.update(session.scalars(rows))
    return frozenset(found)


def _erased(session: Session, rows: Mapping[str, models.Applicant]) -> frozenset[str]:
    key = models.PersonKey
    found: set[str] = set()
    for piece in pieces({row.person_id for row in rows.values()}):
        gone = select(key.person_id).where(key.person_id.in_(piece), key.wrapped.is_(None))
        found.update(session.scalars(gone))
    return frozenset(found)


def pieces(ids: Collection[T]) -> Iterator[list[T]]:
    """Cut ids, or rows, into pieces that one statement may name."""
    left = iter(ids)
    while piece := list(islice(left, CHUNK)):
        yield piece
