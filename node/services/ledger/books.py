"""The ledger's books over the database: the port that `protocol` decides through.  SPEC §6.

Reads answer the state machine; the two writes (`lock_order`, `commit`) make a decision durable in
the caller's transaction, before anything leaves the node.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import case, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from node import models
from protocol import NO_PREVIOUS, Changes, Head, Lock

# SQLite takes 32,766 values in one statement; an order has at most 256 entries.
_EMPTY = Head()
_POSITION = models.LedgerCertificate.position


class SQLBooks:
    """What this node knows of every account, within one open session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def head(self, account: str) -> Head:
        table = models.LedgerAccount
        row = self._session.execute(
            select(table.sequence, table.digest, table.debits, table.credits).where(
                table.account == account
            )
        ).first()
        return _EMPTY if row is None else Head(row[0], row[1], row[2], row[3])

    def heads(self) -> Mapping[str, Head]:
        """Every account that was ever touched, for the digest of the whole state."""
        table = models.LedgerAccount
        rows = self._session.execute(
            select(table.account, table.sequence, table.digest, table.debits, table.credits)
        )
        return {row[0]: Head(row[1], row[2], row[3], row[4]) for row in rows}

    def vector(self) -> Mapping[str, int]:
        table = models.LedgerAccount
        rows = self._session.execute(
            select(table.account, table.sequence).where(table.sequence > 0)
        )
        return dict(rows.all())

    def lock(self, account: str, sequence: int) -> Lock | None:
        table = models.LedgerLock
        row = self._session.execute(
            select(table.incarnation, table.digest, table.document)
            .where(table.account == account, table.sequence == sequence)
            .order_by(table.incarnation.desc())
            .limit(1)
        ).first()
        return None if row is None else Lock(row[0], row[1], row[2])

    def credited(self, payee: str, seen: Mapping[str, int]) -> int:
        """All credits, less what orders beyond `seen` paid: those are few and recent."""
        head = self.head(payee)
        beyond = [
            (payer, seen.get(payer, 0))
            for payer, sequence in self.vector().items()
            if sequence > seen.get(payer, 0)
        ]
        if not beyond or not head.credits:
            return head.credits
        table = models.LedgerCredit
        later = or_(*((table.payer == p) & (table.sequence > s) for p, s in beyond))
        unseen = self._session.scalar(
            select(func.coalesce(func.sum(table.points), 0)).where(table.payee == payee, later)
        )
        return head.credits - int(unseen or 0)

    def repeated(self, account: str, entry_ids: Iterable[str]) -> str | None:
        table = models.LedgerEntry
        return self._session.scalar(
            select(table.entry_id)
            .where(table.account == account, table.entry_id.in_(list(entry_ids)))
            .limit(1)
        )

    def certificate(self, account: str, sequence: int) -> bytes | None:
        table = models.LedgerCertificate
        return self._session.scalar(
            select(table.document).where(table.account == account, table.sequence == sequence)
        )

    def hold_account(self, account: str) -> None:
        """Let no other transaction judge or apply this account until ours ends.

        On SQLite the transaction itself is the only writer.
        """
        self._create([account])
        table = models.LedgerAccount
        self._session.execute(
            select(table.account).where(table.account == account).with_for_update()
        )

    def lock_order(self, account: str, sequence: int, lock: Lock, epoch: int, now: int) -> None:
        """Write our vote down. A second order in the place breaks the primary key."""
        self._session.execute(
            insert(models.LedgerLock).values(
                account=account,
                sequence=sequence,
                incarnation=lock.incarnation,
                epoch=epoch,
                digest=lock.digest,
                document=lock.document,
                locked_at=now,
            )
        )

    def commit(self, changes: Changes, epoch: int, incarnation: int, now: int) -> None:
        """Apply one certificate: its head, credits, entries and bytes; its lock is released."""
        account, head = changes.account, changes.head
        self._create(sorted({account, *changes.credits}))
        table = models.LedgerAccount
        moved = self._session.execute(
            update(table)
            .where(table.account == account, table.sequence == head.sequence - 1)
            .values(sequence=head.sequence, digest=head.digest, debits=head.debits)
        )
        assert moved.rowcount == 1, "the account moved"  # type: ignore[attr-defined]
        self._credit(changes)
        self._keep(changes, epoch, incarnation, now)
        lock = models.LedgerLock
        self._session.execute(
            delete(lock).where(lock.account == account, lock.sequence == head.sequence)
        )

    def _credit(self, changes: Changes) -> None:
        table = models.LedgerAccount
        self._session.execute(
            update(table)
            .where(table.account.in_(changes.credits))
            .values(credits=table.credits + case(dict(changes.credits), value=table.account))
        )
        self._session.execute(
            insert(models.LedgerCredit),
            [
                {"payee": p, "payer": changes.account, "sequence": changes.sequence, "points": n}
                for p, n in changes.credits.items()
            ],
        )

    def _keep(self, changes: Changes, epoch: int, incarnation: int, now: int) -> None:
        self._session.execute(
            insert(models.LedgerEntry),
            [
                {
                    "account": changes.account,
                    "sequence": changes.sequence,
                    "position": position,
                    "entry_id": entry.id,
                    "kind": entry.kind,
                    "recipient": entry.to,
                    "points": entry.points,
                    "reference": entry.reference,
                    "applied_at": now,
                }
                for position, entry in enumerate(changes.entries)
            ],
        )
        self._session.execute(
            insert(models.LedgerCertificate).values(
                position=select(func.coalesce(func.max(_POSITION), 0) + 1).scalar_subquery(),
                account=changes.account,
                sequence=changes.sequence,
                epoch=epoch,
                incarnation=incarnation,
                digest=changes.head.digest,
                document=changes.certificate,
                applied_at=now,
            )
        )

    def _create(self, accounts: list[str]) -> None:
        """Make the lines that are missing, in one order, so that two writers never deadlock."""
        dialect = self._session.get_bind().dialect.name
        make = postgresql.insert if dialect == "postgresql" else sqlite.insert
        empty = {"sequence": 0, "digest": NO_PREVIOUS, "debits": 0, "credits": 0}
        rows = [{"account": account, **empty} for account in accounts]
        self._session.execute(make(models.LedgerAccount).on_conflict_do_nothing(), rows)
