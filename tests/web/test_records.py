"""The records' pages: two registers, the search by name, the files, and who may see them."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader
from sqlalchemy import select
from werkzeug.test import TestResponse

from node import models
from node.services import persons, records
from tests.equipment.season import PEOPLE, Season, Someone
from tests.equipment.web_house import WebHouse

SignIn = Callable[[Page, str], None]
Check = Callable[[Page], None]
MAKI, OTHER = PEOPLE[0], PEOPLE[1]


def text(answer: TestResponse) -> str:
    assert answer.status_code == 200, answer.status_code
    return answer.get_data(as_text=True)


def name_of(person: Someone) -> str:
    return f"{person.family} {person.given}"


def table(answer: TestResponse, encoding: str = "utf-8-sig") -> list[dict[str, str]]:
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.get_data().decode(encoding), newline="")))


@pytest.mark.parametrize("role", ["admin", "recruiter"])
def test_both_registers_are_for_administrators_and_recruiters(
    season: Season, web: WebHouse, role: str
) -> None:
    season.accepted("aoba", "biwa", MAKI)
    season.accepted("bridge", "aoba", OTHER)
    reader = web.signed_in(role)
    assert 'id="menu-records"' in text(reader.get("/"))

    provided = text(reader.get("/records"))
    assert provided.count(name_of(MAKI)) == 2, "the card, and the profile"
    assert name_of(OTHER) not in provided
    assert "お名前のない概要" in provided
    assert "代表取締役 髙橋 一郎" in provided
    received = text(reader.get("/records?register=received"))
    assert name_of(OTHER) in received
    assert name_of(MAKI) not in received
    assert "本人からの応募により取得" in received


@pytest.mark.parametrize("role", ["approver", "viewer"])
def test_nobody_else_sees_them_or_takes_them_out(web: WebHouse, role: str) -> None:
    other = web.signed_in(role)
    assert 'id="menu-records"' not in text(other.get("/"))
    assert other.get("/records").status_code == 403
    for path in ("search", "export.csv", "export.pdf"):
        assert other.post(f"/records/{path}", {"name": "x"}).status_code == 403


def test_a_record_shows_the_name_after_the_person_was_erased(season: Season, web: WebHouse) -> None:
    own = season.accepted("bridge", "aoba", OTHER)
    aoba = season.alliance["aoba"]
    with aoba.database.transaction() as session:
        persons.erase(session, aoba.context, own)
    assert name_of(OTHER) in text(web.signed_in().get("/records?register=received"))


def test_the_register_is_narrowed_by_company_and_days(season: Season, web: WebHouse) -> None:
    season.refer("aoba", "biwa", MAKI)
    first = web.node.context.day_of(season.clock.now())
    season.days(3)
    season.refer("aoba", "seeds", OTHER)
    second = web.node.context.day_of(season.clock.now())
    reader = web.signed_in("recruiter")
    for query, maki, other in (
        ("peer=biwa", True, False),
        (f"since={second}", False, True),
        (f"until={first}", True, False),
        (f"since={first}&until={second}", True, True),
        ("peer=bridge", False, False),
    ):
        page = text(reader.get(f"/records?{query}"))
        assert (name_of(MAKI) in page, name_of(OTHER) in page) == (maki, other), query
    for field, wrong in (("since", "yesterday"), ("until", "9999-12-31"), ("since", "0001-01-01")):
        assert f'id="{field}-error"' in text(reader.get(f"/records?{field}={wrong}"))


def test_a_search_keeps_the_name_out_of_every_address(season: Season, web: WebHouse) -> None:
    season.refer("aoba", "biwa", MAKI)
    season.refer("aoba", "biwa", OTHER)
    reader = web.signed_in("recruiter")
    asked = {"register": "provided", "name": f"{MAKI.family_kana}{MAKI.given_kana}"}
    page = text(reader.post("/records/search", asked))
    assert name_of(MAKI) in page
    assert name_of(OTHER) not in page
    assert not [line for line in page.splitlines() if "href=" in line and MAKI.family_kana in line]
    nobody = text(reader.post("/records/search", {"name": "架空 花子"}))
    assert "条件に合う記録はありません" in nobody
    empty = reader.post("/records/search", {"name": " "})
    assert empty.status_code == 422
    assert 'id="name-error"' in empty.get_data(as_text=True)
    # In an address it is as if it had not been asked.
    assert name_of(OTHER) in text(reader.get(f"/records?name={MAKI.family}"))


def test_files_hold_what_the_page_shows_and_are_written_down(season: Season, web: WebHouse) -> None:
    offered = season.offered("aoba", "biwa", MAKI)
    season.days(1)
    season.answer("biwa", offered)
    season.carry()
    season.accepted("bridge", "aoba", OTHER)
    reader = web.signed_in("recruiter")
    card, profile = table(reader.post("/records/export.csv"))[::-1]
    assert card["本人の氏名"] == profile["本人の氏名"] == name_of(MAKI)
    assert card["提供した項目"] == "お名前のない概要"
    assert "職歴" in profile["提供した項目"]
    assert (profile["提供先"], profile["本人の同意"]) == ("株式会社biwa", "取得済み")
    assert (profile["媒体"], profile["規約の版"]) == ("電磁的記録", "1")
    (receipt,) = table(
        reader.post("/records/export.csv?encoding=cp932", {"register": "received"}), "cp932"
    )
    assert receipt["取得の経緯"] == "本人からの応募により取得"
    nothing = reader.post("/records/export.csv", {"name": "架空 花子"})
    assert table(nothing) == []

    answer = reader.post("/records/export.pdf", {"register": "received"})
    assert answer.mimetype == "application/pdf"
    printed = PdfReader(io.BytesIO(answer.get_data())).pages[0].extract_text()
    for expected in ("受領記録", name_of(OTHER), "株式会社bridge", "代表取締役 髙橋 一郎"):
        assert expected in printed.replace("\n", "")
    with web.node.database.reading() as session:
        exports = select(models.AuditEntry.subject, models.AuditEntry.detail)
        told = session.execute(exports.where(models.AuditEntry.action == "records.export"))
        assert [tuple(row) for row in told] == [
            ("provided", "rows=2 kind=csv"),
            ("received", "rows=1 kind=csv"),
            ("provided", "rows=0 kind=csv"),
            ("received", "rows=1 kind=pdf"),
        ]


def test_no_file_holds_more_than_was_asked_for(season: Season, web: WebHouse) -> None:
    season.refer("aoba", "biwa", MAKI)
    reader = web.signed_in("recruiter")
    for kind in ("csv", "pdf"):
        for wrong in ({"since": "yesterday"}, {"until": "9999-12-31"}, {"register": "every"}):
            answer = reader.post(f"/records/export.{kind}", wrong)
            assert answer.status_code == 422
            assert "ファイルは作成していません" in answer.get_data(as_text=True)
    with web.node.database.reading() as session:
        taken = select(models.AuditEntry.id).where(models.AuditEntry.action == "records.export")
        assert session.scalar(taken) is None


def test_a_name_that_is_a_formula_is_none_in_the_file(season: Season, web: WebHouse) -> None:
    season.accepted("bridge", "aoba", replace(OTHER, family="=HYPERLINK(1)", given=""))
    (row,) = table(web.signed_in().post("/records/export.csv", {"register": "received"}))
    assert row["本人の氏名"].startswith("'=HYPERLINK(1)")


def test_a_register_turns_its_pages_and_says_what_a_file_holds(
    season: Season, web: WebHouse
) -> None:
    aoba = season.alliance["aoba"]
    season.refer("aoba", "biwa", MAKI)
    with aoba.database.transaction() as session:
        (one,) = session.scalars(select(models.ProvisionRecord))
        columns = [column.name for column in models.table_of(models.ProvisionRecord).columns]
        base = {name: getattr(one, name) for name in columns}
        cipher, column = aoba.context.keyring.records, "provision_records"
        for number in range(60):
            row_id = f"{number:032x}"
            blobs = {
                "name_blob": cipher.encrypt(f"{column}.name_blob", row_id, b"No Name"),
                "items_blob": cipher.encrypt(f"{column}.items_blob", row_id, b'["card"]'),
            }
            own = {"id": row_id, "envelope_id": row_id}
            session.add(models.ProvisionRecord(**(base | blobs | own)))
    reader = web.signed_in("recruiter")
    first = text(reader.get("/records"))
    assert first.count("<details class=") == 50
    address = first.split('id="page-next"')[1].split('href="')[1].split('"')[0]
    rest = text(reader.get(address.replace("&amp;", "&")))
    assert rest.count("<details class=") == 11
    assert 'id="page-previous"' in rest
    assert f"{records.EXPORT_ROWS_MAX:,}件まで" in first


@pytest.mark.browser
def test_a_register_is_searched_and_unfolded_in_the_browser(
    season: Season, desk: Page, sign_in: SignIn, address: str, check_accessibility: Check
) -> None:
    season.accepted("bridge", "aoba", MAKI)
    season.accepted("bridge", "aoba", OTHER)
    page = desk
    sign_in(page, "recruiter")
    page.click("#menu-records")
    page.click("#register-received")
    expect(page.locator("#records tbody tr")).to_have_count(2)
    check_accessibility(page)
    page.fill("#name", name_of(MAKI))
    page.click("#search-submit")
    expect(page.locator("#records tbody tr")).to_have_count(1)
    assert page.url == f"{address}/records/search"
    page.click("#records summary")
    expect(page.locator("#records details dd").first).to_be_visible()
    check_accessibility(page)
    with page.expect_download() as download:
        page.click("#export-pdf")
    assert download.value.suggested_filename.startswith("receipt-records-")
    # A file is no new page: the next one can be had at once.
    with page.expect_download() as download:
        page.click("#export-csv")
    assert download.value.suggested_filename.endswith(".csv")
    page.click("#search-clear")
    expect(page.locator("#records tbody tr")).to_have_count(2)
