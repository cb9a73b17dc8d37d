"""The backup file: one encrypted stream that only its offline recipients can open.  PEER 4.

    {"format":"tasuki-backup-1","recipients":[{"id":…,"key":…}],"stream":…}\\n
    libsodium secretstream: chunks of 64 KiB, each with 17 bytes more, the last one marked as such

A fresh key encrypts the stream and is sealed to each recipient (libsodium's sealed box: X25519).
The node holds public keys only, so whoever takes the node cannot read its older backups. The
secret half has 32 bytes and stands on a sheet of paper, as a code that can be typed. The head is
authenticated with the first chunk; a file that was cut is noticed, because its last chunk is not
marked. Compressed before it is encrypted: what is in it was never chosen by an attacker who also
sees its size.
"""

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from nacl import bindings
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from node.recovery import RecoveryCodeWrong, parse_code, write_code

FORMAT = "tasuki-backup-1"
# Told from the secret on the sheet at a glance: nobody should put that into the settings.
PUBLIC_PREFIX = "backup:"
CHUNK_BYTES = 64 * 1024
ADDED_BYTES = bindings.crypto_secretstream_xchacha20poly1305_ABYTES
FINAL = bindings.crypto_secretstream_xchacha20poly1305_TAG_FINAL
MESSAGE = bindings.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
# A hundred recipients; one or two are usual.
HEAD_BYTES_MAX = 16 * 1024
# The largest row is an envelope of 4 MiB in base64, with its receipt.
LINE_BYTES_MAX = 16 * 1024 * 1024


class BackupUnreadable(Exception):
    """The backup was altered or cut, or it is none: take another copy of it."""


class NotARecipient(Exception):
    """The backup is not sealed to this recovery code: take the sheet of one of its recipients."""


class RecipientInvalid(Exception):
    """A recipient looks like backup:xxxx-xxxx-…, as `tasuki backup-key` prints it."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who can open backups: a public key; the secret is on paper."""

    key: PublicKey

    @classmethod
    def parse(cls, text: str) -> "Recipient":
        try:
            if not text.startswith(PUBLIC_PREFIX):
                raise RecipientInvalid
            return cls(PublicKey(parse_code(text.removeprefix(PUBLIC_PREFIX))))
        except RecoveryCodeWrong as error:
            raise RecipientInvalid(str(error)) from error

    def __str__(self) -> str:
        return PUBLIC_PREFIX + write_code(bytes(self.key))

    @property
    def id(self) -> str:
        return bytes(self.key).hex()[:16]


def new_recipient() -> tuple[Recipient, str]:
    """A fresh recipient, and the code of its secret for the sheet."""
    secret = PrivateKey.generate()
    return Recipient(secret.public_key), write_code(bytes(secret))


class BackupWriter:
    """Lines of bytes into an open file; `finish` marks the end, without which nothing opens."""

    def __init__(self, file: BinaryIO, recipients: Sequence[Recipient]) -> None:
        # Handed to a rehearsal of the file just written, which has no recipient's secret.
        self.key = bindings.crypto_secretstream_xchacha20poly1305_keygen()
        self._file = file
        self._state = bindings.crypto_secretstream_xchacha20poly1305_state()
        stream = bindings.crypto_secretstream_xchacha20poly1305_init_push(self._state, self.key)
        sealed = [
            {"id": each.id, "key": b64encode(SealedBox(each.key).encrypt(self.key)).decode()}
            for each in recipients
        ]
        head = {"format": FORMAT, "recipients": sealed, "stream": b64encode(stream).decode()}
        self._head: bytes | None = json.dumps(head).encode() + b"\n"
        file.write(self._head)
        self._packer = zlib.compressobj(1)
        self._waiting = bytearray()

    def put(self, line: bytes) -> None:
        """Add a line; it must not contain a line break."""
        self._waiting += self._packer.compress(line + b"\n")
        while len(self._waiting) > CHUNK_BYTES:
            self._push(bytes(self._waiting[:CHUNK_BYTES]), MESSAGE)
            del self._waiting[:CHUNK_BYTES]

    def finish(self) -> None:
        """Write what is left, and the mark of the end."""
        self._waiting += self._packer.flush()
        while len(self._waiting) > CHUNK_BYTES:
            self._push(bytes(self._waiting[:CHUNK_BYTES]), MESSAGE)
            del self._waiting[:CHUNK_BYTES]
        self._push(bytes(self._waiting), FINAL)

    def _push(self, chunk: bytes, tag: int) -> None:
        self._file.write(
            bindings.crypto_secretstream_xchacha20poly1305_push(self._state, chunk, self._head, tag)
        )
        self._head = None


