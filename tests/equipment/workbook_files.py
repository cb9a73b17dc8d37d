"""Excel workbooks as people choose them: sound ones, odd ones, and some that mean no good.

Written by hand from ECMA-376: a hostile one cannot be had from a library that writes good ones.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
MACRO_TYPE = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
DAY_ONE = datetime(1899, 12, 30)  # noqa: DTZ001 (Excel's days have no time zone)
# Numbers that are dates are told by their style: 1 is a day, 2 a day with its time.
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/>'
    '<xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>'
)

Cell = str | int | float | bool | date | datetime | None


@dataclass(frozen=True)
class Sheet:
    """One sheet; `rows` as they stand from A1 on, unless `xml` says all of its cells."""

    name: str
    rows: Sequence[Sequence[Cell]] = ()
    state: str = "visible"
    xml: str = ""


def book(*rows: Sequence[Cell]) -> bytes:
    """A workbook of one sheet."""
    return packed(parts(Sheet("応募者", rows)))


def of_sheets(*sheets: Sheet) -> bytes:
    return packed(parts(*sheets))


def of_text(table: str) -> bytes:
    """A workbook with the rows of a CSV text, every cell a text, as an export writes it."""
    return book(*(line.split(",") for line in table.splitlines()))


def parts(*sheets: Sheet, content_type: str = SHEET_TYPE) -> dict[str, str]:
    """The files inside a workbook."""
    numbered = list(enumerate(sheets, 1))
    listed = "".join(
        f'<sheet name="{escape(each.name)}" sheetId="{at}" state="{each.state}" r:id="r{at}"/>'
        for at, each in numbered
    )
    related = "".join(
        f'<Relationship Id="r{at}" Type="{RELATIONS}/worksheet" Target="worksheets/s{at}.xml"/>'
        for at, _ in numbered
    )
    related += f'<Relationship Id="st" Type="{RELATIONS}/styles" Target="styles.xml"/>'
    found = {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{content_type}"/></Types>',
        "_rels/.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships"><Relationship '
        f'Id="r1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">'
        f"<sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">'
        f"{related}</Relationships>",
        "xl/styles.xml": HEAD + STYLES,
    }
    for at, each in numbered:
        cells = each.xml or "".join(_row(n, row) for n, row in enumerate(each.rows, 1))
        found[f"xl/worksheets/s{at}.xml"] = (
            f'{HEAD}<worksheet xmlns="{MAIN}"><sheetData>{cells}</sheetData></worksheet>'
        )
    return found


def packed(found: dict[str, str] | dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in found.items():
            archive.writestr(name, content)
    return file.getvalue()


def with_macros() -> bytes:
    found = parts(Sheet("a", [["氏名"]]), content_type=MACRO_TYPE)
    return packed(found | {"xl/vbaProject.bin": "Sub Auto_Open()"})


def macros_by_type_only() -> bytes:
    return packed(parts(Sheet("a", [["氏名"]]), content_type=MACRO_TYPE))


def encrypted() -> bytes:
    """An encrypted workbook is a compound file with the stream EncryptedPackage (MS-OFFCRYPTO)."""
    return _compound("EncryptedPackage")


def of_1997() -> bytes:
    """An .xls is a compound file with the stream Workbook."""
    return _compound("Workbook")


def bomb(megabytes: int = 300) -> bytes:
    """A sheet that is small in the archive and vast outside of it."""
    found = parts(Sheet("a", [["氏名"]]))
    cells = f"<row><c><v>{'1' * 1_000_000}</v></c></row>" * megabytes
    found["xl/worksheets/s1.xml"] = found["xl/worksheets/s1.xml"].replace(
        "<sheetData>", f"<sheetData>{cells}"
    )
    return packed(found)


def bomb_that_lies(megabytes: int = 300) -> bytes:
    """The same, but the archive's directory declares 1,000 bytes, with their checksum."""
    vast = b"<worksheet>" + b" " * (megabytes * 1_000_000)
    small = zlib.crc32(vast[:1000])
    data = bytearray(packed({"xl/worksheets/s1.xml": vast}))
    for mark, at in ((b"PK\x03\x04", 14), (b"PK\x01\x02", 16)):
        place = data.index(mark) + at
        struct.pack_into("<L", data, place, small)
        struct.pack_into("<L", data, place + 8, 1000)
    return bytes(data)


def far_corner() -> bytes:
    """Two cells, the second in Excel's last: held as a rectangle they are 17,000,000,000."""
    return of_sheets(Sheet("a", xml=_at("A1", "1") + _at("XFD1048576", "2")))


def one_text_many_times(times: int = 20_000) -> bytes:
    """One long text, stored once and shown in every row."""
    found = parts(Sheet("a", xml="".join('<row><c t="s"><v>0</v></c></row>' for _ in range(times))))
    found["xl/sharedStrings.xml"] = (
        f'{HEAD}<sst xmlns="{MAIN}" count="1" uniqueCount="1"><si><t>{"あ" * 32_000}</t></si></sst>'
    )
    name = "xl/_rels/workbook.xml.rels"
    found[name] = found[name].replace(
        "</Relationships>",
        f'<Relationship Id="ss" Type="{RELATIONS}/sharedStrings" Target="sharedStrings.xml"/>'
        "</Relationships>",
    )
    return packed(found)


def _row(number: int, cells: Sequence[Cell]) -> str:
    found = (_cell(f"{_column(at)}{number}", cell) for at, cell in enumerate(cells))
    return f'<row r="{number}">{"".join(found)}</row>'


def _cell(place: str, cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return f'<c r="{place}" t="b"><v>{int(cell)}</v></c>'
    if isinstance(cell, str):
        said = escape(cell)
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{said}</t></is></c>'
    if isinstance(cell, date):
        passed = (cell if isinstance(cell, datetime) else datetime.combine(cell, time())) - DAY_ONE
        style = 2 if isinstance(cell, datetime) else 1
        value = passed.days + passed.seconds / 86_400
        return f'<c r="{place}" s="{style}"><v>{value}</v></c>'
    return f'<c r="{place}"><v>{cell}</v></c>'


def _at(place: str, value: str) -> str:
    number = "".join(sign for sign in place if sign.isdigit())
    return f'<row r="{number}"><c r="{place}"><v>{value}</v></c></row>'


def _column(at: int) -> str:
    letters, at = "", at + 1
    while at:
        at, rest = divmod(at - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _compound(stream: str) -> bytes:
    """The head of a compound file (MS-CFB), and a directory entry of one stream."""
    name = stream.encode("utf-16-le")
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + name.ljust(64, b"\0") + bytes(448)
