"""What one hostile member may fill of our disk and of HR's board; the others notice nothing."""

from collections.abc import Iterator

import pytest
from sqlalchemy import update

from node import models
from node.allowance import COUNTED_EVERY_S, FULL_RETRY_AFTER_S, Share
from node.database import Database
from node.services import inbox
from protocol import REFERRAL, Decline, Grounds, Referral, delivery
from tests.equipment.alliance import Alliance, found_alliance
from tests.equipment.databases import Databases
from tests.equipment.peers import Answer, Caller, stored
from tests.equipment.referring import CARD

DECLINE = Decline(referral="referral-0001", declined_at=1_800_000_000).encode()
DAY_S = 86_400


@pytest.fixture
def alliance(database: Database, sqlite_databases: Databases) -> Iterator[Alliance]:
    """`biwa`, which is called here, has its database on each engine in turn."""
    with sqlite_databases.fresh() as a, sqlite_databases.fresh() as c:
        opened = [Database(a), database, Database(c)]
        yield found_alliance(opened, members=("aoba", "biwa", "seeds"))
        opened[0].close()
        opened[2].close()


def caller_of(alliance: Alliance, share: Share, member: str = "aoba") -> Caller:
    return Caller(alliance[member], alliance["biwa"], alliance.charter, share=share)


def decline(caller: Caller) -> Answer:
    return caller.call(caller.letter("decline", DECLINE).encode())


def card(caller: Caller, number: int) -> Answer:
    now = caller.us.context.now()
    referral = Referral(
        id=f"referral-{number:08}",
        card=CARD,
        grounds=Grounds("consent0001", now, "1", "0" * 64, ("name",), "応募により取得"),
        created_at=now,
        answer_by=now + DAY_S,
        profile=None,
    )
    return caller.call(caller.letter(REFERRAL, referral.encode()).encode())


def assert_told_to_wait(answer: Answer) -> None:
    assert (answer.status, answer.code, answer.is_proven) == (429, "rate-limited", True)
    assert answer.problem.facts["retry_after_s"] == FULL_RETRY_AFTER_S
    # The sender gives nothing up for it.
    assert delivery.judge_refusal(answer.problem, 1).action is delivery.Action.WAIT


def test_a_member_writes_so_many_letters_a_day_and_the_others_write_on(alliance: Alliance) -> None:
    aoba = caller_of(alliance, Share(letters_a_day=5))
    assert [decline(aoba).status for _ in range(5)] == [200] * 5
    before = stored(aoba.them.database)
    assert_told_to_wait(decline(aoba))
    assert stored(aoba.them.database) == before

    seeds = Caller(alliance["seeds"], aoba.them, alliance.charter)
    seeds.client = aoba.client
    assert decline(seeds).status == 200
    alliance.clock.move(DAY_S)
    assert decline(aoba).status == 200


def test_what_was_stored_before_counts_in_every_process_of_the_node(alliance: Alliance) -> None:
    share = Share(letters_a_day=5)
    assert [decline(caller_of(alliance, share)).status for _ in range(5)] == [200] * 5
    assert_told_to_wait(decline(caller_of(alliance, share)))


def test_letters_that_wait_fill_so_many_bytes_until_they_are_handled(alliance: Alliance) -> None:
    size = len(caller_of(alliance, Share()).letter("decline", DECLINE).encode())
    aoba = caller_of(alliance, Share(kept_bytes=3 * size + size // 2))
    assert [decline(aoba).status for _ in range(3)] == [200] * 3
    assert_told_to_wait(decline(aoba))

    with aoba.them.database.transaction() as session:
        session.execute(update(models.InboxEntry).values(state="handled", envelope=None))
    assert_told_to_wait(decline(aoba))
    alliance.clock.move(int(COUNTED_EVERY_S))
    assert decline(aoba).status == 200


def test_cards_that_nobody_answered_are_bounded_and_other_letters_pass(alliance: Alliance) -> None:
    aoba = caller_of(alliance, Share(cards=3))
    assert [card(aoba, number).status for number in range(3)] == [200] * 3
    assert_told_to_wait(card(aoba, 3))
    assert decline(aoba).status == 200


def test_what_does_not_open_takes_no_room(alliance: Alliance) -> None:
    aoba = caller_of(alliance, Share(letters_a_day=1))
    for _ in range(3):
        body = aoba.letter("surprise", DECLINE).encode()
        assert aoba.call(body).code == "document-invalid"
    assert decline(aoba).status == 200


def test_a_member_is_counted_by_what_it_fills(alliance: Alliance) -> None:
    aoba = caller_of(alliance, Share())
    sealed = aoba.letter("decline", DECLINE).encode()
    assert aoba.call(sealed).status == 200
    here = aoba.them
    with here.database.reading() as session:
        ours = inbox.filled_by(session, here.context, "aoba")
        assert (ours.letters, ours.kept_bytes, ours.cards) == (1, len(sealed), 0)
        assert inbox.filled_by(session, here.context, "seeds") == inbox.Filled(0, 0, 0)
