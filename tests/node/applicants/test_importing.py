"""Importing: every row arrives once or is handed back; a refusal changes nothing.  R2."""

import csv
import io

import pytest
from sqlalchemy import func, select

from node import models
from node.refusals import NotThere
from node.services import applicants
from node.services.applicants import columns, importing, mappings
from node.services.applicants.refusals import (
    ColumnsMissing,
    FileRefused,
    ImportElsewhere,
    RowsBroken,
)
from tests.equipment.applicants_office import HEADERS, TODAY, Office, line, table

DAY_S = 86_400
CANARY = "金糸雀カナリア"


def test_a_file_in_cp932_is_imported_as_it_is_written(office: Office) -> None:
    report = office.bring_in(table(line(1, name="髙﨑 ①郎", phone="０９０ー１２３４ー５６７８")))
    (row,), (person,) = office.applicants(), office.people()
    assert (report.created, report.updated, report.unchanged, report.failed) == (1, 0, 0, 0)
    assert (person.name, person.family, person.given) == ("髙﨑 ①郎", "髙﨑", "①郎")
    assert (person.kana, person.phone) == ("タカサキ タロウ", "+819012345678")
    assert (person.email, person.ats_id) == ("person1@example.jp", "A-000001")
    assert (row.job, row.stage, row.stage_code) == ("開発", "一次面接", "interview_1")
    assert (row.status, row.applicant_type, row.exclusion) == ("rejected", "midcareer", None)
    assert row.rejected_on == 1_793_545_200  # 2026-11-02 00:00 in Japan


def test_a_file_in_utf_8_with_bom_is_the_same(office: Office) -> None:
    office.bring_in(table(line(1), line(2), encoding="utf-8-sig"))
    report = office.bring_in(table(line(1), line(2)))
    assert (report.created, report.updated, report.unchanged) == (0, 0, 2)


def test_importing_twice_is_importing_once(office: Office) -> None:
    data = table(*(line(n) for n in range(30)))
    office.bring_in(data)
    before = {row.id: (row.person_blob, row.updated_at) for row in office.applicants()}
    office.clock.move(DAY_S)
    report = office.bring_in(data)
    assert (report.created, report.updated, report.unchanged) == (0, 0, 30)
    assert before == {row.id: (row.person_blob, row.updated_at) for row in office.applicants()}


def test_without_an_id_e_mail_and_job_tell_an_application_from_others(office: Office) -> None:
    headers = "氏名,メール,求人名,結果"
    rows = ("山田 太郎,Taro@example.jp,営業,不採用", "山田 太郎,taro@example.jp,開発,選考中")
    office.bring_in(table(*rows, headers=headers))
    assert [row.status for row in office.applicants()] == ["rejected", "active"]
    report = office.bring_in(table("山田 太郎,taro@EXAMPLE.jp,営業,辞退", headers=headers))
    assert (report.created, report.updated) == (0, 1)
    assert [row.status for row in office.applicants()] == ["withdrawn", "active"]


def test_a_later_file_changes_what_it_says_and_keeps_the_rest(office: Office) -> None:
    office.bring_in(table(line(1, result="選考中", rejected="")))
    later = table("A-000001,髙﨑 太郎1,不採用,2026/11/20", headers="応募者ID,氏名,結果,不合格日")
    report = office.bring_in(later)
    (row,), (person,) = office.applicants(), office.people()
    assert report.updated == 1
    assert (row.status, row.job, person.email) == ("rejected", "開発", "person1@example.jp")


def test_of_two_rows_about_one_application_the_later_one_counts(office: Office) -> None:
    rows = [line(n) for n in range(importing.BATCH_ROWS + 5)]
    report = office.bring_in(table(*rows, line(0, result="辞退"), line(1), line(2, result="辞退")))
    assert (report.created, report.updated, report.unchanged) == (importing.BATCH_ROWS + 5, 2, 1)
    assert sum(row.status == "withdrawn" for row in office.applicants()) == 2


