"""Workbooks: read as the CSV they could have been; hostile ones are refused and do no harm."""

import csv
import io
import subprocess
import sys
from contextlib import suppress
from datetime import date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.refusals import Refusal
from node.services import workbook_reader
from node.services.applicants import workbooks
from node.services.applicants.refusals import FileEmpty, FileRefused
from tests.equipment import pdf_files, workbook_files
from tests.equipment.applicants_office import HEADERS, Office, line, source_of, table
from tests.equipment.workbook_files import Sheet

PROBE = """
import socket
from node.services import workbook_reader
workbook_reader.give_up_rights()
try:
    {attempt}
except (OSError, MemoryError) as refusal:
    print(type(refusal).__name__)
"""
TEXTS = st.text(
    st.characters(blacklist_categories=["Cs", "Cc", "Cn"], blacklist_characters="\ufffe\uffff"),
    max_size=20,
)


def cells(data: bytes) -> list[list[str]]:
    """The rows of a workbook as the import sees them."""
    source, sheet = workbooks.opened(source_of(data))
    assert sheet is not None
    with source() as file:
        return list(csv.reader(io.StringIO(file.read().decode(), newline="")))


def workbook_of(*lines: str) -> bytes:
    return workbook_files.of_text("\n".join((HEADERS, *lines)))


def test_a_text_file_is_left_as_it_is() -> None:
    source = source_of(table(line(1)))
    assert workbooks.opened(source) == (source, None)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (1234, "1234"),
        (1234.0, "1234"),
        ("1234", "1234"),
        ("09012345678", "09012345678"),
        ("0012", "0012"),
        (9012345678, "9012345678"),
        (1_000_000_000_000_000, "1000000000000000"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (-3, "-3"),
        (True, "TRUE"),
        (date(2026, 11, 22), "2026-11-22"),
        (datetime(2026, 11, 22, 14, 5), "2026-11-22 14:05:00"),  # noqa: DTZ001
        ("髙﨑①Ⅳ㈱", "髙﨑①Ⅳ㈱"),
        ("𠮷野家", "𠮷野家"),
        ("一行目\n二行目", "一行目\n二行目"),
        ('"引用", 点', '"引用", 点'),
        ("=1+1", "=1+1"),
        ("ベル_x0007_音", "ベル 音"),
        (None, ""),
    ],
)
def test_a_cell_stands_as_it_would_in_a_csv_file(cell: workbook_files.Cell, text: str) -> None:
    assert cells(workbook_files.book(["左", cell, "右"])) == [["左", text, "右"]]


@given(rows=st.lists(st.lists(TEXTS, min_size=3, max_size=3), min_size=1, max_size=5))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_text_is_lost_or_invented(rows: list[list[str]]) -> None:
    marked = [["a", *row, "z"] for row in rows]
    assert cells(workbook_files.book(*marked)) == marked


def test_what_is_empty_keeps_its_place() -> None:
    found = workbook_files.book(
        [None, None, None], [None, "氏名", "メール"], [None, None, "a@b.jp"]
    )
    assert cells(found) == [["", "", ""], ["", "氏名", "メール"], ["", "", "a@b.jp"]]


