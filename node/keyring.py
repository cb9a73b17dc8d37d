"""The keyring: the node's keys on disk under a passphrase, and what is encrypted with them.

One file holds every key of the node, in a SecretBox under Argon2id of the passphrase.  The
member's identity key is not among them: it is written once to the recovery sheet (PEER 4).

Columns are encrypted with AES-256-GCM.  What is authenticated beside the text names table,
column and row, so that a blob copied to another row or column cannot be read there.  The first
byte names the data key, so that keys can be rotated while old blobs stay readable.
"""

import os
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from node.refusals import Refusal
from protocol import SealingKey, SigningKey, VerifyKey

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
# 128 bits: two of 10**9 people collide with a chance below 10**-20.
BLIND_BYTES = 16
# One byte names the data key; 0 names a person's own key.
DATA_KEYS_MAX = 255
PERSON_KEY_ID = 0
# What AES-GCM authenticates for a wrapped person key; no column can have this name.
PERSON_KEY_CONTEXT = b"person key"


class BlobUnreadable(Exception):
    """The encrypted field was altered, moved from another row, or its key was erased."""


class PersonKeyErased(BlobUnreadable):
    """The person's data was erased: its key is destroyed and nothing can bring it back."""


class KeyNotHeld(Refusal, code="key-not-held", status=503):
    """The charter names a key for this node that its key file does not hold. Restore the newest
    key file, or run tasuki keys rotate with the recovery sheet."""


class KeyringFull(Exception):
    """All 255 data keys are in use; re-encrypt the columns and drop the oldest."""


def _encrypt(cipher: AESGCM, key_id: int, plaintext: bytes, context: bytes) -> bytes:
    # A random nonce of 96 bits is safe for 2**32 texts under one key; a node writes fewer.
    nonce = os.urandom(NONCE_BYTES)
    return bytes((key_id,)) + nonce + cipher.encrypt(nonce, plaintext, context)


def _decrypt(cipher: AESGCM, blob: bytes, context: bytes) -> bytes:
    if len(blob) < 1 + NONCE_BYTES + TAG_BYTES:
        raise BlobUnreadable("the field is too short")
    try:
        return cipher.decrypt(blob[1 : 1 + NONCE_BYTES], blob[1 + NONCE_BYTES :], context)
    except InvalidTag as error:
        raise BlobUnreadable("the field is not what was written here") from error


def _context(column: str, row_id: str) -> bytes:
    # A column has no colon, so no two pairs of column and row share a context.
    assert ":" not in column, "a column is named table.column"
    return f"{column}:{row_id}".encode()


