"""The PDF inspector: reads one untrusted file in a process of its own.  RELIABILITY 4, A3.

Started as `python -I -m node.services.pdf_inspector` with the file on standard input, it answers
one line: `ok <pages>`, or the code of what is wrong. Before it looks at the file it gives away
everything a hostile file could use: memory beyond 256 MB, more than ten seconds, new files and
sockets (not one more descriptor can be opened), and writing. It imports nothing of the node.
"""

from __future__ import annotations

import codecs
import importlib
import io
import logging
import pkgutil
import re
import resource
import sys
import warnings
from contextlib import suppress

import pypdf
from pypdf import PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, PdfObject

MEMORY_BYTES_MAX = 256 * 1024 * 1024
CPU_S_MAX = 10
# A CV has a few pages, one with works attached a few dozen.
PAGES_MAX = 100
# A CV with photographs and fonts has hundreds of objects; pypdf reads 20,000 within the time.
OBJECTS_MAX = 20_000
# PDF allows remarks before and after the document; ours must be a PDF and nothing else besides.
TAIL_BYTES_MAX = 1024

CODECS = "ascii latin-1 utf-8 utf-16 utf-16-be utf-16-le cp1252 mac-roman charmap idna".split()

OK = "ok"
NOT_PDF = "resume-not-pdf"
ARCHIVE = "resume-archive"
ENCRYPTED = "resume-encrypted"
ACTIVE = "resume-active"
UNREADABLE = "resume-unreadable"
PAGES = "resume-pages"
VERDICTS = (OK, NOT_PDF, ARCHIVE, ENCRYPTED, ACTIVE, UNREADABLE, PAGES)

ARCHIVE_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh")
# What runs, starts or carries something: scripts, launches, embedded files, rich media, forms
# made of XML, and links to other files. A CV needs none of it.
ACTIVE_KEYS = frozenset(
    "/JS /JavaScript /AA /EmbeddedFile /EmbeddedFiles /EF /RichMediaContent /XFA".split()
)
ACTIVE_ACTIONS = frozenset(
    "/JavaScript /Launch /ImportData /SubmitForm /GoToR /GoToE /Movie /Sound /Rendition "
    "/RichMediaExecute /GoTo3DView".split()
)
ACTIVE_TYPES = frozenset("/EmbeddedFile /Filespec".split())
ACTIVE_ANNOTATIONS = frozenset("/FileAttachment /RichMedia /Movie /Sound /Screen /3D".split())


def inspect(data: bytes) -> str:
    """The verdict on one file: `ok <pages>`, or a code of `VERDICTS`."""
    if data.startswith(ARCHIVE_STARTS):
        return ARCHIVE
    if not re.match(rb"%PDF-[12]\.\d", data):
        return NOT_PDF
    end = data.rfind(b"%%EOF")
    tail = data[end + len(b"%%EOF") :]
    if end < 0:
        return UNREADABLE
    # A reader of archives looks at the end: an archive behind a PDF is both at once.
    if len(tail) > TAIL_BYTES_MAX or tail.strip(b"\x00\t\n\x0c\r "):
        return ARCHIVE if b"PK\x05\x06" in tail else NOT_PDF
    try:
        return _inspect_document(PdfReader(io.BytesIO(data), strict=False))
    except (PyPdfError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        return UNREADABLE
    except (RecursionError, MemoryError, OverflowError, NotImplementedError, AssertionError):
        return UNREADABLE


def _inspect_document(reader: PdfReader) -> str:
    if reader.is_encrypted:
        return ENCRYPTED
    if _walk(reader.trailer):
        return ACTIVE
    # Objects that nothing leads to are looked at too: the next program may find a way there.
    numbers = {number for table in reader.xref.values() for number in table}
    numbers |= set(reader.xref_objStm)
    if len(numbers) > OBJECTS_MAX:
        return UNREADABLE
    for number in sorted(numbers):
        if number and _walk(reader.get_object(number)):
            return ACTIVE
    pages = len(reader.pages)
    if pages == 0:
        return UNREADABLE
    return f"{OK} {pages}" if pages <= PAGES_MAX else PAGES


def _walk(start: PdfObject | None) -> bool:
    """Whether one object, without following references, holds anything active."""
    waiting: list[object] = [start]
    while waiting:
        item = waiting.pop()
        if isinstance(item, IndirectObject):
            continue  # every object is looked at in its own turn
        if isinstance(item, DictionaryObject):
            if _is_active(item):
                return True
            waiting.extend(item.values())
        elif isinstance(item, ArrayObject):
            waiting.extend(item)
    return False


def _is_active(item: DictionaryObject) -> bool:
    if not ACTIVE_KEYS.isdisjoint(item):
        return True
    return (
        str(item.get("/S")) in ACTIVE_ACTIONS
        or str(item.get("/Type")) in ACTIVE_TYPES
        or str(item.get("/Subtype")) in ACTIVE_ANNOTATIONS
    )


def load_everything() -> None:
    """Load what pypdf and the codecs would load later, when no file can be opened any more."""
    for found in pkgutil.walk_packages(pypdf.__path__, "pypdf."):
        with suppress(ImportError):  # parts for libraries that are not installed
            importlib.import_module(found.name)
    for name in CODECS:
        codecs.lookup(name)


def give_up_rights() -> None:
    """Let the system hold the bounds, whatever the file makes this process do."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S_MAX, CPU_S_MAX))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    # The three descriptors that are open stay; a fourth, file or socket, cannot be had.
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


def main() -> None:
    """Read standard input, write the verdict."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)  # a report on the file would quote from it
    data = sys.stdin.buffer.read()
    load_everything()
    give_up_rights()
    sys.stdout.write(inspect(data) + "\n")


if __name__ == "__main__":
    main()
