"""The untold: people whose selection is over and who have heard nothing for days.  DOMAIN 2.1 R13.

They are in the list of applicants too; here stands why nobody told them: no batch holds them, one
does and has not left, or their mail failed. Those whose data was erased wait for nothing any more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import applicants
from node.services.applicants import Entry, Filters
from node.services.notices.recipients import CHUNK, RESULT

# Companies promise the result "within a week" as a rule; after that silence hurts.
DAYS = 7
DAYS_MAX = 3650


@dataclass(frozen=True, slots=True)
class Untold:
    """One person who waits, and the notice that was to tell them: its batch and state."""

    entry: Entry
    batch_id: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class UntoldPage:
    """One page, those who wait longest first, and the cursors of its neighbours."""

    rows: list[Untold]
    previous: str | None
    next: str | None


def page(session: Session, context: Context, days: int = DAYS, cursor: str = "") -> UntoldPage:
    """Return those who were rejected `days` days ago or earlier and are not told yet."""
    found = applicants.list_page(session, context, _filters(days), cursor)
    return UntoldPage(_with_notices(session, found.entries), found.previous, found.next)


def count(session: Session, context: Context, days: int = DAYS) -> tuple[int, bool]:
    """Return how many they are, and whether counting stopped because there are more."""
    return applicants.count(session, context, _filters(days))


def every(session: Session, context: Context, days: int = DAYS) -> Iterator[Untold]:
    """Yield all of them, a few hundred at a time: for a file."""
    entries = applicants.every(session, context, _filters(days))
    while piece := list(islice(entries, CHUNK)):
        yield from _with_notices(session, piece)


def _filters(days: int) -> Filters:
    return Filters(days=max(0, min(days, DAYS_MAX)))


def _with_notices(session: Session, entries: Sequence[Entry]) -> list[Untold]:
    notice = models.Notice
    rows = select(notice.applicant_id, notice.batch_id, notice.state).where(
        notice.applicant_id.in_([each.row.id for each in entries]),
        notice.kind == RESULT,
        notice.state.not_in(("draft", "cancelled")),
    )
    known = {row[0]: (row[1], row[2]) for row in session.execute(rows)}
    return [Untold(each, *known.get(each.row.id, (None, None))) for each in entries]
