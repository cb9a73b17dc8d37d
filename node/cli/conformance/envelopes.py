"""Cases 3xx: envelopes and receipts.  SPEC Envelopes.

What is taken is a decline of a referral that never was: the peer stores it, gives its receipt, and
sets it aside when it reads it.
"""

import json
import secrets

from node.cli.conformance.caller import Answer, Caller, Deviation
from node.cli.conformance.cases import Chapter, Run
from protocol import (
    DECLINE,
    Decline,
    ProtocolError,
    SealingKey,
    SealingPublicKey,
    SignedDocument,
    SigningKey,
    b64encode,
    envelope,
    limits,
    sign,
    strictjson,
)

PATH = "/peer/v1/envelopes"
ALIVE_S = 3600
CHAPTER = Chapter([])
case = CHAPTER.case


def letter(caller: Caller, kind: str = DECLINE) -> SignedDocument:
    """A decline, which changes nothing."""
    body = Decline(f"conformance-{secrets.token_hex(16)}", caller.clock.now())
    return sign(kind, body.encode(), caller.key)


def sealed(
    caller: Caller,
    document: SignedDocument | None = None,
    *,
    sender: str = "",
    recipient: str = "",
    alliance: str = "",
    epoch: int = 0,
    alive_s: int = ALIVE_S,
    key: SealingPublicKey | None = None,
) -> envelope.Envelope:
    """A good envelope, with changes to what is bound into it."""
    return envelope.seal(
        document or letter(caller),
        id=secrets.token_hex(16),
        alliance=alliance or caller.charter.alliance,
        epoch=epoch or caller.charter.epoch,
        sender=sender or caller.us,
        recipient=recipient or caller.peer.id,
        recipient_key=key or caller.peer.sealing_public,
        kind_class="letter",
        deadline=caller.clock.now() + alive_s,
    )


def edited(sealed_: envelope.Envelope, **changes: object) -> bytes:
    """The envelope with fields changed after sealing."""
    return strictjson.encode({**json.loads(sealed_.encode()), **changes})


def receipt_of(caller: Caller, answer: Answer, sent: envelope.Envelope) -> bytes:
    """The receipt, proven to be for these bytes."""
    data = caller.accepted(answer)
    try:
        document = SignedDocument.parse(data, bytes_max=limits.RECEIPT_BYTES_MAX)
        envelope.verify_receipt(document, sent, caller.charter.keys)
    except ProtocolError as error:
        raise Deviation(f"no receipt for these bytes: {error}") from error
    return data


@case(301, "a letter", "5.2", "a receipt that the peer signed for these bytes")
def _letter(caller: Caller) -> None:
    sent = sealed(caller)
    receipt_of(caller, caller.call(PATH, sent.encode()), sent)


@case(302, "the same letter again", "5.2", "the same receipt, byte for byte")
def _again(caller: Caller) -> None:
    sent = sealed(caller)
    first = receipt_of(caller, caller.call(PATH, sent.encode()), sent)
    if receipt_of(caller, caller.call(PATH, sent.encode()), sent) != first:
        raise Deviation("another receipt")


@case(303, "other bytes under the same number", "5.2", "the refusal envelope-conflict")
def _conflict(caller: Caller) -> None:
    sent = sealed(caller)
    receipt_of(caller, caller.call(PATH, sent.encode()), sent)
    other = edited(sent, deadline=sent.deadline + 1)
    caller.refused(caller.call(PATH, other), "envelope-conflict")


@case(304, "other bytes that do not open", "5.2", "the refusal envelope-conflict, before all else")
def _conflict_first(caller: Caller) -> None:
    sent = sealed(caller)
    receipt_of(caller, caller.call(PATH, sent.encode()), sent)
    caller.refused(caller.call(PATH, edited(sent, ciphertext="")), "envelope-conflict")


def _refused(code: str, **changes: object) -> Run:
    """An envelope that was sealed with these changes."""

    def run(caller: Caller) -> None:
        sent = sealed(caller, **changes)  # type: ignore[arg-type]
        caller.refused(caller.call(PATH, sent.encode()), code)

    return run


def _edited(code: str, **changes: object) -> Run:
    """An envelope that was changed after sealing."""

    def run(caller: Caller) -> None:
        caller.refused(caller.call(PATH, edited(sealed(caller), **changes)), code)

    return run


