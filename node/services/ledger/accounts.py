"""Our account as people see it: what we owe, where we stand, the statement.  DOMAIN 2.1 R11."""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services.ledger.books import SQLBooks
from protocol import state_digest

LineKey = tuple[int, str, int, int]


@dataclass(frozen=True, slots=True)
class Position:
    """Where our account stands, in points; `owed` is promised by us and not certified yet."""

    balance: int
    owed: int
    credit_limit: int
    points_per_slot: int

    @property
    def available(self) -> int:
        """What a free hire may still spend: owed points are as good as paid."""
        return self.balance - self.owed

    @property
    def slots(self) -> int:
        return max(0, self.available) // self.points_per_slot

    @property
    def towards_next_slot(self) -> int:
        """Points of the slot that is being filled, 0 to points_per_slot - 1."""
        return max(0, self.available) % self.points_per_slot


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands: the number of its account's order, and when it was applied here."""

    sequence: int
    applied_at: int


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One entry as our statement shows it; `points` is positive for what we were paid."""

    account: str
    sequence: int
    position: int
    entry_id: str
    kind: str
    peer: str
    points: int
    applied_at: int


def new_entry_id(now: int) -> str:
    """A fresh id for an entry: the second, and 96 random bits.

    Ids that grow with time stand beside each other in the index; wholly random ones would touch a
    page of it each, at every member.
    """
    return f"{now:08x}{secrets.token_hex(12)}"


def pay(
    session: Session,
    context: Context,
    *,
    entry_id: str,
    kind: str,
    to: str,
    points: int,
    reference: bytes,
) -> None:
    """Owe an entry; the worker puts it into our next order. The same id again changes nothing."""
    if session.get(models.PendingEntry, entry_id) or is_certified(
        session, context.member_id, entry_id
    ):
        return
    session.add(
        models.PendingEntry(
            entry_id=entry_id,
            kind=kind,
            recipient=to,
            points=points,
            reference=reference,
            created_at=context.now(),
        )
    )
    session.flush()


def is_certified(session: Session, account: str, entry_id: str) -> bool:
    """Whether an entry of that account stands in an applied order."""
    return SQLBooks(session).repeated(account, [entry_id]) is not None


def entries(
    session: Session, account: str, entry_ids: Collection[str]
) -> Mapping[str, models.LedgerEntry]:
    """Those of the account's entries that stand in applied orders, by their ids."""
    table = models.LedgerEntry
    rows = session.scalars(
        select(table).where(table.account == account, table.entry_id.in_(entry_ids))
    )
    return {row.entry_id: row for row in rows}


def place_of(session: Session, account: str, entry_id: str) -> Place | None:
    """Where an entry of the account stands in the ledger; None while it is not certified."""
    table = models.LedgerEntry
    row = session.execute(
        select(table.sequence, table.applied_at).where(
            table.account == account, table.entry_id == entry_id
        )
    ).first()
    return None if row is None else Place(row[0], row[1])


def hold(session: Session, context: Context) -> None:
    """Let nobody else spend from our account until we commit: look at its position after this."""
    SQLBooks(session).hold(context.member_id)


def position(session: Session, context: Context) -> Position:
    """Where our account stands."""
    charter = context.charter(session)
    owed = session.scalar(select(func.coalesce(func.sum(models.PendingEntry.points), 0)))
    return Position(
        balance=SQLBooks(session).head(context.member_id).balance,
        owed=int(owed or 0),
        credit_limit=charter.member(context.member_id).credit_limit,
        points_per_slot=charter.policy.points_per_free_hire,
    )


def statement(
    session: Session,
    context: Context,
    *,
    before: LineKey | None = None,
    after: LineKey | None = None,
    limit: int,
) -> list[StatementLine]:
    """Our lines, newest first, from both sides; a page.

    `before` is `line_key` of the last line that was shown, `after` of the first, to turn back.
    """
    table = models.LedgerEntry
    place = tuple_(table.applied_at, table.account, table.sequence, table.position)
    keys = (table.applied_at, table.account, table.sequence, table.position)
    order = [key.asc() if after else key.desc() for key in keys]
    lines: list[StatementLine] = []
    for own in (True, False):
        column = table.account if own else table.recipient
        query = select(table).where(column == context.member_id)
        if after is not None:
            query = query.where(place > after)
        elif before is not None:
            query = query.where(place < before)
        lines += [
            _line(row, own=own) for row in session.scalars(query.order_by(*order).limit(limit))
        ]
    lines.sort(key=line_key, reverse=after is None)
    page = lines[:limit]
    return page[::-1] if after else page


def line_key(line: StatementLine) -> LineKey:
    """What orders the lines of a statement, and names the end of a page."""
    return line.applied_at, line.account, line.sequence, line.position


def _line(row: models.LedgerEntry, *, own: bool) -> StatementLine:
    return StatementLine(
        account=row.account,
        sequence=row.sequence,
        position=row.position,
        entry_id=row.entry_id,
        kind=row.kind,
        peer=row.recipient if own else row.account,
        points=-row.points if own else row.points,
        applied_at=row.applied_at,
    )


def state(session: Session) -> tuple[Mapping[str, int], bytes]:
    """Our vector and the digest of the whole state, to compare with every peer's."""
    books = SQLBooks(session)
    return books.vector(), state_digest(books.heads())
