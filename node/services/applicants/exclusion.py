"""Exclusion: who gets no private link, and why.  DOMAIN 2.7, hard rules.

The reason stays on this node: it stands in no file, in no envelope and in no log.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.i18n import later
from node.refusals import ValueInvalid
from node.services import audit
from node.services.applicants import people
from node.services.applicants.listing import get
from node.services.applicants.people import Person

# An agency may not solicit somebody it placed, for two years (DOMAIN 2.7, S30).
BATCH_ROWS = 500
_STORE = {
    name: make(models.Suppression).on_conflict_do_nothing()
    for name, make in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
PLACED_S = 2 * 365 * 24 * 3600 + 24 * 3600

# What HR may set on a person, and take back.
FLAGS: Mapping[str, str] = {
    "no_third_party": later("Did not agree to be passed on to others"),
    "placed_by_agency": later("Placed by an agency less than two years ago"),
    "under_18": later("Under 18"),
    "new_high_school": later("New high-school graduate"),
    "misconduct": later("Decided inside this company"),
}
# What follows from the record itself.
REASONS: Mapping[str, str] = {
    "withdrawn": later("Withdrew the application"),
    "not_rejected": later("Not rejected"),
    "suppressed": later("Asked not to be contacted again"),
    "no_email": later("No e-mail address"),
    "erased": later("Erased"),
    **FLAGS,
}


class Notifiable(NamedTuple):
    """Who gets a link, and who does not with the reason; ids of applicants."""

    allowed: frozenset[str]
    excluded: dict[str, str]


def notifiable(session: Session, context: Context, ids: Collection[str]) -> Notifiable:
    """Divide applicants into those who get a link and those who do not; unknown ids are no one."""
    judged = _judged(session, context, list(ids))
    return Notifiable(
        allowed=frozenset(row.id for row, reason in judged if reason is None),
        excluded={row.id: reason for row, reason in judged if reason is not None},
    )


def reason_for(session: Session, context: Context, applicant_id: str) -> str | None:
    """Return why one applicant gets no link; None when they may get one."""
    return next((reason for _, reason in _judged(session, context, [applicant_id])), "erased")


def set_flag(
    session: Session, context: Context, applicant_id: str, flag: str, *, user_id: str
) -> None:
    """Set or, with an empty `flag`, take back what HR knows about a person."""
    if flag and flag not in FLAGS:
        raise ValueInvalid(field="exclusion")
    applicant = get(session, applicant_id)
    applicant.exclusion = flag or None
    applicant.updated_at = context.now()
    # The log says that it was changed, not to what: the flag stands in one place only.
    audit.record(
        session,
        context,
        actor=user_id,
        action="applicant.exclusion",
        subject=applicant_id,
        detail=f"set={int(bool(flag))}",
    )


def suppress(session: Session, context: Context, person: Person) -> None:
    """Never contact this person again, whoever imports them: only blind indexes are kept."""
    for index in _contact_indexes(context, person):
        # The same person may press in two mails at the same moment.
        store = _STORE[session.get_bind().dialect.name]
        session.execute(store.values(contact_index=index, created_at=context.now()))


def is_suppressed(session: Session, context: Context, person: Person) -> bool:
    """Whether this person asked not to be contacted again."""
    table = models.Suppression
    asked = select(table.contact_index).where(
        table.contact_index.in_(_contact_indexes(context, person))
    )
    return session.scalar(asked.limit(1)) is not None


def allow_again(session: Session, context: Context, person: Person) -> None:
    """Take the suppression back, at the person's own wish."""
    table = models.Suppression
    session.execute(delete(table).where(table.contact_index.in_(_contact_indexes(context, person))))


def _contact_indexes(context: Context, person: Person) -> list[bytes]:
    found = people.indexes_of(context.keyring, person)
    return [index for index in (found.email, found.phone) if index is not None]


def _judged(
    session: Session, context: Context, ids: Sequence[str]
) -> list[tuple[models.Applicant, str | None]]:
    """Return each applicant with the first reason that holds, in a handful of queries."""
    table = models.Applicant
    judged: list[tuple[models.Applicant, str | None]] = []
    for at in range(0, len(ids), BATCH_ROWS):
        some = select(table).where(table.id.in_(ids[at : at + BATCH_ROWS]))
        rows = {row.id: row for row in session.scalars(some)}
        suppressed = _suppressed(session, list(rows.values()))
        placed = _placed(session, context, list(rows.values()))
        for each in ids[at : at + BATCH_ROWS]:
            if (row := rows.get(each)) is not None:
                judged.append((row, _reason(row, suppressed, placed)))
    return judged


def _reason(row: models.Applicant, suppressed: set[bytes], placed: set[bytes]) -> str | None:
    if not row.person_blob:
        return "erased"
    if row.status == "withdrawn":
        return "withdrawn"
    if row.status != "rejected":
        return "not_rejected"
    if {row.email_index, row.phone_index} & suppressed:
        return "suppressed"
    if row.exclusion:
        return row.exclusion
    if row.email_index is None:
        return "no_email"
    return "placed_by_agency" if row.email_index in placed else None


def _suppressed(session: Session, rows: Sequence[models.Applicant]) -> set[bytes]:
    indexes = {index for row in rows for index in (row.email_index, row.phone_index) if index}
    table = models.Suppression
    found = select(table.contact_index).where(table.contact_index.in_(indexes))
    return set(session.scalars(found))


def _placed(session: Session, context: Context, rows: Sequence[models.Applicant]) -> set[bytes]:
    """Return the addresses of people who, under another application, were hired or placed here.

    For an agency that is a placement, and for two years it may not solicit them; no employer
    should send such a mail to its own new colleague either.
    """
    table = models.Applicant
    indexes = {row.email_index for row in rows if row.email_index}
    found = select(table.email_index).where(
        table.email_index.in_(indexes),
        table.status == "hired",
        table.updated_at > context.now() - PLACED_S,
    )
    return {index for index in session.scalars(found) if index is not None}
