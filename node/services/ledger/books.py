"""The ledger's books over the database: the port that `protocol` decides through.  SPEC §6.

Reads answer the state machine; the two writes (`lock_order`, `commit`) make a decision durable in
the caller's transaction, before anything leaves the node.

Every account's line is read at once, since an alliance has few and every decision needs most of
them. Whoever is going to write holds them first: nobody else judges or applies until then.
"""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import JSON, Select, Text, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from node import models
from protocol import NO_PREVIOUS, Changes, Head, Lock

_EMPTY = Head()


# Built once, and on tables, not on models: an order is judged and applied by a dozen statements,
# and building one costs more than running it.
_account = models.table_of(models.LedgerAccount)
_lock = models.table_of(models.LedgerLock)
_entry = models.table_of(models.LedgerEntry)
_credit = models.table_of(models.LedgerCredit)
_certificate = models.table_of(models.LedgerCertificate)

_LINES = select(
    _account.c.account,
    _account.c.sequence,
    _account.c.digest,
    _account.c.debits,
    _account.c.credits,
).order_by(_account.c.account)
# Always all of them and always in one order, so that two writers never wait for each other.
_LINES_TO_WRITE = _LINES.with_for_update()
_CREATE = {
    name: make(_account).on_conflict_do_nothing()
    for name, make in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
_MOVE = (
    update(_account)
    .where(_account.c.account == bindparam("of"), _account.c.sequence == bindparam("from"))
    .values({name: bindparam(name) for name in ("sequence", "digest", "debits", "credits")})
)
_LOCK = (
    select(_lock.c.incarnation, _lock.c.digest, _lock.c.document)
    .where(_lock.c.account == bindparam("of"), _lock.c.sequence == bindparam("at"))
    .order_by(_lock.c.incarnation.desc())
    .limit(1)
)
_RELEASE = delete(_lock).where(
    _lock.c.account == bindparam("of"), _lock.c.sequence == bindparam("at")
)
# All ids of an order in one value: a list of its own would be written into the statement each time.
_AMONG = {
    "sqlite": select(func.json_each(bindparam("ids", type_=JSON)).table_valued("value").c.value),
    "postgresql": select(func.unnest(bindparam("ids", type_=postgresql.ARRAY(Text)))),
}
_REPEATED = {
    name: select(_entry.c.entry_id)
    .where(_entry.c.account == bindparam("of"), _entry.c.entry_id.in_(ids))
    .limit(1)
    for name, ids in _AMONG.items()
}
_CREDITED = select(func.sum(_credit.c.points)).where(
    _credit.c.payee == bindparam("to"),
    _credit.c.payer == bindparam("by"),
    _credit.c.sequence.between(bindparam("first"), bindparam("last")),
)
_CERTIFICATE = select(_certificate.c.document).where(
    _certificate.c.account == bindparam("of"), _certificate.c.sequence == bindparam("at")
)
_LOCK_ORDER, _CREDIT = insert(_lock), insert(_credit)
# An order's entries go to the driver as they are: preparing 128 rows costs more than storing them.
_KEEP_ENTRIES = {
    "sqlite": str(insert(_entry).compile(dialect=sqlite.dialect(paramstyle="qmark"))),
    "postgresql": str(
        insert(_entry).compile(
            dialect=postgresql.psycopg.dialect(paramstyle="format")  # type: ignore[no-untyped-call]
        )
    ),
}
_KEEP_CERTIFICATE = insert(_certificate).values(
    {column.name: bindparam(column.name) for column in _certificate.c}
    | {
        "position": select(
            func.coalesce(func.max(_certificate.c.position), 0) + 1
        ).scalar_subquery()
    }
)


class SQLBooks:
    """What this node knows of every account, within one open session, as of the first question."""

    def __init__(self, session: Session) -> None:
        self._connection = session.connection()
        self._lines: dict[str, Head] = {}
        self._are_read = self._are_held = False

    def hold(self, accounts: Collection[str]) -> None:
        """Read the lines, these among them, and let nobody else write any until we commit.

        `accounts` are all of the charter's: lines that are not there yet hold nobody back, so the
        first who comes makes them all.
        """
        self._read(_LINES_TO_WRITE)
        missing = sorted(set(accounts) - self._lines.keys())
        if missing:
            empty = {"sequence": 0, "digest": NO_PREVIOUS, "debits": 0, "credits": 0}
            rows = [{"account": account, **empty} for account in missing]
            self._connection.execute(_CREATE[self._connection.dialect.name], rows)
            self._read(_LINES_TO_WRITE)
        self._are_held = True

    def head(self, account: str) -> Head:
        return self.heads().get(account, _EMPTY)

    def heads(self) -> Mapping[str, Head]:
        """Every account that was ever touched, for the digest of the whole state."""
        if not self._are_read:
            self._read(_LINES)
        return self._lines

    def vector(self) -> Mapping[str, int]:
        return {a: head.sequence for a, head in self.heads().items() if head.sequence}

    def lock(self, account: str, sequence: int) -> Lock | None:
        row = self._connection.execute(_LOCK, {"of": account, "at": sequence}).first()
        return None if row is None else Lock(row[0], row[1], row[2])

    def credited(self, payee: str, seen: Mapping[str, int]) -> int:
        """All credits, less what orders beyond `seen` paid: those are few and recent."""
        total = self.head(payee).credits
        for payer, last in self.vector().items():
            first = seen.get(payer, 0) + 1
            if first <= last and payer != payee:
                span = {"to": payee, "by": payer, "first": first, "last": last}
                total -= int(self._connection.scalar(_CREDITED, span) or 0)
        return total

    def repeated(self, account: str, entry_ids: Iterable[str]) -> str | None:
        repeated = _REPEATED[self._connection.dialect.name]
        return self._connection.scalar(repeated, {"of": account, "ids": list(entry_ids)})

    def certificate(self, account: str, sequence: int) -> bytes | None:
        return self._connection.scalar(_CERTIFICATE, {"of": account, "at": sequence})

    def lock_order(self, account: str, sequence: int, lock: Lock, epoch: int, now: int) -> None:
        """Write our vote down. A second order in the place breaks the primary key."""
        assert self._are_held
        self._connection.execute(
            _LOCK_ORDER,
            {
                "account": account,
                "sequence": sequence,
                "incarnation": lock.incarnation,
                "epoch": epoch,
                "digest": lock.digest,
                "document": lock.document,
                "locked_at": now,
            },
        )

    def commit(self, changes: Changes, epoch: int, incarnation: int, now: int) -> None:
        """Apply one certificate: its head, credits, entries and bytes; its lock is released."""
        assert self._are_held
        self._move(changes)
        self._connection.execute(
            _CREDIT,
            [
                {"payee": p, "payer": changes.account, "sequence": changes.sequence, "points": n}
                for p, n in changes.credits.items()
            ],
        )
        self._keep(changes, epoch, incarnation, now)
        self._connection.execute(_RELEASE, {"of": changes.account, "at": changes.sequence})

    def _move(self, changes: Changes) -> None:
        moved = {changes.account: changes.head}
        for payee, points in changes.credits.items():
            head = self._lines[payee]
            moved[payee] = Head(head.sequence, head.digest, head.debits, head.credits + points)
        done = self._connection.execute(
            _MOVE,
            [
                {
                    "of": account,
                    "from": self._lines[account].sequence,
                    "sequence": head.sequence,
                    "digest": head.digest,
                    "debits": head.debits,
                    "credits": head.credits,
                }
                for account, head in moved.items()
            ],
        )
        assert done.rowcount == len(moved), "a line moved although we hold it"
        self._lines |= moved

    def _keep(self, changes: Changes, epoch: int, incarnation: int, now: int) -> None:
        account, sequence = changes.account, changes.sequence
        self._connection.exec_driver_sql(
            _KEEP_ENTRIES[self._connection.dialect.name],
            [
                (account, sequence, position, e.id, e.kind, e.to, e.points, e.reference, now)
                for position, e in enumerate(changes.entries)
            ],
        )
        self._connection.execute(
            _KEEP_CERTIFICATE,
            {
                "account": account,
                "sequence": sequence,
                "epoch": epoch,
                "incarnation": incarnation,
                "digest": changes.head.digest,
                "document": changes.certificate,
                "applied_at": now,
            },
        )

    def _read(self, lines: Select[str, int, bytes, int, int]) -> None:
        rows = self._connection.execute(lines)
        self._lines = {row[0]: Head(row[1], row[2], row[3], row[4]) for row in rows}
        self._are_read = True
