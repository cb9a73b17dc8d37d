"""Measures that need no decree: one member blocks, any two suspend for 72 hours.  SPEC Decrees.

Neither says why: reasons are about people, and are spoken, not signed. Neither touches a vote:
whoever is suspended still votes on orders and decrees, or two members could put the quorum out of
reach by their word alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol import limits
from protocol.strictjson import Reader, encode, parse

BLOCK = "block"
SUSPENSION = "suspension"


@dataclass(frozen=True, slots=True)
class Block:
    """ "I take no messages from `member`", or again I do; the higher number is the later word."""

    alliance: str
    member: str
    number: int = 1
    blocks: bool = True

    def encode(self) -> bytes:
        return encode(
            {
                "alliance": self.alliance,
                "blocks": self.blocks,
                "member": self.member,
                "number": self.number,
            }
        )

    @classmethod
    def parse(cls, payload: bytes) -> Block:
        reader = Reader(parse(payload, bytes_max=limits.MEASURE_BYTES_MAX))
        block = cls(
            alliance=reader.text("alliance", chars_max=32, pattern=limits.MEMBER_ID_PATTERN),
            member=reader.text("member", chars_max=32, pattern=limits.MEMBER_ID_PATTERN),
            number=reader.integer("number", 1, limits.APPROVAL_NUMBER_MAX),
            blocks=reader.boolean("blocks"),
        )
        reader.done()
        return block


@dataclass(frozen=True, slots=True)
class Suspension:
    """ "`member` is suspended for 72 hours from `since`": signed by two members, not itself one."""

    alliance: str
    epoch: int
    member: str
    since: int

    @property
    def until(self) -> int:
        return self.since + limits.SUSPENSION_S

    def encode(self) -> bytes:
        return encode(
            {
                "alliance": self.alliance,
                "epoch": self.epoch,
                "member": self.member,
                "since": self.since,
            }
        )

    @classmethod
    def parse(cls, payload: bytes) -> Suspension:
        reader = Reader(parse(payload, bytes_max=limits.MEASURE_BYTES_MAX))
        suspension = cls(
            alliance=reader.text("alliance", chars_max=32, pattern=limits.MEMBER_ID_PATTERN),
            epoch=reader.integer("epoch", 1, limits.VERSION_MAX),
            member=reader.text("member", chars_max=32, pattern=limits.MEMBER_ID_PATTERN),
            since=reader.integer("since", 0, limits.TIME_MAX - limits.SUSPENSION_S),
        )
        reader.done()
        return suspension
