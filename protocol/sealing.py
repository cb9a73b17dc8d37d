"""Sealing bytes to one member: HPKE with a post-quantum hybrid key.  SPEC Envelopes, RFC 9180.

Base mode, MLKEM768-X25519 / HKDF-SHA256 / ChaCha20-Poly1305, from `cryptography`. It hides the
content from everybody but the key's owner and proves nothing about the sender: the signature is
inside. The public interface has no associated data, so what must be bound stands in `info`.
"""

import hashlib
from functools import cached_property

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from protocol import limits
from protocol.errors import CannotDecrypt, KeyInvalid
from protocol.strictjson import b64encode

_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_MLKEM_SEED_BYTES = 64
_X25519_BYTES = 32
_MLKEM_PUBLIC_BYTES = limits.SEALING_KEY_BYTES - _X25519_BYTES


class SealingPublicKey:
    """The public half: ML-KEM-768 (1184 bytes), then X25519 (32 bytes)."""

    def __init__(self, raw: bytes) -> None:
        if len(raw) != limits.SEALING_KEY_BYTES:
            raise KeyInvalid(f"a sealing key has {limits.SEALING_KEY_BYTES} bytes")
        try:
            self.key = MLKEM768X25519PublicKey(
                MLKEM768PublicKey.from_public_bytes(raw[:_MLKEM_PUBLIC_BYTES]),
                X25519PublicKey.from_public_bytes(raw[_MLKEM_PUBLIC_BYTES:]),
            )
        except ValueError:
            raise KeyInvalid("not an ML-KEM-768 key") from None
        self.raw = raw

    @cached_property
    def keyid(self) -> str:
        """No standard names a thumbprint for this pair yet, so it is a labelled SHA-256."""
        return b64encode(hashlib.sha256(b"tasuki/v1/sealing-key\n" + self.raw).digest())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SealingPublicKey) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    def __repr__(self) -> str:
        return f"SealingPublicKey({self.keyid})"


class SealingKey:
    """The private half: 64 bytes of ML-KEM seed, then 32 bytes of X25519."""

    def __init__(self, mlkem: MLKEM768PrivateKey, x25519: X25519PrivateKey) -> None:
        self._mlkem = mlkem
        self._x25519 = x25519
        self.key = MLKEM768X25519PrivateKey(mlkem, x25519)
        self.public = SealingPublicKey(
            mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
        )

    @classmethod
    def generate(cls) -> "SealingKey":
        return cls(MLKEM768PrivateKey.generate(), X25519PrivateKey.generate())

    @classmethod
    def from_bytes(cls, raw: bytes) -> "SealingKey":
        if len(raw) != _MLKEM_SEED_BYTES + _X25519_BYTES:
            raise KeyInvalid("a private sealing key has 96 bytes")
        return cls(
            MLKEM768PrivateKey.from_seed_bytes(raw[:_MLKEM_SEED_BYTES]),
            X25519PrivateKey.from_private_bytes(raw[_MLKEM_SEED_BYTES:]),
        )

    def to_bytes(self) -> bytes:
        return self._mlkem.private_bytes_raw() + self._x25519.private_bytes_raw()

    @property
    def keyid(self) -> str:
        return self.public.keyid

    def __repr__(self) -> str:
        return f"SealingKey({self.keyid})"


def seal(public: SealingPublicKey, plaintext: bytes, info: bytes) -> bytes:
    """The ciphertext for the key's owner; it opens only under the same `info`."""
    try:
        return _SUITE.encrypt(plaintext, public.key, info)
    except ValueError:
        # An X25519 half of small order gives an all-zero secret.
        raise KeyInvalid("the sealing key is not safe to use") from None


def open(key: SealingKey, ciphertext: bytes, info: bytes) -> bytes:  # noqa: A001 (our word)
    """The plaintext, or CannotDecrypt: one answer for every reason, so nobody learns which."""
    try:
        return _SUITE.decrypt(ciphertext, key.key, info)
    except (InvalidTag, ValueError, UnsupportedAlgorithm):
        raise CannotDecrypt("the envelope does not open") from None
