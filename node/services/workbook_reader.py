"""The workbook reader: turns one untrusted .xlsx into CSV, in a process of its own.

Started as `python -I -m node.services.workbook_reader` with the file on standard input, it answers
one line of JSON, {"verdict", "sheet", "others"}, and behind `ok` the first sheet that is not hidden
as CSV in UTF-8.  A workbook is an archive: its directory says how much it unpacks to, and may lie,
so both are measured before the library looks at it.  Two cells in far corners are a rectangle of
17,000,000,000, which no measure foresees; so before it looks at the file this process gives away
memory beyond 1 GB, more than a minute, new files and sockets, and writing.  It imports nothing of
the node.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import resource
import sys
import zipfile
import zlib
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal

from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    SheetMetadata,
    SheetTypeEnum,
    SheetVisibleEnum,
)

MEMORY_BYTES_MAX = 1024 * 1024 * 1024
CPU_S_MAX = 60
# 100,000 rows of 20 columns are 130 MB of XML; twice that is no list of applicants.
UNPACKED_BYTES_MAX = 256 * 1024 * 1024
# A workbook of a dozen sheets with pictures has a hundred parts.
PARTS_MAX = 2_000
# What `uploads` stores: 100,000 rows of 600 bytes.
TEXT_CHARS_MAX = 64 * 1024 * 1024
# The most that Excel puts into one cell.
CELL_CHARS_MAX = 32_767
STEP_BYTES = 1024 * 1024
LOCAL_HEADER_BYTES = 30  # APPNOTE 4.3.7; the lengths of name and extra field are its last four

OK = "ok"
UNREADABLE = "import-workbook-unreadable"
TOO_LARGE = "import-workbook-too-large"
MACROS = "import-workbook-macros"
HIDDEN = "import-workbook-hidden"
VERDICTS = (OK, UNREADABLE, TOO_LARGE, MACROS, HIDDEN)

# Signs that stand in no text file: one of them would make the whole table unreadable.
CONTROLS = dict.fromkeys([*(set(range(0x20)) - {0x09, 0x0A, 0x0D}), 0x7F], " ")

Cell = int | float | str | bool | time | date | datetime | object


class Refused(Exception):
    """This workbook is not read; the verdict says why."""


def read(data: bytes) -> tuple[str, int, str]:
    """Return the sheet's name, how many other sheets are shown in Excel, and its rows as CSV."""
    try:
        measure(data)
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as workbook:
            shown = [each for each in workbook.sheets_metadata if _is_shown(each)]
            if not shown:
                raise Refused(HIDDEN)
            sheet = workbook.get_sheet_by_name(shown[0].name)
            # Without `skip_empty_area=False` an empty first column would shift all others.
            rows = sheet.to_python(skip_empty_area=False)
            return shown[0].name, len(shown) - 1, _csv(rows)
    except (CalamineError, zipfile.BadZipFile, zlib.error, ValueError, KeyError) as error:
        raise Refused(UNREADABLE) from error
    except (NotImplementedError, OSError, EOFError) as error:
        raise Refused(UNREADABLE) from error


def measure(data: bytes) -> None:
    """Raise unless this is a workbook without macros that unpacks to a bounded size."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        declared = sum(part.file_size for part in parts)
        if len(parts) > PARTS_MAX or declared > UNPACKED_BYTES_MAX:
            raise Refused(TOO_LARGE)
        left = UNPACKED_BYTES_MAX
        for part in parts:
            size = _unpacked(data, part, left)
            if size != part.file_size:
                raise Refused(UNREADABLE)
            left -= size
        names = {part.filename.lower() for part in parts}
        if "xl/workbook.xml" not in names or "[content_types].xml" not in names:
            raise Refused(UNREADABLE)
        types = archive.read("[Content_Types].xml")
    macros = any("vbaproject" in name or name.startswith("xl/macrosheets/") for name in names)
    if macros or b"macroenabled" in types.lower():
        raise Refused(MACROS)


def _unpacked(data: bytes, part: zipfile.ZipInfo, most: int) -> int:
    """Return how many bytes a part really has; raise when they are more than `most`."""
    head = data[part.header_offset : part.header_offset + LOCAL_HEADER_BYTES]
    if part.flag_bits & 1 or len(head) < LOCAL_HEADER_BYTES:
        raise Refused(UNREADABLE)
    names = int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    start = part.header_offset + LOCAL_HEADER_BYTES + names
    packed = data[start : start + part.compress_size]
    if part.compress_type == zipfile.ZIP_STORED:
        size = len(packed)
    elif part.compress_type == zipfile.ZIP_DEFLATED:
        size, inflater = 0, zlib.decompressobj(-zlib.MAX_WBITS)
        while packed and not inflater.eof and size <= most:
            size += len(inflater.decompress(packed, STEP_BYTES))
            packed = inflater.unconsumed_tail
        size += len(inflater.flush()) if not packed else 0
    else:
        raise Refused(UNREADABLE)
    if size > most:
        raise Refused(TOO_LARGE)
    return size


def _is_shown(sheet: SheetMetadata) -> bool:
    return sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet


def _csv(rows: Sequence[Sequence[Cell]]) -> str:
    """Return the rows as they stand in the sheet: what is empty before the first cell counts."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for row in rows:
        writer.writerow([text_of(cell) for cell in row])
        if text.tell() > TEXT_CHARS_MAX:
            raise Refused(TOO_LARGE)
    return text.getvalue()


def text_of(cell: Cell) -> str:
    """Return a cell as a CSV file would hold it: 1234.0 as 1234, a day as 2026-11-22."""
    if isinstance(cell, str):
        if len(cell) > CELL_CHARS_MAX:
            raise Refused(TOO_LARGE)
        return cell.translate(CONTROLS)
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        whole = cell.is_integer()
        # Never 1e-07: a number stands as digits, however large or small.
        return str(int(cell)) if whole else format(Decimal(repr(cell)), "f")
    if isinstance(cell, datetime):
        at_midnight = cell.time() == time(0)
        return cell.date().isoformat() if at_midnight else cell.isoformat(" ", "seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)


def give_up_rights() -> None:
    """Let the system hold the bounds, whatever the file makes this process do."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S_MAX, CPU_S_MAX))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    # The three descriptors that are open stay; a fourth, file or socket, cannot be had.
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


def main() -> None:
    """Read standard input, write the verdict and the rows."""
    data = sys.stdin.buffer.read()
    codecs.lookup("cp437")  # the names in an archive; later no file can be opened any more
    give_up_rights()
    sheet, others, text = "", 0, ""
    try:
        sheet, others, text = read(data)
        verdict = OK
    except Refused as refused:
        verdict = str(refused)
    except MemoryError:
        verdict = TOO_LARGE
    answer = {"verdict": verdict, "sheet": sheet, "others": others}
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + text.encode())


if __name__ == "__main__":
    main()
