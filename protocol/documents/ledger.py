"""Orders, their entries, and the vote that a quorum signs.  SPEC §6.

An order is the only way to write debits: the owner of an account signs it, and it takes effect
once a quorum has voted. No personal data, and no hash of any, enters it: `reference` is a salted
commitment, and entry ids are random.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import NamedTuple

from protocol import limits
from protocol.errors import AmountInvalid, DocumentInvalid
from protocol.keys import b64decode, b64encode
from protocol.strictjson import JSON, parse

ORDER = "order"
VOTE = "vote"
REFERRAL = "referral"
FREE_HIRE = "free_hire"
REFUND = "refund"
CORRECTION = "correction"
ENTRY_KINDS = frozenset({REFERRAL, FREE_HIRE, REFUND, CORRECTION})
NO_PREVIOUS = bytes(32)
FIRST_INCARNATION = 1

_ENTRY_ID_PATTERN = r"[a-z0-9-]{8,64}"
_MEMBER_ID = re.compile(limits.MEMBER_ID_PATTERN)
_ENTRY_ID = re.compile(_ENTRY_ID_PATTERN)
_ORDER_FIELDS = frozenset(
    "account alliance entries epoch incarnation previous seen sequence".split()
)
_ENTRY_FIELDS = frozenset("id kind points reference to".split())

# The writing of `encode`, in which nearly every order arrives: `parse` reads it by these patterns
# in half the time. They match nothing that is not valid; what they do not match goes to the JSON
# reader, which alone refuses.
_ID = limits.MEMBER_ID_PATTERN
# 32 bytes; of the last character two bits are unused, and zero.
_DIGEST = "[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"


def _below(limit: int) -> str:
    """A whole number from 1, with fewer digits than the limit."""
    return f"[1-9][0-9]{{0,{len(str(limit)) - 2}}}"


_SEQUENCE = _below(limits.SEQUENCE_MAX)
_ENTRY = (
    f'{{"id":"({_ENTRY_ID_PATTERN})","kind":"({"|".join(sorted(ENTRY_KINDS))})",'
    f'"points":({_below(limits.POINTS_MAX)}),"reference":"({_DIGEST})","to":"({_ID})"}}'
)
_SEEN = f'"({_ID})":({_SEQUENCE})'


def _list_of(pattern: str) -> str:
    uncaptured = pattern.replace("(", "(?:")
    return f"({uncaptured}(?:,{uncaptured})*)"


_WRITTEN_ENTRY = re.compile(_ENTRY)
_WRITTEN_SEEN = re.compile(_SEEN)


def _order_of(entries: str) -> re.Pattern[str]:
    return re.compile(
        f'{{"account":"({_ID})","alliance":"({_ID})","entries":\\[{entries}\\],'
        f'"epoch":({_below(limits.VERSION_MAX)}),'
        f'"incarnation":(?P<incarnation>{_below(limits.INCARNATION_MAX)}),'
        f'"previous":"({_DIGEST})","seen":{{{_list_of(_SEEN)}?}},"sequence":({_SEQUENCE})}}'
    )


_WRITTEN_ORDER = _order_of(_list_of(_ENTRY))
# Of a lone entry, which is most of a quiet day, the same match says the fields.
_WRITTEN_LONE = _order_of(_ENTRY)


class Entry(NamedTuple):
    """One payment: `points` from the order's account to member `to`."""

    id: str
    kind: str
    to: str
    points: int
    reference: bytes

    def check(self) -> None:
        """Raise unless every field has its form."""
        if type(self.points) is not int or not 1 <= self.points <= limits.POINTS_MAX:
            raise AmountInvalid(f"points is a whole number from 1 to {limits.POINTS_MAX}")
        if type(self.id) is not str or _ENTRY_ID.fullmatch(self.id) is None:
            raise DocumentInvalid("an entry's id is 8 to 64 of a-z, 0-9 and -")
        if type(self.kind) is not str or self.kind not in ENTRY_KINDS:
            raise DocumentInvalid("an entry's kind is referral, free_hire, refund or correction")
        if type(self.to) is not str or _MEMBER_ID.fullmatch(self.to) is None:
            raise DocumentInvalid("to is not a member's id")
        if len(self.reference) != 32:
            raise DocumentInvalid("reference is 32 bytes")

    def encode(self) -> str:
        return (
            f'{{"id":"{self.id}","kind":"{self.kind}","points":{self.points},'
            f'"reference":"{b64encode(self.reference)}","to":"{self.to}"}}'
        )