def test_the_check_says_what_the_import_will_do_and_changes_nothing(office: Office) -> None:
    office.bring_in(table(line(1)))
    import_id = office.upload(table(line(1, result="辞退"), line(2), line(2), line(3, email="x")))
    checked = office.check(import_id)
    assert (checked.created, checked.updated, checked.unchanged, checked.failed) == (1, 2, 0, 1)
    assert checked.statuses == {"withdrawn": 1, "rejected": 2}
    assert len(office.applicants()) == 1
    office.start(import_id, accept_broken=True)
    done = office.drive(import_id)
    # The repeated row says nothing new once the first of the two is there.
    assert (done.created, done.updated, done.unchanged, done.failed) == (1, 1, 1, 1)


BROKEN = (
    line(1),
    "A-2,短い",
    line(3, email="nobody"),
    line(4, name=""),
    line(5, applied="11/22/26"),
    line(6, name='"山田"太郎'),
    line(7),
)


def test_broken_rows_are_refused_and_nothing_is_changed(office: Office) -> None:
    import_id = office.upload(table(*BROKEN))
    office.check(import_id)
    with pytest.raises(RowsBroken) as refused:
        office.start(import_id)
    assert refused.value.facts == {"failed": 5}
    assert office.stored(import_id).state == "checked"
    assert office.applicants() == []


def test_broken_rows_come_back_in_a_file_that_can_be_imported_when_corrected(
    office: Office,
) -> None:
    import_id = office.upload(table(*BROKEN))
    report = office.check(import_id)
    assert {code: found.rows for code, found in list(report.problems.items())[:3]} == {
        "columns-few": [3],
        "email-unreadable": [4],
        "name-missing": [5],
    }
    office.start(import_id, accept_broken=True)
    done = office.drive(import_id)
    assert (done.created, done.failed, office.stored(import_id).state) == (2, 5, "done")

    errors = list(csv.reader(io.StringIO(office.errors(import_id).decode("cp932"), newline="")))
    assert ["取込エラー", *HEADERS.split(",")] == errors[0]
    assert [row[0].partition(":")[0] for row in errors[1:]] == ["3", "4", "5", "6", "7"]
    assert errors[1][1:] == ["A-2", "短い"]
    corrected = [*errors[2]]
    corrected[4] = "person3@example.jp"
    again = office.bring_in(table(",".join(corrected), headers=",".join(errors[0])))
    assert (again.created, again.failed) == (1, 0)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (table(line(1)) + b"\xff\xff", "import-encoding-unknown"),
        (table(line(1, name='"山田')), "import-quote-unclosed"),
        (b"ID,name,email,status\n" + b"1,A,a@example.jp,NG\n" * 200_000, "import-too-many-rows"),
        (table(), "import-file-empty"),
        (b"PK\x03\x04", "import-workbook-unreadable"),
    ],
    ids=["encoding", "quotation", "200000-rows", "empty", "workbook"],
)
def test_a_refused_file_leaves_nothing_behind(office: Office, data: bytes, code: str) -> None:
    with pytest.raises(FileRefused) as refused:
        office.upload(data)
    assert code == refused.value.code
    assert office.files() == []
    with office.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(models.ApplicantImport)) == 0


def test_a_missing_column_is_refused_by_name(office: Office) -> None:
    import_id = office.upload(table("山田,営業", headers="氏名,求人名"))
    with pytest.raises(ColumnsMissing) as refused:
        office.check(import_id)
    assert refused.value.facts == {"fields": ("email", "status")}
    assert office.stored(import_id).state == "uploaded"


def test_a_killed_import_goes_on_where_it_stopped(office: Office) -> None:
    rows = importing.BATCH_ROWS * 2 + 10
    import_id = office.upload(table(*(line(n) for n in range(rows))))
    office.check(import_id)
    office.start(import_id)
    stopped = office.drive(import_id, steps_max=1)
    assert (stopped.handled, office.stored(import_id).state) == (importing.BATCH_ROWS, "running")
    done = office.drive(import_id)
    assert (rows, rows, 0) == (done.handled, done.created, done.unchanged)
    assert rows == len(office.applicants())
    assert office.stored(import_id).state == "done"


