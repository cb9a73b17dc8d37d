"""A letter: an envelope's content once it is opened and proven, as topics handle it.  PEER 3."""

import hashlib
from dataclasses import dataclass

from protocol import SignedDocument


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