# A field of many entries: `map` over them runs without a step of Python for each.
_POINTS = attrgetter("points")


class Order(NamedTuple):
    """The entries that `account` writes as its number `sequence`, after what it had `seen`."""

    alliance: str
    epoch: int
    account: str
    sequence: int
    incarnation: int
    previous: bytes
    seen: Mapping[str, int]
    entries: tuple[Entry, ...]

    def check(self) -> None:
        """Raise unless every field has its form, and every entry."""
        for name in (self.alliance, self.account, *self.seen):
            if type(name) is not str or _MEMBER_ID.fullmatch(name) is None:
                raise DocumentInvalid("alliance, account and seen hold ids of members")
        for number, high in (
            (self.epoch, limits.VERSION_MAX),
            (self.incarnation, limits.INCARNATION_MAX),
            (self.sequence, limits.SEQUENCE_MAX),
            *[(number, limits.SEQUENCE_MAX) for number in self.seen.values()],
        ):
            # `bool` is an `int` to Python, and `true` is no number to anybody else.
            if type(number) is not int or not 1 <= number <= high:
                raise DocumentInvalid("epoch, incarnation, sequence and seen are numbers from 1")
        if len(self.previous) != 32:
            raise DocumentInvalid("previous is 32 bytes")
        if not 1 <= len(self.entries) <= limits.ORDER_ENTRIES_MAX:
            raise DocumentInvalid(f"an order has 1 to {limits.ORDER_ENTRIES_MAX} entries")
        if len(self.seen) > limits.MEMBERS_MAX:
            raise DocumentInvalid(f"seen has at most {limits.MEMBERS_MAX} accounts")
        for entry in self.entries:
            entry.check()
        if len({entry.id for entry in self.entries}) != len(self.entries):
            raise DocumentInvalid("two entries of the order share an id")

    @property
    def debit(self) -> int:
        return sum(map(_POINTS, self.entries))

    @property
    def slot(self) -> tuple[str, int]:
        return self.account, self.sequence

    def encode(self) -> bytes:
        """The order in JSON, written out: no field of a valid order needs an escape."""
        entries = ",".join([entry.encode() for entry in self.entries])
        seen = ",".join([f'"{account}":{self.seen[account]}' for account in sorted(self.seen)])
        return (
            f'{{"account":"{self.account}","alliance":"{self.alliance}","entries":[{entries}],'
            f'"epoch":{self.epoch},"incarnation":{self.incarnation},'
            f'"previous":"{b64encode(self.previous)}","seen":{{{seen}}},'
            f'"sequence":{self.sequence}}}'
        ).encode("ascii")

    @classmethod
    def parse(cls, payload: bytes) -> Order:
        return cls._read_written(payload) or cls.from_json(
            parse(payload, bytes_max=limits.ORDER_BYTES_MAX)
        )

    @classmethod
    def _read_written(cls, payload: bytes) -> Order | None:
        """The order, if it is written as `encode` writes it and nothing is wrong with it."""
        if len(payload) > limits.ORDER_BYTES_MAX or not payload.isascii():
            return None
        text = payload.decode()
        lone = _WRITTEN_LONE.fullmatch(text)
        if lone is not None:
            account, alliance, *fields, epoch, incarnation, previous, seen, sequence = lone.groups()
            id_, kind, points, reference, to = fields
            before, digest = _digests((previous, reference))
            entries: tuple[Entry, ...] = (Entry(id_, kind, to, int(points), digest),)
        else:
            written = _WRITTEN_ORDER.fullmatch(text)
            if written is None:
                return None
            account, alliance, listed, epoch, incarnation, previous, seen, sequence = (
                written.groups()
            )
            found = _WRITTEN_ENTRY.findall(listed)
            ids, kinds, amounts, references, payees = zip(*found, strict=True)
            # What the patterns cannot say: how many there are, and that none stands twice.
            if len(ids) > limits.ORDER_ENTRIES_MAX or len(set(ids)) < len(ids):
                return None
            before, *digests = _digests((previous, *references))
            entries = tuple(map(Entry, ids, kinds, payees, map(int, amounts), digests))
        pairs = _WRITTEN_SEEN.findall(seen or "")
        vector = {payer: int(at) for payer, at in pairs}
        if len(pairs) > limits.MEMBERS_MAX or len(vector) < len(pairs):
            return None
        return cls(
            alliance, int(epoch), account, int(sequence), int(incarnation), before, vector, entries
        )

    @classmethod
    def from_json(cls, value: JSON) -> Order:
        """The order in any writing; every refusal of an order's form is made here."""
        fields = _object(value, _ORDER_FIELDS, "")
        entries, seen = fields["entries"], fields["seen"]
        if type(entries) is not list or len(entries) > limits.ORDER_ENTRIES_MAX:
            raise DocumentInvalid(f"entries is a list of at most {limits.ORDER_ENTRIES_MAX}")
        if type(seen) is not dict:
            raise DocumentInvalid("seen is an object of account and sequence")
        order = cls(
            alliance=fields["alliance"],
            epoch=fields["epoch"],
            account=fields["account"],
            sequence=fields["sequence"],
            incarnation=fields["incarnation"],
            previous=_digest(fields["previous"], "previous"),
            seen=seen,
            entries=tuple([_entry(each) for each in entries]),
        )
        order.check()
        return order


