"""Pages by key: newest first, turned both ways; the last page costs what the first costs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

PAGE_ROWS_MAX = 200
# When a row was made, and its id, which tells rows of one second apart.
Cursor = tuple[int, str]
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page; `before` leads to the newer one, `after` to the older, None where there is none."""

    rows: Sequence[Row]
    before: Cursor | None
    after: Cursor | None


def page_of(
    session: Session,
    query: Select[Row],
    columns: tuple[InstrumentedAttribute[int], InstrumentedAttribute[str]],
    key_of: Callable[[Row], Cursor],
    *,
    cursor: Cursor | None,
    backwards: bool,
    limit: int,
) -> Page[Row]:
    """The page of `query` beyond `cursor`: older rows, or newer ones when going `backwards`."""
    limit = min(limit, PAGE_ROWS_MAX)
    place = tuple_(*columns)
    if cursor is not None:
        query = query.where(place > cursor if backwards else place < cursor)
    order: list[ColumnElement[Any]] = [
        column.asc() if backwards else column.desc() for column in columns
    ]
    rows = list(session.scalars(query.order_by(*order).limit(limit + 1)))
    more, rows = len(rows) > limit, rows[:limit]
    if backwards:
        rows.reverse()
    if not rows:
        return Page([], None, None)
    newer, older = (more, True) if backwards else (cursor is not None, more)
    return Page(rows, key_of(rows[0]) if newer else None, key_of(rows[-1]) if older else None)