def test_of_two_workers_with_one_import_one_stops(office: Office) -> None:
    import_id = office.upload(table(*(line(n) for n in range(importing.BATCH_ROWS + 1))))
    office.check(import_id)
    office.start(import_id)
    source = importing.source_of(office.context, import_id)
    stored = office.stored(import_id)
    with importing.Pass(office.context, stored, source) as slow:
        step = next(slow.steps())
        office.drive(import_id, steps_max=1)
        with pytest.raises(ImportElsewhere), office.database.transaction() as session:
            step(session)
    office.drive(import_id)
    assert len(office.applicants()) == importing.BATCH_ROWS + 1


def test_an_import_runs_once(office: Office) -> None:
    import_id = office.upload(table(line(1)))
    with pytest.raises(ImportElsewhere):
        office.start(import_id)  # not checked yet
    office.check(import_id)
    office.start(import_id)
    office.drive(import_id)
    with pytest.raises(ImportElsewhere):
        office.start(import_id)
    with pytest.raises(ImportElsewhere), office.database.transaction() as session:
        importing.cancel(session, office.context, import_id)


def test_oddities_are_told_and_imported(office: Office) -> None:
    report = office.bring_in(
        table(
            line(1, email="a..b@docomo.ne.jp"),
            line(2, phone="内線のみ"),
            line(3, name="髙﨑太郎"),
            line(4, result="謎", rejected=""),
            line(5, stage="謎"),
            line(6, rejected=""),
            line(7, email=""),
        )
    )
    wanted = ["email-legacy", "phone-unreadable", "name-not-split", "status-unknown"]
    wanted += ["stage-unknown", "no-result-date", "email-none"]
    assert {code: [n] for n, code in enumerate(wanted, 2)} == {
        code: found.rows for code, found in report.warnings.items()
    }
    rows = office.applicants()
    assert rows[3].status == "active"
    assert rows[5].rejected_on == TODAY - TODAY % DAY_S - 9 * 3600  # today, 00:00 in Japan
    assert office.people()[1].phone == "内線のみ"


def test_a_stage_that_asks_what_nobody_may_ask_is_told_and_imported(office: Office) -> None:
    report = office.bring_in(table(line(1), line(2, stage="身元調査"), line(3, stage="家族面談")))
    assert report.warnings["stage-unfair"].rows == [3, 4]
    assert report.created == 3


def test_the_first_day_without_a_date_stays(office: Office) -> None:
    office.bring_in(table(line(1, rejected="")))
    before = office.applicants()[0].rejected_on
    office.clock.move(10 * DAY_S)
    report = office.bring_in(table(line(1, rejected="")))
    assert report.unchanged == 1
    assert before == office.applicants()[0].rejected_on


def test_hidden_signs_are_taken_out_and_our_apostrophe_too(office: Office) -> None:
    data = table(line(1, name='"山田\u202e\u200b\r\n太郎"', job="'=SUM(A1)"), encoding="utf-8-sig")
    office.bring_in(data)
    assert (office.people()[0].name, office.applicants()[0].job) == ("山田 太郎", "=SUM(A1)")


def test_forbidden_columns_are_passed_over(office: Office) -> None:
    headers = "応募者ID,氏名,メール,結果,性別,備考,不採用理由,国籍"
    data = table(f"1,山田 太郎,a@example.jp,不採用,男,{CANARY},{CANARY},日本", headers=headers)
    import_id = office.upload(data)
    fields = office.report(import_id).fields
    assert fields[4:] == [columns.FORBIDDEN_FIELD] * 4
    office.check(import_id)
    office.start(import_id)
    office.drive(import_id)
    assert CANARY not in str(office.people()[0])


