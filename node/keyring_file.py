"""The key file: every private key of a node in one encrypted file, readable to its owner only.

JSON outside (format, Argon2id's parameters, digest), SecretBox inside.  The digest tells a
damaged file from a wrong passphrase; what protects the content is SecretBox alone.
"""

import binascii
import fcntl
import hashlib
import json
import os
import stat
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id
from nacl.secret import SecretBox
from nacl.utils import random

from node.config import SettingsInvalid
from node.keyring import KEY_BYTES, KeyPair, NodeKeys

FORMAT = "tasuki-keys-1"
# RFC 9106 section 4, the choice for little memory: 64 MiB, three passes; about 0.1 s, so
# that a node starts within its three seconds, and 8 guesses a second and core for a thief.
OPERATIONS = 3
MEMORY_BYTES = 64 * 1024 * 1024
# A file that somebody put here must not ask for all memory before it fails.
OPERATIONS_MAX = 16
MEMORY_BYTES_MAX = 1024 * 1024 * 1024
FILE_BYTES_MAX = 64 * 1024
# Eight characters: NIST SP 800-63B's least; the file is also protected by its mode.
PASSPHRASE_CHARS_MIN = 8

log = structlog.get_logger("node.keyring_file")


class KeyFileMissing(Exception):
    """There is no key file; run `tasuki init`, or restore it from the backup."""


class KeyFileExists(Exception):
    """There is a key file already; it is never overwritten."""


class KeyFileExposed(Exception):
    """Others may read the key file; set its mode to 600 and its folder's to 700."""


class KeyFileDamaged(Exception):
    """The key file was altered or cut; restore it from the backup."""


class PassphraseWrong(Exception):
    """The passphrase does not open the key file."""


class PassphraseWeak(Exception):
    """The passphrase must have at least eight characters."""


def create(path: Path, passphrase: str, keys: NodeKeys) -> None:
    """Write a new key file; raise KeyFileExists rather than replace one."""
    if path.exists():
        raise KeyFileExists
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace(path, passphrase, keys)


def place(path: Path, content: bytes) -> None:
    """Put the key file of a backup where it belongs, as it is; never over another."""
    if path.exists():
        raise KeyFileExists
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(path, content)


def replace(path: Path, passphrase: str, keys: NodeKeys) -> None:
    """Write the key file whole or not at all: after a rotation, or with a new passphrase."""
    if len(passphrase) < PASSPHRASE_CHARS_MIN:
        raise PassphraseWeak
    _write(path, _encode(passphrase, keys))


