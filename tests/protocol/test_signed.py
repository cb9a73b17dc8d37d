"""Signed documents: bytes that stay as they are, labels that keep kinds apart, proof by type."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import signed
from protocol.errors import DocumentInvalid, KeyUnknown, SignatureInvalid
from protocol.signed import Signed, SignedDocument
from tests.protocol.cast import KEYS, REFERRAL, SIGNING, STRANGER, letter
from tests.protocol.refusals import refusal_of


def read(payload: bytes) -> bytes:
    return payload


def test_the_signed_bytes_are_those_of_dsse() -> None:
    # DSSE's own example, with our label.
    label = b"application/vnd.tasuki.vote.v1+json"
    assert signed.pae("vote", b"hello world") == b"DSSEv1 35 " + label + b" 11 hello world"


@given(
    st.sampled_from(["vote", "order"]), st.binary(), st.sampled_from(["vote", "order"]), st.binary()
)
def test_two_documents_never_sign_the_same_bytes(
    kind: str, payload: bytes, other_kind: str, other: bytes
) -> None:
    same = (kind, payload) == (other_kind, other)
    assert (signed.pae(kind, payload) == signed.pae(other_kind, other)) is same


@given(st.binary())
def test_a_document_is_proven_and_keeps_its_bytes(payload: bytes) -> None:
    document = signed.sign("vote", payload, SIGNING["aoba"])
    again = SignedDocument.parse(document.encode())
    assert again == document
    proven = signed.verify(again, "vote", KEYS, read)
    assert proven.body == proven.document.payload == payload
    assert proven.signer == "aoba"
    assert proven.digest == hashlib.sha256(signed.pae("vote", payload)).digest()


@given(st.binary())
def test_garbage_is_no_document(data: bytes) -> None:
    assert refusal_of(lambda: SignedDocument.parse(data))


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just("a" * 43) | st.just("A" * 86),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["kind", "payload", "signatures", "keyid", "value", "x"]), inner
        )
    ),
)


@given(JUNK)
def test_json_of_another_form_is_no_document(value: object) -> None:
    with pytest.raises(DocumentInvalid):
        SignedDocument.from_json({"kind": "vote", "payload": "", "signatures": value})
    with pytest.raises(DocumentInvalid):
        SignedDocument.from_json({"kind": value, "payload": "", "signatures": [value]})


def test_proof_cannot_be_claimed() -> None:
    with pytest.raises(TypeError, match="verify"):
        Signed(b"x", letter(), "aoba")


def test_a_signature_is_checked_before_the_payload_is_read() -> None:
    def never(payload: bytes) -> bytes:
        raise AssertionError("read before it was proven")

    document = SignedDocument("referral", b"changed", letter().signatures)
    with pytest.raises(SignatureInvalid):
        signed.verify(document, "referral", KEYS, never)


def test_a_stranger_proves_nothing() -> None:
    with pytest.raises(KeyUnknown):
        signed.verify(signed.sign("referral", REFERRAL, STRANGER), "referral", KEYS, read)


def test_every_signature_of_a_document_can_be_checked_by_itself() -> None:
    document = letter().add(SIGNING["biwa"])
    assert document.digest == letter().digest
    for signature in document.signatures:
        key, _ = KEYS[signature.keyid]
        signed.check_signature(document, signature, key)
    with pytest.raises(SignatureInvalid):
        signed.check_signature(document, document.signatures[0], SIGNING["biwa"].verify_key)


def test_our_own_document_is_proven_as_it_is_made() -> None:
    own = signed.sign_own("vote", b"{}", SIGNING["aoba"], "aoba", read)
    assert own == signed.verify(own.document, "vote", KEYS, read)
