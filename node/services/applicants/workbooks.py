"""Workbooks: an Excel file becomes the CSV file it could have been, and is read as one.

Whatever comes after (columns, check, import, error file) sees text.  The workbook itself is opened
by `workbook_reader` in a process that can do no harm; one that breaks it cannot be read.
"""

import io
import json
from dataclasses import dataclass
from functools import partial

from node.services import isolation, workbook_reader
from node.services.applicants.refusals import (
    FileRefused,
    WorkbookEncrypted,
    WorkbookHasMacros,
    WorkbookHidden,
    WorkbookOld,
    WorkbookTooLarge,
    WorkbookUnreadable,
)
from node.services.applicants.table_files import Source

ARCHIVE = b"PK\x03\x04"
COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # MS-CFB 2.2: .xls, and everything encrypted
ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")  # MS-OFFCRYPTO 2.3.4
# The reader may compute for a minute; on a busy machine that takes longer.
READING_S_MAX = 90
SHEET_CHARS_MAX = 31  # Excel's own bound.

REFUSALS: dict[str, type[FileRefused]] = {
    workbook_reader.UNREADABLE: WorkbookUnreadable,
    workbook_reader.TOO_LARGE: WorkbookTooLarge,
    workbook_reader.MACROS: WorkbookHasMacros,
    workbook_reader.HIDDEN: WorkbookHidden,
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """The sheet that was read, and how many others are shown in Excel beside it."""

    name: str
    others: int


def opened(source: Source) -> tuple[Source, Sheet | None]:
    """Return the file as text: a workbook as CSV in UTF-8, with its sheet; others as they are."""
    with source() as file:
        start = file.read(len(COMPOUND))
        if start == COMPOUND:
            raise WorkbookEncrypted if ENCRYPTED_STREAM in file.read() else WorkbookOld
        if not start.startswith(ARCHIVE):
            return source, None
        data = start + file.read()
    text, sheet = _read(data)
    return partial(io.BytesIO, text), sheet


def _read(data: bytes) -> tuple[bytes, Sheet]:
    """Ask the reader; raise for every verdict but ok."""
    done = isolation.run(workbook_reader.__name__, data, timeout_s=READING_S_MAX)
    if done is None:
        raise WorkbookTooLarge
    if done.returncode < 0:
        raise WorkbookTooLarge  # The system ended it: memory or time ran out.
    if done.returncode:
        raise WorkbookUnreadable
    head, _, text = done.stdout.partition(b"\n")
    answer = json.loads(head)
    if answer["verdict"] != workbook_reader.OK:
        raise REFUSALS[answer["verdict"]]
    name = "".join(sign for sign in answer["sheet"] if sign.isprintable())
    return text, Sheet(name[:SHEET_CHARS_MAX], answer["others"])
