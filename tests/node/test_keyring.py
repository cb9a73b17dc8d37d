"""The keyring: what is encrypted can be read in its own place only, and not without its key."""

import time
from dataclasses import replace

import pytest

from node.keyring import (
    DATA_KEYS_MAX,
    BlobUnreadable,
    Keyring,
    KeyringFull,
    NodeKeys,
    PersonKeyErased,
)
from protocol import SigningKey

COLUMN, ROW, TEXT = "applicants.person_blob", "0f3a", "山田 太郎".encode()


@pytest.fixture(scope="module")
def keys() -> NodeKeys:
    return NodeKeys.generate(SigningKey.generate().verify_key)


@pytest.fixture(scope="module")
def keyring(keys: NodeKeys) -> Keyring:
    return Keyring(keys)


def test_what_was_encrypted_reads_back_in_its_place(keyring: Keyring) -> None:
    blob = keyring.encrypt(COLUMN, ROW, TEXT)
    assert TEXT not in blob
    assert keyring.decrypt(COLUMN, ROW, blob) == TEXT
    assert len(blob) == len(TEXT) + 29


def test_the_same_text_never_looks_the_same(keyring: Keyring) -> None:
    assert keyring.encrypt(COLUMN, ROW, TEXT) != keyring.encrypt(COLUMN, ROW, TEXT)


@pytest.mark.parametrize(
    ("column", "row"),
    [(COLUMN, "0f3b"), ("applicants.other", ROW), ("referrals_in.person_blob", ROW)],
)
def test_a_blob_moved_to_another_row_or_column_is_refused(
    keyring: Keyring, column: str, row: str
) -> None:
    blob = keyring.encrypt(COLUMN, ROW, TEXT)
    with pytest.raises(BlobUnreadable):
        keyring.decrypt(column, row, blob)
    person = keyring.new_person()[1]
    blob = person.encrypt(COLUMN, ROW, TEXT)
    with pytest.raises(BlobUnreadable):
        person.decrypt(column, row, blob)


def test_column_and_row_cannot_be_shifted_into_each_other(keyring: Keyring) -> None:
    with pytest.raises(AssertionError, match=r"table\.column"):
        keyring.encrypt("a:b.c", "d", TEXT)


def test_one_altered_bit_anywhere_is_refused(keyring: Keyring) -> None:
    blob = keyring.encrypt(COLUMN, ROW, TEXT)
    for place in range(len(blob)):
        altered = blob[:place] + bytes((blob[place] ^ 1,)) + blob[place + 1 :]
        with pytest.raises(BlobUnreadable):
            keyring.decrypt(COLUMN, ROW, altered)


@pytest.mark.parametrize("length", [0, 1, 12, 28])
def test_a_cut_blob_is_refused(keyring: Keyring, length: int) -> None:
    with pytest.raises(BlobUnreadable):
        keyring.decrypt(COLUMN, ROW, keyring.encrypt(COLUMN, ROW, TEXT)[:length])


def test_after_a_rotation_new_blobs_name_the_new_key_and_old_ones_still_read(
    keys: NodeKeys,
) -> None:
    before, after = Keyring(keys), Keyring(keys.with_new_data_key())
    old, new = before.encrypt(COLUMN, ROW, TEXT), after.encrypt(COLUMN, ROW, TEXT)
    assert (old[0], new[0]) == (1, 2)
    assert after.decrypt(COLUMN, ROW, old) == after.decrypt(COLUMN, ROW, new) == TEXT
    assert not after.is_current(old)
    assert after.is_current(new)
    with pytest.raises(BlobUnreadable):
        before.decrypt(COLUMN, ROW, new)


def test_a_blob_whose_key_was_dropped_is_unreadable(keys: NodeKeys) -> None:
    old = Keyring(keys).encrypt(COLUMN, ROW, TEXT)
    rotated = keys.with_new_data_key()
    dropped = replace(rotated, data={2: rotated.data[2]})
    with pytest.raises(BlobUnreadable, match="not in the key file"):
        Keyring(dropped).decrypt(COLUMN, ROW, old)


def test_the_ring_has_an_end(keys: NodeKeys) -> None:
    full = replace(keys, data={DATA_KEYS_MAX: bytes(32)}, data_current=DATA_KEYS_MAX)
    with pytest.raises(KeyringFull):
        full.with_new_data_key()


def test_without_the_persons_key_their_data_is_unreadable(keyring: Keyring) -> None:
    (wrapped, _), (other, _) = keyring.new_person(), keyring.new_person()
    blob = keyring.person(wrapped).encrypt(COLUMN, ROW, TEXT)
    assert keyring.person(wrapped).decrypt(COLUMN, ROW, blob) == TEXT
    with pytest.raises(BlobUnreadable):
        keyring.person(other).decrypt(COLUMN, ROW, blob)
    with pytest.raises(BlobUnreadable):
        keyring.decrypt(COLUMN, ROW, blob)
    with pytest.raises(PersonKeyErased):
        keyring.person(None)


def test_a_persons_key_survives_a_rotation_and_is_wrapped_anew(keys: NodeKeys) -> None:
    before, after = Keyring(keys), Keyring(keys.with_new_data_key())
    wrapped, _ = before.new_person()
    blob = before.person(wrapped).encrypt(COLUMN, ROW, TEXT)
    again = after.rewrap(wrapped)
    assert (wrapped[0], again[0]) == (1, 2)
    assert after.person(again).decrypt(COLUMN, ROW, blob) == TEXT


def test_records_have_their_own_key(keyring: Keyring) -> None:
    blob = keyring.records.encrypt("records.blob", ROW, TEXT)
    assert keyring.records.decrypt("records.blob", ROW, blob) == TEXT
    with pytest.raises(BlobUnreadable):
        keyring.new_person()[1].decrypt("records.blob", ROW, blob)


def test_blind_indexes_are_equal_for_equal_values_of_one_purpose_and_node(
    keys: NodeKeys, keyring: Keyring
) -> None:
    index = keyring.blind("email", "taro@example.jp")
    assert index == Keyring(keys).blind("email", "taro@example.jp")
    assert len(index) == 16
    assert index != keyring.blind("email", "jiro@example.jp")
    assert index != keyring.blind("phone", "taro@example.jp")
    stranger = Keyring(NodeKeys.generate(SigningKey.generate().verify_key))
    assert index != stranger.blind("email", "taro@example.jp")


def test_no_private_key_prints(keys: NodeKeys, keyring: Keyring) -> None:
    said = repr(keys) + repr(keyring)
    for secret in (
        keys.pairs[0].signing_seed,
        keys.pairs[0].sealing,
        keys.blind_index,
        keys.session,
        keys.records,
    ):
        assert repr(secret)[2:-1] not in said
        assert secret.hex() not in said


def test_encrypting_is_cheap_enough_for_a_hundred_thousand_rows(keyring: Keyring) -> None:
    person, started = keyring.new_person()[1], time.perf_counter()
    for _ in range(5000):
        person.decrypt(COLUMN, ROW, person.encrypt(COLUMN, ROW, TEXT))
    # About 6 us a pair; the bound only notices a change of kind, on any machine.
    assert (time.perf_counter() - started) / 5000 < 200e-6
