"""The watched folder: files that another system puts down are taken once they have come to rest.

Whoever may write there is not trusted. Names are looked at and never followed: a link, a pipe or a
folder is passed over, what was opened is what is moved, and nothing is written but into `done` and
`failed`. A file is at rest when a second look finds the same one, unchanged.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Self

SUFFIXES = (".csv", ".tsv", ".xlsx")
OUTCOMES = ("done", "failed")
# More than a system writes in a year; beyond, the folder is somebody's store and no entrance.
ENTRIES_MAX = 10_000
PIECE_BYTES = 256 * 1024
# Sixty signs of three bytes, the digest and `.xlsx.txt` fit into the 255 bytes of a name.
STEM_CHARS_MAX = 60
DIGEST_CHARS = 16
OPENING = os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Shape:
    """What tells a file from another one, and from itself once somebody has written to it."""

    device: int
    inode: int
    size: int
    changed_ns: int

    @classmethod
    def of(cls, found: os.stat_result) -> Self:
        """Return the shape of what was found."""
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)

    def digest(self) -> bytes:
        """Return what tells a file that is too large to be read."""
        return hashlib.sha256(repr(self).encode()).digest()


class WatchedFile:
    """One file at rest, open for reading."""

    def __init__(self, name: str, descriptor: int, shape: Shape) -> None:
        self.name, self.shape = name, shape
        self._descriptor = descriptor

    def pieces(self) -> Iterator[bytes]:
        """Read it from its beginning."""
        at = 0
        while piece := os.pread(self._descriptor, PIECE_BYTES, at):
            yield piece
            at += len(piece)

    def digest(self) -> bytes:
        """Return the SHA-256 of what is in it."""
        made = hashlib.sha256()
        for piece in self.pieces():
            made.update(piece)
        return made.digest()

    def identity(self, content: bytes) -> bytes:
        """Return what tells this file from one of the same content that comes another day."""
        return hashlib.sha256(content + self.shape.digest()).digest()

    def is_at_rest(self) -> bool:
        """Tell whether nobody has written to it since it was opened."""
        return Shape.of(os.fstat(self._descriptor)) == self.shape


class WatchedFolder:
    """Remembers between two looks what it saw."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: dict[str, Shape] = {}

    @contextmanager
    def opened(self) -> Iterator["Look"]:
        """Look into it; OSError when it is not there or not ours to use."""
        folder = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        rooms: dict[str, int] = {}
        try:
            for outcome in OUTCOMES:
                rooms[outcome] = _room(folder, outcome)
            before, self._seen = self._seen, dict(_files(folder))
            yield Look(folder, rooms, _same(before, self._seen))
        finally:
            for descriptor in (folder, *rooms.values()):
                os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Look:
    """One look: the files that lie still since the last one, by name."""

    _folder: int
    _rooms: dict[str, int]
    at_rest: dict[str, Shape]

    @contextmanager
    def open(self, name: str) -> Iterator[WatchedFile | None]:
        """Open a file that was at rest; None when it cannot be, or is not that file any more."""
        try:
            # A pipe that took the file's place would wait for ever without O_NONBLOCK.
            flags = os.O_RDONLY | os.O_NONBLOCK | OPENING
            descriptor = os.open(name, flags, dir_fd=self._folder)
        except OSError:
            yield None
            return
        try:
            found = os.fstat(descriptor)
            same = stat.S_ISREG(found.st_mode) and Shape.of(found) == self.at_rest[name]
            yield WatchedFile(name, descriptor, self.at_rest[name]) if same else None
        finally:
            os.close(descriptor)

    def put(self, file: WatchedFile, outcome: str, digest: bytes, words: str) -> None:
        """Move a file to `done` or `failed` with its report; a newer one of its name stays.

        Repeated after a crash it does the same: the name there comes from the content.
        """
        room, name = self._rooms[outcome], _name(file.name, digest)
        if self._shape(file.name) != file.shape:
            return
        _write(room, f"{name}.txt", words)
        os.rename(file.name, name, src_dir_fd=self._folder, dst_dir_fd=room)
        if Shape.of(os.stat(name, dir_fd=room, follow_symlinks=False)) != file.shape:
            # Put there in between, and not looked at yet.
            os.rename(name, file.name, src_dir_fd=room, dst_dir_fd=self._folder)

    def _shape(self, name: str) -> Shape | None:
        try:
            return Shape.of(os.stat(name, dir_fd=self._folder, follow_symlinks=False))
        except FileNotFoundError:
            return None  # another worker was faster


def _room(folder: int, name: str) -> int:
    """Open a room, made as open as the folder itself: who puts files down reads the reports."""
    is_new = True
    try:
        os.mkdir(name, 0o700, dir_fd=folder)
    except FileExistsError:
        is_new = False
    room = os.open(name, os.O_RDONLY | os.O_DIRECTORY | OPENING, dir_fd=folder)
    if is_new:
        os.fchmod(room, stat.S_IMODE(os.fstat(folder).st_mode))
    return room


def _files(folder: int) -> Iterator[tuple[str, Shape]]:
    with os.scandir(folder) as entries:
        for entry in islice(entries, ENTRIES_MAX):
            # Hidden files, and the locks that Excel leaves beside an open workbook.
            if entry.name.startswith((".", "~$")):
                continue
            if not entry.name.lower().endswith(SUFFIXES):
                continue
            with suppress(FileNotFoundError):
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(found.st_mode):
                    yield entry.name, Shape.of(found)


def _same(before: dict[str, Shape], now: dict[str, Shape]) -> dict[str, Shape]:
    """Return those that lie still, the oldest first."""
    still = [(name, shape) for name, shape in now.items() if before.get(name) == shape]
    return dict(sorted(still, key=lambda each: (each[1].changed_ns, each[0])))


def _name(name: str, digest: bytes) -> str:
    """Return a name that harms nobody: from the sender's, and from the content."""
    path = PurePosixPath(name)
    stem = "".join(sign for sign in path.stem if sign.isprintable()).lstrip("-.~ ")
    return f"{stem[:STEM_CHARS_MAX] or 'file'}-{digest.hex()[:DIGEST_CHARS]}{path.suffix.lower()}"


def _write(room: int, name: str, words: str) -> None:
    """Write a report whole or not at all, over one of the same name."""
    part = f".{name}"
    with suppress(FileNotFoundError):
        os.unlink(part, dir_fd=room)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | OPENING
    with os.fdopen(os.open(part, flags, 0o600, dir_fd=room), "wb") as file:
        os.fchmod(file.fileno(), stat.S_IMODE(os.fstat(room).st_mode) & 0o664)
        # With a mark of its encoding and Windows' line ends: HR opens it in Notepad.
        file.write(words.replace("\n", "\r\n").encode("utf-8-sig"))
    os.rename(part, name, src_dir_fd=room, dst_dir_fd=room)
