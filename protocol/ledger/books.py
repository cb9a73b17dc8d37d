"""The books: what a replica knows of every account, as a port and in memory.  SPEC §6.

`Books` is the port the state machine reads through. A node implements it over its database,
`MemoryBooks` over dictionaries for the simulator and the benchmarks. Both hold *state*, not sums
over history: a balance is read, never added up.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

from protocol.documents.ledger import NO_PREVIOUS, Entry
from protocol.keys import b64encode
from protocol.strictjson import JSON, encode


class Head(NamedTuple):
    """Where an account stands: its last applied order, what it paid and what it was paid."""

    sequence: int = 0
    digest: bytes = NO_PREVIOUS
    debits: int = 0
    credits: int = 0

    @property
    def balance(self) -> int:
        return self.credits - self.debits


EMPTY = Head()


class Lock(NamedTuple):
    """The one order this replica voted for in a place: its digest, and its signed bytes.

    `warrant` is what allowed it in a later incarnation; a promise that reports it passes them on.
    """

    incarnation: int
    digest: bytes
    document: bytes
    warrant: bytes = b""


class Changes(NamedTuple):
    """What applying one certificate changes. Committed whole, or not at all."""

    account: str
    head: Head
    credits: Mapping[str, int]
    entries: tuple[Entry, ...]
    certificate: bytes

    @property
    def sequence(self) -> int:
        return self.head.sequence


class Books(Protocol):
    """What the state machine may ask. Every answer speaks of applied orders, but for `lock`."""

    def head(self, account: str) -> Head:
        """The account's head; the empty one when nothing of it was applied."""

    def vector(self) -> Mapping[str, int]:
        """The last applied sequence of every account that has one."""

    def lock(self, account: str, sequence: int) -> Lock | None:
        """The vote given at that place, the highest incarnation's if there are several."""

    def credited(self, payee: str, seen: Mapping[str, int]) -> int:
        """All that `payee` was paid by the orders within the vector `seen`."""

    def repeated(self, account: str, entry_ids: Iterable[str]) -> str | None:
        """One of `entry_ids` that the account has used before, if there is one."""

    def certificate(self, account: str, sequence: int) -> bytes | None:
        """The certificate applied at that place, as it was received."""


class MemoryBooks:
    """Books in dictionaries. Its writes: `lock_order`, `commit`, and two for a decree."""

    def __init__(self) -> None:
        self._heads: dict[str, Head] = {}
        self._locks: dict[tuple[str, int], Lock] = {}
        self._certificates: dict[tuple[str, int], bytes] = {}
        self._paid: defaultdict[str, dict[str, tuple[list[int], list[int]]]] = defaultdict(dict)
        self._entries: defaultdict[str, set[str]] = defaultdict(set)
        self._vector: dict[str, int] = {}

    def head(self, account: str) -> Head:
        return self._heads.get(account, EMPTY)

    def vector(self) -> Mapping[str, int]:
        return MappingProxyType(self._vector)

    def lock(self, account: str, sequence: int) -> Lock | None:
        return self._locks.get((account, sequence))

    def credited(self, payee: str, seen: Mapping[str, int]) -> int:
        total = 0
        for payer, (sequences, totals) in self._paid.get(payee, {}).items():
            up_to = seen.get(payer, 0)
            # Mostly the payee has seen all that we have.
            if sequences[-1] <= up_to:
                total += totals[-1]
            else:
                place = bisect_right(sequences, up_to)
                total += totals[place - 1] if place else 0
        return total

    def repeated(self, account: str, entry_ids: Iterable[str]) -> str | None:
        used = self._entries[account]
        return None if used.isdisjoint(entry_ids) else min(used.intersection(entry_ids))

    def certificate(self, account: str, sequence: int) -> bytes | None:
        return self._certificates.get((account, sequence))

    def lock_order(self, account: str, sequence: int, lock: Lock) -> None:
        """Record a vote before it leaves. A second order in the place is our own bug."""
        known = self._locks.setdefault((account, sequence), lock)
        assert known.digest == lock.digest or known.incarnation < lock.incarnation
        self._locks[account, sequence] = lock

    def commit(self, changes: Changes) -> None:
        """Apply one certificate's changes; the lock it releases was for exactly this order."""
        assert changes.sequence == self.head(changes.account).sequence + 1
        self._write(changes)

    def amend(self, changes: Changes) -> None:
        """Add to the account's last place what a decree put there beside the order it holds."""
        assert changes.sequence == self.head(changes.account).sequence
        self._write(changes)

    def release_locks(self) -> None:
        """Drop every lock: the epoch has ended, and what was voted for in it is decided."""
        self._locks.clear()

    def _write(self, changes: Changes) -> None:
        account, sequence = place = changes.account, changes.sequence
        self._heads[account] = changes.head
        self._vector[account] = sequence
        for payee, points in changes.credits.items():
            stood, digest, debits, received = self.head(payee)
            self._heads[payee] = Head(stood, digest, debits, received + points)
            paid = self._paid[payee]
            if account in paid:
                sequences, totals = paid[account]
                sequences.append(sequence)
                totals.append(totals[-1] + points)
            else:
                paid[account] = [sequence], [points]
        self._entries[account].update([entry.id for entry in changes.entries])
        self._certificates[place] = changes.certificate
        self._locks.pop(place, None)

    def heads(self) -> Mapping[str, Head]:
        return dict(self._heads)


def state_digest(heads: Mapping[str, Head]) -> bytes:
    """SHA-256 over every account that was ever touched: equal vectors, equal digests."""
    state: JSON = {
        account: {
            "balance": head.balance,
            "digest": b64encode(head.digest),
            "sequence": head.sequence,
        }
        for account, head in heads.items()
        if head != EMPTY
    }
    return hashlib.sha256(encode(state)).digest()
