"""What was made of a referral goes in the end, told or not, and is taken back whatever has gone."""

import pytest
from sqlalchemy import select

from node import models
from node.services import erasures, persons, retention
from tests.equipment.alliance import Alliance
from tests.equipment.handing import (
    agree,
    applicant,
    first_referral,
    guest,
    hand_on,
    not_hired,
    take_back,
)
from tests.equipment.letters import carry
from tests.equipment.season import Season


@pytest.fixture
def season(alliance: Alliance) -> Season:
    return Season(alliance)


def test_somebody_who_was_handed_on_and_never_told_is_not_kept_for_ever(season: Season) -> None:
    biwa = season.alliance["biwa"]
    made = hand_on(biwa, not_hired(season))
    days = biwa.context.settings.applicant_days

    def destroyed() -> int:
        with biwa.database.transaction() as session:
            return retention.destroy_due(session, biwa.context)["applicants"]

    season.days(days - 1)
    assert destroyed() == 0
    season.days(2)
    assert destroyed() == 1
    assert applicant(biwa, made).person_blob == b""


def test_those_further_on_are_asked_though_our_own_copy_has_gone(season: Season) -> None:
    biwa, seeds = season.alliance["biwa"], season.alliance["seeds"]
    own = not_hired(season)
    first = first_referral(season, own)
    made = hand_on(biwa, own)
    agree(guest(season.alliance, biwa, made), "seeds")
    carry(season.alliance)
    with biwa.database.transaction() as session:
        persons.erase(session, biwa.context, applicant(biwa, made).person_id)

    assert take_back(season, first) == 1
    carry(season.alliance)
    with biwa.database.reading() as session:
        asked = session.scalars(select(models.ReferralOut.id)).one()
        assert asked in erasures.by_referral(session, [asked])
    with seeds.database.reading() as session:
        row = session.scalars(select(models.ReferralIn)).one()
        assert row.profile_blob is None
