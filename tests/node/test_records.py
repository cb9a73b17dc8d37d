"""The records of provision and receipt: made with what they record, never changed, kept 3 years."""

import io
from collections.abc import Iterator
from datetime import datetime

import pytest
from pypdf import PdfReader
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from node import models
from node.services import inbox, persons, records, referrals
from node.services.letters import Letter
from node.services.records.pdf import CELL_LINES_MAX
from tests.equipment.alliance import Alliance, House
from tests.equipment.databases import Databases
from tests.equipment.letters import carry, deliver, handle
from tests.equipment.referring import PROFILE_OF_MAKI, accept, alliance_on, received, refer, sent
from tests.equipment.source import ROOT

PROFILE_ITEMS = ["name", "kana", "email", "phone", "work", "resume-pdf"]


@pytest.fixture
def sqlite_alliance(sqlite_databases: Databases) -> Iterator[Alliance]:
    """For what has nothing to do with the engine."""
    with alliance_on(sqlite_databases) as founded:
        yield founded


class PowerCut(Exception):
    """What ends a transaction that was almost done."""


def register(house: House, which: str, **filters: object) -> list[records.Entry]:
    """The records of a house, the oldest first."""
    with house.database.reading() as session:
        wanted = records.Filters(which, **filters)  # type: ignore[arg-type]
        return list(records.every(session, house.context, wanted))[::-1]


def next_letter(alliance: Alliance, giver: House, taker: House) -> tuple[object, Letter]:
    """What waits in `taker` once `giver` has sent what it has."""
    deliver(alliance, giver)
    with taker.database.reading() as session:
        (entry,) = inbox.waiting(session, taker.context)
        return entry, inbox.open_letter(session, taker.context, entry)


def handle_and_die(house: House, entry: object, letter: Letter) -> None:
    """Everything is done but for the commit."""
    with house.database.transaction() as session:
        inbox.handle(session, house.context, entry, letter)  # type: ignore[arg-type]
        raise PowerCut


def test_card_and_profile_are_recorded_by_the_giver_and_the_profile_by_the_receiver(
    alliance: Alliance,
) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa")
    carry(alliance)
    assert register(biwa, "received") == [], "a card names nobody"
    alliance.clock.move(60)
    accept(biwa, received(biwa).id)
    assert carry(alliance) == []

    card, profile = register(aoba, "provided")
    ours = sent(aoba, referral)
    assert (card.name, card.items) == ("髙橋 真紀", ["card"])
    assert (profile.name, profile.items) == ("髙橋 真紀", PROFILE_ITEMS)
    assert card.row.envelope_id == ours.envelope_id != profile.row.envelope_id
    for entry in (card, profile):
        row = entry.row
        assert (row.referral_id, row.consent_id) == (referral, ours.consent_id)
        assert (row.peer, row.peer_name) == ("biwa", "株式会社biwa")
        assert (row.peer_address, row.peer_representative, row.charter_version) == (
            "東京都港区芝1-1-1",
            "代表取締役 髙橋 一郎",
            1,
        )
        assert row.medium == "electromagnetic"
    assert profile.row.provided_at == card.row.provided_at + 60

    (taken,) = register(biwa, "received")
    assert (taken.name, taken.items) == ("髙橋 真紀", PROFILE_ITEMS)
    assert taken.acquired == "応募により本人から取得"
    assert (taken.row.peer_name, taken.row.consent_id) == ("株式会社aoba", "consent0001")
    assert taken.row.referral_id == referral
    assert taken.row.envelope_id == profile.row.envelope_id
    assert register(aoba, "received") == register(biwa, "provided") == []


