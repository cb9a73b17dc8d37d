"""Orders, their entries, and the vote that a quorum signs.  SPEC §6.

An order is the only way to write debits: the owner of an account signs it, and it takes effect
once a quorum has voted. No personal data, and no hash of any, enters it: `reference` is a salted
commitment, and entry ids are random.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from protocol import limits
from protocol.errors import DocumentInvalid
from protocol.keys import b64decode, b64encode
from protocol.strictjson import JSON, encode, parse

ORDER = "order"
VOTE = "vote"
REFERRAL = "referral"
FREE_HIRE = "free_hire"
REFUND = "refund"
CORRECTION = "correction"
ENTRY_KINDS = frozenset({REFERRAL, FREE_HIRE, REFUND, CORRECTION})
NO_PREVIOUS = bytes(32)
FIRST_INCARNATION = 1

_MEMBER_ID = re.compile(limits.MEMBER_ID_PATTERN + r"\Z")
_ENTRY_ID = re.compile(r"[a-z0-9-]{8,64}\Z")
_ORDER_FIELDS = frozenset(
    "account alliance entries epoch incarnation previous seen sequence".split()
)
_ENTRY_FIELDS = frozenset("id kind points reference to".split())


@dataclass(frozen=True, slots=True)
class Entry:
    """One payment: `points` from the order's account to member `to`."""

    id: str
    kind: str
    to: str
    points: int
    reference: bytes

    def to_json(self) -> JSON:
        return {
            "id": self.id,
            "kind": self.kind,
            "points": self.points,
            "reference": b64encode(self.reference),
            "to": self.to,
        }


@dataclass(frozen=True, slots=True)
class Order:
    """The entries that `account` writes as its number `sequence`, after what it had `seen`."""

    alliance: str
    epoch: int
    account: str
    sequence: int
    incarnation: int
    previous: bytes
    seen: Mapping[str, int]
    entries: tuple[Entry, ...]

    @property
    def debit(self) -> int:
        return sum(entry.points for entry in self.entries)

    @property
    def slot(self) -> tuple[str, int]:
        return self.account, self.sequence

    def encode(self) -> bytes:
        return encode(
            {
                "account": self.account,
                "alliance": self.alliance,
                "entries": [entry.to_json() for entry in self.entries],
                "epoch": self.epoch,
                "incarnation": self.incarnation,
                "previous": b64encode(self.previous),
                "seen": dict(self.seen),
                "sequence": self.sequence,
            }
        )

    @classmethod
    def parse(cls, payload: bytes) -> Order:
        fields = _object(parse(payload, bytes_max=limits.ORDER_BYTES_MAX), _ORDER_FIELDS, "")
        entries = _list(fields["entries"], "entries", limits.ORDER_ENTRIES_MAX)
        if not entries:
            raise DocumentInvalid("an order needs at least one entry")
        order = cls(
            alliance=_member_id(fields["alliance"], "alliance"),
            epoch=_integer(fields["epoch"], "epoch", 1, limits.VERSION_MAX),
            account=_member_id(fields["account"], "account"),
            sequence=_integer(fields["sequence"], "sequence", 1, limits.SEQUENCE_MAX),
            incarnation=_integer(fields["incarnation"], "incarnation", 1, limits.INCARNATION_MAX),
            previous=_digest(fields["previous"], "previous"),
            seen=_seen(fields["seen"]),
            entries=tuple([_entry(each) for each in entries]),
        )
        if len({entry.id for entry in order.entries}) != len(order.entries):
            raise DocumentInvalid("two entries of the order share an id")
        return order


@dataclass(frozen=True, slots=True)
class Vote:
    """The statement a quorum signs: this digest, and no other, stands in this place."""

    alliance: str
    epoch: int
    account: str
    sequence: int
    incarnation: int
    order: bytes

    @classmethod
    def on(cls, order: Order, digest: bytes) -> Vote:
        """The vote for `order`, whose signed document has this digest."""
        return cls(
            alliance=order.alliance,
            epoch=order.epoch,
            account=order.account,
            sequence=order.sequence,
            incarnation=order.incarnation,
            order=digest,
        )

    def encode(self) -> bytes:
        """The one writing of the vote: members sign the same bytes, so these are compared.

        Written out, because ids, numbers and base64url need no escape and every replica writes
        each vote once.
        """
        return (
            f'{{"account":"{self.account}","alliance":"{self.alliance}","epoch":{self.epoch},'
            f'"incarnation":{self.incarnation},"order":"{b64encode(self.order)}",'
            f'"sequence":{self.sequence}}}'
        ).encode("ascii")


# The readers below check by hand what `strictjson.Reader` checks for every other document: orders
# are read in the path that decides how many entries a second the alliance can certify.


def _entry(value: JSON) -> Entry:
    fields = _object(value, _ENTRY_FIELDS, "entries")
    entry_id, kind = fields["id"], fields["kind"]
    if not isinstance(entry_id, str) or _ENTRY_ID.match(entry_id) is None:
        raise DocumentInvalid("an entry's id is 8 to 64 of a-z, 0-9 and -")
    if not isinstance(kind, str) or kind not in ENTRY_KINDS:
        raise DocumentInvalid("an entry's kind is referral, free_hire, refund or correction")
    return Entry(
        id=entry_id,
        kind=kind,
        to=_member_id(fields["to"], "to"),
        points=_integer(fields["points"], "points", 1, limits.POINTS_MAX),
        reference=_digest(fields["reference"], "reference"),
    )


def _object(value: JSON, names: frozenset[str], where: str) -> dict[str, JSON]:
    if not isinstance(value, dict):
        raise DocumentInvalid(f"{where or 'the document'} is not an object")
    if value.keys() != names:
        odd = ", ".join(sorted(value.keys() ^ names)[:5])
        raise DocumentInvalid(f"{where or 'the document'} has missing or unknown fields: {odd}")
    return value


def _list(value: JSON, name: str, length_max: int) -> list[JSON]:
    if not isinstance(value, list) or len(value) > length_max:
        raise DocumentInvalid(f"{name} is a list of at most {length_max}")
    return value


def _integer(value: JSON, name: str, low: int, high: int) -> int:
    # `bool` is an `int` to Python, and `true` is no number to anybody else.
    if type(value) is not int or not low <= value <= high:
        raise DocumentInvalid(f"{name} is a whole number from {low} to {high}")
    return value


def _member_id(value: JSON, name: str) -> str:
    if not isinstance(value, str) or _MEMBER_ID.match(value) is None:
        raise DocumentInvalid(f"{name} is not a member's id")
    return value


def _digest(value: JSON, name: str) -> bytes:
    if not isinstance(value, str) or len(value) != 43:
        raise DocumentInvalid(f"{name} is 32 bytes in base64url")
    return b64decode(value)


def _seen(value: JSON) -> Mapping[str, int]:
    if not isinstance(value, dict) or len(value) > limits.MEMBERS_MAX:
        raise DocumentInvalid("seen is an object of account and sequence")
    return {
        _member_id(account, "seen"): _integer(sequence, "seen", 1, limits.SEQUENCE_MAX)
        for account, sequence in value.items()
    }


def commitment(salt: bytes, digest: bytes) -> bytes:
    """An entry's `reference`: SHA-256 over a label, 32 random bytes and a document's digest.

    Without the salt, which travels sealed, nobody can test whether an entry belongs to a document
    they can guess.
    """
    if len(salt) != 32 or len(digest) != 32:
        raise ValueError("a commitment takes a salt and a digest of 32 bytes each")
    return hashlib.sha256(b"tasuki/v1/reference" + salt + digest).digest()
