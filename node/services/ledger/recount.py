"""The recount: the ledger told again from its certificates, in bounded memory.  RELIABILITY F4.

The books here are filled by the certificates themselves, in the order in which they were applied,
and answer `protocol`'s own judge. What a node remembers beside the bytes (lines, entry ids,
credits) is asked only where memory must stay bounded, and is compared with the bytes on the way.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node import models
from protocol import Changes, Head, Lock, Order

_EMPTY = Head()
_certificate = models.table_of(models.LedgerCertificate)
_credit = models.table_of(models.LedgerCredit)
_entry = models.table_of(models.LedgerEntry)


class Recount:
    """Every account as the certificates so far have it; a port that `judge` decides through."""

    def __init__(self, session: Session) -> None:
        self._connection = session.connection()
        self._heads: dict[str, Head] = {}
        self.entries: dict[str, int] = {}
        self.credit_rows = 0

    def head(self, account: str) -> Head:
        return self._heads.get(account, _EMPTY)

    def heads(self) -> Mapping[str, Head]:
        return self._heads

    def vector(self) -> Mapping[str, int]:
        return {a: head.sequence for a, head in self._heads.items() if head.sequence}

    def lock(self, account: str, sequence: int) -> Lock | None:  # noqa: ARG002 (the port's)
        """Nobody's vote holds a place that is settled."""
        return None

    def credited(self, payee: str, seen: Mapping[str, int]) -> int:
        """All credits, less what orders beyond `seen` paid; each row was compared when counted."""
        total = self.head(payee).credits
        for payer, last in self.vector().items():
            first = seen.get(payer, 0) + 1
            if first <= last and payer != payee:
                paid = select(func.sum(_credit.c.points)).where(
                    _credit.c.payee == payee,
                    _credit.c.payer == payer,
                    _credit.c.sequence.between(first, last),
                )
                total -= int(self._connection.scalar(paid) or 0)
        return total

    def repeated(self, account: str, entry_ids: Iterable[str]) -> str | None:  # noqa: ARG002 (same)
        """Always None: `misplaced` finds a repeated id, and names both places."""
        return None

    def certificate(self, account: str, sequence: int) -> bytes | None:
        return self._connection.scalar(
            select(_certificate.c.document).where(
                _certificate.c.account == account, _certificate.c.sequence == sequence
            )
        )

    def count(self, changes: Changes) -> None:
        """Move the accounts by one certificate."""
        self._heads[changes.account] = changes.head
        for payee, points in changes.credits.items():
            head = self.head(payee)
            self._heads[payee] = head._replace(credits=head.credits + points)
        self._remember(changes.account, len(changes.entries), len(changes.credits))

    def count_as_it_stands(self, order: Order, digest: bytes) -> None:
        """Follow an order that was found wrong, so that one fault is reported once."""
        head, paid = self.head(order.account), {entry.to for entry in order.entries}
        self._heads[order.account] = Head(
            order.sequence, digest, head.debits + order.debit, head.credits
        )
        for entry in order.entries:
            payee = self.head(entry.to)
            self._heads[entry.to] = payee._replace(credits=payee.credits + entry.points)
        self._remember(order.account, len(order.entries), len(paid))

    def _remember(self, account: str, entries: int, credit_rows: int) -> None:
        self.entries[account] = self.entries.get(account, 0) + entries
        self.credit_rows += credit_rows

    def misplaced(self, order: Order) -> dict[str, int | None]:
        """Entry ids of the order that the index has elsewhere (where), or nowhere (None)."""
        ids = [entry.id for entry in order.entries]
        rows = self._connection.execute(
            select(_entry.c.entry_id, _entry.c.sequence).where(
                _entry.c.account == order.account, _entry.c.entry_id.in_(ids)
            )
        )
        found = {row[0]: row[1] for row in rows}
        return {id_: found.get(id_) for id_ in ids if found.get(id_) != order.sequence}

    def credit_index(self, order: Order) -> dict[str, int]:
        """What the index says that this order paid, by payee."""
        rows = self._connection.execute(
            select(_credit.c.payee, _credit.c.points).where(
                _credit.c.payer == order.account, _credit.c.sequence == order.sequence
            )
        )
        return {row[0]: row[1] for row in rows}

    def rows_in_indexes(self) -> tuple[dict[str, int], int]:
        """How many entry ids each account has in the index, and how many credits there are."""
        counted = select(_entry.c.account, func.count()).group_by(_entry.c.account)
        entries = {row[0]: row[1] for row in self._connection.execute(counted)}
        credit_rows = self._connection.scalar(select(func.count()).select_from(_credit))
        return entries, int(credit_rows or 0)
