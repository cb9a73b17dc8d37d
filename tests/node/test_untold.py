"""Those who were never told: who is in the report, why, and that it stays quick."""

import pytest
from sqlalchemy import text

from node import models
from node.services import applicants, overview
from node.services.applicants import Filters, listing
from node.services.notices import untold
from tests.equipment.notices_room import Room

DAY_S = 86_400


def rejected_days_ago(room: Room, *days: int, **changed: object) -> list[str]:
    """People rejected so many days ago, at the first second of that day in Japan."""
    midnight = listing.day_start(listing._today(room.node.context), room.node.settings.time_zone)
    ids = []
    for at, ago in enumerate(days):
        first = 1000 * len(changed) + ago * 10 + at
        ids += room.applicants(1, first=first, rejected_on=midnight - ago * DAY_S, **changed)
    return ids


def ids_of(room: Room, days: int = untold.DAYS) -> list[str]:
    found, cursor = [], ""
    with room.node.database.reading() as session:
        while True:
            page = untold.page(session, room.node.context, days, cursor)
            found += [each.entry.row.id for each in page.rows]
            if page.next is None:
                assert len(found) == untold.count(session, room.node.context, days)[0]
                everybody = untold.every(session, room.node.context, days)
                assert found == [each.entry.row.id for each in everybody]
                return found
            cursor = page.next


def test_a_person_is_in_the_report_from_the_seventh_day_on(room: Room) -> None:
    six, seven, thirty = rejected_days_ago(room, 6, 7, 30)
    assert ids_of(room) == [thirty, seven]
    assert ids_of(room, 6) == [thirty, seven, six]
    assert ids_of(room, 31) == []


@pytest.mark.parametrize("status", ["active", "withdrawn", "hired"])
def test_only_whose_selection_ended_with_a_rejection_waits(room: Room, status: str) -> None:
    rejected_days_ago(room, 30, status=status)
    assert ids_of(room) == []


def test_somebody_without_a_link_or_an_address_waits_too(room: Room) -> None:
    (excluded,) = rejected_days_ago(room, 30, exclusion="under_18")
    (silent,) = rejected_days_ago(room, 20, email="")
    assert ids_of(room) == [excluded, silent]


def test_the_erased_wait_for_nothing(room: Room) -> None:
    (gone,) = rejected_days_ago(room, 30)
    with room.node.database.transaction() as session:
        person = session.get_one(models.Applicant, gone).person_id
        applicants.erase(session, room.node.context, person)
    assert ids_of(room) == []


def test_what_stands_in_the_way_is_told_and_who_is_told_leaves_the_report(room: Room) -> None:
    told, alone = rejected_days_ago(room, 30, 20)
    batch = room.draft([told], room.template())

    def states() -> list[tuple[str, str | None, str | None]]:
        with room.node.database.reading() as session:
            rows = untold.page(session, room.node.context).rows
            return [(each.entry.row.id, each.batch_id, each.state) for each in rows]

    # A draft binds nobody.
    assert states() == [(told, None, None), (alone, None, None)]
    room.request(batch)
    assert states() == [(told, batch, "queued"), (alone, None, None)]
    room.clock.move(900)
    room.work()
    assert states() == [(alone, None, None)]


def test_the_front_page_counts_them(room: Room) -> None:
    rejected_days_ago(room, 30, 20, 6)
    with room.node.database.reading() as session:
        waiting = overview.waiting(session, room.node.context)
    assert (waiting.untold, waiting.untold_more) == (2, False)


def test_a_page_is_read_from_the_index_of_those_who_wait(room: Room) -> None:
    rejected_days_ago(room, *range(7, 67))
    filters = Filters(days=untold.DAYS)
    found = listing._ordered(
        listing._narrowed(room.node.context, filters), "waiting", None, backwards=False
    )
    with room.node.database.reading() as session:
        assert len(untold.page(session, room.node.context).rows) == listing.LIMITS[0]
        engine = session.get_bind().dialect
        sql = str(found.limit(51).compile(dialect=engine, compile_kwargs={"literal_binds": True}))
        plain = engine.name == "sqlite"
        if not plain:
            # So few rows are read faster without any index; 100,000 are not.
            session.execute(text("SET LOCAL enable_seqscan = off"))
            session.execute(text("SET LOCAL enable_bitmapscan = off"))
        explain = "EXPLAIN QUERY PLAN" if plain else "EXPLAIN"
        plan = "\n".join(map(str, session.execute(text(f"{explain} {sql}"))))
    assert "ix_applicants_untold" in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan
