"""Vectors of envelopes and receipts: altered, misaddressed, passed on, and dishonestly sealed.

Sealing draws a fresh key each time, so these files do not come out the same twice.
"""

import json
from collections.abc import Iterator

from protocol import envelope, sealing, signed, strictjson
from protocol.envelope import Envelope
from protocol.keys import b64decode, b64encode
from tests.protocol.cast import ALLIANCE, EPOCH, NOW, REFERRAL, SEALING, SIGNING, letter
from tests.protocol.vector import Vector

ID = "0123456789abcdef0123456789abcdef"


def seal(document: signed.SignedDocument | None = None, **changes: object) -> Envelope:
    arguments = {
        "id": ID,
        "alliance": ALLIANCE,
        "epoch": EPOCH,
        "sender": "aoba",
        "recipient": "biwa",
        "recipient_key": SEALING["biwa"].public,
        "kind_class": "referral",
        "deadline": NOW + 1000,
    }
    return envelope.seal(document or letter(), **{**arguments, **changes})


def _vector(name: str, about: str, layer: str | None, refusal: str | None, data: bytes) -> Vector:
    given = {"text": data.decode()}
    return Vector(name, about, "envelope", layer, refusal, given, repeatable=False)


def _edited(**changes: object) -> bytes:
    fields = {**json.loads(seal().encode()), **changes}
    return strictjson.encode({name: value for name, value in fields.items() if value != ...})


def _lying(inside: bytes) -> bytes:
    """An envelope whose outside is right and whose sealed inside is `inside`."""
    info = f"tasuki/v1/envelope\n{ALLIANCE}\n{EPOCH}\naoba\nbiwa\n{ID}\nreferral".encode()
    sealed = sealing.seal(SEALING["biwa"].public, inside, info)
    return _edited(ciphertext=b64encode(sealed))


def _inside(**changes: object) -> bytes:
    fields = {
        "from": "aoba",
        "id": ID,
        "kind": "referral",
        "signatures": letter().to_json()["signatures"],
        "to": "biwa",
    }
    return strictjson.encode({**fields, **changes}) + b"\n" + REFERRAL


def make() -> Iterator[Vector]:
    yield _vector("valid_envelope", "aoba writes to biwa", None, None, seal().encode())
    honest = _lying(_inside())
    yield _vector("valid_envelope_by_hand", "the same, put together", None, None, honest)
    yield from _outsides()
    yield from _openings()
    yield from _dishonest()
    yield from _contents()
    yield from _receipts()


def _outsides() -> Iterator[Vector]:
    for name, about, data in (
        ("envelope_field_missing", "no deadline", _edited(deadline=...)),
        ("envelope_field_unknown", "a field that nobody reads", _edited(hop="seeds")),
        ("envelope_epoch_text", "the epoch is a text", _edited(epoch="1")),
        ("envelope_epoch_true", "the epoch is true, a 1 to Python", _edited(epoch=True)),
        ("envelope_id_short", "an id that can be guessed", _edited(id="1")),
        ("envelope_member_upper_case", "a member's id in upper case", _edited(to="BIWA")),
        ("envelope_class_unknown_form", "a class of many words", _edited(**{"class": "a b"})),
        ("envelope_ciphertext_padded", "base64 with padding", _edited(ciphertext="YQ==")),
    ):
        yield _vector(name, about, "outside", "document-invalid", data)
    text = seal().encode().decode()
    twice = text.replace('"epoch":1', '"epoch":1,"epoch":1').encode()
    yield _vector("envelope_field_twice", "two epochs", "outside", "json-not-strict", twice)
    nested = _edited(deadline=[[0]])
    yield _vector("envelope_nested", "arrays in arrays", "outside", "json-depth", nested)
    for name, about, refusal, data in (
        (
            "envelope_of_another_sender",
            "brought by aoba, from seeds",
            "sender-mismatch",
            seal(sender="seeds").encode(),
        ),
        (
            "envelope_to_another_member",
            "brought to biwa, for seeds",
            "recipient-mismatch",
            seal(recipient="seeds").encode(),
        ),
        (
            "envelope_of_another_alliance",
            "of another alliance",
            "recipient-mismatch",
            seal(alliance="sumida").encode(),
        ),
    ):
        yield _vector(name, about, "addressing", refusal, data)