CHAPTER.refusals(
    (number, title, "5.1", code, make(code, **changes))
    for number, title, code, make, changes in (
        (311, "of another sender", "sender-mismatch", _refused, {"sender": "somebody-else"}),
        (312, "to another member", "recipient-mismatch", _refused, {"recipient": "somebody-else"}),
        (313, "of another alliance", "recipient-mismatch", _refused, {"alliance": "another-one"}),
        (314, "a deadline in 36 days", "document-invalid", _refused, {"alive_s": 36 * 86_400}),
        (315, "a field too many", "document-invalid", _edited, {"hop": "x"}),
        (316, "a short number", "document-invalid", _edited, {"id": "1"}),
        (317, "base64 with padding", "document-invalid", _edited, {"ciphertext": "YQ=="}),
        (318, "lists in it", "json-depth", _edited, {"deadline": [[0]]}),
        (319, "nothing sealed", "cannot-decrypt", _edited, {"ciphertext": ""}),
        (320, "another number than was sealed", "cannot-decrypt", _edited, {"id": "f" * 32}),
        (321, "another class than was sealed", "cannot-decrypt", _edited, {"class": "hire"}),
    )
)


@case(322, "of an epoch to come", "5.1", "the refusal epoch-mismatch")
def _epoch(caller: Caller) -> None:
    sent = sealed(caller, epoch=caller.charter.epoch + 1)
    caller.refused(caller.call(PATH, sent.encode()), "epoch-mismatch")


@case(323, "one bit turned", "5.1", "the refusal cannot-decrypt")
def _turned(caller: Caller) -> None:
    sent = sealed(caller)
    ciphertext = bytearray(sent.ciphertext)
    ciphertext[-1] ^= 1
    body = edited(sent, ciphertext=b64encode(bytes(ciphertext)))
    caller.refused(caller.call(PATH, body), "cannot-decrypt")


@case(324, "a key that the peer does not hold", "5.1", "the refusal cannot-decrypt")
def _other_key(caller: Caller) -> None:
    sent = sealed(caller, key=SealingKey.generate().public)
    caller.refused(caller.call(PATH, sent.encode()), "cannot-decrypt")


@case(325, "sealed to another, under the peer's key id", "5.1", "the refusal cannot-decrypt")
def _other_recipient(caller: Caller) -> None:
    sent = sealed(caller, key=SealingKey.generate().public)
    body = edited(sent, sealing_key=caller.peer.sealing_public.keyid)
    caller.refused(caller.call(PATH, body), "cannot-decrypt")


@case(331, "a kind that nobody knows", "5.1", "the refusal document-invalid")
def _kind(caller: Caller) -> None:
    sent = sealed(caller, letter(caller, "surprise"))
    caller.refused(caller.call(PATH, sent.encode()), "document-invalid")


@case(332, "signed with no member's key", "5.1", "the refusal key-unknown")
def _stranger(caller: Caller) -> None:
    document = sign(DECLINE, letter(caller).payload, SigningKey.generate())
    caller.refused(caller.call(PATH, sealed(caller, document).encode()), "key-unknown")


@case(333, "changed between signing and sealing", "5.1", "the refusal signature-invalid")
def _changed(caller: Caller) -> None:
    good = letter(caller)
    document = SignedDocument(good.kind, good.payload + b" ", good.signatures)
    caller.refused(caller.call(PATH, sealed(caller, document).encode()), "signature-invalid")


@case(334, "signed twice", "5.1", "the refusal document-invalid")
def _twice(caller: Caller) -> None:
    document = letter(caller).add(caller.key)
    caller.refused(caller.call(PATH, sealed(caller, document).encode()), "document-invalid")


@case(335, "a decline with a reason", "7", "the refusal document-invalid")
def _reason(caller: Caller) -> None:
    fields = json.loads(letter(caller).payload)
    document = sign(DECLINE, strictjson.encode({**fields, "reason": "x"}), caller.key)
    caller.refused(caller.call(PATH, sealed(caller, document).encode()), "document-invalid")


@case(336, "as it was before all this", "5.2", "a receipt")
def _still(caller: Caller) -> None:
    sent = sealed(caller)
    receipt_of(caller, caller.call(PATH, sent.encode()), sent)