def test_the_first_sheet_that_is_not_hidden_is_read_and_named() -> None:
    data = workbook_files.of_sheets(
        Sheet("設定", [["x"]], state="hidden"),
        Sheet("マスタ", [["x"]], state="veryHidden"),
        Sheet("2026年度", [["氏名"], ["山田 太郎"]]),
        Sheet("集計", [["x"]]),
        Sheet("控え", [["x"]]),
    )
    _, sheet = workbooks.opened(source_of(data))
    assert sheet == workbooks.Sheet("2026年度", 2)
    assert cells(data) == [["氏名"], ["山田 太郎"]]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (workbook_files.bomb(), "import-workbook-too-large"),
        (workbook_files.bomb_that_lies(), "import-workbook-too-large"),
        (workbook_files.bomb_that_lies(2), "import-workbook-unreadable"),
        (workbook_files.far_corner(), "import-workbook-too-large"),
        (workbook_files.one_text_many_times(), "import-workbook-too-large"),
        (workbook_files.book(["あ" * 32_768]), "import-workbook-too-large"),
        (workbook_files.with_macros(), "import-workbook-macros"),
        (workbook_files.macros_by_type_only(), "import-workbook-macros"),
        (workbook_files.encrypted(), "import-workbook-encrypted"),
        (workbook_files.of_1997(), "import-workbook-old"),
        (workbook_files.of_sheets(Sheet("a", state="hidden")), "import-workbook-hidden"),
        (workbook_files.packed({"word/document.xml": "<a/>"}), "import-workbook-unreadable"),
        (workbook_of(line(1))[:-40], "import-workbook-unreadable"),
        (pdf_files.archive(), "import-workbook-unreadable"),
        (b"PK\x03\x04", "import-workbook-unreadable"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_workbook_that_cannot_be_read_is_refused_with_its_reason(data: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        workbooks.opened(source_of(data))
    assert refused.value.code == code


@pytest.mark.parametrize(
    "data",
    [pdf_files.sound(), b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"PK\x05\x06" + bytes(18)],
)
def test_a_renamed_picture_or_document_is_refused_and_nothing_is_kept(
    office: Office, data: bytes
) -> None:
    with pytest.raises(FileRefused) as refused:
        office.upload(data, name="応募者.xlsx")
    assert refused.value.code == "import-file-is-no-text"
    assert office.files() == []


def test_a_hostile_workbook_leaves_nothing_behind(office: Office) -> None:
    for data in (workbook_files.with_macros(), workbook_files.far_corner()):
        with pytest.raises(FileRefused):
            office.upload(data)
    assert office.files() == []
    assert office.applicants() == []


@pytest.mark.parametrize("rows", [[], [["氏名", "メール"]], [[], ["氏名"], [None]]])
def test_a_workbook_without_rows_is_empty(office: Office, rows: list[list[str]]) -> None:
    with pytest.raises(FileEmpty):
        office.upload(workbook_files.book(*rows))
    assert office.files() == []


def test_a_workbook_is_imported_as_its_csv_file_would_be(office: Office) -> None:
    lines = [line(number) for number in range(1, 6)]
    report = office.bring_in(workbook_of(*lines))
    assert (report.created, report.failed, report.sheet) == (5, 0, "応募者")
    again = office.bring_in(table(*lines))
    assert (again.created, again.updated, again.unchanged) == (0, 0, 5)


def test_ids_telephones_and_days_of_real_cells_are_recognised(office: Office) -> None:
    heads = HEADERS.split(",")
    day = date(2026, 10, 1)
    row = [1234, "山田 太郎", "", "yamada@example.jp", 9012345678, "営業", "一次面接", "不採用"]
    report = office.bring_in(workbook_files.book(heads, [*row, day, date(2026, 11, 2)]))
    assert (report.created, report.warnings) == (1, {})
    as_text = line(
        0, id="1234", name="山田 太郎", kana="", email="yamada@example.jp", phone="090-1234-5678",
        job="営業", stage="一次面接", applied="2026/10/1", rejected="2026/11/2",
    )  # fmt: skip
    again = office.bring_in(table(as_text))
    assert (again.created, again.unchanged) == (0, 1)


def test_broken_rows_of_a_workbook_come_back_as_a_file_to_correct(office: Office) -> None:
    data = workbook_of(line(1), line(2, name=""), line(3, email="nobody", id=""))
    import_id = office.upload(data)
    report = office.check(import_id)
    assert report.failed == 2
    office.start(import_id, accept_broken=True)
    office.drive(import_id)
    corrected = office.errors(import_id).decode("utf-8-sig").splitlines()
    assert len(corrected) == 3
    assert corrected[1].startswith("3: ")
    assert corrected[0].removeprefix("取込エラー,") == HEADERS


def test_the_upload_is_kept_as_text_and_encrypted(office: Office) -> None:
    office.upload(workbook_of(line(1, email="canary@example.jp")))
    (kept,) = office.files()
    assert b"canary" not in kept.read_bytes()


@pytest.mark.parametrize(
    "attempt",
    [
        "open('/etc/passwd')",
        "socket.socket()",
        "open('/tmp/written', 'w')",
        "bytearray(2 << 30)",
    ],
)
def test_the_reader_can_neither_open_nor_write_nor_call(attempt: str) -> None:
    probe = PROBE.format(attempt=attempt)
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() in ("OSError", "MemoryError")


def test_every_verdict_of_the_reader_is_a_refusal_of_that_code() -> None:
    refused = {verdict for verdict in workbook_reader.VERDICTS if verdict != workbook_reader.OK}
    assert {code: each.code for code, each in workbooks.REFUSALS.items()} == {
        code: code for code in refused
    }


@given(data=st.binary(max_size=400), at=st.integers(0, 3000))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_workbook_with_garbage_in_it_is_read_or_refused(data: bytes, at: int) -> None:
    sound = workbook_of(line(1), line(2))
    at %= len(sound)
    # A refusal is one of ours; anything else that is raised fails the test.
    with suppress(FileRefused):
        found = cells(sound[:4] + sound[4:at] + data + sound[at:])
        assert all(isinstance(cell, str) for row in found for cell in row)
