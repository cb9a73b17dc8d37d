"""The backup file: it opens whole for its recipients, and not at all for anybody else."""

import io
import random

import pytest

from node import backup_file
from node.backup_file import (
    CHUNK_BYTES,
    BackupUnreadable,
    BackupWriter,
    NotARecipient,
    Recipient,
    RecipientInvalid,
    with_code,
)

LINES = [b"one", b"", b"x" * 300_000, "髙橋".encode(), b"end"]


def written(*recipients: Recipient, lines: list[bytes] = LINES) -> bytes:
    file = io.BytesIO()
    writer = BackupWriter(file, recipients)
    for line in lines:
        writer.put(line)
    writer.finish()
    return file.getvalue()


def read(content: bytes, code: str) -> list[bytes]:
    return list(backup_file.lines(io.BytesIO(content), with_code(code)))


def test_each_recipient_opens_it_and_nobody_else() -> None:
    (first, code), (second, other) = backup_file.new_recipient(), backup_file.new_recipient()
    content = written(first, second)
    assert read(content, code) == read(content, other) == LINES
    with pytest.raises(NotARecipient):
        read(content, backup_file.new_recipient()[1])


def noise(number: int) -> bytes:
    """Several chunks that do not pack; always the same."""
    return random.Random(number).randbytes(3 * CHUNK_BYTES).replace(b"\n", b"-")


def test_what_does_not_pack_is_cut_into_chunks_and_comes_back() -> None:
    recipient, code = backup_file.new_recipient()
    lines = [noise(number) for number in range(5)]
    assert read(written(recipient, lines=lines), code) == lines


@pytest.mark.parametrize("where", [10, 200, -1, -20_000])
def test_one_changed_byte_anywhere_is_noticed(where: int) -> None:
    recipient, code = backup_file.new_recipient()
    lines = [f"{n} {n * n * 7919}".encode() for n in range(20_000)]
    changed = bytearray(written(recipient, lines=lines))
    changed[where] ^= 1
    with pytest.raises((BackupUnreadable, NotARecipient)):
        read(bytes(changed), code)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_a_file_that_was_cut_is_noticed(kept: float) -> None:
    recipient, code = backup_file.new_recipient()
    content = written(recipient, lines=[f"{n * 7919}".encode() for n in range(50_000)])
    with pytest.raises(BackupUnreadable):
        read(content[: int(len(content) * kept)], code)


def test_a_chunk_cut_off_at_its_border_is_noticed_and_so_is_one_too_many() -> None:
    recipient, code = backup_file.new_recipient()
    content = written(recipient, lines=[noise(number) for number in range(3)])
    head = content.index(b"\n") + 1
    with pytest.raises(BackupUnreadable):
        read(content[: head + CHUNK_BYTES + backup_file.ADDED_BYTES], code)
    with pytest.raises(BackupUnreadable):
        read(content + b"x", code)


def test_a_recipient_survives_being_written_down_and_a_secret_is_none() -> None:
    recipient, code = backup_file.new_recipient()
    assert str(Recipient.parse(str(recipient))) == str(recipient)
    for wrong in (code, f"{recipient}x", "backup:", ""):
        with pytest.raises(RecipientInvalid):
            Recipient.parse(wrong)


def test_what_is_no_backup_is_refused() -> None:
    code = backup_file.new_recipient()[1]
    for content in (b"", b"{}\n", b"\x00" * 1000, b'{"format":"tasuki-backup-2"}\n', b"[1]\n"):
        with pytest.raises(BackupUnreadable):
            read(content, code)
