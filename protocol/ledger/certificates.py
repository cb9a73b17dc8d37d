"""Certificates: proof that a quorum of the alliance voted for one order.  SPEC §6.3.

A certificate is the owner's signed order and one vote document with the signatures of the others.
The owner's signature on the order is the owner's vote.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from protocol import limits
from protocol.charter import Charter
from protocol.documents.ledger import (
    FIRST_INCARNATION,
    ORDER,
    VOTE,
    Order,
    encode_vote,
    in_incarnation,
)
from protocol.errors import CertificateInvalid, EpochMismatch, ProtocolError, TooLarge
from protocol.keys import VerifyKey
from protocol.signed import (
    Signature,
    Signed,
    SignedDocument,
    check_signature,
    read_written_signatures,
    verify,
)
from protocol.strictjson import Reader, parse

_ORDER = b'{"order":'
_AND_VOTE = b',"vote":'


class Voted(NamedTuple):
    """What a replica remembers from its vote until the certificate: the order, and its vote."""

    order: Signed[Order]
    vote: SignedDocument


class Certificate(NamedTuple):
    """Made only by `verify_certificate` and `Ballot.certificate`, both of which count the votes."""

    order: Signed[Order]
    vote: SignedDocument
    # The bytes as they were received, or written when the owner made it.
    data: bytes


def encode_certificate(order: SignedDocument, vote: SignedDocument) -> bytes:
    """The certificate's one writing: the order and the vote as they are."""
    return _ORDER + order.encode() + _AND_VOTE + vote.encode() + b"}"


def order_within(data: bytes) -> bytes:
    """The signed order's bytes within a certificate; anything, if it is written in another way."""
    return data[len(_ORDER) : data.find(_AND_VOTE)]


def parse_certificate(data: bytes) -> tuple[SignedDocument, SignedDocument]:
    """The order and the vote of a certificate, with nothing proven about either."""
    reader = Reader(parse(data, bytes_max=limits.CERTIFICATE_BYTES_MAX))
    documents = (
        SignedDocument.from_json(reader.value("order")),
        SignedDocument.from_json(reader.value("vote")),
    )
    reader.done()
    return documents


def verify_order(document: SignedDocument, charter: Charter) -> Signed[Order]:
    """The order, proven to be signed by its account's owner under this charter."""
    order = verify(document, ORDER, charter.keys, Order.parse)
    body = order.body
    if body.alliance != charter.alliance or body.epoch != charter.epoch:
        raise EpochMismatch(
            f"the order is of {body.alliance} epoch {body.epoch}", epoch=charter.epoch
        )
    if order.signer != body.account:
        raise CertificateInvalid(f"{order.signer} signed an order of {body.account}")
    return order


def content_digest(order: Signed[Order]) -> bytes:
    """The digest that the order has, or would have, in the first incarnation.

    It names what an order says, whatever promises allowed it: the next order's `previous`, so that
    an order that was certified before a fence and again behind it has one successor.
    """
    return digest_of_content(order.document, order.body.incarnation)


def digest_of_content(document: SignedDocument, incarnation: int) -> bytes:
    """The same of an order that says it is of this incarnation, and of which nothing is proven."""
    if incarnation == FIRST_INCARNATION:
        return document.digest
    payload = in_incarnation(document.payload, FIRST_INCARNATION)
    return SignedDocument(ORDER, payload, ()).digest


def verify_vote(vote: SignedDocument, order: Signed[Order]) -> None:
    """Raise unless the vote's statement is about exactly this order; signatures come after."""
    # The digest, not the place: two orders may claim one place, and a vote for one of them must
    # never count for the other.
    if vote.kind != VOTE or vote.payload != encode_vote(order.body, order.digest):
        raise CertificateInvalid("the vote is about another order")


def verify_certificate(data: bytes, charter: Charter, *, voted: Voted | None = None) -> Certificate:
    """The certificate, or the first reason why it is none, as CertificateInvalid.

    What is byte for byte as in `voted` is not read and not verified again.
    """
    if len(data) > limits.CERTIFICATE_BYTES_MAX:
        raise TooLarge(f"{len(data)} bytes", limit_bytes=limits.CERTIFICATE_BYTES_MAX)
    claim = None if voted is None else _as_voted(data, voted, charter)
    order, vote, own = claim or _read(data, charter)

    voters = {order.signer}
    for signature in vote.signatures:
        known = charter.keys.get(signature.keyid)
        if known is None:
            raise CertificateInvalid("a vote is signed with a key that is no member's")
        key, voter = known
        # Members are counted, never signatures.
        if voter in voters:
            raise CertificateInvalid(f"{voter} is counted twice")
        if signature != own:
            _check(vote, signature, key)
        voters.add(voter)

    if len(voters) < charter.q:
        raise CertificateInvalid(f"{len(voters)} members voted and {charter.q} are needed")
    return Certificate(order, vote, data)


# What is proven of a certificate before its votes are counted, and the vote known to be our own.
_Claim: TypeAlias = tuple[Signed[Order], SignedDocument, Signature | None]


def _read(data: bytes, charter: Charter) -> _Claim:
    document, vote = parse_certificate(data)
    order = verify_order(document, charter)
    verify_vote(vote, order)
    return order, vote, None


def _as_voted(data: bytes, voted: Voted, charter: Charter) -> _Claim | None:
    """The claim of a certificate that is, up to its signatures, what we voted for."""
    start = encode_certificate(voted.order.document, voted.vote).rpartition(b"[")[0]
    if not data.startswith(start) or voted.order.body.epoch != charter.epoch:
        return None
    end = data[len(start) :]
    if not (end.isascii() and end.endswith(b"}}")):
        return None
    own = voted.vote.signatures[0]
    signatures = read_written_signatures(end[:-2].decode())
    if signatures is None:
        return None
    return voted.order, SignedDocument(VOTE, voted.vote.payload, signatures), own


def _check(vote: SignedDocument, signature: Signature, key: VerifyKey) -> None:
    try:
        check_signature(vote, signature, key)
    except ProtocolError as refusal:
        raise CertificateInvalid("a vote's signature does not verify") from refusal