def test_who_may_not_be_relayed_is_known_from_the_file_and_no_birthday_is_kept(
    office: Office,
) -> None:
    headers = "応募者ID,氏名,メール,結果,生年月日,応募区分,学校名,第三者提供"
    people = (
        ("2009-01-01", "新卒", "", ""),
        ("17歳", "アルバイト", "", ""),
        ("2004-01-01", "新規高卒", "", ""),
        ("2004-01-01", "新卒", "県立みなと高等学校", ""),
        ("2004-01-01", "新卒", "みなと高等専門学校", "可"),
        ("2004-01-01", "中途", "", "不可"),
        ("2008-11-22", "中途", "", "同意する"),
    )
    rows = [
        f"{n},山田 太郎,p{n}@example.jp,不採用,{','.join(each)}" for n, each in enumerate(people)
    ]
    office.bring_in(table(*rows, headers=headers))
    assert [row.exclusion for row in office.applicants()[:5]] == [
        "under_18",
        "under_18",
        "new_high_school",
        "new_high_school",
        None,
    ]
    assert [row.exclusion for row in office.applicants()[5:]] == ["no_third_party", None]
    assert all("200" not in str(person) for person in office.people())


def test_an_erased_person_is_not_imported_again(office: Office) -> None:
    office.bring_in(table(line(1), line(2)))
    erased = office.applicants()[0]
    with office.database.transaction() as session:
        applicants.erase(session, office.context, erased.person_id)
    report = office.bring_in(table(line(1), line(2)))
    assert report.warnings["erased"].rows == [2]
    assert (report.created, report.unchanged) == (0, 2)
    assert office.applicants()[0].person_blob == b""


def test_a_saved_mapping_is_used_by_name(office: Office) -> None:
    titles = ["どこ", "だれ", "どう", "あて"]
    chosen = columns.choose(titles, ["job", "name", "status", "email"])
    with office.database.transaction() as session:
        mappings.save(session, "媒体A", titles, chosen)
        mappings.save(session, "媒体A", titles, chosen)
    with office.database.reading() as session:
        assert [each.name for each in mappings.listing(session)] == ["媒体A"]
        assert chosen == mappings.apply(session, "媒体A", titles)
        with pytest.raises(NotThere):
            mappings.apply(session, "ない", titles)


def test_the_preview_shows_twenty_rows_as_they_will_be(office: Office) -> None:
    import_id = office.upload(table(*BROKEN, *(line(n) for n in range(10, 40))))
    source = importing.source_of(office.context, import_id)
    shown = importing.preview(office.context, office.report(import_id), source)
    assert len(shown) == importing.PREVIEW_ROWS
    assert shown[0].draft is not None
    assert shown[2].problems == (("email", "email-unreadable"),)
    samples = importing.samples(office.report(import_id), source)
    assert samples[0] == "A-000001"


def test_the_number_of_statements_does_not_grow_with_the_rows(office: Office) -> None:
    counts = []
    for rows in (10, 900):
        data = table(*(line(n + rows * 1000) for n in range(rows)))
        import_id = office.upload(data)
        office.check(import_id)
        office.start(import_id)
        with office.counting() as statements:
            office.drive(import_id)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 12


def test_nothing_personal_stands_in_the_database_or_in_the_report(office: Office) -> None:
    import_id = office.upload(
        table(line(1, name=CANARY, kana=CANARY, email="canary@example.jp", phone="090-9999-8888"))
    )
    office.check(import_id)
    office.start(import_id)
    office.drive(import_id)
    with office.database.reading() as session:
        for model in (models.Applicant, models.PersonKey, models.ApplicantImport):
            for row in session.scalars(select(model)):
                values = [getattr(row, each.key) for each in model.__table__.columns]
                said = repr(values)
                for canary in (CANARY, "canary", "99998888", "9999-8888", "A-000001"):
                    assert canary not in said
                    assert canary.encode().hex() not in said
