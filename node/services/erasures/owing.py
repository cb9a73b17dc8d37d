"""Owing: who was asked to erase and has not proven it; for HR, and for the person's page."""

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services.pages import Cursor, Page, page_of

Row = models.Erasure


def state_of(row: Row, now: int) -> str:
    """`proven`, `asked` while there is time, or `late`."""
    if row.erased_at is not None:
        return "proven"
    return "asked" if now <= row.erase_by else "late"


def by_referral(session: Session, referral_ids: Iterable[str]) -> dict[str, Row]:
    """What was asked for each of these referrals of ours, if it was."""
    query = select(Row).where(Row.direction == "out", Row.referral_id.in_(list(referral_ids)))
    return {row.referral_id: row for row in session.scalars(query)}


def kept_of(row: Row) -> tuple[str, ...]:
    """The kinds of what the receiver keeps, as its receipt names them."""
    return tuple(row.kept.split(",")) if row.kept else ()


def owed(session: Session, context: Context) -> tuple[int, int]:
    """How many members' receipts are missing, and how many of those are late."""
    missing = select(func.count()).where(Row.direction == "out", Row.erased_at.is_(None))
    late = missing.where(Row.erase_by < context.now())
    return session.scalar(missing) or 0, session.scalar(late) or 0


def list_erasures(
    session: Session,
    *,
    direction: str,
    missing: bool = False,
    cursor: Cursor | None = None,
    backwards: bool = False,
    limit: int,
) -> Page[Row]:
    """What we asked for ("out") or carried out ("in"), newest first; or what is `missing` only."""
    query = select(Row).where(Row.direction == direction)
    if missing:
        query = query.where(Row.erased_at.is_(None))
    columns = (Row.withdrawn_at, Row.id)
    return page_of(session, query, columns, _key, cursor=cursor, backwards=backwards, limit=limit)


def _key(row: Row) -> Cursor:
    return row.withdrawn_at, row.id