def test_a_profile_sent_at_once_is_one_record_on_each_side(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    refer(aoba, "biwa", now=True)
    carry(alliance)
    (given,), (taken,) = register(aoba, "provided"), register(biwa, "received")
    assert given.items == taken.items == ["card", *PROFILE_ITEMS]
    assert given.row.envelope_id == taken.row.envelope_id


def test_the_record_stands_or_falls_with_what_it_records(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa")
    carry(alliance)
    accept(biwa, received(biwa).id)
    for giver, taker, which, count in (
        (biwa, aoba, "provided", 1),
        (aoba, biwa, "received", 0),
    ):
        entry, letter = next_letter(alliance, giver, taker)
        with pytest.raises(PowerCut):
            handle_and_die(taker, entry, letter)
        assert len(register(taker, which)) == count
        with taker.database.transaction() as session:
            inbox.handle(session, taker.context, entry, letter)  # type: ignore[arg-type]
        assert len(register(taker, which)) == count + 1
    assert sent(aoba, referral).state == "released"


def test_an_envelope_has_one_record_however_often_it_is_written(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    refer(aoba, "biwa", now=True)
    _entry, letter = next_letter(alliance, aoba, biwa)
    assert handle(alliance, biwa) == []
    (given,), (taken,) = register(aoba, "provided"), register(biwa, "received")
    with biwa.database.transaction() as session:
        row = received(biwa)
        records.write_receipt(
            session,
            biwa.context,
            letter,
            referral_id=row.referral_id,
            grounds=referrals.grounds_of(row),
            person=PROFILE_OF_MAKI,
            items=["name"],
        )
    with aoba.database.transaction() as session:
        records.write_provision(
            session,
            aoba.context,
            envelope_id=given.row.envelope_id,
            referral_id="again",
            consent_id="again",
            recipient="biwa",
            person=PROFILE_OF_MAKI,
            items=["name"],
        )
    assert [each.row.id for each in register(biwa, "received")] == [taken.row.id]
    assert [each.row.id for each in register(aoba, "provided")] == [given.row.id]


def test_the_name_is_readable_after_the_persons_key_is_destroyed(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa", now=True)
    carry(alliance)
    with biwa.database.transaction() as session:
        session.execute(delete(models.PersonKey))
    with aoba.database.transaction() as session:
        persons.erase(session, aoba.context, sent(aoba, referral).applicant_id)
    for house, which in ((aoba, "provided"), (biwa, "received")):
        (entry,) = register(house, which)
        assert (entry.name, entry.items) == ("髙橋 真紀", ["card", *PROFILE_ITEMS])
        stored = [value for value in vars(entry.row).values() if isinstance(value, str | bytes)]
        assert not any(secret in str(stored) for secret in ("真紀", "\\xe7\\x9c\\x9f", "email"))


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("髙橋 真紀", 1),
        ("高橋真紀", 1),
        ("高橋　真紀", 1),
        ("タカハシ マキ", 1),
        ("たかはしまき", 1),
        ("ﾀｶﾊｼ ﾏｷ", 1),
        ("高橋", 0),
        ("田中 真紀", 0),
        ("%", 0),
    ],
)
def test_a_person_is_found_however_the_name_is_written(
    sqlite_alliance: Alliance, words: str, count: int
) -> None:
    aoba = sqlite_alliance["aoba"]
    refer(aoba, "biwa")
    assert len(register(aoba, "provided", name=words)) == count


def test_registers_turn_pages_and_narrow_by_day_and_member(alliance: Alliance) -> None:
    aoba = alliance["aoba"]
    start = aoba.context.now()
    for number in range(5):
        refer(aoba, ("biwa", "seeds")[number % 2])
        alliance.clock.move(86_400)
    with aoba.database.reading() as session:
        filters = records.Filters("provided")
        first = records.list_page(session, aoba.context, filters, limit=2)
        second = records.list_page(session, aoba.context, filters, cursor=first.after, limit=2)
        back = records.list_page(
            session, aoba.context, filters, cursor=second.before, backwards=True, limit=2
        )
    days = [(each.row.provided_at - start) // 86_400 for each in (*first.rows, *second.rows)]
    assert days == [4, 3, 2, 1]
    assert [each.row.id for each in back.rows] == [each.row.id for each in first.rows]
    assert first.before is None
    assert len(register(aoba, "provided", peer="seeds")) == 2
    window = {"since": start + 86_400, "until": start + 3 * 86_400}
    assert len(register(aoba, "provided", **window)) == 2
    assert len(register(aoba, "provided", peer="biwa", name="高橋真紀", **window)) == 1


def test_the_database_lets_nobody_change_a_record(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    refer(aoba, "biwa", now=True)
    carry(alliance)
    for house, table in ((aoba, models.ProvisionRecord), (biwa, models.ReceiptRecord)):
        with (
            pytest.raises(DBAPIError, match="append-only"),
            house.database.transaction() as session,
        ):
            session.execute(update(table).values(peer_name="somebody else"))


def test_only_their_own_room_touches_the_records() -> None:
    room = ROOT / "node" / "services" / "records"
    for path in (ROOT / "node").rglob("*.py"):
        words = path.read_text(encoding="utf-8")
        if path.is_relative_to(room):
            assert "update(" not in words
            assert words.count("session.execute(delete(") == (path.name == "writing.py")
        elif not path.is_relative_to(ROOT / "node" / "models"):
            assert "delete(models.ProvisionRecord" not in words
            assert "update(models.ProvisionRecord" not in words
            assert "delete(models.ReceiptRecord" not in words
            assert "update(models.ReceiptRecord" not in words


@pytest.mark.parametrize(
    ("made", "last"),
    [
        ("2026-11-22 00:00:00", "2029-11-22"),
        ("2026-11-22 23:59:59", "2029-11-22"),
        ("2028-02-29 12:00:00", "2031-02-28"),  # no such day three years later
        ("2028-02-28 12:00:00", "2031-02-28"),
        ("2029-02-28 12:00:00", "2032-02-29"),  # through the whole month
        ("2026-12-31 12:00:00", "2029-12-31"),
    ],
)
def test_three_years_are_counted_by_the_calendar(
    sqlite_alliance: Alliance, made: str, last: str
) -> None:
    context = sqlite_alliance["aoba"].context
    zone = context.settings.time_zone
    moment = datetime.strptime(made, "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone)
    end = records.kept_until(context, int(moment.timestamp()))
    assert context.day_of(end - 1) == last
    assert context.day_of(end) > last


def test_records_go_when_their_three_years_are_over_and_not_before(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    leap_day = datetime(2028, 2, 29, 9, tzinfo=aoba.context.settings.time_zone)
    alliance.clock.move(int(leap_day.timestamp()) - alliance.clock.now())
    refer(aoba, "biwa", now=True)
    carry(alliance)
    alliance.clock.move(86_400)
    refer(aoba, "seeds")
    eve = datetime(2031, 2, 28, 23, 59, 59, tzinfo=aoba.context.settings.time_zone)
    alliance.clock.move(int(eve.timestamp()) - alliance.clock.now())
    for moved, left in ((0, 2), (1, 1), (86_400, 0)):
        alliance.clock.move(moved)
        with aoba.database.transaction() as session:
            records.purge(session, aoba.context)
        assert len(register(aoba, "provided")) == left
    with biwa.database.transaction() as session:
        assert records.purge(session, biwa.context) == 1
        last = session.scalars(select(models.AuditEntry).order_by(models.AuditEntry.id)).all()[-1]
    assert (last.action, last.detail) == ("records.purged", "rows=1")


def test_a_file_of_too_many_records_is_refused_and_not_cut(sqlite_alliance: Alliance) -> None:
    aoba = sqlite_alliance["aoba"]
    refer(aoba, "biwa")
    (entry,) = register(aoba, "provided")
    columns = [column.name for column in models.table_of(models.ProvisionRecord).columns]
    one = {name: getattr(entry.row, name) for name in columns}
    with aoba.database.transaction() as session:
        more = [
            one | {"id": f"{number:032x}", "envelope_id": f"{number:032x}"}
            for number in range(records.EXPORT_ROWS_MAX - 1)
        ]
        session.execute(insert(models.ProvisionRecord), more)
        assert records.exported(session, aoba.context, records.Filters("provided")) == 5000
        session.execute(insert(models.ProvisionRecord), [one | {"id": "x", "envelope_id": "x"}])
        with pytest.raises(records.RecordsTooMany):
            records.exported(session, aoba.context, records.Filters("provided"))
        assert session.scalar(select(func.count()).select_from(models.ProvisionRecord)) == 5001


def printed(rows: list[list[str]]) -> list[str]:
    """The text of each page."""
    columns = [records.Column("氏名", 1), records.Column("提供先", 3)]
    file = records.print_table("提供記録", ["2026/11/22 出力"], columns, rows)
    return [page.extract_text() for page in PdfReader(io.BytesIO(file)).pages]


def test_a_register_on_paper_can_be_read_back() -> None:
    pages = printed([["髙橋 真紀", f"株式会社{number}"] for number in range(100)])
    assert len(pages) > 1
    for page in pages:
        assert "氏名" in page
        assert "髙橋 真紀" in page
    assert "提供記録" in pages[0]
    assert "株式会社99" in pages[-1]


def test_a_cell_of_another_members_making_spoils_no_page() -> None:
    (page,) = printed([["𠮷田 <b>太郎</b> & Co.", "あ" * 100_000]])
    assert "〓田 <b>太郎</b> & Co." in page.replace("\n", "")
    assert page.count("あ") < 100 * CELL_LINES_MAX
    assert "…" in page
