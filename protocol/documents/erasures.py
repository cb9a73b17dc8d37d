"""Erasure: the person takes a consent back, and the receiver proves what it destroyed.  SPEC §7.

Neither says why. What the receiver keeps is named by kind: the record that 個人情報保護法 30 asks
for, and what it needs of somebody it has hired.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol import limits
from protocol.documents.referrals import ID_PATTERN, open_payload
from protocol.errors import DocumentInvalid
from protocol.keys import b64encode
from protocol.strictjson import encode

WITHDRAWAL = "withdrawal"
ERASURE_RECEIPT = "erasure-receipt"

# `record`: who gave what to whom, three years. `hire`: the person works there.
KEPT = ("hire", "record")


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The person took the consent back at `withdrawn_at`; erase what came, at latest `erase_by`.

    It holds for whatever of the referral has arrived, and for what may still arrive.
    """

    referral: str
    withdrawn_at: int
    erase_by: int

    def encode(self) -> bytes:
        return encode(
            {
                "erase_by": self.erase_by,
                "referral": self.referral,
                "withdrawn_at": self.withdrawn_at,
            }
        )

    @classmethod
    def parse(cls, payload: bytes) -> Withdrawal:
        reader = open_payload(payload)
        withdrawal = cls(
            referral=reader.text("referral", 64, pattern=ID_PATTERN),
            withdrawn_at=reader.integer("withdrawn_at", 0, limits.TIME_MAX),
            erase_by=reader.integer("erase_by", 0, limits.TIME_MAX),
        )
        reader.done()
        return withdrawal


@dataclass(frozen=True, slots=True)
class ErasureReceipt:
    """What came with a referral is destroyed, but for the kinds in `kept`.

    `withdrawal` is the digest of the document that asked for it: a receipt answers no other.
    """

    referral: str
    withdrawal: bytes
    erased_at: int
    kept: tuple[str, ...]

    def encode(self) -> bytes:
        return encode(
            {
                "erased_at": self.erased_at,
                "kept": list(self.kept),
                "referral": self.referral,
                "withdrawal": b64encode(self.withdrawal),
            }
        )

    @classmethod
    def parse(cls, payload: bytes) -> ErasureReceipt:
        reader = open_payload(payload)
        receipt = cls(
            referral=reader.text("referral", 64, pattern=ID_PATTERN),
            withdrawal=reader.bytes("withdrawal", length=32),
            erased_at=reader.integer("erased_at", 0, limits.TIME_MAX),
            kept=reader.texts("kept", len(KEPT), chars_max=10),
        )
        if set(receipt.kept) - set(KEPT) or list(receipt.kept) != sorted(set(receipt.kept)):
            reason = "is not what a receiver may keep, once each, in order"
            raise DocumentInvalid(f"kept {reason}", errors=[{"path": "kept", "reason": reason}])
        reader.done()
        return receipt
