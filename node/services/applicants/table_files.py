"""Table files: bytes of a CSV or TSV file to rows of text, without losing or inventing a sign.

The order is BOM, strict UTF-8, CP932, refusal with row and byte (RELIABILITY 1).  Never
`shift_jis`: it fails on 髙 and ①.  A file is read as a stream, any number of times, and never
held whole: a source is a function that opens it again from its beginning.
"""

import codecs
import csv
import io
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import BinaryIO

from node.services.applicants import columns
from node.services.applicants.refusals import (
    EncodingUnknown,
    FileEmpty,
    FileIsNoText,
    LineTooLong,
    QuoteUnclosed,
    TooManyColumns,
    TooManyRows,
)

Source = Callable[[], BinaryIO]

ROWS_MAX = 100_000  # A large member has 30,000 applicants a year (DOMAIN 7.2).
RECORD_CHARS_MAX = 64_000  # Sixteen long free-text answers; a lost quotation mark has far more.
READ_BYTES = 256 * 1024

# What a person may choose; the first is our own decision.
ENCODINGS = {
    "auto": "",
    "utf-8": "utf-8-sig",
    "cp932": "cp932",
    "utf-16": "utf-16",
    "euc-jp": "euc_jp",
}
DELIMITERS = {",": "csv", "\t": "tsv", ";": "csv"}
# Archives, old workbooks, documents and pictures; what `workbooks` reads has become text before.
BINARIES = (
    *(b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0", b"%PDF", b"\x1f\x8b"),
    *(b"\x89PNG", b"\xff\xd8\xff", b"GIF8"),
)
# Bytes no text holds; in CP932 and UTF-8 alike they are never part of another sign.
CONTROLS = bytes({*range(0x20), 0x7F} - {0x09, 0x0A, 0x0D})
# Python gives these for bytes that CP932 leaves open: a sign of another encoding.
NOT_CP932 = "\x80\xa0\uf8f0\uf8f1\uf8f2\uf8f3"


@dataclass(frozen=True, slots=True)
class Table:
    """How to read one file: its encoding, its delimiter, its headers, and how much there is."""

    encoding: str
    delimiter: str
    headers: tuple[str, ...]
    rows: int = 0


@dataclass(slots=True)
class Row:
    """One row as it stands in the file; `number` counts as Excel does, the header being 1."""

    number: int
    cells: list[str]
    problem: str = ""


@dataclass(slots=True)
class _Candidate:
    """An encoding that may be the file's, until a byte says no."""

    encoding: str
    decoder: codecs.IncrementalDecoder = field(init=False)
    failed_at: int | None = None

    def __post_init__(self) -> None:
        # The decoder that strips a BOM counts its errors from behind it.
        name = self.encoding.removesuffix("-sig")
        self.decoder = codecs.getincrementaldecoder(name)("strict")

    def feed(self, chunk: bytes, offset: int, *, final: bool) -> None:
        """Decode on; remember where it fails."""
        if self.failed_at is not None:
            return
        pending = len(self.decoder.getstate()[0])
        try:
            text = self.decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            self.failed_at = offset - pending + error.start
            return
        if self.encoding == "cp932" and any(sign in text for sign in NOT_CP932):
            at = min(text.index(sign) for sign in NOT_CP932 if sign in text)
            self.failed_at = offset - pending + len(text[:at].encode("cp932", "replace"))


def inspect(source: Source, encoding: str = "auto") -> Table:
    """Read the file twice: its bytes, then its rows; raise for what cannot be imported."""
    assert encoding in ENCODINGS
    codec = _decide(source, ENCODINGS[encoding])
    table = _head(source, codec)
    unsure = codec == "cp932" and encoding == "auto" and not columns.recognised(table.headers)
    if unsure and (hint := _hint(source)):
        raise EncodingUnknown("", row=1, byte=1, **hint)
    count = 0
    for row in rows(source, table):
        # Rows after a lost quotation mark are no rows: the whole file is refused in `rows`.
        count += 1
        if count > ROWS_MAX:
            raise TooManyRows(rows=row.number)
    if not count:
        raise FileEmpty
    return Table(table.encoding, table.delimiter, table.headers, count)


def _decide(source: Source, forced: str) -> str:
    """Return the codec of the whole file, strictly."""
    with source() as file:
        chunk = file.read(READ_BYTES)
        candidates = [_Candidate(codec) for codec in _candidates(chunk, forced)]
        wide = candidates[0].encoding.startswith("utf-16")
        offset = lines = 0
        while chunk:
            following = file.read(READ_BYTES)
            if not wide and len(chunk.translate(None, CONTROLS)) < len(chunk):
                at = next(i for i, byte in enumerate(chunk) if byte in CONTROLS)
                raise EncodingUnknown(
                    row=lines + chunk.count(b"\n", 0, at) + 1, byte=offset + at + 1
                )
            for candidate in candidates:
                candidate.feed(chunk, offset, final=not following)
            if all(candidate.failed_at is not None for candidate in candidates):
                _refuse(source, candidates)
            offset, lines = offset + len(chunk), lines + chunk.count(b"\n")
            chunk = following
    return next(each.encoding for each in candidates if each.failed_at is None)


def _candidates(start: bytes, forced: str) -> list[str]:
    if not start:
        raise FileEmpty
    if start.startswith(BINARIES):
        raise FileIsNoText
    if start.startswith(codecs.BOM_UTF8):
        return ["utf-8-sig"]
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ["utf-16"]
    if forced:
        return ["utf-16-le" if forced == "utf-16" else forced]
    if b"\x00" in start:
        raise FileIsNoText
    return ["utf-8", "cp932"]


def _refuse(source: Source, candidates: list[_Candidate]) -> None:
    """Say where the encoding that goes furthest stops; there the file should be looked at."""
    furthest = max(candidates, key=lambda each: each.failed_at or 0)
    at = furthest.failed_at or 0
    lines = 0
    with source() as file:
        left = at
        while left > 0 and (chunk := file.read(min(left, READ_BYTES))):
            lines, left = lines + chunk.count(b"\n"), left - len(chunk)
    raise EncodingUnknown("", row=lines + 1, byte=at + 1, **_hint(source))


def _hint(source: Source) -> dict[str, object]:
    """Return EUC-JP when the header says something in it: CP932 takes many of its bytes too."""
    with source() as file:
        lines = file.read(READ_BYTES).splitlines()
    try:
        titles = lines[0].decode("euc_jp").replace("\t", ",").split(",")
    except (UnicodeDecodeError, IndexError):
        return {}
    return {"looks_like": "EUC-JP"} if columns.recognised(titles) else {}


def _head(source: Source, encoding: str) -> Table:
    """Return the table's headers, and the delimiter that the header line has most of."""
    with _text(source, encoding) as text:
        line = text.readline(RECORD_CHARS_MAX + 1)
        while line and not line.strip():
            line = text.readline(RECORD_CHARS_MAX + 1)
    delimiter = max(DELIMITERS, key=line.count)
    for row in _records(source, encoding, delimiter):
        if not any(row.cells):
            continue
        headers = [cell.strip() for cell in row.cells]
        while headers and not headers[-1]:
            headers.pop()
        if len(headers) > columns.COLUMNS_MAX:
            raise TooManyColumns(columns=len(headers))
        return Table(encoding, delimiter, tuple(headers))
    raise FileEmpty


def rows(source: Source, table: Table, after: int = 0) -> Generator[Row, None, None]:
    """Yield every row that is not blank, behind row number `after`; a broken row says why."""
    width, header_seen = len(table.headers), False
    for row in _records(source, table.encoding, table.delimiter):
        cells = row.cells
        if not any(cells) and not row.problem:
            continue
        if not header_seen:
            header_seen = True
            continue
        if row.number <= after:
            continue
        if len(cells) > width and not any(cells[width:]):
            del cells[width:]
        if len(cells) != width and not row.problem:
            row.problem = "columns-few" if len(cells) < width else "columns-many"
        yield row


def _records(source: Source, encoding: str, delimiter: str) -> Generator[Row, None, None]:
    """Yield every record of the file, the header and blank ones too."""
    with _text(source, encoding) as text:
        lines = _Lines(text)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        number = 0
        while True:
            lines.taken.clear()
            lines.chars = 0
            number += 1
            try:
                row = Row(number, next(reader))
            except StopIteration:
                return
            except csv.Error as error:
                if "unexpected end" in str(error) or "field limit" in str(error):
                    raise QuoteUnclosed(row=number) from error
                lenient = csv.reader(iter(lines.taken), delimiter=delimiter)
                row = Row(number, next(lenient, []), "quote-broken")
            yield row


class _Lines:
    """The lines of a file, those of the current record kept, and bounded."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.taken: list[str] = []
        self.chars = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(RECORD_CHARS_MAX + 1)
        if not line:
            raise StopIteration
        self.chars += len(line)
        if self.chars > RECORD_CHARS_MAX:
            raise LineTooLong
        self.taken.append(line)
        return line


def _text(source: Source, encoding: str) -> io.TextIOWrapper:
    # The csv module sees every line end itself: they may stand inside quotation marks.
    return io.TextIOWrapper(source(), encoding=encoding, errors="strict", newline="")
