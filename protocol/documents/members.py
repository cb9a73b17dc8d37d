"""The member card: what a founder or a newcomer hands over to be written into a charter.  SPEC §4.

It is the member's own description with its three public keys, signed by its identity key and by
its node's signing key, so that nobody can enter a key he does not hold.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol import limits
from protocol.charter import Member
from protocol.errors import SignatureMissing
from protocol.keys import SigningKey, VerifyKey
from protocol.signed import SignedDocument, check_signature, require_kind, sign
from protocol.strictjson import Reader, encode, parse

MEMBER_CARD = "member-card"


@dataclass(frozen=True, slots=True)
class MemberCard:
    """A member as it describes itself."""

    member: Member

    def encode(self) -> bytes:
        return encode(self.member.to_json())

    def sign(self, identity: SigningKey, node: SigningKey) -> SignedDocument:
        """The card under both keys that it names."""
        return sign(MEMBER_CARD, self.encode(), identity).add(node)

    @classmethod
    def parse(cls, payload: bytes) -> MemberCard:
        """The card as it describes itself; nothing is proven by that."""
        return cls(Member.read(Reader(parse(payload, bytes_max=limits.CHARTER_BYTES_MAX))))

    @classmethod
    def verify(cls, document: SignedDocument) -> MemberCard:
        """The card, proven to come from the holder of both keys it names."""
        require_kind(document, MEMBER_CARD)
        card = cls.parse(document.payload)
        member = card.member
        keys = {key.keyid: key for key in map(VerifyKey, (member.identity_key, member.signing_key))}
        proven = set()
        for signature in document.signatures:
            if signature.keyid in keys:
                check_signature(document, signature, keys[signature.keyid])
                proven.add(signature.keyid)
        if len(proven) != 2:
            raise SignatureMissing("a member card is signed by its identity key and its node's key")
        return card
