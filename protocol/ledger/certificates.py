"""Certificates: proof that a quorum of the alliance voted for one order.  SPEC §6.3.

A certificate is the owner's signed order and one vote document with the signatures of the others.
The owner's signature on the order is the owner's vote.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol import limits
from protocol.charter import Charter
from protocol.documents.ledger import ORDER, VOTE, Order, Vote
from protocol.errors import CertificateInvalid, EpochMismatch, ProtocolError
from protocol.keys import VerifyKey
from protocol.signed import Signature, Signed, SignedDocument, check_signature, verify
from protocol.strictjson import Reader, parse


@dataclass(frozen=True, slots=True)
class Certificate:
    """Made only by `verify_certificate` and `Ballot.certificate`, both of which count the votes."""

    order: Signed[Order]
    vote: SignedDocument
    # The bytes as they were received, or written when the owner made it.
    data: bytes


def encode_certificate(order: SignedDocument, vote: SignedDocument) -> bytes:
    return b'{"order":' + order.encode() + b',"vote":' + vote.encode() + b"}"


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


def verify_vote(vote: SignedDocument, order: Signed[Order]) -> None:
    """Raise unless the vote's statement is about exactly this order; signatures come after."""
    # The digest, not the place: two orders may claim one place, and a vote for one of them must
    # never count for the other.
    if vote.kind != VOTE or vote.payload != Vote.on(order.body, order.digest).encode():
        raise CertificateInvalid("the vote is about another order")


def verify_certificate(
    data: bytes,
    charter: Charter,
    *,
    proven: Signed[Order] | None = None,
    own: Signature | None = None,
) -> Certificate:
    """The certificate, or the first reason why it is none, as CertificateInvalid.

    `proven` is an order verified before (when this replica voted), `own` the signature this
    replica itself gave: what is known to be true byte for byte is not verified again.
    """
    document, vote = parse_certificate(data)
    if proven is not None and proven.document == document:
        order = proven
    else:
        order = verify_order(document, charter)
    verify_vote(vote, order)

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


def _check(vote: SignedDocument, signature: Signature, key: VerifyKey) -> None:
    try:
        check_signature(vote, signature, key)
    except ProtocolError as refusal:
        raise CertificateInvalid("a vote's signature does not verify") from refusal
