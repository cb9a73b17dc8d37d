"""The cut: where every account stands when a charter version opens.  SPEC Decrees.

A version above the first opens on a cut. It says which order is each account's last under the
versions before, and which of those the decree itself decided because votes for them were out. A
certificate of an earlier epoch counts up to the cut and never beyond it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from protocol import limits
from protocol.errors import DocumentInvalid
from protocol.strictjson import JSON, Reader, b64decode, b64encode


class Place(NamedTuple):
    """An account's last order within the cut: its number, and its digest."""

    sequence: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """`accounts` that have an order at all, those whose last one was `carried`, and the `state`.

    `carried` names the digests of the orders that the decree put in the account's last place: one,
    or, where the owner signed two and either may have been certified, both.
    """

    accounts: Mapping[str, Place] = field(default_factory=dict)
    carried: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)
    state: bytes = bytes(32)

    @property
    def vector(self) -> Mapping[str, int]:
        """The last sequence of every account within the cut."""
        return {account: place.sequence for account, place in self.accounts.items()}

    def certified(self, account: str) -> int:
        """The last sequence within the cut that has a certificate of its own."""
        place = self.accounts.get(account)
        return 0 if place is None else place.sequence - (account in self.carried)

    def to_json(self) -> JSON:
        return {
            "accounts": {
                account: {"digest": b64encode(place.digest), "sequence": place.sequence}
                for account, place in self.accounts.items()
            },
            "carried": {
                account: [b64encode(digest) for digest in digests]
                for account, digests in self.carried.items()
            },
            "state": b64encode(self.state),
        }

    @classmethod
    def read(cls, reader: Reader) -> Cut:
        accounts, carried = reader.object("accounts"), reader.object("carried")
        cut = cls(
            accounts={name: _place(accounts.object(name)) for name in _names(accounts)},
            carried={name: _digests(carried, name) for name in _names(carried)},
            state=reader.bytes("state", length=32),
        )
        reader.done()
        return cut


def placed_digest(digests: Iterable[bytes]) -> bytes:
    """What stands in a place that a decree decided: the order's digest, or one name for both."""
    ordered = sorted(digests)
    if len(ordered) == 1:
        return ordered[0]
    return hashlib.sha256(b"tasuki/v1/union" + b"".join(ordered)).digest()


def _names(reader: Reader) -> tuple[str, ...]:
    return reader.names(limits.ACCOUNTS_MAX, pattern=limits.MEMBER_ID_PATTERN)


def _place(reader: Reader) -> Place:
    place = Place(
        reader.integer("sequence", 1, limits.SEQUENCE_MAX), reader.bytes("digest", length=32)
    )
    reader.done()
    return place


def _digests(reader: Reader, name: str) -> tuple[bytes, ...]:
    texts = reader.texts(name, limits.MEMBERS_MAX, 43, pattern="[A-Za-z0-9_-]{43}")
    found = tuple(map(b64decode, texts))
    # One writing of a set: sorted, and none twice.
    if not found or tuple(sorted(set(found))) != found:
        raise DocumentInvalid(f"the carried orders of {name} are not a sorted list of digests")
    return found
