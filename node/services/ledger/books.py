"""The ledger's books over the database: the port that `protocol` decides through.  SPEC §6.

Reads answer the state machine; the two writes (`lock_order`, `commit`) make a decision durable in
the caller's transaction, before anything leaves the node.

Every account's line is read at once, since an alliance has few and every decision needs most of
them. Whoever is going to write holds them first: nobody else judges or applies until then.
"""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import (
    BigInteger,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from node import models
from node.driver import Driver, Prepared, listed
from protocol import NO_PREVIOUS, Changes, Head, Lock, Order, Signed

_EMPTY = Head()


_account = models.table_of(models.LedgerAccount)
_lock = models.table_of(models.LedgerLock)
_entry = models.table_of(models.LedgerEntry)
_credit = models.table_of(models.LedgerCredit)
_certificate = models.table_of(models.LedgerCertificate)

_lines = select(
    _account.c.account,
    _account.c.sequence,
    _account.c.digest,
    _account.c.debits,
    _account.c.credits,
).order_by(_account.c.account)
_LINES = Prepared(_lines)
# Always all of them and always in one order, so that two writers never wait for each other.
_LINES_TO_WRITE = Prepared(_lines.with_for_update())
_CREATE = Prepared(
    {
        name: make(_account).on_conflict_do_nothing()
        for name, make in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
    }
)
_MOVE = Prepared(
    update(_account)
    .where(_account.c.account == bindparam("of"), _account.c.sequence == bindparam("from"))
    .values({name: bindparam(name) for name in ("sequence", "digest", "debits", "credits")})
)
_LOCK = Prepared(
    select(_lock.c.incarnation, _lock.c.digest, _lock.c.document, _lock.c.warrant)
    .where(_lock.c.account == bindparam("of"), _lock.c.sequence == bindparam("at"))
    .order_by(_lock.c.incarnation.desc())
)
_RELEASE = Prepared(
    delete(_lock).where(_lock.c.account == bindparam("of"), _lock.c.sequence == bindparam("at"))
)
_IDS = {name: select(ids.c.value) for name, ids in listed("ids").items()}
_REPEATED = Prepared(
    {
        name: select(_entry.c.entry_id).where(
            _entry.c.account == bindparam("of"), _entry.c.entry_id.in_(ids)
        )
        for name, ids in _IDS.items()
    }
)
_CREDITED = Prepared(
    select(func.sum(_credit.c.points)).where(
        _credit.c.payee == bindparam("to"),
        _credit.c.payer == bindparam("by"),
        _credit.c.sequence.between(bindparam("first"), bindparam("last")),
    )
)
_CERTIFICATE = Prepared(
    select(_certificate.c.document).where(
        _certificate.c.account == bindparam("of"), _certificate.c.sequence == bindparam("at")
    )
)
_LOCK_ORDER, _CREDIT = Prepared(insert(_lock)), Prepared(insert(_credit))
# All entries of an order at once: one row each would cost the driver more than the database.
_KEEP_ENTRIES = Prepared(
    {
        name: insert(_entry).from_select(
            ["account", "sequence", "entry_id"],
            select(bindparam("of", type_=Text), bindparam("at", type_=BigInteger), ids.c.value),
        )
        for name, ids in listed("ids").items()
    }
)
_KEEP_CERTIFICATE = Prepared(
    insert(_certificate).values(
        {column.name: bindparam(column.name) for column in _certificate.c}
        | {
            "position": select(
                func.coalesce(func.max(_certificate.c.position), 0) + 1
            ).scalar_subquery()
        }
    )
)
_AMEND_CERTIFICATE = Prepared(
    update(_certificate)
    .where(_certificate.c.account == bindparam("of"), _certificate.c.sequence == bindparam("at"))
    .values({name: bindparam(name) for name in ("digest", "document")})
)
_ADD_CREDIT = Prepared(
    update(_credit)
    .where(
        _credit.c.payee == bindparam("to"),
        _credit.c.payer == bindparam("by"),
        _credit.c.sequence == bindparam("at"),
    )
    .values(points=_credit.c.points + bindparam("more", type_=BigInteger))
)


class SQLBooks:
    """What this node knows of every account, within one open session, as of the first question."""

    def __init__(self, session: Session) -> None:
        self._driver = Driver(session.connection())
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
            self._driver.run_each(_CREATE, [{"account": account, **empty} for account in missing])
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
        row = self._driver.first(_LOCK, {"of": account, "at": sequence})
        return None if row is None else Lock(row[0], row[1], row[2], row[3] or b"")

    def credited(self, payee: str, seen: Mapping[str, int]) -> int:
        """All credits, less what orders beyond `seen` paid: those are few and recent."""
        total = self.head(payee).credits
        for payer, last in self.vector().items():
            first = seen.get(payer, 0) + 1
            if first <= last and payer != payee:
                span = {"to": payee, "by": payer, "first": first, "last": last}
                row = self._driver.first(_CREDITED, span)
                total -= int(row[0] or 0) if row else 0
        return total

    def repeated(self, account: str, entry_ids: Iterable[str]) -> str | None:
        row = self._driver.first(_REPEATED, {"of": account, "ids": self._driver.list(entry_ids)})
        return None if row is None else str(row[0])

    def certificate(self, account: str, sequence: int) -> bytes | None:
        row = self._driver.first(_CERTIFICATE, {"of": account, "at": sequence})
        return None if row is None else bytes(row[0])

    def lock_order(self, account: str, sequence: int, lock: Lock, epoch: int, now: int) -> None:
        """Write our vote down. A second order in the place breaks the primary key."""
        assert self._are_held
        self._driver.run(
            _LOCK_ORDER,
            {
                "account": account,
                "sequence": sequence,
                "incarnation": lock.incarnation,
                "epoch": epoch,
                "digest": lock.digest,
                "document": lock.document,
                "locked_at": now,
                "warrant": lock.warrant or None,
            },
        )

    def lock_own(self, order: Signed[Order], warrant: bytes, now: int) -> None:
        """Write down our own order of a later incarnation, before it leaves again."""
        body = order.body
        lock = Lock(body.incarnation, order.digest, order.document.encode(), warrant)
        self.lock_order(body.account, body.sequence, lock, body.epoch, now)

    def commit(self, changes: Changes, epoch: int, incarnation: int, now: int) -> None:
        """Apply one certificate: its head, credits, entries and bytes; its lock is released."""
        assert self._are_held
        place = {"of": changes.account, "at": changes.sequence}
        ids = [entry.id for entry in changes.entries]
        self._move(changes)
        self._credit(changes, now)
        self._driver.run(_KEEP_ENTRIES, {**place, "ids": self._driver.list(ids)})
        self._keep(changes, epoch, incarnation, now)
        self._driver.run(_RELEASE, place)

    def amend(self, changes: Changes, now: int) -> None:
        """Add to the account's last place what a decree put there beside the order it holds."""
        assert self._are_held
        assert changes.sequence == self.head(changes.account).sequence
        place = {"of": changes.account, "at": changes.sequence}
        self._move(changes)
        self._add_credit(changes, now)
        ids = self._driver.list(entry.id for entry in changes.entries)
        self._driver.run(_KEEP_ENTRIES, {**place, "ids": ids})
        amended = {"digest": changes.head.digest, "document": changes.certificate}
        self._driver.run(_AMEND_CERTIFICATE, {**place, **amended})

    def _move(self, changes: Changes) -> None:
        moved = {changes.account: changes.head}
        for payee, points in changes.credits.items():
            head = self._lines[payee]
            moved[payee] = Head(head.sequence, head.digest, head.debits, head.credits + points)
        done = self._driver.run_each(
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
        assert done == len(moved), "a line moved although we hold it"
        self._lines |= moved

    def _credit(self, changes: Changes, now: int) -> None:
        self._driver.run_each(
            _CREDIT,
            [
                {
                    "payee": payee,
                    "payer": changes.account,
                    "sequence": changes.sequence,
                    "points": points,
                    "applied_at": now,
                }
                for payee, points in changes.credits.items()
            ],
        )

    def _add_credit(self, changes: Changes, now: int) -> None:
        place = {"by": changes.account, "at": changes.sequence}
        for payee, points in changes.credits.items():
            more = {**place, "to": payee, "more": points}
            if not self._driver.run_each(_ADD_CREDIT, [more]):
                self._credit(changes._replace(credits={payee: points}), now)

    def _keep(self, changes: Changes, epoch: int, incarnation: int, now: int) -> None:
        self._driver.run(
            _KEEP_CERTIFICATE,
            {
                "account": changes.account,
                "sequence": changes.sequence,
                "epoch": epoch,
                "incarnation": incarnation,
                "digest": changes.head.digest,
                "document": changes.certificate,
                "applied_at": now,
            },
        )

    def _read(self, lines: Prepared) -> None:
        self._lines = {row[0]: Head(*row[1:]) for row in self._driver.all(lines, {})}
        self._are_read = True
