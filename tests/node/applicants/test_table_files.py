"""Table files: every encoding people use is read or refused; garbage never crashes.  DOMAIN 4.1."""

import codecs
import csv
import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.services.applicants import table_files
from node.services.applicants.refusals import (
    EncodingUnknown,
    FileEmpty,
    FileIsNoText,
    FileRefused,
    LineTooLong,
    QuoteUnclosed,
    TooManyColumns,
    TooManyRows,
)
from node.services.applicants.table_files import Row, Table, inspect, rows
from tests.equipment.applicants_office import HEADERS, line, source_of, table

NAMES = "髙﨑①Ⅳ㈱"


def read(data: bytes, encoding: str = "auto") -> tuple[Table, list[Row]]:
    source = source_of(data)
    found = inspect(source, encoding)
    return found, list(rows(source, found))


@pytest.mark.parametrize(
    ("encoding", "bom", "decided"),
    [
        ("cp932", b"", "cp932"),
        ("utf-8", b"", "utf-8"),
        ("utf-8", codecs.BOM_UTF8, "utf-8-sig"),
        ("utf-16-le", codecs.BOM_UTF16_LE, "utf-16"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "utf-16"),
    ],
)
def test_names_that_shift_jis_lacks_come_through(encoding: str, bom: bytes, decided: str) -> None:
    found, got = read(bom + table(line(1, name=NAMES), encoding=encoding))
    assert decided == found.encoding
    assert HEADERS.split(",") == list(found.headers)
    assert [row.cells[1] for row in got] == [NAMES]
    assert [row.number for row in got] == [2]


def test_plain_ascii_is_utf_8() -> None:
    found, _ = read(b"ID,name,email,status\n1,Ada,ada@example.jp,rejected\n")
    assert found.encoding == "utf-8"


def test_tabs_and_semicolons_are_found_by_the_header() -> None:
    for delimiter in ("\t", ";", ","):
        found, got = read(table(line(1), line(2)).replace(b",", delimiter.encode()))
        assert delimiter == found.delimiter
        assert 2 == found.rows == len(got)


def test_a_byte_that_is_in_no_encoding_is_refused_with_row_and_byte() -> None:
    data = table(line(1), line(2), line(3))
    at = data.index(b"A-000002")
    with pytest.raises(EncodingUnknown) as refused:
        read(data[:at] + b"\xff\xff" + data[at:])
    assert {"row": 3, "byte": at + 1} == refused.value.facts


def test_a_utf_8_file_with_one_wrong_byte_is_refused_where_the_byte_stands() -> None:
    data = table(line(1), line(2), encoding="utf-8")
    at = data.index(b"A-000002")
    with pytest.raises(EncodingUnknown) as refused:
        read(codecs.BOM_UTF8 + data[:at] + b"\xe9" + data[at:])
    assert {"row": 3, "byte": 3 + at + 1} == refused.value.facts


def test_euc_jp_is_refused_with_its_name_and_read_when_somebody_says_so() -> None:
    data = table(line(1, name="山田 太郎", job="営業"), encoding="euc_jp")
    with pytest.raises(EncodingUnknown) as refused:
        read(data)
    assert refused.value.facts["looks_like"] == "EUC-JP"
    _, got = read(data, "euc-jp")
    assert got[0].cells[1] == "山田 太郎"


def test_iso_2022_jp_is_refused_though_all_its_bytes_are_ascii() -> None:
    with pytest.raises(EncodingUnknown) as refused:
        read(table(line(1, name="山田", job="営業"), encoding="iso2022_jp"))
    assert refused.value.facts["row"] == 1


@pytest.mark.parametrize(
    "start", [b"PK\x03\x04rest", b"\xd0\xcf\x11\xe0rest", b"%PDF-1.7", b"a\0b"]
)
def test_a_workbook_is_no_text(start: bytes) -> None:
    with pytest.raises(FileIsNoText):
        read(start)


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", table(), codecs.BOM_UTF8])
def test_nothing_to_import_is_refused(data: bytes) -> None:
    with pytest.raises(FileEmpty):
        read(data)


def test_a_row_of_another_width_is_told_and_its_neighbours_are_read() -> None:
    _, got = read(table(line(1), "A-9,名前", line(2), line(3) + ",多い", line(4) + ",,"))
    assert [row.problem for row in got] == ["", "columns-few", "", "columns-many", ""]
    assert [row.number for row in got] == [2, 3, 4, 5, 6]


def test_a_stray_quotation_mark_breaks_its_row_only() -> None:
    _, got = read(table(line(1), line(2, name='"山田"太郎'), line(3)))
    assert [row.problem for row in got] == ["", "quote-broken", ""]


def test_a_quotation_mark_that_is_never_closed_refuses_the_file_with_its_row() -> None:
    with pytest.raises(QuoteUnclosed) as refused:
        read(table(line(1), line(2, name='"山田'), line(3)))
    assert refused.value.facts == {"row": 3}


def test_quoted_line_ends_and_delimiters_belong_to_their_cell() -> None:
    _, got = read(table(line(1, name='"山田, ""太郎""\r\n様"'), line(2)))
    assert got[0].cells[1] == '山田, "太郎"\r\n様'
    assert [row.number for row in got] == [2, 3]


def test_a_line_without_end_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(LineTooLong):
        read(table("あ" * (table_files.RECORD_CHARS_MAX + 1)))


def test_too_many_columns_are_refused() -> None:
    with pytest.raises(TooManyColumns):
        read(",".join(f"c{n}" for n in range(201)).encode() + b"\n1\n")


def test_200_000_rows_are_refused() -> None:
    body = b"1,Ada,ada@example.jp,NG\n" * 200_000
    with pytest.raises(TooManyRows):
        read(b"ID,name,email,status\n" + body)


def test_100_000_rows_are_not() -> None:
    body = b"1,Ada,ada@example.jp,NG\n" * 100_000
    found = inspect(source_of(b"ID,name,email,status\n" + body))
    assert found.rows == 100_000


def test_reading_goes_on_behind_a_row() -> None:
    data = table(*(line(n) for n in range(10)))
    found = inspect(source_of(data))
    assert [row.number for row in rows(source_of(data), found, after=7)] == [8, 9, 10, 11]


@given(st.binary(max_size=400))
def test_garbage_is_read_or_refused_with_a_code(data: bytes) -> None:
    with suppress(FileRefused):
        found, got = read(data)
        assert found.rows == len(got)


@given(st.binary(max_size=300), st.sampled_from(sorted(table_files.ENCODINGS)))
def test_garbage_behind_a_header_is_read_or_refused(data: bytes, encoding: str) -> None:
    with suppress(FileRefused):
        found, got = read(table(line(1)) + data, encoding)
        assert found.rows == len(got)


# CP932 writes these, and reads other signs or none.
ONE_WAY = "¢£¬‖−〜\x80\xa0\uf8f0\uf8f1\uf8f2\uf8f3"
TEXT = st.text(
    st.characters(codec="cp932", exclude_categories=["Cc"], exclude_characters=ONE_WAY),
    min_size=1,
    max_size=12,
)


@given(st.lists(st.lists(TEXT, min_size=3, max_size=3), min_size=1, max_size=8))
def test_what_a_spreadsheet_writes_is_what_is_read(cells: list[list[str]]) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([["氏名", "結果", "ID"], *cells])
    data = buffer.getvalue().encode("cp932")
    _, got = read(data, "cp932")
    assert cells == [row.cells for row in got]
