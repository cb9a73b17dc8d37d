"""Recipients: who may be told the result, and who of them may get a private link.  DOMAIN 2.7.

Some cannot be told at all: they are still in the selection, withdrew, know it already, or have no
address. Others are told, but are not invited: too young, unwilling, lately placed. Why stays here:
the reason is shown to HR, and never stands in a mail.
"""

import json
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

# Why somebody is left out of a batch, beside what `applicants` says of everybody.
LEFT_OUT: Mapping[str, str] = {
    "unknown": later("No longer in the list of applicants"),
    "already_notified": later("Has been told already"),
    "in_another_batch": later("Stands in another batch of notices"),
    "changed_since": later("Was changed after the approval; prepare a new batch"),
}
# Of the reasons against a link, those that are reasons against a letter too.
NOT_TOLD = frozenset({"erased", "withdrawn", "not_rejected", "no_email"})
T = TypeVar("T")


def fingerprint(context: Context, row: models.Applicant, person: Person) -> bytes:
    """Sum up what of a person stands on and in a letter, to know later whether it is the same."""
    said = json.dumps([person.email, person.name, person.family, row.job, row.stage])
    return context.keyring.blind("notices.approved_as", said)


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
    allowed, excluded = applicants.notifiable(session, context, rows)
    found: dict[str, Standing] = {}
    for applicant_id in applicant_ids:
        row = rows.get(applicant_id)
        reason = _left_out(row, busy) or excluded.get(applicant_id)
        told = reason is None or not (reason in LEFT_OUT or reason in NOT_TOLD)
        link = told and applicant_id in allowed
        found[applicant_id] = Standing(row, told=told, link=link, reason=reason)
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


def fingerprints(
    session: Session, context: Context, applicant_ids: Collection[str]
) -> dict[str, bytes]:
    """Return everybody's fingerprint as they are now; the erased and unknown have none."""
    rows = list(_applicants(session, applicant_ids))
    found = people(session, context, rows)
    return {row.id: fingerprint(context, row, found[row.id]) for row in rows if row.id in found}


def _left_out(row: models.Applicant | None, busy: Collection[str]) -> str | None:
    if row is None:
        return "unknown"
    if row.notified_at is not None:
        return "already_notified"
    if row.id in busy:
        return "in_another_batch"
    # Said here too, because another reason may come first there.
    return "no_email" if row.person_blob and row.email_index is None else None


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


def pieces(ids: Collection[T]) -> Iterator[list[T]]:
    """Cut ids, or rows, into pieces that one statement may name."""
    left = iter(ids)
    while piece := list(islice(left, CHUNK)):
        yield piece
