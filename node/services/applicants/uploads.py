"""Uploads: files people bring, encrypted on this node's disk until their import is done.

A file is cut into pieces; each piece is encrypted by the keyring under its place in the file, so
that pieces can be read one after another and none can be dropped, moved or added.
"""

import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, cast

from node.context import Context
from node.services.applicants.refusals import FileTooLarge, UploadGone

FILE_BYTES_MAX = 64 * 1024 * 1024  # 100,000 rows of 600 bytes; DOMAIN 7.2 has 30,000 a year.
PIECE_BYTES = 256 * 1024
LENGTH_BYTES = 4
COLUMN = "imports.file"
KINDS = ("table", "errors")


def store(context: Context, import_id: str, kind: str, pieces: Iterable[bytes]) -> int:
    """Write a file, encrypted; return its bytes, or raise and leave nothing when too large."""
    path = _path(context, import_id, kind)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    size, index, held = 0, 0, b""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for piece in pieces:
                size += len(piece)
                if size > FILE_BYTES_MAX:
                    raise FileTooLarge
                held += piece
                while len(held) > PIECE_BYTES:
                    _write(context, file, f"{import_id}.{kind}.{index}", held[:PIECE_BYTES])
                    held, index = held[PIECE_BYTES:], index + 1
            _write(context, file, f"{import_id}.{kind}.{index}.last", held)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return size


def reader(context: Context, import_id: str, kind: str) -> BinaryIO:
    """Open a stored file from its beginning."""
    return cast(BinaryIO, io.BufferedReader(_Reader(context, import_id, kind), PIECE_BYTES))


def exists(context: Context, import_id: str, kind: str) -> bool:
    """Tell whether the file is still kept."""
    return _path(context, import_id, kind).exists()


def delete(context: Context, import_id: str, kind: str) -> None:
    """Delete the file; deleting twice is the same as once."""
    _path(context, import_id, kind).unlink(missing_ok=True)


def kept(context: Context) -> list[tuple[str, str]]:
    """Return import and kind of every file that is kept, for those that time ran out for."""
    names = (path.name.split(".") for path in _folder(context).glob("*.*"))
    return sorted((name[0], name[1]) for name in names if len(name) == 2)


def _folder(context: Context) -> Path:
    return context.settings.data_dir / "uploads"


def _path(context: Context, import_id: str, kind: str) -> Path:
    # Ids are our own; still, none may lead out of the folder.
    assert import_id.isalnum()
    assert kind in KINDS
    return _folder(context) / f"{import_id}.{kind}"


def _write(context: Context, file: BinaryIO, place: str, piece: bytes) -> None:
    blob = context.keyring.encrypt(COLUMN, place, piece)
    file.write(len(blob).to_bytes(LENGTH_BYTES, "big") + blob)


class _Reader(io.RawIOBase):
    """Decrypts one piece after another."""

    def __init__(self, context: Context, import_id: str, kind: str) -> None:
        super().__init__()
        self._context, self._place = context, f"{import_id}.{kind}"
        self._index, self._held, self._last = 0, memoryview(b""), False
        try:
            self._file = _path(context, import_id, kind).open("rb")
        except FileNotFoundError as error:
            raise UploadGone from error

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        if not self.closed and hasattr(self, "_file"):
            self._file.close()
        super().close()

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]
        while not self._held and not self._last:
            self._next_piece()
        taken = min(len(buffer), len(self._held))
        buffer[:taken] = self._held[:taken]
        self._held = self._held[taken:]
        return taken

    def _next_piece(self) -> None:
        length = int.from_bytes(self._file.read(LENGTH_BYTES), "big")
        blob = self._file.read(length)
        position = self._file.tell()
        self._last = not self._file.read(1)
        self._file.seek(position)
        place = f"{self._place}.{self._index}" + (".last" if self._last else "")
        # A file cut short or put together otherwise does not decrypt: BlobUnreadable.
        self._held = memoryview(self._context.keyring.decrypt(COLUMN, place, blob))
        self._index += 1
