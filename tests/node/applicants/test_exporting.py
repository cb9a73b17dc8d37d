"""Exporting: what leaves can be opened, holds no formula, and says what CP932 cannot hold."""

import csv
import io

import pytest

from node.services import applicants
from node.services.applicants import exclusion, exporting
from node.services.applicants.listing import Filters
from tests.equipment.applicants_office import USER, Office, line, table

EVERYBODY = Filters()


def export(office: Office, encoding: str, *ids: str) -> list[list[str]]:
    with office.database.reading() as session:
        rows = exporting.rows(session, office.context, EVERYBODY, ids)
        data = b"".join(exporting.encode_rows(rows, exporting.ENCODINGS[encoding]))
    text = data.decode(exporting.ENCODINGS[encoding])
    assert data.count(b"\xef\xbb\xbf") == (1 if encoding == "utf-8" else 0)
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("encoding", sorted(exporting.ENCODINGS))
def test_what_is_exported_is_what_was_imported(office: Office, encoding: str) -> None:
    office.bring_in(table(*(line(n) for n in range(1_200))))
    header, *rows = export(office, encoding)
    assert [each for each, _ in exporting.COLUMNS] == header
    assert len(rows) == 1_200
    found = dict(zip(header, rows[-1], strict=True))
    assert (
        found["氏名"],
        found["電話番号"],
        found["求人名"],
    ) == ("髙﨑 太郎0", "090-1000-0000", "営業①")
    assert (
        found["応募日"],
        found["不合格日"],
        found["通知日"],
    ) == ("2026-10-01", "2026-11-02", "")


def test_an_export_can_be_imported_again_and_changes_nothing(office: Office) -> None:
    office.bring_in(table(line(1), line(2, job="=1+1")))
    with office.database.reading() as session:
        rows = exporting.rows(session, office.context, EVERYBODY)
        data = b"".join(exporting.encode_rows(rows, "cp932"))
    report = office.bring_in(data)
    assert (report.created, report.updated, report.unchanged) == (0, 0, 2)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(start: str) -> None:
    data = b"".join(exporting.encode_rows([[f"{start}1+1", "a"]], "utf-8-sig"))
    (row,) = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert [f"'{start}1+1", "a"] == row


def test_what_cp932_changes_or_lacks_is_told_before(office: Office) -> None:
    office.bring_in(
        table(line(1, name="𠮷田 太郎"), line(2, job="A—B〜C"), line(3), encoding="utf-8-sig")
    )
    with office.database.reading() as session:
        count, found = exporting.losses(session, office.context, EVERYBODY)
    said = {(loss.name, loss.sign, loss.becomes, loss.kind) for loss in found}
    assert {
        ("𠮷田 太郎", "𠮷", "〓", "missing"),
        ("髙﨑 太郎2", "—", "―", "changed"),
        ("髙﨑 太郎2", "〜", "～", "changed"),
    } == said
    assert count == 3
    jobs = {row[14] for row in export(office, "cp932")}
    assert "A―B～C" in jobs
    with office.database.reading() as session:
        assert "A—B〜C" in {row[14] for row in export(office, "utf-8")}


def test_only_the_chosen_leave(office: Office) -> None:
    office.bring_in(table(line(1), line(2), line(3)))
    chosen = office.applicants()[1]
    assert [row[1] for row in export(office, "utf-8", chosen.id)[1:]] == ["髙﨑 太郎2"]
    with office.database.reading() as session:
        assert exporting.count(session, office.context, EVERYBODY, [chosen.id]) == 1
        assert exporting.count(session, office.context, EVERYBODY) == 3


def test_why_somebody_gets_no_link_never_leaves(office: Office) -> None:
    office.bring_in(table(line(1)))
    row = office.applicants()[0]
    before = export(office, "utf-8")
    with office.database.transaction() as session:
        exclusion.set_flag(session, office.context, row.id, "misconduct", user_id=USER)
    assert before == export(office, "utf-8")


def test_the_erased_leave_without_their_data(office: Office) -> None:
    office.bring_in(table(line(1)))
    with office.database.transaction() as session:
        applicants.erase(session, office.context, office.applicants()[0].person_id)
    (row,) = export(office, "cp932")[1:]
    assert row[:14] == [""] * 14


def test_the_file_has_the_same_name_all_day(office: Office) -> None:
    assert exporting.file_name(office.context) == "applicants-20261122.csv"


def test_what_fits_is_not_touched() -> None:
    assert exporting.in_cp932("髙﨑①㈱～") == "髙﨑①㈱～"