def _openings() -> Iterator[Vector]:
    cannot = "cannot-decrypt"
    sealed = bytearray(b64decode(json.loads(seal().encode())["ciphertext"]))
    turned = bytearray(sealed)
    turned[-1] ^= 1
    encapsulation = bytearray(sealed)
    encapsulation[0] ^= 1
    for name, about, data in (
        (
            "envelope_one_bit",
            "one bit of the ciphertext is turned",
            _edited(ciphertext=b64encode(bytes(turned))),
        ),
        (
            "envelope_one_bit_of_the_key",
            "one bit of the encapsulated key is turned",
            _edited(ciphertext=b64encode(bytes(encapsulation))),
        ),
        (
            "envelope_cut",
            "half a ciphertext",
            _edited(ciphertext=b64encode(bytes(sealed[: len(sealed) // 2]))),
        ),
        ("envelope_empty", "no ciphertext", _edited(ciphertext="")),
        ("envelope_other_epoch", "the epoch outside was changed", _edited(epoch=2)),
        ("envelope_other_id", "the id outside was changed", _edited(id="f" * 32)),
        ("envelope_other_class", "the class outside was changed", _edited(**{"class": "hire"})),
        (
            "envelope_other_sealing_key",
            "a key that biwa does not hold",
            _edited(sealing_key=SEALING["seeds"].keyid),
        ),
        (
            "envelope_sealed_to_another",
            "sealed to seeds under biwa's key id",
            _edited(
                ciphertext=json.loads(seal(recipient_key=SEALING["seeds"].public).encode())[
                    "ciphertext"
                ]
            ),
        ),
    ):
        yield _vector(name, about, "opening", cannot, data)


def _dishonest() -> Iterator[Vector]:
    for name, about, refusal, inside in (
        (
            "envelope_sender_inside",
            "another sender inside",
            "sender-mismatch",
            _inside(**{"from": "seeds"}),
        ),
        (
            "envelope_recipient_inside",
            "written to seeds, sealed on to biwa",
            "recipient-mismatch",
            _inside(to="seeds"),
        ),
        ("envelope_id_inside", "another id inside", "recipient-mismatch", _inside(id="f" * 32)),
        (
            "envelope_inside_unknown_field",
            "a field too many",
            "document-invalid",
            _inside(bcc="seeds"),
        ),
        ("envelope_inside_no_payload", "a header and nothing else", "document-invalid", b"{}"),
        (
            "envelope_inside_twice",
            "two senders inside",
            "json-not-strict",
            _inside().replace(b'"id"', b'"from":"aoba","id"', 1),
        ),
        ("envelope_inside_garbage", "no JSON inside", "json-not-strict", b"hello\n"),
    ):
        yield _vector(name, about, "opening", refusal, _lying(inside))


def _contents() -> Iterator[Vector]:
    about = "seeds' letter to aoba, put by aoba into an envelope of its own"
    theirs = seal(signed.sign("referral", REFERRAL, SIGNING["seeds"])).encode()
    yield _vector("envelope_content_of_another", about, "content", "sender-mismatch", theirs)
    unknown = seal(signed.sign("surprise", REFERRAL, SIGNING["aoba"])).encode()
    about = "a kind that nobody knows"
    yield _vector("envelope_kind_unknown", about, "content", "document-invalid", unknown)
    forged = signed.SignedDocument("referral", REFERRAL + b" ", letter().signatures)
    about = "the letter was changed before sealing"
    data = seal(forged).encode()
    yield _vector("envelope_content_changed", about, "content", "signature-invalid", data)


def _receipts() -> Iterator[Vector]:
    letter_to_biwa = seal()

    def receipt(
        name: str, about: str, refusal: str | None, signer: str = "biwa", **changes: object
    ) -> Vector:
        fields = {
            "envelope_id": ID,
            "envelope_digest": letter_to_biwa.digest,
            "sender": "aoba",
            "recipient": "biwa",
            "received_at": NOW,
            "incarnation": 0,
            **changes,
        }
        payload = envelope.Receipt(**fields).encode()
        document = signed.sign("receipt", payload, SIGNING[signer])
        given = {
            "receipt": {"text": document.encode().decode()},
            "envelope": {"text": letter_to_biwa.encode().decode()},
        }
        layer = refusal and "receipt"
        return Vector(name, about, "receipt", layer, refusal, given, repeatable=False)

    invalid = "receipt-invalid"
    yield receipt("valid_receipt", "biwa holds it", None)
    yield receipt("receipt_of_another", "signed by seeds", invalid, "seeds")
    yield receipt("receipt_other_bytes", "for other bytes", invalid, envelope_digest=bytes(32))
    yield receipt("receipt_other_id", "for another id", invalid, envelope_id="f" * 32)
    yield receipt("receipt_other_names", "names other members", invalid, sender="seeds")
