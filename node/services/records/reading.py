"""Reading the two registers: page by page, by a person's name, and whole for a file.

Names are encrypted, so a search asks for one name exactly, in any of its writings, and shows the
newest that it finds; nothing here reads the table from end to end.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, or_, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.refusals import Refusal
from node.services.pages import Cursor, Page, page_of
from node.services.records.writing import Record, columns_of, indexes_of

FOUND_ROWS_MAX = 200
EXPORT_ROWS_MAX = 5000
BATCH_ROWS = 500

REGISTERS: dict[str, type[Record]] = {
    "provided": models.ProvisionRecord,
    "received": models.ReceiptRecord,
}


class RecordsTooMany(Refusal, code="records-too-many", status=422):
    """One file holds at most 5,000 records. Narrow the days or choose one company."""


class RecordsUnclear(Refusal, code="records-unclear", status=422):
    """No file was made, because the filter cannot be read. Correct it and export again."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which records: of a member, from `since` to before `until`, of a person of that name."""

    register: str
    peer: str = ""
    since: int | None = None
    until: int | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A record with what was encrypted in it."""

    row: Record
    name: str
    items: Sequence[str]

    @property
    def acquired(self) -> str:
        """How the giver came to the data; only a receiver's record says so."""
        return self.row.acquired if isinstance(self.row, models.ReceiptRecord) else ""


def list_page(
    session: Session,
    context: Context,
    filters: Filters,
    *,
    cursor: Cursor | None = None,
    backwards: bool = False,
    limit: int,
) -> Page[Entry]:
    """One page of a register, the newest first."""
    table = REGISTERS[filters.register]
    columns = (table.provided_at, table.id)
    query = _query(context, filters)
    page = page_of(session, query, columns, _key, cursor=cursor, backwards=backwards, limit=limit)
    return Page([_open(context, row) for row in page.rows], page.before, page.after)


def find(session: Session, context: Context, filters: Filters) -> tuple[list[Entry], bool]:
    """The newest records of the name in `filters`, and whether there are more than these."""
    page = list_page(session, context, filters, limit=FOUND_ROWS_MAX)
    return list(page.rows), page.after is not None


def exported(session: Session, context: Context, filters: Filters) -> int:
    """How many records a file would hold; RecordsTooMany beyond 5,000."""
    bounded = _query(context, filters).limit(EXPORT_ROWS_MAX + 1).subquery()
    count = session.scalar(select(func.count()).select_from(bounded)) or 0
    if count > EXPORT_ROWS_MAX:
        raise RecordsTooMany
    return count


def every(session: Session, context: Context, filters: Filters) -> Iterator[Entry]:
    """The records of a file, the newest first; at most 5,000."""
    table = REGISTERS[filters.register]
    newest = _query(context, filters).order_by(table.provided_at.desc(), table.id.desc())
    found = session.scalars(newest.limit(EXPORT_ROWS_MAX).execution_options(yield_per=BATCH_ROWS))
    for row in found:
        yield _open(context, row)


def provided(
    session: Session, context: Context, consent_id: str, peers: Sequence[str], since: int
) -> list[Entry]:
    """What was provided under one consent, for the person to see.  個人情報保護法 33(5)."""
    table = models.ProvisionRecord
    query = select(table).where(
        table.peer.in_(peers), table.provided_at >= since, table.consent_id == consent_id
    )
    found = session.scalars(query.order_by(table.provided_at, table.id).limit(FOUND_ROWS_MAX))
    return [_open(context, row) for row in found]


def first_received(session: Session, sender: str, referral_id: str) -> int | None:
    """When the first data of a member's referral reached us; None before that."""
    table = models.ReceiptRecord
    return session.scalar(
        select(func.min(table.provided_at)).where(
            table.peer == sender, table.referral_id == referral_id
        )
    )


def is_recorded(session: Session, sender: str, referral_id: str) -> bool:
    """Whether a member's referral left a record here that has to be kept."""
    table = models.ReceiptRecord
    query = select(table.id).where(table.peer == sender, table.referral_id == referral_id)
    return session.scalar(query.limit(1)) is not None


def _query(context: Context, filters: Filters) -> Select[Any]:
    table = REGISTERS[filters.register]
    query: Select[Any] = select(table)
    if filters.peer:
        query = query.where(table.peer == filters.peer)
    if filters.since is not None:
        query = query.where(table.provided_at >= filters.since)
    if filters.until is not None:
        query = query.where(table.provided_at < filters.until)
    if filters.name:
        query = query.where(_named(context, table, filters.name))
    return query


def _named(context: Context, table: type[Record], name: str) -> ColumnElement[bool]:
    written, read = indexes_of(context.keyring, name, name)
    pairs = ((table.name_index, written), (table.kana_index, read))
    return or_(false(), *(column == index for column, index in pairs if index is not None))


def _open(context: Context, row: Record) -> Entry:
    cipher = context.keyring.records
    name_column, items_column = columns_of(type(row))
    return Entry(
        row,
        cipher.decrypt(name_column, row.id, row.name_blob).decode(),
        json.loads(cipher.decrypt(items_column, row.id, row.items_blob)),
    )


def _key(row: Record) -> Cursor:
    return row.provided_at, row.id
