"""PDF files as people choose them: sound ones, broken ones, and some that mean no good."""

import io
import zipfile
import zlib

from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, StreamObject, TextStringObject


def _written(writer: PdfWriter) -> bytes:
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def _writer(pages: int = 1) -> PdfWriter:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(width=595, height=842)
    return writer


def sound(pages: int = 1) -> bytes:
    return _written(_writer(pages))


def large(size: int = 1_280_000) -> bytes:
    """A sound one of more than a megabyte, as a scan is."""
    writer = _writer()
    picture = StreamObject()
    picture.set_data(bytes(range(256)) * (size // 256))
    writer._add_object(picture)
    return _written(writer)


def holding(content: bytes) -> bytes:
    """A sound one with these bytes in an object of its own."""
    writer = _writer()
    held = StreamObject()
    held.set_data(content)
    writer._add_object(held)
    return _written(writer)


def encrypted() -> bytes:
    writer = _writer()
    writer.encrypt("secret")
    return _written(writer)


def with_script() -> bytes:
    """A page that runs a script when it is opened."""
    writer = _writer()
    script = DictionaryObject(
        {
            NameObject("/S"): NameObject("/JavaScript"),
            NameObject("/JS"): TextStringObject("app.alert('hello');"),
        }
    )
    writer.root_object[NameObject("/OpenAction")] = script
    return _written(writer)


def with_file_inside() -> bytes:
    writer = _writer()
    writer.add_attachment("invoice.exe", b"MZ" * 100)
    return _written(writer)


def with_hidden_script() -> bytes:
    """A script in an object that nothing leads to."""
    writer = _writer()
    writer._add_object(
        DictionaryObject(
            {
                NameObject("/S"): NameObject("/JavaScript"),
                NameObject("/JS"): TextStringObject("app.alert(1)"),
            }
        )
    )
    return _written(writer)


def with_launch() -> bytes:
    """A page that starts a program when it is opened."""
    writer = _writer()
    launch = DictionaryObject(
        {NameObject("/S"): NameObject("/Launch"), NameObject("/F"): TextStringObject("cmd.exe")}
    )
    writer.root_object[NameObject("/OpenAction")] = launch
    return _written(writer)


def with_link() -> bytes:
    """An ordinary link to a web page, as many CVs have."""
    writer = _writer()
    uri = DictionaryObject(
        {
            NameObject("/S"): NameObject("/URI"),
            NameObject("/URI"): TextStringObject("https://portfolio.example.jp"),
        }
    )
    writer._add_object(uri)
    return _written(writer)


def archive() -> bytes:
    """A zip file that was renamed to .pdf."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("cv.txt", "hello")
    return file.getvalue()


def pdf_and_archive() -> bytes:
    """Both at once: a reader of PDFs looks at the beginning, one of archives at the end."""
    return sound() + archive()


def cut_off() -> bytes:
    return sound()[:-60]


def bomb() -> bytes:
    """An object stream of a few kB that unpacks to 300 MB, for whoever unpacks it whole."""
    packed = zlib.compress(_zeros(300_000_000), 9)
    head = b"%PDF-1.5\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
    stream = (
        b"3 0 obj\n<</Type/ObjStm/N 1/First 4/Filter[/FlateDecode/FlateDecode]/Length "
        + str(len(packed)).encode()
        + b">>\nstream\n"
        + packed
        + b"\nendstream\nendobj\n"
    )
    place = len(head)
    # A cross-reference stream that says: object 2 lies packed in object 3.
    rows = b"".join(
        (
            b"\0\0\0\0\0\xff",
            b"\1" + (9).to_bytes(4, "big") + b"\0",
            b"\2" + (3).to_bytes(4, "big") + b"\0",
            b"\1" + place.to_bytes(4, "big") + b"\0",
        )
    )
    start = place + len(stream)
    table = (
        b"4 0 obj\n<</Type/XRef/Size 4/W[1 4 1]/Root 1 0 R/Length "
        + str(len(rows)).encode()
        + b">>\nstream\n"
        + rows
        + b"\nendstream\nendobj\nstartxref\n"
        + str(start).encode()
        + b"\n%%EOF\n"
    )
    return head + stream + table


def _zeros(count: int) -> bytes:
    """So many zeros, packed without ever holding them."""
    packer, million = zlib.compressobj(9), bytes(1_000_000)
    packed = [packer.compress(million) for _ in range(count // len(million))]
    return b"".join(packed) + packer.flush()
