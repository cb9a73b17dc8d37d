"""The two boards: what we sent and what we received, page by page.  DOMAIN 2.1 R9, 2.2 V2."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import Session

from node import models
from node.services import ledger
from node.services.referrals.refusals import ReferralUnknown

PAGE_ROWS_MAX = 200
Cursor = tuple[int, str]
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page, newest first; `after` is the cursor of the next one, None at the end."""

    rows: Sequence[Row]
    after: Cursor | None


def list_in(
    session: Session, *, state: str = "", sender: str = "", cursor: Cursor | None = None, limit: int
) -> Page[models.ReferralIn]:
    """What we received; by state and sender if they are given."""
    table = models.ReferralIn
    query = select(table)
    if state:
        query = query.where(table.state == state)
    if sender:
        query = query.where(table.sender == sender)
    if cursor is not None:
        query = query.where(tuple_(table.created_at, table.id) < cursor)
    limit = min(limit, PAGE_ROWS_MAX)
    newest = query.order_by(table.created_at.desc(), table.id.desc()).limit(limit + 1)
    rows = list(session.scalars(newest))
    return Page(rows[:limit], _after(rows, limit))


def list_out(
    session: Session,
    *,
    state: str = "",
    recipient: str = "",
    cursor: Cursor | None = None,
    limit: int,
) -> Page[models.ReferralOut]:
    """What we sent; by state and recipient if they are given."""
    table = models.ReferralOut
    query = select(table)
    if state:
        query = query.where(table.state == state)
    if recipient:
        query = query.where(table.recipient == recipient)
    if cursor is not None:
        query = query.where(tuple_(table.created_at, table.id) < cursor)
    limit = min(limit, PAGE_ROWS_MAX)
    newest = query.order_by(table.created_at.desc(), table.id.desc()).limit(limit + 1)
    rows = list(session.scalars(newest))
    return Page(rows[:limit], _after(rows, limit))


def _after(
    rows: Sequence[models.ReferralIn] | Sequence[models.ReferralOut], limit: int
) -> Cursor | None:
    if len(rows) <= limit:
        return None
    last = rows[limit - 1]
    return last.created_at, last.id


def sent_of(session: Session, referral_id: str) -> models.ReferralOut:
    """One referral that we sent; ReferralUnknown when there is none."""
    row = session.get(models.ReferralOut, referral_id)
    if row is None:
        raise ReferralUnknown(referral_id)
    return row


def of_consent(session: Session, consent_id: str) -> Sequence[models.ReferralOut]:
    """The referrals that one consent led to, for the person's status page."""
    table = models.ReferralOut
    query = select(table).where(table.consent_id == consent_id).order_by(table.recipient)
    return session.scalars(query).all()


def stages_of(session: Session, direction: str, referral_id: str) -> Sequence[models.StageChange]:
    """The steps of one referral, oldest first; `direction` is "in" or "out"."""
    table = models.StageChange
    query = select(table).where(table.direction == direction, table.referral_id == referral_id)
    return session.scalars(query.order_by(table.changed_at, table.id)).all()


def counts(session: Session) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """How many referrals stand in each state: sent, received."""
    sent, received = models.ReferralOut, models.ReferralIn
    return (
        dict(session.execute(_by_state(sent)).all()),
        dict(session.execute(_by_state(received)).all()),
    )


def _by_state(table: type[models.ReferralIn | models.ReferralOut]) -> Select[str, int]:
    return select(table.state, func.count()).group_by(table.state)


def promised(session: Session) -> int:
    """Points that members have promised us by signed acceptance and not certified yet."""
    table = models.ReferralOut
    rows = session.execute(
        select(table.recipient, table.entry_id, table.points)
        .where(table.entry_id.is_not(None))
        .order_by(table.answered_at.desc())
        .limit(PAGE_ROWS_MAX)
    ).all()
    total = 0
    for recipient in {row.recipient for row in rows}:
        ids = [str(row.entry_id) for row in rows if row.recipient == recipient]
        done = ledger.certified(session, recipient, ids)
        total += sum(r.points for r in rows if r.recipient == recipient and r.entry_id not in done)
    return total
