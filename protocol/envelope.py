"""Envelopes: a signed document sealed to one member, and the receipt for it.  SPEC Envelopes.

Outside stands only what delivery needs. Inside stands the signed document and, once more, who wrote
to whom under which number: HPKE alone proves nothing about the sender, and a recipient could seal
what it received to a third member as if it had been written to that one.

    outside   {alliance, ciphertext, class, deadline, epoch, from, id, sealing_key, to}
    info      tasuki/v1/envelope LF alliance LF epoch LF from LF to LF id LF class
    inside    {from, id, kind, signatures, to} LF the payload as it was signed

A receipt is the recipient's signature over the digest of the envelope's bytes: "I hold these".
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from protocol import limits, sealing, signed, strictjson
from protocol.errors import (
    CannotDecrypt,
    DocumentInvalid,
    ReceiptInvalid,
    RecipientMismatch,
    SenderMismatch,
)
from protocol.keys import SigningKey
from protocol.sealing import SealingKey, SealingPublicKey
from protocol.signed import Keys, Signed, SignedDocument
from protocol.strictjson import Reader, b64encode

T = TypeVar("T")

RECEIPT = "receipt"
_ID = re.compile(limits.ID_PATTERN)
# Members, alliances and kinds are written alike.
_NAME = re.compile(limits.MEMBER_ID_PATTERN)


@dataclass(frozen=True, slots=True)
class Envelope:
    """One sealed letter. Made by `seal` or `parse` only, so that it always has its bytes."""

    id: str
    alliance: str
    epoch: int
    sender: str
    recipient: str
    kind_class: str
    sealing_keyid: str
    deadline: int
    ciphertext: bytes
    encoded: bytes = field(repr=False)

    @property
    def digest(self) -> bytes:
        """SHA-256 over the bytes as they travel: what a receipt is for."""
        return hashlib.sha256(b"tasuki/v1/envelope\n" + self.encoded).digest()

    def encode(self) -> bytes:
        """The bytes as they were made or received; nothing is written anew."""
        return self.encoded


def seal(
    document: SignedDocument,
    *,
    id: str,  # noqa: A002 (the word on the wire)
    alliance: str,
    epoch: int,
    sender: str,
    recipient: str,
    recipient_key: SealingPublicKey,
    kind_class: str,
    deadline: int,
) -> Envelope:
    """Close a signed document into an envelope that only `recipient` can open."""
    assert _ID.fullmatch(id), id
    assert all(map(_NAME.fullmatch, (alliance, sender, recipient, kind_class))), "a name"
    # Written out like signed documents: every part is a number, base64url or a name, none of
    # which needs escaping. The payload stands behind the header as it is: in base64 it would grow
    # by a third and be coded twice, since the ciphertext is.
    header = (
        f'{{"from":"{sender}","id":"{id}","kind":"{document.kind}",'
        f'"signatures":{document.encode_signatures()},"to":"{recipient}"}}\n'
    )
    plaintext = header.encode("ascii") + document.payload
    info = _info(alliance, epoch, sender, recipient, id, kind_class)
    ciphertext = sealing.seal(recipient_key, plaintext, info)
    encoded = (
        f'{{"alliance":"{alliance}","ciphertext":"{b64encode(ciphertext)}",'
        f'"class":"{kind_class}","deadline":{deadline},"epoch":{epoch},"from":"{sender}",'
        f'"id":"{id}","sealing_key":"{recipient_key.keyid}","to":"{recipient}"}}'
    )
    return Envelope(
        id=id,
        alliance=alliance,
        epoch=epoch,
        sender=sender,
        recipient=recipient,
        kind_class=kind_class,
        sealing_keyid=recipient_key.keyid,
        deadline=deadline,
        ciphertext=ciphertext,
        encoded=encoded.encode("ascii"),
    )


def parse(data: bytes) -> Envelope:
    """Read the outside of an envelope; nothing is proven by it."""
    reader = Reader(strictjson.parse(data, bytes_max=limits.ENVELOPE_BYTES_MAX, depth_max=2))
    envelope = Envelope(
        id=reader.text("id", limits.ID_CHARS_MAX, limits.ID_PATTERN),
        alliance=reader.text("alliance", limits.MEMBER_ID_CHARS_MAX, limits.ALLIANCE_ID_PATTERN),
        epoch=reader.integer("epoch", 1, limits.VERSION_MAX),
        sender=reader.text("from", limits.MEMBER_ID_CHARS_MAX, limits.MEMBER_ID_PATTERN),
        recipient=reader.text("to", limits.MEMBER_ID_CHARS_MAX, limits.MEMBER_ID_PATTERN),
        kind_class=reader.text("class", limits.MEMBER_ID_CHARS_MAX, limits.KIND_PATTERN),
        sealing_keyid=reader.text("sealing_key", 43, r"[A-Za-z0-9_-]{43}"),
        deadline=reader.integer("deadline", 0, limits.TIME_MAX),
        ciphertext=reader.bytes("ciphertext", bytes_max=limits.ENVELOPE_BYTES_MAX),
        encoded=data,
    )
    reader.done()
    return envelope


def verify_addressing(envelope: Envelope, *, alliance: str, sender: str, recipient: str) -> None:
    """Raise unless the envelope is from the member that brought it, to us.  PEER 1.

    `sender` is the member whose signature the request carries: a member that passes on another
    member's envelope as its own, or one that was meant for a third, is refused.
    """
    if envelope.sender != sender:
        raise SenderMismatch(f"sent by {sender}, written by {envelope.sender}")
    if envelope.recipient != recipient or envelope.alliance != alliance:
        raise RecipientMismatch(f"written to {envelope.recipient} in {envelope.alliance}")


def open(envelope: Envelope, key: SealingKey) -> SignedDocument:  # noqa: A001 (the protocol's word)
    """The document inside; its signature is still to be verified."""
    if envelope.sealing_keyid != key.keyid:
        # The same words as for a changed ciphertext: which keys we still hold is our business.
        raise CannotDecrypt("the envelope does not open")
    info = _info(
        envelope.alliance,
        envelope.epoch,
        envelope.sender,
        envelope.recipient,
        envelope.id,
        envelope.kind_class,
    )
    plaintext = sealing.open(key, envelope.ciphertext, info)
    header, line_feed, payload = plaintext.partition(b"\n")
    if not line_feed:
        raise DocumentInvalid("an envelope holds a header line and a payload")
    # Not a Reader: the fields are compared, not read.
    inside = strictjson.parse(header, bytes_max=limits.ENVELOPE_HEADER_BYTES_MAX)
    if type(inside) is not dict or inside.keys() != _INSIDE_FIELDS:
        raise DocumentInvalid("the header holds from, id, kind, signatures and to")
    if inside["from"] != envelope.sender:
        raise SenderMismatch("the sender inside is another one than outside")
    if inside["to"] != envelope.recipient or inside["id"] != envelope.id:
        raise RecipientMismatch("the recipient or number inside is another one than outside")
    return SignedDocument.from_claim(inside["kind"], payload, inside["signatures"])


_INSIDE_FIELDS = {"from", "id", "kind", "signatures", "to"}


def verify_content(
    document: SignedDocument,
    envelope: Envelope,
    kind: str,
    keys: Keys,
    parse_body: Callable[[bytes], T],
) -> Signed[T]:
    """Prove an opened document, and that the envelope's sender is who signed it."""
    content = signed.verify(document, kind, keys, parse_body)
    if content.signer != envelope.sender:
        # Stops a member that puts a document it received from one member into its own envelope.
        raise SenderMismatch(f"signed by {content.signer}, sent by {envelope.sender}")
    return content


