"""The summary of the demonstration, and the search of every byte for what must not be there."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from re import Pattern
from typing import TypeAlias

from node.cli.demo.looking import Look
from node.cli.demo.story import ACCEPTED, CHOICES, Facts

# Shorter bytes would be found by chance in what is encrypted: the shortest names in CP932 are.
NEEDLE_BYTES_MIN = 6
BASE64_CHARS_MIN = 8
# A file is read in pieces that overlap by more than the longest needle.
PIECE_BYTES = 4 * 1024 * 1024
OVERLAP_BYTES = 512
# Databases are half empty; no text holds so many zeros in a row.
NOTHING = bytes(64)
# So few are looked for one after the other, which is faster than any expression.
FEW = 40
TEXT_ENCODINGS = ("utf-8", "cp932", "utf-16-le", "utf-16-be")


@dataclass(frozen=True, slots=True)
class Summary:
    """What `tasuki demo --once` prints as its last line."""

    members: int
    quorum: int
    imported: int
    notices_sent: int
    consents: int
    referrals_accepted: int
    points_before: int
    points_after: int
    free_hires: int
    fee: int
    erasure_receipts: int
    profiles_left: int
    notices_stopped: int
    mails_refused: int
    duplicates_settled: int
    digests_equal: bool
    plaintext_found: bool
    seconds: float

    def to_json(self) -> str:
        """One line, in the order of the fields."""
        content = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(content, separators=(",", ":"))

    def wrong(self) -> list[str]:
        """What did not come true."""
        wanted: dict[str, Callable[[object], bool]] = {
            "members": lambda value: value == 4,
            "quorum": lambda value: value == 3,
            "imported": lambda value: isinstance(value, int) and value > 0,
            "notices_sent": lambda value: isinstance(value, int) and value >= len(CHOICES),
            "consents": lambda value: value == len(CHOICES),
            "referrals_accepted": lambda value: value == ACCEPTED,
            "points_before": lambda value: value == 10,
            "points_after": lambda value: value == 0,
            "free_hires": lambda value: value == 1,
            "fee": lambda value: value == 0,
            "erasure_receipts": lambda value: value == len(CHOICES[0].members),
            "profiles_left": lambda value: value == 0,
            "notices_stopped": lambda value: value == 1,
            "mails_refused": lambda value: value == 1,
            "duplicates_settled": lambda value: value == 1,
            "digests_equal": lambda value: value is True,
            "plaintext_found": lambda value: value is False,
        }
        return [
            f"{name} is {getattr(self, name)}"
            for name, holds in wanted.items()
            if not holds(getattr(self, name))
        ]


def summarise(
    facts: Facts, look: Look, *, members: int, quorum: int, found: bool, seconds: float
) -> Summary:
    """Count what the nodes say in the end."""
    free_hires, fee = look.hires_with_slot("aoba")
    return Summary(
        members=members,
        quorum=quorum,
        imported=facts.imported,
        notices_sent=facts.notices_sent,
        consents=facts.consents,
        referrals_accepted=facts.referrals_accepted,
        points_before=facts.points_before,
        points_after=facts.points_after,
        free_hires=free_hires,
        fee=fee,
        erasure_receipts=facts.erasure_receipts,
        profiles_left=facts.profiles_left,
        notices_stopped=facts.notices_stopped,
        mails_refused=facts.mails_refused,
        duplicates_settled=facts.duplicates_settled,
        digests_equal=len(look.digests()) == 1,
        plaintext_found=found,
        seconds=round(seconds, 1),
    )


def places_of(search: Search, folders: list[Path], look: Look) -> list[str]:
    """Where any of the texts stands readable: in files and in tables of the nodes."""
    found = [
        str(path.relative_to(folder))
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and search.is_in_file(path)
    ]
    for place, value in look.everything():
        content = value.encode() if isinstance(value, str) else value
        if isinstance(content, bytes | memoryview) and search.is_in(bytes(content)):
            found.append(place)
    return sorted(set(found))


class Search:
    """Looks for many texts at once, however they are written down.

    The texts of one encoding resemble each other: an expression of six sets of bytes passes over
    nearly everything else, and only what it stops at is compared with the texts themselves.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        families: dict[str, set[bytes]] = {}
        for text in texts:
            for family, needle in _needles(text):
                families.setdefault(family, set()).add(needle)
        self._few = [n for needles in families.values() if len(needles) <= FEW for n in needles]
        self._families = [_heads(needles) for needles in families.values() if len(needles) > FEW]

    def is_in(self, content: bytes) -> bool:
        """Tell whether any of the texts stands in these bytes."""
        return any(needle in content for needle in self._few) or any(
            _is_in(part, pattern, heads)
            for part in filter(None, content.split(NOTHING))
            for pattern, heads in self._families
        )

    def is_in_file(self, path: Path) -> bool:
        """Tell whether any of the texts stands in this file."""
        with path.open("rb") as file:
            before = b""
            while piece := file.read(PIECE_BYTES):
                if self.is_in(before + piece):
                    return True
                before = piece[-OVERLAP_BYTES:]
        return False


Heads: TypeAlias = dict[bytes, list[bytes]]


def _heads(needles: set[bytes]) -> tuple[Pattern[bytes], Heads]:
    """Texts by their first bytes, and an expression that any of these must fit."""
    heads: Heads = {}
    for needle in needles:
        heads.setdefault(needle[:NEEDLE_BYTES_MIN], []).append(needle)
    sets = (sorted({head[at] for head in heads}) for at in range(NEEDLE_BYTES_MIN))
    expression = b"".join(b"[" + b"".join(map(_hex, each)) + b"]" for each in sets)
    return re.compile(expression), heads


def _is_in(content: bytes, pattern: Pattern[bytes], heads: Heads) -> bool:
    at = 0
    while found := pattern.search(content, at):
        at = found.start()
        if any(content.startswith(needle, at) for needle in heads.get(found.group(), ())):
            return True
        at += 1
    return False


def _needles(text: str) -> Iterator[tuple[str, bytes]]:
    """The text in every encoding, in JSON's escapes, and in base64 at each place it may have."""
    for encoding in TEXT_ENCODINGS:
        try:
            written = text.encode(encoding)
        except UnicodeEncodeError:
            continue
        if text.isascii():
            written = written.rstrip(b"\0")
        if len(written) >= NEEDLE_BYTES_MIN:
            yield f"{encoding} {text.isascii()}", written
    if not text.isascii():
        yield "json", json.dumps(text)[1:-1].encode()
    for before in range(3):
        # Only whole groups of three bytes are the same wherever the text stands.
        raw = text.encode()[(3 - before) % 3 :]
        whole = b64encode(raw[: len(raw) // 3 * 3])
        for written in {whole, whole.replace(b"+", b"-").replace(b"/", b"_")}:
            if len(written) >= BASE64_CHARS_MIN:
                yield f"base64 {text.isascii()}", written


def _hex(byte: int) -> bytes:
    return f"\\x{byte:02x}".encode()