Unseal = Callable[[dict[str, bytes]], bytes]


def with_code(code: str) -> Unseal:
    """Open with the code on a recipient's sheet."""
    secret = PrivateKey(parse_code(code))
    us = Recipient(secret.public_key).id

    def unseal(sealed: dict[str, bytes]) -> bytes:
        try:
            return SealedBox(secret).decrypt(sealed[us])
        except (KeyError, CryptoError):
            raise NotARecipient from None

    return unseal


def lines(file: BinaryIO, unseal: Unseal) -> Iterator[bytes]:
    """The lines of a backup, proven chunk by chunk; BackupUnreadable at the first that is not.

    What came before was as it was written, but only after the last line is it known to be whole.
    """
    head = file.readline(HEAD_BYTES_MAX)
    sealed, stream = _read_head(head)
    state = bindings.crypto_secretstream_xchacha20poly1305_state()
    try:
        bindings.crypto_secretstream_xchacha20poly1305_init_pull(state, stream, unseal(sealed))
        yield from _split(_unpacked(_chunks(file, state, head)))
    except (CryptoError, zlib.error, TypeError, ValueError) as error:
        raise BackupUnreadable(str(error)) from error


def _read_head(head: bytes) -> tuple[dict[str, bytes], bytes]:
    try:
        content = json.loads(head)
        if content["format"] != FORMAT:
            raise BackupUnreadable(f"its format is {content['format']}")
        sealed = {each["id"]: b64decode(each["key"]) for each in content["recipients"]}
        return sealed, b64decode(content["stream"])
    except (ValueError, KeyError, TypeError) as error:
        raise BackupUnreadable("its head cannot be read") from error


def _chunks(
    file: BinaryIO, state: "bindings.crypto_secretstream_xchacha20poly1305_state", head: bytes
) -> Iterator[bytes]:
    bound: bytes | None = head
    while True:
        sealed = file.read(CHUNK_BYTES + ADDED_BYTES)
        if len(sealed) < ADDED_BYTES:
            raise BackupUnreadable("it ends before its end")
        chunk, tag = bindings.crypto_secretstream_xchacha20poly1305_pull(state, sealed, bound)
        bound = None
        yield chunk
        if tag == FINAL:
            if file.read(1):
                raise BackupUnreadable("something follows its end")
            return


def _unpacked(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """At most a chunk's worth at a time, however well it was packed."""
    unpacker = zlib.decompressobj()
    for chunk in chunks:
        rest = chunk
        while rest:
            yield unpacker.decompress(rest, CHUNK_BYTES)
            rest = unpacker.unconsumed_tail
    yield unpacker.flush()
    if not unpacker.eof:
        raise BackupUnreadable("it ends before its end")


def _split(pieces: Iterator[bytes]) -> Iterator[bytes]:
    kept = bytearray()
    for piece in pieces:
        kept += piece
        if b"\n" in piece:
            *whole, rest = kept.split(b"\n")
            yield from map(bytes, whole)
            kept = bytearray(rest)
        if len(kept) > LINE_BYTES_MAX:
            raise BackupUnreadable("a line of it is too long")
    if kept:
        raise BackupUnreadable("its last line is cut")
