"""Progress: how far a referral has come, as far as the person allowed it to be told.  SPEC §7."""

from __future__ import annotations

from dataclasses import dataclass

from protocol import limits
from protocol.documents.profiles import STAGES
from protocol.documents.referrals import ID_PATTERN, open_payload
from protocol.strictjson import encode

PROGRESS = "progress"


@dataclass(frozen=True, slots=True)
class Progress:
    """The common stage code that the referral reached at `changed_at`.  DOMAIN 6.4."""

    referral: str
    stage: str
    changed_at: int

    def encode(self) -> bytes:
        return encode(
            {"changed_at": self.changed_at, "referral": self.referral, "stage": self.stage}
        )

    @classmethod
    def parse(cls, payload: bytes) -> Progress:
        reader = open_payload(payload)
        progress = cls(
            referral=reader.text("referral", 64, pattern=ID_PATTERN),
            stage=reader.text("stage", 24, pattern="|".join(STAGES)),
            changed_at=reader.integer("changed_at", 0, limits.TIME_MAX),
        )
        reader.done()
        return progress
