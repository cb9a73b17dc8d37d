"""What members say to each other until a draft is a charter.  SPEC Decrees.

    approval        "I approve of this draft", or no longer; the higher number is the later word
    fence-report    "I have stopped voting in this epoch, and this is where I stood"
    decree-prepare  "of all proposals in this ballot I vote for this one"
    decree-commit   "I keep the proof that a quorum prepared it": q of these enact the charter

Prepare and commit are statements with one writing each, like a vote for an order. They have labels
of their own, so that a vote in one phase never counts in the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from protocol import limits
from protocol.charter import Charter
from protocol.keys import b64encode
from protocol.strictjson import JSON, Reader, encode, parse

APPROVAL = "approval"
FENCE_REPORT = "fence-report"
PREPARE = "decree-prepare"
COMMIT = "decree-commit"


@dataclass(frozen=True, slots=True)
class Approval:
    """One member's word on one draft. It locks nothing, and a later word takes it back."""

    alliance: str
    epoch: int
    draft: bytes
    number: int = 1
    approves: bool = True

    def encode(self) -> bytes:
        return encode(
            {
                "alliance": self.alliance,
                "approves": self.approves,
                "draft": b64encode(self.draft),
                "epoch": self.epoch,
                "number": self.number,
            }
        )

    @classmethod
    def parse(cls, payload: bytes) -> Approval:
        reader = Reader(parse(payload, bytes_max=limits.MEASURE_BYTES_MAX))
        approval = cls(
            alliance=reader.text("alliance", chars_max=32, pattern=limits.MEMBER_ID_PATTERN),
            epoch=reader.integer("epoch", 1, limits.VERSION_MAX),
            draft=reader.bytes("draft", length=32),
            number=reader.integer("number", 1, limits.APPROVAL_NUMBER_MAX),
            approves=reader.boolean("approves"),
        )
        reader.done()
        return approval


class Held(NamedTuple):
    """A motion in a ballot: the ballot, and the digest of the charter that it would be."""

    ballot: int
    charter: bytes

    def to_json(self) -> JSON:
        return {"ballot": self.ballot, "charter": b64encode(self.charter)}

    @classmethod
    def read(cls, reader: Reader) -> Held:
        held = cls(
            reader.integer("ballot", 1, limits.BALLOT_MAX), reader.bytes("charter", length=32)
        )
        reader.done()
        return held


@dataclass(frozen=True, slots=True)
class FenceReport:
    """Where a member stood when it stopped voting in the epoch, under a ballot.

    `vector` is what it had applied, `locks` the digest of the open order of each account that it
    voted for (its own open one included), `held` the highest motion that it committed to.
    """

    alliance: str
    epoch: int
    ballot: int
    vector: Mapping[str, int] = field(default_factory=dict)
    locks: Mapping[str, bytes] = field(default_factory=dict)
    held: Held | None = None

    def encode(self) -> bytes:
        return encode(
            {
                "alliance": self.alliance,
                "ballot": self.ballot,
                "epoch": self.epoch,
                "held": None if self.held is None else self.held.to_json(),
                "locks": {account: b64encode(digest) for account, digest in self.locks.items()},
                "vector": dict(self.vector),
            }
        )

    @classmethod
    def parse(cls, payload: bytes) -> FenceReport:
        reader = Reader(parse(payload, bytes_max=limits.REPORT_BYTES_MAX))
        vector, locks = reader.object("vector"), reader.object("locks")
        report = cls(
            alliance=reader.text("alliance", chars_max=32, pattern=limits.MEMBER_ID_PATTERN),
            epoch=reader.integer("epoch", 1, limits.VERSION_MAX),
            ballot=reader.integer("ballot", 1, limits.BALLOT_MAX),
            vector={a: vector.integer(a, 1, limits.SEQUENCE_MAX) for a in _names(vector)},
            locks={a: locks.bytes(a, length=32) for a in _names(locks)},
            held=None if reader.value("held") is None else Held.read(reader.object("held")),
        )
        reader.done()
        return report


def _names(reader: Reader) -> tuple[str, ...]:
    return reader.names(limits.MEMBERS_MAX, pattern=limits.MEMBER_ID_PATTERN)


def encode_statement(charter: Charter, ballot: int, digest: bytes) -> bytes:
    """What a quorum of `charter` signs in either phase: this next charter, in this ballot.

    Its bytes are compared, and nobody ever has to read them.
    """
    return encode(
        {
            "alliance": charter.alliance,
            "ballot": ballot,
            "charter": b64encode(digest),
            "epoch": charter.epoch,
        }
    )