def change(path: Path, passphrase: str, do: Callable[[NodeKeys], NodeKeys]) -> NodeKeys:
    """Write what `do` makes of the keys that stand there now, and return it.

    Changes come one after the other: what a command stages, the worker that drops old keys in the
    same moment neither reads half nor overwrites.
    """
    check_mode(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        before = read(path, passphrase)
        after = do(before)
        if after != before:
            replace(path, passphrase, after)
        return after
    finally:
        os.close(folder)


class Watch:
    """Whether another process wrote the key file since this one read it."""

    def __init__(self, path: Path, read_passphrase: Callable[[], str]) -> None:
        self._path = path
        self._read_passphrase = read_passphrase
        self._seen: tuple[int, ...] | None = None

    def first(self) -> NodeKeys:
        """The keys, at the start of a process; raises what `read` raises."""
        self._seen = self._mark()
        return read(self._path, self._read_passphrase())

    def changed(self) -> NodeKeys | None:
        """The keys, if they were written since they were read last, which one look tells.

        A file that cannot be opened any more leaves the process with what it has; `tasuki doctor`
        says what is wrong with it.
        """
        mark = self._mark()
        if mark == self._seen:
            return None
        self._seen = mark
        try:
            return read(self._path, self._read_passphrase())
        except (
            KeyFileMissing,
            KeyFileExposed,
            KeyFileDamaged,
            PassphraseWrong,
            SettingsInvalid,
            OSError,
        ) as error:
            log.error("the key file cannot be read again", reason=type(error).__name__)
            return None

    def _mark(self) -> tuple[int, ...] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size


def _write(path: Path, content: bytes) -> None:
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read(path: Path, passphrase: str) -> NodeKeys:
    """Return the keys; raise for a file that is missing, exposed, damaged or of another."""
    check_mode(path)
    content = path.read_bytes()
    if len(content) > FILE_BYTES_MAX:
        raise KeyFileDamaged("it is too large")
    return _parse(content, passphrase)


def check_mode(path: Path) -> None:
    """Raise unless the file and its folder belong to us alone."""
    if not path.exists():
        raise KeyFileMissing
    for each, allowed in ((path, 0o600), (path.parent, 0o700)):
        status = each.stat()
        if stat.S_IMODE(status.st_mode) & ~allowed or status.st_uid != os.geteuid():
            raise KeyFileExposed(f"{each.name} has mode {stat.S_IMODE(status.st_mode):o}")


def _encode(passphrase: str, keys: NodeKeys) -> bytes:
    salt = random(argon2id.SALTBYTES)
    box = SecretBox(_stretch(passphrase, salt, OPERATIONS, MEMORY_BYTES))
    sealed = bytes(box.encrypt(_keys_to_json(keys)))
    return json.dumps(
        {
            "format": FORMAT,
            "operations": OPERATIONS,
            "memory_bytes": MEMORY_BYTES,
            "salt": b64encode(salt).decode(),
            "box": b64encode(sealed).decode(),
            "sha256": hashlib.sha256(sealed).hexdigest(),
        },
        indent=1,
    ).encode()


def _parse(content: bytes, passphrase: str) -> NodeKeys:
    try:
        outside = json.loads(content)
        operations, memory = int(outside["operations"]), int(outside["memory_bytes"])
        salt = b64decode(outside["salt"], validate=True)
        sealed = b64decode(outside["box"], validate=True)
        digest = outside["sha256"]
        known = outside["format"] == FORMAT
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise KeyFileDamaged("it cannot be read") from error
    bounded = 1 <= operations <= OPERATIONS_MAX and 8192 <= memory <= MEMORY_BYTES_MAX
    if not known or not bounded or len(salt) != argon2id.SALTBYTES:
        raise KeyFileDamaged("its head is not of a key file")
    if hashlib.sha256(sealed).hexdigest() != digest:
        raise KeyFileDamaged("its digest does not match")
    try:
        inside = SecretBox(_stretch(passphrase, salt, operations, memory)).decrypt(sealed)
    except CryptoError as error:
        raise PassphraseWrong from error
    return _keys_from_json(inside)


def _stretch(passphrase: str, salt: bytes, operations: int, memory_bytes: int) -> bytes:
    return argon2id.kdf(
        KEY_BYTES, passphrase.encode(), salt, opslimit=operations, memlimit=memory_bytes
    )


def _keys_to_json(keys: NodeKeys) -> bytes:
    # The first pair stands where files of older releases have their only one.
    first, *more = keys.pairs
    content: dict[str, object] = {
        "identity": keys.identity.hex(),
        **_pair_to_json(first),
        "more_pairs": [_pair_to_json(pair) for pair in more],
        "data": {str(key_id): key.hex() for key_id, key in keys.data.items()},
        "data_current": keys.data_current,
        "blind_index": keys.blind_index.hex(),
        "records": keys.records.hex(),
        "session": keys.session.hex(),
    }
    return json.dumps(content).encode()


def _pair_to_json(pair: KeyPair) -> dict[str, object]:
    return {
        "made_at": pair.made_at,
        "sealing": pair.sealing.hex(),
        "signing_seed": pair.signing_seed.hex(),
    }


def _keys_from_json(content: bytes) -> NodeKeys:
    # What SecretBox authenticated was written by `_keys_to_json`; it needs no second check.
    inside = json.loads(content)
    return NodeKeys(
        identity=bytes.fromhex(inside["identity"]),
        pairs=tuple(map(_pair_from_json, (inside, *inside.get("more_pairs", ())))),
        data={int(key_id): bytes.fromhex(key) for key_id, key in inside["data"].items()},
        data_current=inside["data_current"],
        blind_index=bytes.fromhex(inside["blind_index"]),
        records=bytes.fromhex(inside["records"]),
        session=bytes.fromhex(inside["session"]),
    )


def _pair_from_json(inside: dict[str, Any]) -> KeyPair:
    return KeyPair(
        signing_seed=bytes.fromhex(inside["signing_seed"]),
        sealing=bytes.fromhex(inside["sealing"]),
        made_at=inside.get("made_at", 0),
    )