def _info(
    alliance: str, epoch: int, sender: str, recipient: str, envelope_id: str, kind_class: str
) -> bytes:
    # No part can contain a line feed (`parse` and `seal` see to it), so no two contexts give the
    # same bytes.
    return "\n".join(
        ("tasuki/v1/envelope", alliance, str(epoch), sender, recipient, envelope_id, kind_class)
    ).encode("ascii")


# --- Receipts. ---


@dataclass(frozen=True, slots=True)
class Receipt:
    """The recipient holds these bytes, durably, since then."""

    envelope_id: str
    envelope_digest: bytes
    sender: str
    recipient: str
    received_at: int
    incarnation: int

    def encode(self) -> bytes:
        return strictjson.encode(
            {
                "digest": b64encode(self.envelope_digest),
                "envelope": self.envelope_id,
                "from": self.sender,
                "incarnation": self.incarnation,
                "received_at": self.received_at,
                "to": self.recipient,
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> "Receipt":
        reader = Reader(strictjson.parse(data, bytes_max=limits.RECEIPT_BYTES_MAX))
        receipt = cls(
            envelope_id=reader.text("envelope", limits.ID_CHARS_MAX, limits.ID_PATTERN),
            envelope_digest=reader.bytes("digest", 32),
            sender=reader.text("from", limits.MEMBER_ID_CHARS_MAX, limits.MEMBER_ID_PATTERN),
            recipient=reader.text("to", limits.MEMBER_ID_CHARS_MAX, limits.MEMBER_ID_PATTERN),
            received_at=reader.integer("received_at", 0, limits.TIME_MAX),
            incarnation=reader.integer("incarnation", 0, limits.INCARNATION_MAX),
        )
        reader.done()
        return receipt


def make_receipt(
    envelope: Envelope, *, received_at: int, incarnation: int, key: SigningKey
) -> SignedDocument:
    """Sign for an envelope. The caller has stored it durably, or this is a lie (invariant I1)."""
    receipt = Receipt(
        envelope_id=envelope.id,
        envelope_digest=envelope.digest,
        sender=envelope.sender,
        recipient=envelope.recipient,
        received_at=received_at,
        incarnation=incarnation,
    )
    return signed.sign(RECEIPT, receipt.encode(), key)


def verify_receipt(document: SignedDocument, envelope: Envelope, keys: Keys) -> Signed[Receipt]:
    """Prove that the recipient of exactly this envelope signed for it."""
    receipt = signed.verify(document, RECEIPT, keys, Receipt.parse)
    body = receipt.body
    # A receipt of another member, or for other bytes under the same number, proves nothing.
    if receipt.signer != envelope.recipient:
        raise ReceiptInvalid(f"signed by {receipt.signer}, not by {envelope.recipient}")
    if body.envelope_id != envelope.id or body.envelope_digest != envelope.digest:
        raise ReceiptInvalid("it is for another envelope, or for other bytes")
    if body.sender != envelope.sender or body.recipient != envelope.recipient:
        raise ReceiptInvalid("it names other members")
    return receipt
