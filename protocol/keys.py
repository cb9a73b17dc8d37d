"""Ed25519 keys: the one verifier of everything that is signed, and how keys are named.  SPEC Keys.

libsodium through PyNaCl, and nothing else: of 914 published edge cases two libraries disagree on
165, and two verifiers in one quorum are a fork. Its verifier refuses S beyond the group order, and
R and keys of small order. A `VerifyKey` cannot be made from a point that is of small order, not in
the main subgroup or not written canonically.
"""

import hashlib
from functools import cached_property

from nacl.bindings import (
    crypto_core_ed25519_is_valid_point,
    crypto_sign,
    crypto_sign_keypair,
    crypto_sign_open,
    crypto_sign_seed_keypair,
)
from nacl.exceptions import BadSignatureError

from protocol.errors import KeyInvalid, KeyPublished, SignatureInvalid
from protocol.strictjson import b64decode, b64encode

__all__ = [
    "KEY_BYTES",
    "SIGNATURE_BYTES",
    "SigningKey",
    "VerifyKey",
    "b64decode",
    "b64encode",
    "fingerprint",
    "require_unpublished",
]

KEY_BYTES = 32
SIGNATURE_BYTES = 64


class VerifyKey:
    """A public key that is known to be safe to verify with."""

    def __init__(self, raw: bytes) -> None:
        if len(raw) != KEY_BYTES or not crypto_core_ed25519_is_valid_point(raw):
            raise KeyInvalid("not a point of the main subgroup in its one writing")
        self.raw = raw

    @cached_property
    def keyid(self) -> str:
        """The thumbprint of the key (RFC 7638, with RFC 8037's members in their fixed order)."""
        jwk = f'{{"crv":"Ed25519","kty":"OKP","x":"{b64encode(self.raw)}"}}'
        return b64encode(hashlib.sha256(jwk.encode("ascii")).digest())

    def verify(self, message: bytes, signature: bytes) -> None:
        """Raise SignatureInvalid unless this key signed exactly `message`."""
        if len(signature) != SIGNATURE_BYTES:
            raise SignatureInvalid("a signature has 64 bytes")
        try:
            crypto_sign_open(signature + message, self.raw)
        except BadSignatureError:
            raise SignatureInvalid("the signature does not match") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VerifyKey) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    def __repr__(self) -> str:
        return f"VerifyKey({self.keyid})"


class SigningKey:
    """A private key. Its seed leaves it only through `.seed`, never through a print or a log."""

    def __init__(self, raw: bytes, secret: bytes) -> None:
        self.verify_key = VerifyKey(raw)
        self._secret = secret

    @classmethod
    def generate(cls) -> "SigningKey":
        return cls(*crypto_sign_keypair())

    @classmethod
    def from_seed(cls, seed: bytes) -> "SigningKey":
        if len(seed) != KEY_BYTES:
            raise KeyInvalid("a seed has 32 bytes")
        return cls(*crypto_sign_seed_keypair(seed))

    @property
    def seed(self) -> bytes:
        return self._secret[:KEY_BYTES]

    @property
    def keyid(self) -> str:
        return self.verify_key.keyid

    def sign(self, message: bytes) -> bytes:
        return crypto_sign(message, self._secret)[:SIGNATURE_BYTES]

    def __repr__(self) -> str:
        return f"SigningKey({self.keyid})"


def fingerprint(raw: bytes) -> str:
    """Thirty digits in six groups of five, to be read aloud over the telephone.  PEER 4."""
    digest = hashlib.sha512(b"tasuki/v1/fingerprint\n" + raw).digest()
    # Five bytes a group, as messengers do it: the bias of 2**40 modulo 10**5 is below 1e-7.
    groups = (int.from_bytes(digest[at : at + 5]) % 100_000 for at in range(0, 30, 5))
    return " ".join(f"{group:05d}" for group in groups)


def require_unpublished(key: VerifyKey) -> None:
    """Raise KeyPublished for a key whose private half is printed in a standard.

    Called where keys enter a charter or a profile: such a key in production means that somebody
    copied an example, and everybody can sign for that member.
    """
    if key.raw in _PUBLISHED:
        raise KeyPublished(f"the key {key.keyid} is an example of a standard", keyid=key.keyid)


_PUBLISHED = frozenset(
    bytes.fromhex(raw)
    for raw in (
        # RFC 9421 appendix B.1.4, test-key-ed25519.
        "26b40b8f93fff3d897112f7ebc582b232dbd72517d082fe83cfb30ddce43d1bb",
        # RFC 8032 section 7.1, tests 1, 2, 3, 1024 and SHA(abc); the first is RFC 8037's too.
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e",
        "ec172b93ad5e563f4932c70e1245034c35467ef2efd4d64ebf819683467e2bf2",
    )
)
