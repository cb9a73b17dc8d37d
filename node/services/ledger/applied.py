"""Applied orders, read back from the certificates that prove them.

The tables beside the certificates say where to look; what an entry pays stands in the signed order
alone.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.services.ledger.books import SQLBooks
from protocol import Entry, Order, decree, parse_certificate


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands: the number of its account's order, and when it was applied here."""

    sequence: int
    applied_at: int


@dataclass(frozen=True, slots=True)
class Certified:
    """An entry of an applied order: what it pays, and where it stands."""

    entry: Entry
    place: Place


def is_certified(session: Session, account: str, entry_id: str) -> bool:
    """Whether an entry of that account stands in an applied order."""
    return SQLBooks(session).repeated(account, [entry_id]) is not None


def order_at(session: Session, account: str, sequence: int) -> Order:
    """The order that is applied in a place; there is one."""
    document = session.get_one(models.LedgerCertificate, (account, sequence)).document
    return Order.parse(parse_certificate(document)[0].payload)


def entries_at(session: Session, account: str, sequence: int) -> tuple[Entry, ...]:
    """The entries applied in a place, whether certified or put there by a decree."""
    document = session.get_one(models.LedgerCertificate, (account, sequence)).document
    if decree.is_placed(document):
        return decree.placed_entries(document)
    return order_at(session, account, sequence).entries


def entries(session: Session, account: str, entry_ids: Collection[str]) -> Mapping[str, Certified]:
    """Those of the account's entries that stand in applied orders, by their ids."""
    places = _places(session, account, entry_ids)
    found = {}
    for place in sorted(set(places.values()), key=lambda place: place.sequence):
        for entry in entries_at(session, account, place.sequence):
            if entry.id in places:
                found[entry.id] = Certified(entry, place)
    return found


def place_of(session: Session, account: str, entry_id: str) -> Place | None:
    """Where an entry of the account stands in the ledger; None while it is not certified."""
    return _places(session, account, [entry_id]).get(entry_id)


def _places(session: Session, account: str, entry_ids: Collection[str]) -> dict[str, Place]:
    index, order = models.LedgerEntry, models.LedgerCertificate
    rows = session.execute(
        select(index.entry_id, index.sequence, order.applied_at)
        .join(order, (order.account == index.account) & (order.sequence == index.sequence))
        .where(index.account == account, index.entry_id.in_(entry_ids))
    )
    return {entry_id: Place(sequence, applied_at) for entry_id, sequence, applied_at in rows}
