"""Envelopes: what is sealed arrives whole, to the one it is for, from the one who signed it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import envelope, signed
from protocol.errors import CannotDecrypt, KeyUnknown, ReceiptInvalid
from tests.protocol.cast import ALLIANCE, KEYS, NOW, REFERRAL, SEALING, SIGNING, letter
from tests.protocol.refusals import refusal_of
from tests.protocol.vector_makers.envelopes import seal


def receive(data: bytes) -> signed.SignedDocument:
    received = envelope.parse(data)
    envelope.verify_addressing(received, alliance=ALLIANCE, sender="aoba", recipient="biwa")
    return envelope.open(received, SEALING["biwa"])


def test_a_letter_travels() -> None:
    sent = seal()
    received = envelope.parse(sent.encode())
    assert received == sent
    assert received.digest == sent.digest
    envelope.verify_addressing(received, alliance=ALLIANCE, sender="aoba", recipient="biwa")
    document = envelope.open(received, SEALING["biwa"])
    assert document == letter()
    content = envelope.verify_content(document, received, "referral", KEYS, bytes)
    assert (content.signer, content.body) == ("aoba", REFERRAL)


def test_nothing_of_the_content_shows_outside() -> None:
    assert "ソフトウェア".encode() not in seal().encode()
    assert SIGNING["aoba"].keyid.encode() not in seal().encode()


@given(st.binary())
def test_a_payload_of_any_bytes_travels(payload: bytes) -> None:
    sent = seal(signed.sign("referral", payload, SIGNING["aoba"]))
    assert envelope.open(sent, SEALING["biwa"]).payload == payload


@given(st.binary())
def test_garbage_is_no_envelope(data: bytes) -> None:
    assert refusal_of(lambda: envelope.parse(data))


@given(st.data())
def test_an_envelope_with_one_bit_turned_is_refused(data: st.DataObject) -> None:
    sent = bytearray(seal().encode())
    at = data.draw(st.integers(0, len(sent) * 8 - 1))
    sent[at // 8] ^= 1 << at % 8
    refusal = refusal_of(lambda: receive(bytes(sent)))
    # The deadline stands outside alone: the request's signature protects it, not the seal.
    assert refusal or envelope.parse(bytes(sent)).deadline != NOW + 1000


@pytest.mark.parametrize("name", ["aoba", "seeds", "bridge"])
def test_only_the_recipient_opens(name: str) -> None:
    with pytest.raises(CannotDecrypt):
        envelope.open(seal(), SEALING[name])


def test_a_receipt_proves_that_the_recipient_holds_these_bytes() -> None:
    sent = seal()
    document = envelope.make_receipt(sent, received_at=NOW, incarnation=2, key=SIGNING["biwa"])
    receipt = envelope.verify_receipt(document, sent, KEYS)
    assert receipt.signer == "biwa"
    assert (receipt.body.received_at, receipt.body.incarnation) == (NOW, 2)
    # Sealed twice, the same letter is other bytes: a receipt is for the bytes.
    with pytest.raises(ReceiptInvalid):
        envelope.verify_receipt(document, seal(), KEYS)
    with pytest.raises(KeyUnknown):
        envelope.verify_receipt(document, sent, {})


@given(st.binary())
def test_garbage_is_no_receipt(payload: bytes) -> None:
    document = signed.sign("receipt", payload, SIGNING["biwa"])
    assert refusal_of(lambda: envelope.verify_receipt(document, seal(), KEYS))
