"""The invitation, and the answer to it: how a newcomer and its sponsor come to trust one another.

The sponsor hands the invitation over by another way than the network. The newcomer learns from it
which alliance it is (the digest of version 1) and whose key it will speak to (the fingerprint); the
sponsor recognizes the answer by the secret, of which it keeps only a digest.  SPEC Joining, PEER 4.

The secret never stands in a URL, and crosses the wire only inside what is sealed to the sponsor.

    invitation file   {"charters": the chain's file, "invitation": the invitation}
    answer            {"charters": the same, up to the version in force, "draft": when there is one}
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from protocol import limits
from protocol.keys import b64encode
from protocol.signed import SignedDocument
from protocol.strictjson import JSON, Reader, encode, parse

DOMAIN_PATTERN = r"[a-z0-9.\-]{1,200}"
FINGERPRINT_PATTERN = r"\d{5}( \d{5}){5}"


def secret_digest(secret: bytes) -> bytes:
    """What the sponsor keeps of an invitation's secret."""
    return hashlib.sha256(b"tasuki/v1/invitation\n" + secret).digest()


@dataclass(frozen=True, slots=True)
class Invitation:
    """ "Join us": for one member at one domain, once, for seven days."""

    alliance: str
    founding: bytes
    sponsor: str
    sponsor_url: str
    fingerprint: str
    member: str
    domain: str
    expires_at: int
    secret: bytes = field(repr=False)

    def encode(self) -> bytes:
        return encode(
            {
                "alliance": self.alliance,
                "domain": self.domain,
                "expires_at": self.expires_at,
                "fingerprint": self.fingerprint,
                "founding": b64encode(self.founding),
                "member": self.member,
                "secret": b64encode(self.secret),
                "sponsor": self.sponsor,
                "sponsor_url": self.sponsor_url,
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> Invitation:
        reader = Reader(parse(data, bytes_max=limits.MEASURE_BYTES_MAX))
        invitation = cls(
            alliance=reader.text("alliance", chars_max=32, pattern=limits.ALLIANCE_ID_PATTERN),
            founding=reader.bytes("founding", length=32),
            sponsor=reader.text("sponsor", chars_max=32, pattern=limits.MEMBER_ID_PATTERN),
            sponsor_url=reader.text("sponsor_url", chars_max=220, pattern=r"https?://\S{1,200}"),
            fingerprint=reader.text("fingerprint", chars_max=35, pattern=FINGERPRINT_PATTERN),
            member=reader.text("member", chars_max=32, pattern=limits.MEMBER_ID_PATTERN),
            domain=reader.text("domain", chars_max=200, pattern=DOMAIN_PATTERN),
            expires_at=reader.integer("expires_at", 0, limits.TIME_MAX),
            secret=reader.bytes("secret", length=limits.INVITATION_SECRET_BYTES),
        )
        reader.done()
        return invitation


@dataclass(frozen=True, slots=True)
class Invited:
    """What the sponsor keeps: whom it invited, until when, and the secret's digest."""

    member: str
    domain: str
    expires_at: int
    secret_digest: bytes
    is_used: bool = False

    @classmethod
    def of(cls, invitation: Invitation) -> Invited:
        """The part of an invitation that may be stored."""
        return cls(
            member=invitation.member,
            domain=invitation.domain,
            expires_at=invitation.expires_at,
            secret_digest=secret_digest(invitation.secret),
        )


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """The answer to an invitation: its secret, and the card of who wants to join."""

    secret: bytes = field(repr=False)
    card: SignedDocument

    @property
    def secret_digest(self) -> bytes:
        return secret_digest(self.secret)

    def encode(self) -> bytes:
        return encode({"card": self.card.to_json(), "secret": b64encode(self.secret)})

    @classmethod
    def parse(cls, data: bytes) -> JoinRequest:
        reader = Reader(parse(data, bytes_max=limits.JOIN_REQUEST_BYTES_MAX))
        request = cls(
            secret=reader.bytes("secret", length=limits.INVITATION_SECRET_BYTES),
            card=SignedDocument.from_json(reader.value("card")),
        )
        reader.done()
        return request


@dataclass(frozen=True, slots=True)
class InvitationFile:
    """What the sponsor hands over: the invitation, and the charters that prove who the sponsor is.

    `charters` is the chain's file as `decree.encode_chain` writes it.
    """

    invitation: Invitation
    charters: bytes

    def encode(self) -> bytes:
        return encode(
            {"charters": _json(self.charters), "invitation": _json(self.invitation.encode())}
        )

    @classmethod
    def parse(cls, data: bytes) -> InvitationFile:
        reader = Reader(parse(data, bytes_max=limits.CHAIN_BYTES_MAX))
        file = cls(
            invitation=Invitation.parse(encode(reader.value("invitation"))),
            charters=encode(reader.value("charters")),
        )
        reader.done()
        return file


@dataclass(frozen=True, slots=True)
class JoinAnswer:
    """What the sponsor answers a request with: the charters by now, and the draft, once written."""

    charters: bytes
    draft: SignedDocument | None = None

    def encode(self) -> bytes:
        answer: dict[str, JSON] = {"charters": _json(self.charters)}
        if self.draft is not None:
            answer["draft"] = self.draft.to_json()
        return encode(answer)

    @classmethod
    def parse(cls, data: bytes) -> JoinAnswer:
        reader = Reader(parse(data, bytes_max=limits.PEER_RESPONSE_BYTES_MAX))
        has_draft = reader.has("draft")
        answer = cls(
            charters=encode(reader.value("charters")),
            draft=SignedDocument.from_json(reader.value("draft")) if has_draft else None,
        )
        reader.done()
        return answer


def _json(data: bytes) -> JSON:
    return parse(data, bytes_max=limits.CHAIN_BYTES_MAX)
