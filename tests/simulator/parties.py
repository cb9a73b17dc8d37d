"""The parties of a simulated alliance: charters of any size, keys that are real or stand in.

Nine seeds of ten sign with a keyed hash instead of Ed25519: it says the same to everybody who asks,
thirty times as fast. Charters, key ids and every document stay what they are in production.
"""

import hashlib
from dataclasses import fields
from functools import cache

from protocol import (
    CHARTER,
    Charter,
    Member,
    Policy,
    SigningKey,
    VerifyKey,
    errors,
    parse_charter,
    propose_quorum,
    sign,
)

NAMES = ("aoba", "biwa", "chuo", "daiwa", "ebisu", "fuji", "ginza", "hikari", "iwate", "jonan")
CREDIT_LIMIT = 6
ALLIANCE = "minato"


def seed_of(name: str, purpose: str) -> bytes:
    return hashlib.sha256(f"{purpose} {name}".encode()).digest()


class StandInKey(SigningKey):
    """Signs with a keyed hash of 64 bytes."""

    @property
    def verify_key(self) -> VerifyKey:
        return self._stand_in

    @verify_key.setter
    def verify_key(self, real: VerifyKey) -> None:
        self._stand_in = StandInVerifyKey(real.raw, self.seed_for_signing)

    def __init__(self, raw: bytes, secret: bytes) -> None:
        self.seed_for_signing = secret[:32]
        super().__init__(raw, secret)

    def sign(self, message: bytes) -> bytes:
        return hashlib.blake2b(message, key=self.seed_for_signing).digest()


class StandInVerifyKey(VerifyKey):
    """Checks what a stand-in key signed: only whoever holds the seed could have."""

    def __init__(self, raw: bytes, seed: bytes) -> None:
        super().__init__(raw)
        self._seed = seed

    def verify(self, message: bytes, signature: bytes) -> None:
        if hashlib.blake2b(message, key=self._seed).digest() != signature:
            raise errors.SignatureInvalid("the signature does not match")


class StandInMember(Member):
    """A member of the charter whose node signs with a stand-in."""

    @property
    def verify_key(self) -> VerifyKey:
        return signing_key(self.id, real=False).verify_key


@cache
def signing_key(name: str, *, real: bool) -> SigningKey:
    return (SigningKey if real else StandInKey).from_seed(seed_of(name, "sign"))


def _member(name: str) -> Member:
    return Member(
        id=name,
        legal_name=f"株式会社{name}",
        address="滋賀県大津市1-1",
        representative="代表取締役 渡邊 花子",
        business="製造",
        contact="077-000-0000",
        country="JP",
        licences=(),
        url=f"https://{name}.example",
        identity_key=SigningKey.from_seed(seed_of(name, "identity")).verify_key.raw,
        signing_key=SigningKey.from_seed(seed_of(name, "sign")).verify_key.raw,
        sealing_key=seed_of(name, "seal") * 38,
        role="member",
        credit_limit=CREDIT_LIMIT,
    )


@cache
def charter_of(count: int, *, trusting: bool, real: bool) -> Charter:
    """The founding charter of so many; `trusting` tolerates no liar, and says so."""
    q, b = propose_quorum(count)
    if trusting:
        q, b = count // 2 + 1, 0
    members = tuple(_member(name) for name in NAMES[:count])
    draft = Charter(ALLIANCE, "みなと採用連合", 1, bytes(32), members, q, b, Policy())
    key = SigningKey.from_seed(seed_of(NAMES[0], "identity"))
    charter = parse_charter(sign(CHARTER, draft.encode(), key))
    if real:
        return charter
    stand_ins = tuple(
        StandInMember(**{each.name: getattr(member, each.name) for each in fields(member)})
        for member in charter.members
    )
    return Charter(
        **{each.name: getattr(charter, each.name) for each in fields(charter)}
        | {"members": stand_ins}
    )
