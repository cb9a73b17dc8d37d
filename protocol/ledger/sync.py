"""What two replicas tell each other: the answer to an order, and what one lacks.  SPEC §6.5.

These are bodies of signed HTTP calls, not documents: they say nothing that has to be proven to a
third member. What they carry inside (votes, certificates) is proven by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from protocol import limits
from protocol.errors import TooLarge
from protocol.keys import b64decode, b64encode
from protocol.ledger.certificates import encode_certificate
from protocol.ledger.warrant import Warrant
from protocol.signed import SignedDocument, read_written
from protocol.strictjson import JSON, Reader, encode, parse

# Base64 writes three bytes in four characters.
CERTIFICATE_CHARS_MAX = limits.CERTIFICATE_BYTES_MAX * 4 // 3 + 4

_VOTE = b'{"outcome":"vote","vote":'
_CERTIFICATE, _ORDER, _WARRANT = b'{"certificate":', b',"order":', b',"warrant":'


class OrderRequest(NamedTuple):
    """ "Vote on this order", and mostly the certificate that settled its account's place before.

    Together they cost one message and one transaction of each voter, where each alone costs one.
    An order of a later incarnation comes with the promises that allow it, its `warrant`.
    """

    order: SignedDocument
    certificate: bytes | None = None
    warrant: bytes = b""

    def encode(self) -> bytes:
        if self.certificate is None and not self.warrant:
            return self.order.encode()
        before = b"{" if self.certificate is None else _CERTIFICATE + self.certificate + b","
        after = _WARRANT + self.warrant if self.warrant else b""
        return before + b'"order":' + self.order.encode() + after + b"}"

    @classmethod
    def parse(cls, data: bytes) -> OrderRequest:
        """The claims; the certificate may be anything until `verify_certificate` has read it."""
        if len(data) > limits.ORDER_REQUEST_BYTES_MAX:
            raise TooLarge(f"{len(data)} bytes", limit_bytes=limits.ORDER_REQUEST_BYTES_MAX)
        return cls._read_written(data) or cls._from_json(
            parse(data, bytes_max=limits.ORDER_REQUEST_BYTES_MAX)
        )

    @classmethod
    def _read_written(cls, data: bytes) -> OrderRequest | None:
        if not data.startswith(_CERTIFICATE):
            order = read_written(data)
            return None if order is None else cls(order)
        # No order's own writing has these bytes in it, so the last ones part the two.
        certificate, _, written = data[len(_CERTIFICATE) : -1].rpartition(_ORDER)
        order = read_written(written) if data.endswith(b"}") else None
        return None if order is None else cls(order, certificate)

    @classmethod
    def _from_json(cls, value: JSON) -> OrderRequest:
        if type(value) is not dict or "order" not in value:
            return cls(SignedDocument.from_json(value))
        reader = Reader(value)
        certificate = warrant = None
        if reader.has("certificate"):
            claim = reader.object("certificate")
            certificate = encode_certificate(
                SignedDocument.from_json(claim.value("order")),
                SignedDocument.from_json(claim.value("vote")),
            )
            claim.done()
        if reader.has("warrant"):
            warrant = Warrant.read(reader.object("warrant"))
        request = cls(
            SignedDocument.from_json(reader.value("order")),
            certificate,
            b"" if warrant is None else warrant.encode(),
        )
        reader.done()
        return request


class OrderAnswer(NamedTuple):
    """Exactly one of: a vote, what we need first, the certificate that settled the place."""

    vote: SignedDocument | None = None
    need: Mapping[str, tuple[int, int]] | None = None
    certificate: bytes | None = None

    def encode(self) -> bytes:
        if self.vote is not None:
            return _VOTE + self.vote.encode() + b"}"
        if self.certificate is not None:
            return encode({"certificate": b64encode(self.certificate), "outcome": "settled"})
        ranges: JSON = {a: list(span) for a, span in (self.need or {}).items()}
        return encode({"need": ranges, "outcome": "need"})

    @classmethod
    def parse(cls, data: bytes) -> OrderAnswer:
        # Nearly every answer is a vote in our own writing.
        if len(data) <= limits.CERTIFICATE_BYTES_MAX and data.startswith(_VOTE):
            vote = read_written(data[len(_VOTE) : -1])
            if vote is not None and data.endswith(b"}"):
                return cls(vote=vote)
        reader = Reader(parse(data, bytes_max=limits.PEER_BODY_BYTES_MAX))
        outcome = reader.text("outcome", 7, pattern="vote|need|settled")
        if outcome == "vote":
            answer = cls(vote=SignedDocument.from_json(reader.value("vote")))
        elif outcome == "settled":
            answer = cls(certificate=b64decode(reader.text("certificate", CERTIFICATE_CHARS_MAX)))
        else:
            answer = cls(need=_ranges(reader.object("need")))
        reader.done()
        return answer


def _ranges(reader: Reader) -> Mapping[str, tuple[int, int]]:
    found = {}
    for account in reader.names(limits.MEMBERS_MAX, pattern=limits.MEMBER_ID_PATTERN):
        first, last = reader.integers(account, 2, 1, limits.SEQUENCE_MAX)
        found[account] = (first, last)
    return found


@dataclass(frozen=True, slots=True)
class Pull:
    """ "Here is where I stand; send what I lack, from these accounts on.\""""

    vector: Mapping[str, int]
    charter_version: int

    def encode(self) -> bytes:
        return encode({"charter_version": self.charter_version, "vector": dict(self.vector)})

    @classmethod
    def parse(cls, data: bytes) -> Pull:
        reader = Reader(parse(data, bytes_max=limits.PULL_ASKED_BYTES_MAX))
        pull = cls(
            vector=read_vector(reader.object("vector")),
            charter_version=reader.integer("charter_version", 1, limits.VERSION_MAX),
        )
        reader.done()
        return pull


@dataclass(frozen=True, slots=True)
class PullAnswer:
    """The answerer's own state, and a page of certificates; `more` when the page was not enough."""

    vector: Mapping[str, int]
    state: bytes
    certificates: tuple[bytes, ...]
    more: bool

    def encode(self) -> bytes:
        return encode(
            {
                "certificates": [b64encode(each) for each in self.certificates],
                "more": self.more,
                "state": b64encode(self.state),
                "vector": dict(self.vector),
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> PullAnswer:
        reader = Reader(parse(data, bytes_max=limits.PEER_RESPONSE_BYTES_MAX))
        page = reader.texts("certificates", limits.PULL_CERTIFICATES_MAX, CERTIFICATE_CHARS_MAX)
        answer = cls(
            vector=read_vector(reader.object("vector")),
            state=reader.bytes("state", length=32),
            certificates=tuple(b64decode(each) for each in page),
            more=reader.boolean("more"),
        )
        reader.done()
        return answer


def read_vector(reader: Reader) -> Mapping[str, int]:
    """A vector of account and last applied sequence."""
    return {
        account: reader.integer(account, 1, limits.SEQUENCE_MAX)
        for account in reader.names(limits.MEMBERS_MAX, pattern=limits.MEMBER_ID_PATTERN)
    }


def lacking(theirs: Mapping[str, int], ours: Mapping[str, int]) -> Mapping[str, tuple[int, int]]:
    """What we can send to a replica that stands at `theirs`: account -> (first, last)."""
    return {
        account: (theirs.get(account, 0) + 1, sequence)
        for account, sequence in ours.items()
        if sequence > theirs.get(account, 0)
    }
