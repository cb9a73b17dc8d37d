"""Vectors of signed documents: forms with two readings, and proofs that prove nothing."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from protocol import signed
from protocol.keys import b64encode
from tests.protocol.cast import REFERRAL, SIGNING, STRANGER, letter
from tests.protocol.vector import Vector

Change = Callable[[dict[str, Any]], None]


def _without(name: str) -> Change:
    return lambda fields: fields.pop(name) and None


def _with(name: str, value: object) -> Change:
    return lambda fields: fields.update({name: value})


def _signature_with(name: str, value: object) -> Change:
    return lambda fields: fields["signatures"][0].update({name: value})


_FORMS: list[tuple[str, str, Change]] = [
    ("document_field_missing", "no payload", _without("payload")),
    ("document_field_unknown", "a field that nobody reads", _with("note", "x")),
    ("document_kind_with_slash", "a kind that reaches into the label", _with("kind", "a/b")),
    ("document_kind_line_feed", "a kind with a line feed at its end", _with("kind", "referral\n")),
    ("document_payload_padded", "base64url with padding", _with("payload", "YQ==")),
    ("document_payload_standard_base64", "the other alphabet", _with("payload", "a+/b")),
    ("document_payload_loose_bits", "unused bits are not zero", _with("payload", "YR")),
    ("document_payload_space", "white space inside base64url", _with("payload", "YW Jj")),
    ("document_payload_number", "the payload is a number", _with("payload", 7)),
    ("document_unsigned", "an empty list of signatures", _with("signatures", [])),
    ("document_signatures_object", "signatures is an object", _with("signatures", {})),
    (
        "document_signature_short",
        "a signature of 63 bytes",
        _signature_with("value", b64encode(bytes(63))),
    ),
    ("document_signature_unknown_field", "a signature with alg", _signature_with("alg", "none")),
    ("document_keyid_short", "a key id that is no thumbprint", _signature_with("keyid", "abc")),
]


def make() -> Iterator[Vector]:
    yield _proof("valid_document", "a referral of aoba", None, letter())
    for name, about, change in _FORMS:
        fields = letter().to_json()
        change(fields)
        text = json.dumps(fields, separators=(",", ":"))
        given = {"text": text}
        yield Vector(name, about, "document", "form", "document-invalid", given)
    many = letter().to_json()
    many["signatures"] *= 65
    given = {"text": json.dumps(many, separators=(",", ":"))}
    about = "more signatures than an alliance has members"
    yield Vector("document_65_signatures", about, "document", "form", "document-invalid", given)

    aoba = SIGNING["aoba"]
    other_kind = signed.sign("acceptance", REFERRAL, aoba)
    yield _proof("document_other_kind", "a good acceptance", "document-invalid", other_kind)
    # The kind is part of what is signed: relabelling breaks the signature.
    relabelled = signed.SignedDocument("referral", REFERRAL, other_kind.signatures)
    yield _proof(
        "document_relabelled", "an acceptance called referral", "signature-invalid", relabelled
    )
    changed = signed.SignedDocument("referral", REFERRAL + b" ", letter().signatures)
    yield _proof("document_changed", "one byte more than was signed", "signature-invalid", changed)
    stranger = signed.sign("referral", REFERRAL, STRANGER)
    yield _proof("document_stranger", "signed by no member", "key-unknown", stranger)
    twice = letter().add(SIGNING["biwa"])
    yield _proof("document_two_signatures", "signed by two", "document-invalid", twice)
    borrowed = signed.Signature(SIGNING["biwa"].keyid, letter().signatures[0].value)
    claimed = signed.SignedDocument("referral", REFERRAL, (borrowed,))
    yield _proof(
        "document_other_keyid", "biwa's key id, aoba's signature", "signature-invalid", claimed
    )


def _proof(name: str, about: str, refusal: str | None, document: signed.SignedDocument) -> Vector:
    given = {"text": document.encode().decode()}
    return Vector(name, about, "document", refusal and "proof", refusal, given)
