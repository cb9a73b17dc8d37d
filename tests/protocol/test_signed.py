"""Signed documents: bytes that stay as they are, labels that keep kinds apart, proof by type."""

import hashlib
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import limits, signed, strictjson
from protocol.errors import DocumentInvalid, KeyUnknown, SignatureInvalid
from protocol.keys import SigningKey
from protocol.signed import Signed, SignedDocument, sign
from tests.protocol.cast import KEYS, REFERRAL, SIGNING, STRANGER, letter
from tests.protocol.refusals import outcome_of, refusal_of


@dataclass(frozen=True)
class Words:
    """A body that is its bytes."""

    words: bytes

    def encode(self) -> bytes:
        return self.words


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
    own = signed.sign_own("vote", Words(b"{}"), SIGNING["aoba"], "aoba")
    assert own == signed.verify(own.document, "vote", KEYS, Words)


PIECES = [
    b'"',
    b"{",
    b"}",
    b"[]",
    b",",
    b" ",
    b"A",
    b"=",
    b"\\u0041",
    b"\n",
    b"\xff",
    b'"kind":"x",',
]


@settings(max_examples=300)
@given(
    at=st.integers(0, 2000),
    length=st.integers(0, 3),
    piece=st.sampled_from(PIECES),
    signers=st.integers(1, 2),
)
def test_both_ways_of_reading_a_document_agree(
    at: int, length: int, piece: bytes, signers: int
) -> None:
    """What is written as we write it is read by patterns; everything by the JSON reader."""
    document = letter() if signers == 1 else letter().add(SIGNING["biwa"])
    data = document.encode()
    at %= len(data)
    changed = data[:at] + piece + data[at + length :]
    assert outcome_of(SignedDocument.parse, changed) == outcome_of(in_any_writing, changed)


def in_any_writing(data: bytes) -> SignedDocument:
    return SignedDocument.from_json(strictjson.parse(data, bytes_max=100_000))


def test_a_document_keeps_the_bytes_it_came_in() -> None:
    data = letter().encode()
    for read_back in (SignedDocument.parse(data), signed.read_written(data)):
        assert read_back is not None
        assert read_back == letter()
        assert read_back.encode() == data
    assert signed.read_written(b" " + data) is None
    assert SignedDocument.parse(b" " + data).encode() == data


@given(count=st.integers(0, 70))
def test_a_list_of_signatures_reads_back_as_it_was_written(count: int) -> None:
    document = SignedDocument("vote", b"x", letter().signatures * count)
    text = document.encode_signatures()
    expected = document.signatures if 1 <= count <= limits.SIGNATURES_MAX else None
    assert signed.read_written_signatures(text) == expected


def test_what_many_sign_is_joined_of_each_key_once_and_stays_readable() -> None:
    keys = [SigningKey.from_seed(bytes([number]) * 32) for number in range(limits.SIGNATURES_MAX)]
    one = sign("order", b"{}", keys[0])
    crowded = SignedDocument("order", b"{}", one.signatures * limits.SIGNATURES_MAX)
    assert crowded.joined() == one
    whole = crowded.joined(sign("order", b"{}", each).signatures[0] for each in (*keys, *keys))
    assert [each.keyid for each in whole.signatures] == [key.keyid for key in keys]
    more = sign("order", b"{}", SigningKey.from_seed(bytes([200]) * 32))
    assert whole.joined(more.signatures) == whole
    assert SignedDocument.parse(whole.encode()) == whole
