"""The key file: every private key of a node in one encrypted file, readable to its owner only.

JSON outside (format, Argon2id's parameters, digest), SecretBox inside.  The digest tells a
damaged file from a wrong passphrase; what protects the content is SecretBox alone.
"""

import binascii
import hashlib
import json
import os
import stat
from base64 import b64decode, b64encode
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id
from nacl.secret import SecretBox
from nacl.utils import random

from node.keyring import KEY_BYTES, NodeKeys

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
    content: dict[str, object] = {
        "identity": keys.identity.hex(),
        "signing_seed": keys.signing_seed.hex(),
        "sealing": keys.sealing.hex(),
        "data": {str(key_id): key.hex() for key_id, key in keys.data.items()},
        "data_current": keys.data_current,
        "blind_index": keys.blind_index.hex(),
        "records": keys.records.hex(),
        "session": keys.session.hex(),
    }
    return json.dumps(content).encode()


def _keys_from_json(content: bytes) -> NodeKeys:
    # What SecretBox authenticated was written by `_keys_to_json`; it needs no second check.
    inside = json.loads(content)
    return NodeKeys(
        identity=bytes.fromhex(inside["identity"]),
        signing_seed=bytes.fromhex(inside["signing_seed"]),
        sealing=bytes.fromhex(inside["sealing"]),
        data={int(key_id): bytes.fromhex(key) for key_id, key in inside["data"].items()},
        data_current=inside["data_current"],
        blind_index=bytes.fromhex(inside["blind_index"]),
        records=bytes.fromhex(inside["records"]),
        session=bytes.fromhex(inside["session"]),
    )
