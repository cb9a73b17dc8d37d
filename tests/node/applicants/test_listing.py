"""Listing: pages by key are whole and steady; every filter narrows; nothing is asked row by row."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import models
from node.keyring import PersonKeyErased
from node.refusals import NotThere, ValueInvalid
from node.services import applicants
from node.services.applicants import listing
from node.services.applicants.listing import Filters
from tests.equipment.applicants_office import Office, line, table

DAY_S = 86_400
EVERYBODY = Filters()


def names(office: Office, filters: Filters, cursor: str = "", limit: int = 50) -> list[str]:
    with office.database.reading() as session:
        page = listing.list_page(session, office.context, filters, cursor, limit)
    return [each.person.name if each.person else "erased" for each in page.entries]


def walk(office: Office, filters: Filters, *, back: bool = False) -> list[str]:
    """Everybody, page after page, and back again when asked."""
    seen: list[str] = []
    cursor = ""
    with office.database.reading() as session:
        while True:
            page = listing.list_page(session, office.context, filters, cursor)
            ids = [each.row.id for each in page.entries]
            seen = ids + seen if back and cursor else seen + ids
            following = page.previous if back and cursor else page.next
            if back and not cursor:
                last = listing.list_page(session, office.context, filters)
                while last.next:
                    here = last.next
                    last = listing.list_page(session, office.context, filters, here)
                seen, following = [each.row.id for each in last.entries], last.previous
            if following is None:
                return seen
            cursor = following


@pytest.mark.parametrize("order", listing.ORDERS)
def test_pages_hold_everybody_once_in_order_forwards_and_back(office: Office, order: str) -> None:
    office.bring_in(table(*(line(n, applied=f"2026/10/{n % 7 + 1}") for n in range(120))))
    office.clock.move(60)
    office.bring_in(table(*(line(n, rejected="2026/11/5") for n in range(200, 217))))
    filters = Filters(order=order)
    forwards = walk(office, filters)
    assert 137 == len(forwards) == len(set(forwards))
    assert forwards == walk(office, filters, back=True)
    rows = {row.id: row for row in office.applicants()}
    keys = [listing._key(rows[each], order) for each in forwards]
    assert keys == sorted(keys, reverse=order != "waiting")


def test_a_row_that_comes_in_meanwhile_moves_no_page(office: Office) -> None:
    office.bring_in(table(*(line(n) for n in range(120))))
    with office.database.reading() as session:
        first = listing.list_page(session, office.context, EVERYBODY)
    assert first.next is not None
    before = names(office, EVERYBODY, first.next)
    office.clock.move(60)
    office.bring_in(table(*(line(n) for n in range(500, 530))))
    assert before == names(office, EVERYBODY, first.next)


@pytest.fixture
def mixed(office: Office) -> Office:
    office.bring_in(
        table(
            line(1, name="山田 一", stage="一次面接", rejected="2026/11/21", phone="03-1111-2222"),
            line(2, name="山田 二", stage="最終面接", rejected="2026/11/12", job="開発"),
            line(3, name="山田 三", stage="書類選考", rejected="2026/10/12", applied="2026/9/30"),
            line(4, name="山田 四", result="選考中", kana="ヤマダ ヨン", email="four@example.jp"),
            line(5, name="髙橋 五", result="辞退", applied="2026/9/1"),
        )
    )
    return office


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(job="開発"), "四一二"),
        (Filters(stage_code="interview_final"), "二五"),
        (Filters(from_stage="interview_1"), "一二四五"),
        (Filters(status="rejected"), "三二一"),
        (Filters(status="rejected", stage_code="screening"), "三"),
        (Filters(applied_from=date(2026, 9, 2), applied_to=date(2026, 9, 30)), "三"),
        (Filters(days=0), "三二一"),
        (Filters(days=10), "三二"),
        (Filters(days=11), "三"),
        (Filters(told="yes"), ""),
        (Filters(told="no", status="rejected"), "三二一"),
        (Filters(applicant_type="newgrad"), ""),
        (Filters(words="山田　一"), "一"),
        (Filters(words="高橋五"), "五"),
        (Filters(words="やまだ よん"), "四"),
        (Filters(words="FOUR@example.jp"), "四"),
        (Filters(words="0311112222"), "一"),
        (Filters(words="A-000002"), "二"),
        (Filters(words="山"), ""),
        (Filters(words="%"), ""),
    ],
)
def test_each_filter_narrows_the_list(mixed: Office, filters: Filters, found: str) -> None:
    assert sorted(found) == sorted(name[-1] for name in names(mixed, filters))
    with mixed.database.reading() as session:
        assert (len(found), False) == listing.count(session, mixed.context, filters)
        assert len(found) == listing.exact_count(session, mixed.context, filters)
        assert len(found) == len(listing.chosen(session, mixed.context, filters))
        assert len(found) == len(list(listing.every(session, mixed.context, filters)))


def test_the_days_without_a_notice_count_in_japanese_days(mixed: Office) -> None:
    with mixed.database.reading() as session:
        page = listing.list_page(session, mixed.context, Filters(order="waiting"))
        assert [each.days_waiting for each in page.entries] == [41, 10, 1]
        everybody = listing.list_page(session, mixed.context, EVERYBODY)
    active = next(each for each in everybody.entries if each.row.status == "active")
    assert active.days_waiting is None


def test_the_jobs_are_listed_once_each(mixed: Office) -> None:
    with mixed.database.reading() as session:
        assert sorted({"営業①", "開発", "経理"}) == sorted(listing.jobs(session))


def test_a_page_asks_twice_however_long_it_is(office: Office) -> None:
    office.bring_in(table(*(line(n) for n in range(250))))
    counts = []
    for limit in listing.LIMITS:
        with office.counting() as statements:
            assert limit == len(names(office, EVERYBODY, limit=limit))
        counts.append(len(statements))
    assert counts == [2, 2, 2]


def test_counting_stops_at_a_thousand(office: Office) -> None:
    office.bring_in(table(*(line(n) for n in range(listing.COUNT_MAX + 40))))
    with office.database.reading() as session:
        assert listing.count(session, office.context, EVERYBODY) == (listing.COUNT_MAX, True)
        assert listing.exact_count(session, office.context, EVERYBODY) == listing.COUNT_MAX + 40


@given(st.text(max_size=60))
def test_no_cursor_breaks_the_list(text: str) -> None:
    with suppress(ValueInvalid):
        listing._parse_cursor(text, "newest")


def test_a_cursor_of_another_order_begins_at_the_first_page(office: Office) -> None:
    office.bring_in(table(*(line(n) for n in range(60))))
    with office.database.reading() as session:
        page = listing.list_page(session, office.context, EVERYBODY)
    assert page.next is not None
    waiting = Filters(order="waiting")
    assert names(office, waiting, page.next) == names(office, waiting)


def test_whose_key_is_destroyed_is_not_read_again(office: Office) -> None:
    office.bring_in(table(line(1), line(2)))
    row = office.applicants()[0]
    with office.database.transaction() as session:
        key = session.get_one(models.PersonKey, row.person_id)
        key.wrapped, key.erased_at = None, office.clock.now()
    with office.database.reading() as session, pytest.raises(PersonKeyErased):
        applicants.person_of(session, office.context, row)
    assert sorted(names(office, EVERYBODY)) == ["erased", "髙﨑 太郎2"]


def test_erasing_forgets_the_look_ups_too(office: Office) -> None:
    office.bring_in(table(line(1)))
    with office.database.transaction() as session:
        applicants.erase(session, office.context, office.applicants()[0].person_id)
        applicants.erase(session, office.context, office.applicants()[0].person_id)
    (row,) = office.applicants()
    assert (row.person_blob, row.email_index, row.phone_index) == (b"", None, None)
    assert (row.name_index, row.kana_index) == (None, None)
    assert names(office, Filters(words="person1@example.jp")) == []
    assert names(office, EVERYBODY) == ["erased"]


def test_duplicates_are_found_by_e_mail_telephone_or_reading(office: Office) -> None:
    office.bring_in(table(line(1), line(2, kana="べつ じん", phone="03-9999-0000")))
    first, second = office.applicants()
    with office.database.reading() as session:
        find = applicants.find_by_contact
        context = office.context
        assert [first.id] == [row.id for row in find(session, context, "PERSON1@example.jp")]
        assert [second.id] == [row.id for row in find(session, context, phone="0399990000")]
        assert [second.id] == [row.id for row in find(session, context, kana="ﾍﾞﾂｼﾞﾝ")]
        both = find(session, context, email="person1@example.jp", phone="03-9999-0000")
        assert {first.id, second.id} == {row.id for row in both}
        assert find(session, context) == []
        assert find(session, context, email="nobody", phone="x") == []


def test_an_unknown_applicant_is_not_there(office: Office) -> None:
    with office.database.reading() as session, pytest.raises(NotThere):
        listing.entry_of(session, office.context, "nobody")
