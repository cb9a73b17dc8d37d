"""Hires: with a fee, or with a slot that ten points pay for; the referrer is told."""

import pytest

from node.services import hires, referrals
from tests.equipment.alliance import Alliance
from tests.equipment.letters import carry
from tests.equipment.referring import (
    accept,
    owed,
    received,
    refer,
    sent,
)


def test_stages_reach_the_referrer_and_a_hire_ends_them(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa")
    carry(alliance)
    accept(biwa, received(biwa).id)
    carry(alliance)
    for stage in ("interview_1", "offer"):
        alliance.clock.move(60)
        with biwa.database.transaction() as session:
            referrals.move(session, biwa.context, received(biwa).id, stage, user_id="hanako")
        assert carry(alliance) == []
        assert sent(aoba, referral).stage_code == stage
    with biwa.database.transaction() as session:
        hires.register(
            session,
            biwa.context,
            received(biwa).id,
            joins_on="2027-04-01",
            with_slot=False,
            annual_pay_yen=5_000_000,
            user_id="hanako",
        )
    assert carry(alliance) == []
    assert sent(aoba, referral).state == "hired"
    with aoba.database.reading() as session:
        hire = hires.list_hires(session, limit=5).rows[0]
    assert (hire.direction, hire.peer, hire.joins_on, hire.points) == (
        "out",
        "biwa",
        "2027-04-01",
        0,
    )


def test_a_slot_needs_ten_points_that_nobody_is_owed(alliance: Alliance) -> None:
    biwa = alliance["biwa"]
    refer(alliance["aoba"], "biwa")
    carry(alliance)
    accept(biwa, received(biwa).id)
    carry(alliance)
    with pytest.raises(hires.SlotMissing), biwa.database.transaction() as session:
        hires.register(
            session,
            biwa.context,
            received(biwa).id,
            joins_on="2027-04-01",
            with_slot=True,
            user_id="hanako",
        )
    assert received(biwa).state == "profile_received"
    assert len(owed(biwa)) == 1


def test_a_fee_is_only_owed_to_a_licensed_agency(alliance: Alliance) -> None:
    biwa = alliance["biwa"]
    refer(alliance["aoba"], "biwa")
    carry(alliance)
    accept(biwa, received(biwa).id)
    carry(alliance)
    with pytest.raises(hires.FeeNotAllowed), biwa.database.transaction() as session:
        hires.register(
            session,
            biwa.context,
            received(biwa).id,
            joins_on="2027-04-01",
            with_slot=False,
            fee_yen=1_000_000,
            user_id="hanako",
        )


@pytest.mark.parametrize("joins_on", ["", "2027-02-30", "20270401", "2027-4-1", "tomorrow"])
def test_a_hire_without_a_real_date_is_refused(alliance: Alliance, joins_on: str) -> None:
    biwa = alliance["biwa"]
    refer(alliance["aoba"], "biwa")
    carry(alliance)
    accept(biwa, received(biwa).id)
    carry(alliance)
    with pytest.raises(hires.HireDateInvalid), biwa.database.transaction() as session:
        hires.register(
            session,
            biwa.context,
            received(biwa).id,
            joins_on=joins_on,
            with_slot=False,
            user_id="hanako",
        )