class PersonCipher:
    """Encrypts and decrypts the data of one person, with that person's own key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def encrypt(self, column: str, row_id: str, plaintext: bytes) -> bytes:
        """Return the blob to store in `column` ("table.column") of row `row_id`."""
        return _encrypt(self._cipher, PERSON_KEY_ID, plaintext, _context(column, row_id))

    def decrypt(self, column: str, row_id: str, blob: bytes) -> bytes:
        """Return the text stored there; raise BlobUnreadable if it is not of this person."""
        return _decrypt(self._cipher, blob, _context(column, row_id))


@dataclass(frozen=True)
class KeyPair:
    """A signing and a sealing key, drawn together and entered into the charter together."""

    signing_seed: bytes = field(repr=False)
    sealing: bytes = field(repr=False)
    made_at: int = 0  # whole Unix seconds; 0 for the pair that `tasuki init` made

    @classmethod
    def generate(cls, made_at: int) -> "KeyPair":
        """Return a fresh pair."""
        return cls(SigningKey.generate().seed, SealingKey.generate().to_bytes(), made_at)

    @cached_property
    def signing(self) -> SigningKey:
        return SigningKey.from_seed(self.signing_seed)

    @cached_property
    def opening(self) -> SealingKey:
        return SealingKey.from_bytes(self.sealing)


@dataclass(frozen=True, slots=True)
class NodeKeys:
    """Every private key of a node, as the key file keeps them.

    `pairs` are in the order in which they were made. Which of them is in use, staged or kept is not
    written beside them: the charters say so (`node.services.keys`).
    """

    identity: bytes  # the public half only
    pairs: tuple[KeyPair, ...]
    data: Mapping[int, bytes] = field(repr=False)  # key id -> key
    data_current: int
    blind_index: bytes = field(repr=False)
    records: bytes = field(repr=False)
    session: bytes = field(repr=False)

    @classmethod
    def generate(cls, identity: VerifyKey) -> "NodeKeys":
        """Return fresh keys for a member with this identity."""
        return cls(
            identity=identity.raw,
            pairs=(KeyPair.generate(made_at=0),),
            data={1: secrets.token_bytes(KEY_BYTES)},
            data_current=1,
            blind_index=secrets.token_bytes(KEY_BYTES),
            records=secrets.token_bytes(KEY_BYTES),
            session=secrets.token_bytes(KEY_BYTES),
        )

    def with_new_data_key(self) -> "NodeKeys":
        """Return the keys with a new current data key; the old ones still decrypt."""
        key_id = max(self.data) + 1
        if key_id > DATA_KEYS_MAX:
            raise KeyringFull
        data = {**self.data, key_id: secrets.token_bytes(KEY_BYTES)}
        return replace(self, data=data, data_current=key_id)


class Keyring:
    """The node's keys in use: sign, seal, encrypt columns, blind look-ups.

    A thread may still speak under one charter while another speaks under the next, so nothing here
    is *the* signing key: it is looked up by what a charter names. `changed` gives the key file's
    content when another process wrote it since; it is asked when a key is not found here.
    """

    def __init__(
        self, keys: NodeKeys, changed: Callable[[], NodeKeys | None] = lambda: None
    ) -> None:
        self._changed = changed
        self._lock = threading.Lock()
        self._pairs = keys.pairs
        self.identity = VerifyKey(keys.identity)
        self.session_secret = keys.session
        self._keys = keys
        self._data = {key_id: AESGCM(key) for key_id, key in keys.data.items()}
        self._current = keys.data_current
        # With its key taken in: an import asks it half a million times, each time of a copy.
        self._blind_index = HMAC(keys.blind_index, SHA256())

    def __repr__(self) -> str:
        return f"Keyring({self.signing.keyid})"

    @property
    def pairs(self) -> tuple[KeyPair, ...]:
        """The node's signing and sealing keys, the oldest first."""
        return self._pairs

    @property
    def signing(self) -> SigningKey:
        """The oldest signing key: what a member card names, before any charter does."""
        return self._pairs[0].signing

    @property
    def sealing(self) -> SealingKey:
        """The oldest sealing key, likewise."""
        return self._pairs[0].opening

    @property
    def newest(self) -> SigningKey:
        """The signing key that was made last; only a later charter than ours may name it yet."""
        return self._pairs[-1].signing

    def find_signing(self, named: bytes) -> SigningKey | None:
        """Return the signing key whose public half a charter names; None: it is not here."""
        pair = self._find(lambda pair: pair.signing.verify_key.raw == named)
        return None if pair is None else pair.signing

    def find_sealing(self, keyid: str) -> SealingKey | None:
        """Return the key of that id, with which an envelope was sealed; None: it is not here."""
        pair = self._find(lambda pair: pair.opening.keyid == keyid)
        return None if pair is None else pair.opening

    def look_again(self) -> None:
        """Take over what stands in the key file now, if it was written since."""
        with self._lock:
            keys = self._changed()
            if keys is not None:
                self._pairs = keys.pairs

    def _find(self, wanted: Callable[[KeyPair], bool]) -> KeyPair | None:
        found = next(filter(wanted, self._pairs), None)
        if found is None:
            self.look_again()
            found = next(filter(wanted, self._pairs), None)
        return found

    def encrypt(self, column: str, row_id: str, plaintext: bytes) -> bytes:
        """Return the blob to store in `column` ("table.column") of row `row_id`."""
        context = _context(column, row_id)
        return _encrypt(self._data[self._current], self._current, plaintext, context)

    def decrypt(self, column: str, row_id: str, blob: bytes) -> bytes:
        """Return the text stored there; raise BlobUnreadable if it was altered or moved."""
        return _decrypt(self._cipher_of(blob), blob, _context(column, row_id))

    def is_current(self, blob: bytes) -> bool:
        """Tell whether `blob` is under the current data key, or waits for re-encryption."""
        return blob[:1] == bytes((self._current,))

    def blind(self, purpose: str, value: str) -> bytes:
        """Return the look-up key of a normalised `value`; the same value, the same 16 bytes."""
        mac = self._blind_index.copy()
        mac.update(f"{purpose}\0{value}".encode())
        return mac.finalize()[:BLIND_BYTES]

    def new_person(self) -> tuple[bytes, PersonCipher]:
        """Return a fresh key for one person: wrapped, for `person_keys.wrapped`, and in use."""
        key = secrets.token_bytes(KEY_BYTES)
        return self._wrap(key), PersonCipher(key)

    def person(self, wrapped: bytes | None) -> PersonCipher:
        """Return the cipher of the person whose wrapped key this is; None means erased."""
        return PersonCipher(self._unwrap(wrapped))

    def rewrap(self, wrapped: bytes) -> bytes:
        """Return a person's key wrapped under the current data key, after a rotation."""
        return self._wrap(self._unwrap(wrapped))

    @cached_property
    def records(self) -> PersonCipher:
        """Return the cipher of the records the law asks for, which outlive a person's key."""
        return PersonCipher(self._keys.records)

    def _wrap(self, key: bytes) -> bytes:
        return _encrypt(self._data[self._current], self._current, key, PERSON_KEY_CONTEXT)

    def _unwrap(self, wrapped: bytes | None) -> bytes:
        if wrapped is None:
            raise PersonKeyErased
        return _decrypt(self._cipher_of(wrapped), wrapped, PERSON_KEY_CONTEXT)

    def _cipher_of(self, blob: bytes) -> AESGCM:
        cipher = self._data.get(blob[0]) if blob else None
        if cipher is None:
            raise BlobUnreadable("the field names a data key that is not in the key file")
        return cipher
