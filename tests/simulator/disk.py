"""A simulated disk: a journal of writes, of which only the synced ones survive a crash.

A backup is the length of the journal at some moment, a clone a copy of it. What is stored is what
the protocol's own values say: heads, locks, guards, the tenure, the open order, evidence.
"""

from collections.abc import Callable
from random import Random
from typing import Any, TypeAlias

from protocol import Changes, Entry, Guard, MemoryBooks, MemoryGuards, Order, Signed, Tenure

Write: TypeAlias = tuple[Any, ...]
Fact: TypeAlias = tuple[Any, ...]


class Store:
    """What a member knows, as its journal tells it."""

    def __init__(self) -> None:
        self.books = MemoryBooks()
        self.guards = MemoryGuards()
        self.tenure = Tenure()
        self.open: Signed[Order] | None = None
        self.waiting: dict[str, Entry] = {}
        self.applied: list[tuple[str, int]] = []
        self.evidence: dict[tuple[str, int, int], bytes] = {}
        # Set by whoever puts a backup back; falls with the guards that take its place.
        self.recovering = False
        self._writes: dict[str, Callable[..., None]] = {
            "lock": self.books.lock_order,
            "guard": self._guard,
            "commit": self._commit,
            "tenure": self._tenure,
            "open": self._open,
            "entry": self._entry,
            "evidence": self._evidence,
            "recovering": self._recovering,
        }

    def apply(self, write: Write) -> None:
        self._writes[write[0]](*write[1:])

    def _guard(self, account: str, guard: Guard) -> None:
        self.guards.keep(account, guard)

    def _commit(self, changes: Changes) -> None:
        self.books.commit(changes)
        self.applied.append((changes.account, changes.sequence))
        for entry in changes.entries:
            self.waiting.pop(entry.id, None)
        if self.open is not None and self.open.body.slot == (changes.account, changes.sequence):
            self.open = None

    def _tenure(self, tenure: Tenure) -> None:
        self.tenure = tenure

    def _open(self, order: Signed[Order] | None) -> None:
        self.open = order

    def _entry(self, entry: Entry) -> None:
        self.waiting[entry.id] = entry

    def _evidence(self, place: tuple[str, int, int], data: bytes) -> None:
        self.evidence.setdefault(place, data)

    def _recovering(self, value: bool) -> None:
        self.recovering = value


class Disk:
    """A journal, and the store that it makes."""

    def __init__(self, journal: list[Write] | None = None) -> None:
        self.journal = list(journal or ())
        self.synced = len(self.journal)
        self.store = Store()
        # What a member may let out, since its cause is on the disk.
        self.durable: set[Fact] = set()
        for write in self.journal:
            self.store.apply(write)
            self.durable.update(facts_of(write))

    def write(self, *write: object) -> None:
        self.store.apply(write)
        self.journal.append(write)

    def sync(self) -> None:
        for write in self.journal[self.synced :]:
            self.durable.update(facts_of(write))
        self.synced = len(self.journal)

    def after_crash(self, random: Random) -> "Disk":
        """The disk a crash leaves: all that was synced, and perhaps what was not.

        What is written between two syncs is one transaction, and is kept whole or not at all: the
        flag of a restored member falls with the guards and the fence that take its place.
        """
        is_kept = random.randint(self.synced, len(self.journal)) > self.synced
        return Disk(self.journal if is_kept else self.journal[: self.synced])

    def restored(self, length: int) -> "Disk":
        """A backup of that moment, put back by an operator who says so."""
        disk = Disk(self.journal[:length])
        disk.write("recovering", True)
        disk.sync()
        return disk


def facts_of(write: Write) -> tuple[Fact, ...]:
    """What a write allows to leave once it is durable."""
    match write:
        case ("lock", account, sequence, lock):
            return (("vote", account, sequence, lock.digest),)
        case ("guard", account, guard):
            return (("promise", account, guard.incarnation),)
        case ("tenure", tenure):
            return (("fence", tenure.fence),)
        case ("open", order) if order is not None:
            return (("order", order.digest),)
        case ("commit", changes):
            return (("certificate", changes.account, changes.sequence),)
    return ()
