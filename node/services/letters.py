"""A letter: an envelope's content once it is opened and proven, as topics handle it.  PEER 3."""

import hashlib
from dataclasses import dataclass

from node.refusals import Refusal
from protocol import SignedDocument, limits

# As long as what it builds on may still be on its way here.
PATIENCE_S = limits.ENVELOPE_DEADLINE_S


class LetterEarly(Refusal, code="letter-early"):
    """The letter builds on something that is not here yet. It is tried again by itself."""


@dataclass(frozen=True, slots=True)
class Letter:
    """`document` is proven to be `sender`'s and for us; `receipt` is the receipt we signed."""

    sender: str
    envelope_id: str
    document: SignedDocument
    receipt: bytes
    received_at: int

    @property
    def receipt_digest(self) -> bytes:
        """SHA-256 of our signed receipt: what both sides hold, and payments commit to."""
        return hashlib.sha256(self.receipt).digest()

    def may_wait(self, now: int) -> bool:
        """Whether what the letter builds on may still come; we gave a receipt, so we are patient.

        Letters are sent in order, but one that could not be handled at once stands behind those
        that came after it.
        """
        return now < self.received_at + PATIENCE_S
