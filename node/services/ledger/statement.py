"""Our statement: every entry we paid or were paid, a page at a time.  DOMAIN 2.1 R11."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services.ledger.applied import entries_at

# When an order was applied here, its account and its number; then the entry's place within it.
OrderKey: TypeAlias = tuple[int, str, int]
LineKey: TypeAlias = tuple[int, str, int, int]


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


def line_key(line: StatementLine) -> LineKey:
    """What orders the lines of a statement, and names the end of a page."""
    return line.applied_at, line.account, line.sequence, line.position


def statement(
    session: Session,
    context: Context,
    *,
    before: LineKey | None = None,
    after: LineKey | None = None,
    limit: int,
    peer: str = "",
) -> list[StatementLine]:
    """Our lines, newest first, from both sides; a page. With a `peer` only those with that one.

    `before` is `line_key` of the last line that was shown, `after` of the first, to turn back.
    """
    us, edge, backwards = context.member_id, after or before, after is not None
    # Every order has a line of ours, except perhaps the one at the edge.
    keys = _orders(session, us, peer, edge and edge[:3], backwards=backwards, limit=limit + 1)
    every = (line for key in keys for line in _lines(session, us, key, backwards=backwards))
    lines = (line for line in every if peer in ("", line.peer))
    if after is not None:
        page = islice((line for line in lines if line_key(line) > after), limit)
    elif before is not None:
        page = islice((line for line in lines if line_key(line) < before), limit)
    else:
        page = islice(lines, limit)
    return [*page][::-1] if backwards else [*page]


def _orders(
    session: Session, us: str, peer: str, edge: OrderKey | None, *, backwards: bool, limit: int
) -> list[OrderKey]:
    """Where orders stand that paid us or that we paid with, from the edge on, itself included."""
    paid = models.LedgerCredit
    place = tuple_(paid.applied_at, paid.payer, paid.sequence)
    found: set[OrderKey] = set()
    for side, other in ((paid.payer, paid.payee), (paid.payee, paid.payer)):
        query: Select[int, str, int] = (
            select(paid.applied_at, paid.payer, paid.sequence).distinct().where(side == us)
        )
        if peer:
            query = query.where(other == peer)
        if edge is not None:
            query = query.where(place >= edge if backwards else place <= edge)
        keys = (paid.applied_at, paid.payer, paid.sequence)
        order = [key.asc() if backwards else key.desc() for key in keys]
        rows = session.execute(query.order_by(*order).limit(limit))
        found.update((applied_at, payer, sequence) for applied_at, payer, sequence in rows)
    return sorted(found, reverse=not backwards)[:limit]


def _lines(session: Session, us: str, key: OrderKey, *, backwards: bool) -> Iterator[StatementLine]:
    applied_at, account, sequence = key
    numbered = [*enumerate(entries_at(session, account, sequence))]
    for position, entry in numbered if backwards else reversed(numbered):
        if us in (account, entry.to):
            yield StatementLine(
                account=account,
                sequence=sequence,
                position=position,
                entry_id=entry.id,
                kind=entry.kind,
                peer=entry.to if account == us else account,
                points=-entry.points if account == us else entry.points,
                applied_at=applied_at,
            )