def in_incarnation(payload: bytes, incarnation: int) -> bytes:
    """The same order, byte for byte, under another incarnation.

    DocumentInvalid for an order in another writing than `encode`'s: it can be read and certified,
    but where the number stands in it is not beyond doubt, so it cannot be issued again.
    """
    written = _WRITTEN_ORDER.fullmatch(payload.decode()) if payload.isascii() else None
    if written is None:
        raise DocumentInvalid("an order to be issued again is written as the protocol writes it")
    start, end = written.span("incarnation")
    return payload[:start] + b"%d" % incarnation + payload[end:]


def encode_vote(order: Order, digest: bytes) -> bytes:
    """The statement that a quorum signs: this digest, and no other, stands in this order's place.

    `digest` is that of the signed order. There is one writing of the statement: its bytes are
    compared, and nobody ever has to read them.
    """
    return (
        f'{{"account":"{order.account}","alliance":"{order.alliance}","epoch":{order.epoch},'
        f'"incarnation":{order.incarnation},"order":"{b64encode(digest)}",'
        f'"sequence":{order.sequence}}}'
    ).encode("ascii")


# What follows checks by hand what `strictjson.Reader` checks for every other document: orders are
# read in the path that decides how many entries a second the alliance can certify.


def _entry(value: JSON) -> Entry:
    fields = _object(value, _ENTRY_FIELDS, "an entry")
    return Entry(
        fields["id"],
        fields["kind"],
        fields["to"],
        fields["points"],
        _digest(fields["reference"], "reference"),
    )


def _object(value: JSON, names: frozenset[str], where: str) -> dict[str, JSON]:
    if type(value) is not dict:
        raise DocumentInvalid(f"{where or 'the document'} is not an object")
    if value.keys() != names:
        odd = ", ".join(sorted(value.keys() ^ names)[:5])
        raise DocumentInvalid(f"{where or 'the document'} has missing or unknown fields: {odd}")
    return value


def _digest(value: JSON, name: str) -> bytes:
    if type(value) is not str or len(value) != 43:
        raise DocumentInvalid(f"{name} is 32 bytes in base64url")
    return b64decode(value)


def _digests(texts: Iterable[str]) -> list[bytes]:
    """Digests of 32 bytes, each of 43 characters that are known to be its canonical writing.

    At once: one zero character more makes each of them eleven groups, whose last byte is zero.
    """
    joined = ("A".join(texts) + "A").replace("-", "+").replace("_", "/")
    data = binascii.a2b_base64(joined, strict_mode=True)
    return [data[start : start + 32] for start in range(0, len(data), 33)]


def commitment(salt: bytes, digest: bytes) -> bytes:
    """An entry's `reference`: SHA-256 over a label, 32 random bytes and a document's digest.

    Without the salt, which travels sealed, nobody can test whether an entry belongs to a document
    they can guess.
    """
    if len(salt) != 32 or len(digest) != 32:
        raise ValueError("a commitment takes a salt and a digest of 32 bytes each")
    return hashlib.sha256(b"tasuki/v1/reference" + salt + digest).digest()
