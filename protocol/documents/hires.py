"""Hire: the receiver tells the referrer that the person joins, with a fee or with a slot.  SPEC §7.

With a slot the points of a free hire pass through the ledger under `entry`, and the fee is zero.
The amount of a fee is between the two members (LEDGER 6) and is no part of this document.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol import limits
from protocol.documents.referrals import DATE_PATTERN, ID_PATTERN, open_payload
from protocol.keys import b64encode
from protocol.strictjson import encode

HIRE = "hire"


@dataclass(frozen=True, slots=True)
class Hire:
    """`points` and `entry` are 0 and empty for a hire with a fee; `salt` opens the reference."""

    referral: str
    joins_on: str
    points: int
    entry: str
    salt: bytes
    registered_at: int

    @property
    def is_free(self) -> bool:
        return self.points > 0

    def encode(self) -> bytes:
        return encode(
            {
                "entry": self.entry,
                "joins_on": self.joins_on,
                "points": self.points,
                "referral": self.referral,
                "registered_at": self.registered_at,
                "salt": b64encode(self.salt),
            }
        )

    @classmethod
    def parse(cls, payload: bytes) -> Hire:
        reader = open_payload(payload)
        hire = cls(
            referral=reader.text("referral", 64, pattern=ID_PATTERN),
            joins_on=reader.text("joins_on", 10, pattern=DATE_PATTERN),
            points=reader.integer("points", 0, limits.POINTS_MAX),
            entry=reader.text("entry", 64, pattern=f"|{ID_PATTERN}", empty=True),
            salt=reader.bytes("salt", length=32),
            registered_at=reader.integer("registered_at", 0, limits.TIME_MAX),
        )
        reader.done()
        return hire
