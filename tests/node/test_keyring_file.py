"""The key file: it opens with its passphrase alone, and says which of its troubles it is."""

import hashlib
import json
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from nacl.pwhash import argon2id
from nacl.secret import SecretBox

from node import keyring_file
from node.keyring import KeyPair, NodeKeys
from node.keyring_file import (
    KeyFileDamaged,
    KeyFileExists,
    KeyFileExposed,
    KeyFileMissing,
    PassphraseWeak,
    PassphraseWrong,
)
from protocol import SigningKey

PASSPHRASE = "正しい馬 電池 ホッチキス"


@pytest.fixture
def keys() -> NodeKeys:
    return NodeKeys.generate(SigningKey.generate().verify_key)


@pytest.fixture
def path(tmp_path: Path, keys: NodeKeys) -> Path:
    file = tmp_path / "keys" / "node.key"
    keyring_file.create(file, PASSPHRASE, keys)
    return file


def test_the_keys_read_back(path: Path, keys: NodeKeys) -> None:
    assert keyring_file.read(path, PASSPHRASE) == keys


def test_keys_of_a_rotation_read_back_in_their_order(path: Path, keys: NodeKeys) -> None:
    both = replace(keys, pairs=(*keys.pairs, KeyPair.generate(1_800_000_000)))
    assert keyring_file.change(path, PASSPHRASE, lambda _: both) == both
    assert keyring_file.read(path, PASSPHRASE) == both
    assert [each.name for each in path.parent.iterdir()] == ["node.key"]


def file_of_the_first_release(keys: NodeKeys) -> bytes:
    """As `tasuki init` wrote it when a node had one pair of keys for ever."""
    (pair,) = keys.pairs
    inside = {
        "identity": keys.identity.hex(),
        "signing_seed": pair.signing_seed.hex(),
        "sealing": pair.sealing.hex(),
        "data": {str(key_id): key.hex() for key_id, key in keys.data.items()},
        "data_current": keys.data_current,
        "blind_index": keys.blind_index.hex(),
        "records": keys.records.hex(),
        "session": keys.session.hex(),
    }
    salt = bytes(range(argon2id.SALTBYTES))
    key = argon2id.kdf(32, PASSPHRASE.encode(), salt, opslimit=1, memlimit=8192)
    sealed = bytes(SecretBox(key).encrypt(json.dumps(inside).encode()))
    outside = {
        "format": "tasuki-keys-1",
        "operations": 1,
        "memory_bytes": 8192,
        "salt": b64encode(salt).decode(),
        "box": b64encode(sealed).decode(),
        "sha256": hashlib.sha256(sealed).hexdigest(),
    }
    return json.dumps(outside).encode()


def test_a_file_of_a_release_without_rotation_opens(path: Path, keys: NodeKeys) -> None:
    path.write_bytes(file_of_the_first_release(keys))
    assert keyring_file.read(path, PASSPHRASE) == keys


def test_a_change_that_changes_nothing_writes_nothing(path: Path, keys: NodeKeys) -> None:
    content = path.read_bytes()
    assert keyring_file.change(path, PASSPHRASE, lambda held: held) == keys
    assert path.read_bytes() == content


def test_changes_at_once_come_one_after_the_other(path: Path) -> None:
    def add(at: int) -> None:
        keyring_file.change(
            path,
            PASSPHRASE,
            lambda held: replace(held, pairs=(*held.pairs, KeyPair.generate(at))),
        )

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(add, range(1, 5)))
    made = [pair.made_at for pair in keyring_file.read(path, PASSPHRASE).pairs]
    assert sorted(made) == [0, 1, 2, 3, 4]


def test_a_process_reads_what_another_wrote_and_keeps_what_it_has_when_it_cannot(
    path: Path, keys: NodeKeys
) -> None:
    watch = keyring_file.Watch(path, lambda: PASSPHRASE)
    assert watch.first() == keys
    assert watch.changed() is None
    both = replace(keys, pairs=(*keys.pairs, KeyPair.generate(1)))
    keyring_file.replace(path, PASSPHRASE, both)
    assert watch.changed() == both
    path.write_bytes(b"cut off")
    assert watch.changed() is None
    path.unlink()
    assert watch.changed() is None


def test_nothing_secret_stands_in_the_file(path: Path, keys: NodeKeys) -> None:
    content = path.read_bytes()
    for secret in (keys.pairs[0].signing_seed, keys.pairs[0].sealing, keys.data[1], keys.session):
        assert secret not in content
        assert secret.hex().encode() not in content


def test_file_and_folder_belong_to_their_owner_alone(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["node.key"]


def test_a_wrong_passphrase_is_refused_as_such(path: Path) -> None:
    with pytest.raises(PassphraseWrong):
        keyring_file.read(path, PASSPHRASE + " ")


def test_a_short_passphrase_is_refused_and_nothing_is_written(
    tmp_path: Path, keys: NodeKeys
) -> None:
    with pytest.raises(PassphraseWeak):
        keyring_file.create(tmp_path / "keys" / "node.key", "short", keys)
    assert not list(tmp_path.glob("keys/*"))


def test_a_key_file_is_never_overwritten_by_a_new_one(path: Path, keys: NodeKeys) -> None:
    before = path.read_bytes()
    with pytest.raises(KeyFileExists):
        keyring_file.create(path, PASSPHRASE, keys)
    assert path.read_bytes() == before


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(KeyFileMissing):
        keyring_file.read(tmp_path / "none", PASSPHRASE)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o700])
def test_a_file_that_others_may_read_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(KeyFileExposed, match=r"node\.key"):
        keyring_file.read(path, PASSPHRASE)


def test_a_folder_that_others_may_enter_is_refused(path: Path) -> None:
    path.parent.chmod(0o755)
    with pytest.raises(KeyFileExposed, match="keys"):
        keyring_file.read(path, PASSPHRASE)


def changed(path: Path, **values: object) -> None:
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, **values}))


@pytest.mark.parametrize(
    "values",
    [
        {"format": "tasuki-keys-2"},
        {"operations": 10**9},
        {"memory_bytes": 10**12},
        {"memory_bytes": "much"},
        {"salt": "AAAA"},
        {"salt": "not base64"},
        {"sha256": ""},
        {"box": "AAAA"},
        {"box": None},
    ],
)
def test_an_altered_file_is_said_to_be_damaged_and_costs_nothing(
    path: Path, values: dict[str, object]
) -> None:
    changed(path, **values)
    with pytest.raises(KeyFileDamaged):
        keyring_file.read(path, PASSPHRASE)


def test_a_cut_file_is_said_to_be_damaged(path: Path) -> None:
    content = path.read_bytes()
    for length in (0, 1, len(content) // 2):
        path.write_bytes(content[:length])
        with pytest.raises(KeyFileDamaged):
            keyring_file.read(path, PASSPHRASE)
    path.write_bytes(b" " * (keyring_file.FILE_BYTES_MAX + 1))
    with pytest.raises(KeyFileDamaged):
        keyring_file.read(path, PASSPHRASE)


def test_weaker_stretching_cannot_be_forced_on_the_same_box(path: Path) -> None:
    changed(path, operations=1)
    with pytest.raises(PassphraseWrong):
        keyring_file.read(path, PASSPHRASE)


def test_replacing_keeps_the_mode_and_forgets_the_old_passphrase(
    path: Path, keys: NodeKeys
) -> None:
    rotated = keys.with_new_data_key()
    keyring_file.replace(path, "another passphrase", rotated)
    assert keyring_file.read(path, "another passphrase") == rotated
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(PassphraseWrong):
        keyring_file.read(path, PASSPHRASE)
