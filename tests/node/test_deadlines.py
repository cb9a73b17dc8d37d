"""A card that nobody answers: reminded, ended on both sides, and the person is told honestly."""

import pytest

from node.services import erasures, interest, outbox, referrals
from protocol import ATTACHMENT, REFERRAL, Attachment, Grounds, Referral, limits
from tests.equipment.alliance import Alliance, House
from tests.equipment.letters import carry
from tests.equipment.referring import (
    CARD,
    DAY_S,
    PDF,
    accept,
    letter,
    owed,
    received,
    refer,
    sent,
)
from tests.equipment.season import Season


def end(house: House) -> int:
    """What the worker does every minute; how many of ours have ended."""
    with house.database.transaction() as session:
        return len(referrals.end_unanswered(session, house.context))


def last_day(house: House) -> int:
    with house.database.reading() as session:
        days = house.context.charter(session).policy.answer_days
        return referrals.last_day(house.context, days, received(house).due_at)


def test_after_twice_the_days_it_ends_on_both_sides(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa", resume=PDF)
    carry(alliance)
    until = last_day(biwa)
    assert until > received(biwa).due_at
    alliance.clock.move(until - aoba.context.now())
    assert (end(aoba), end(biwa)) == (0, 0)
    assert received(biwa).state == "received"
    alliance.clock.move(1)
    assert (end(aoba), end(biwa)) == (1, 0)
    assert (sent(aoba, referral).state, received(biwa).state) == ("expired", "expired")
    assert (end(aoba), owed(biwa)) == (0, [])


def test_too_late_is_refused_before_the_worker_has_looked(alliance: Alliance) -> None:
    biwa = alliance["biwa"]
    refer(alliance["aoba"], "biwa")
    carry(alliance)
    alliance.clock.move(last_day(biwa) - biwa.context.now() + 1)
    with pytest.raises(referrals.AnswerTooLate):
        accept(biwa, received(biwa).id)
    end(biwa)
    with pytest.raises(referrals.AnswerTooLate):
        accept(biwa, received(biwa).id)
    with pytest.raises(referrals.AnswerTooLate), biwa.database.transaction() as session:
        referrals.decline(session, biwa.context, received(biwa).id, user_id="hanako")
    assert (owed(biwa), received(biwa).acceptance) == ([], None)


def test_an_acceptance_given_in_time_and_late_on_its_way_is_honoured(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa")
    carry(alliance)
    alliance.clock.move(last_day(biwa) - biwa.context.now())
    accept(biwa, received(biwa).id)
    # The way between the two is down for a week.
    with biwa.database.transaction() as session:
        outbox.hold(session, "aoba", biwa.context.now() + 7 * DAY_S)
    alliance.clock.move(7 * DAY_S)
    assert end(aoba) == 1
    assert carry(alliance) == []
    assert (sent(aoba, referral).state, received(biwa).state) == ("released", "profile_received")


def test_what_waited_is_destroyed_once_no_acceptance_can_come(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa", resume=PDF)
    carry(alliance)
    alliance.clock.move(last_day(biwa) - biwa.context.now() + 1)
    end(aoba)
    assert sent(aoba, referral).profile_blob is not None
    alliance.clock.move(limits.ENVELOPE_DEADLINE_S_MAX + 1)
    end(aoba)
    row = sent(aoba, referral)
    assert (row.state, row.profile_blob, row.resume_blob) == ("expired", None, None)


@pytest.mark.parametrize("answer_by", [0, limits.TIME_MAX])
def test_a_day_at_the_end_of_the_calendar_holds_nobody_up(
    alliance: Alliance, answer_by: int
) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    now = aoba.context.now()
    grounds = Grounds("consent0001", now, "1", "0" * 64, ("name",), "応募により本人から取得")
    offered = Referral("r" * 32, CARD, grounds, now, answer_by, None)
    letter(aoba, "biwa", REFERRAL, offered.encode())
    assert carry(alliance) == []
    assert last_day(biwa) > received(biwa).due_at - DAY_S
    end(biwa)
    assert received(biwa).state == ("received" if answer_by else "expired")
    # Nobody makes us keep a card for longer than the charter gives.
    alliance.clock.move(30 * DAY_S)
    end(biwa)
    assert received(biwa).state == "expired"


def test_an_acceptance_on_its_way_is_noted_though_the_person_withdrew_meanwhile(
    alliance: Alliance,
) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa", ask=True)
    carry(alliance)
    alliance.clock.move(last_day(biwa) - biwa.context.now())
    accept(biwa, received(biwa).id)
    alliance.clock.move(1)
    assert end(aoba) == 1
    with aoba.database.transaction() as session:
        consent = referrals.sent_of(session, referral).consent_id
        assert erasures.withdraw(session, aoba.context, consent) == 1
    assert carry(alliance) == []
    row = sent(aoba, referral)
    assert (row.state, row.entry_id) == ("withdrawn", received(biwa).entry_id)

    assert Season(alliance).certify("biwa")
    with aoba.database.transaction() as session:
        assert interest.give_points_back(session, aoba.context) == 1


def test_a_file_that_comes_after_the_end_is_refused_and_not_kept(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa", now=True)
    carry(alliance)
    alliance.clock.move(last_day(biwa) - biwa.context.now() + 1)
    end(biwa)
    letter(aoba, "biwa", ATTACHMENT, Attachment(referral, 0, 1, PDF[:1000]).encode())
    assert carry(alliance) == ["letter-unexpected"]
    assert received(biwa).resume_blob is None
