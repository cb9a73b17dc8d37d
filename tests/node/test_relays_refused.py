"""Who cannot be handed on, and what cannot begin any more with who was."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from node import models
from node.refusals import Refusal
from node.services import applicants, hires, persons, referrals, relays, retention
from node.services.applicants import exclusion, suppress
from protocol import Profile
from tests.equipment.alliance import Alliance, House
from tests.equipment.handing import MAKI, count, first_referral, hand_on, not_hired, take_back
from tests.equipment.season import HR, PEOPLE, Season
from tests.node.test_spending_at_once import at_once


@pytest.fixture
def season(alliance: Alliance) -> Season:
    return Season(alliance)


def waiting(season: Season) -> str:
    return season.offered("aoba", "biwa", MAKI, now=True)


def accepted(season: Season) -> str:
    own = season.offered("aoba", "biwa", MAKI)
    season.answer("biwa", own)
    return own


def in_selection(season: Season) -> str:
    own = season.accepted("aoba", "biwa", MAKI)
    season.move("biwa", own, "interview_1")
    return own


def hired(season: Season) -> str:
    own = in_selection(season)
    season.hire("biwa", own, slot=False)
    return own


def declined_at_once(season: Season) -> str:
    own = waiting(season)
    season.answer("biwa", own, accept=False)
    return own


def person_went(season: Season) -> str:
    own = season.accepted("aoba", "biwa", MAKI)
    season.move("biwa", own, "withdrawn_by_candidate")
    return own


def taken_back(season: Season) -> str:
    own = not_hired(season)
    take_back(season, first_referral(season, own))
    season.carry()
    return own


def forgotten(season: Season) -> str:
    own = not_hired(season)
    biwa = season.alliance["biwa"]
    with biwa.database.transaction() as session:
        referrals.forget(session, biwa.context, referrals.received(session, own))
    return own


def uncalled_for(season: Season) -> str:
    own = not_hired(season)
    biwa = season.alliance["biwa"]
    with biwa.database.transaction() as session:
        suppress(session, biwa.context, applicants.Person(name="", email=MAKI.email))
    return own


def without_address(season: Season) -> str:
    own = not_hired(season)
    biwa = season.alliance["biwa"]
    with biwa.database.transaction() as session:
        row = referrals.received(session, own)
        cipher = persons.cipher(session, biwa.context, own)
        bare = Profile.from_json({"basics": {"name": "髙橋 真紀"}})
        row.profile_blob = cipher.encrypt(referrals.PROFILE_COLUMN, own, bare.encode())
    return own


@pytest.mark.parametrize(
    ("becomes", "code"),
    [
        (waiting, "selection-not-over"),
        (accepted, "selection-not-over"),
        (in_selection, "selection-not-over"),
        (hired, "selection-not-over"),
        (declined_at_once, "nothing-to-hand-on"),
        (taken_back, "nothing-to-hand-on"),
        (forgotten, "nothing-to-hand-on"),
        (person_went, "person-withdrew"),
        (uncalled_for, "contact-refused"),
        (without_address, "contact-refused"),
    ],
    ids=lambda each: each.__name__ if callable(each) else each,
)
def test_who_cannot_be_handed_on_is_not_and_nothing_changes(
    season: Season, becomes: Callable[[Season], str], code: str
) -> None:
    biwa = season.alliance["biwa"]
    own = becomes(season)
    tables = (models.Applicant, models.Relay, models.PersonKey, models.AuditEntry)
    before = [count(biwa, table) for table in tables]
    with pytest.raises(Refusal) as refused:
        hand_on(biwa, own)
    assert refused.value.code == code
    assert [count(biwa, table) for table in tables] == before


def test_a_mark_on_the_person_s_own_application_holds_for_the_referral_too(
    season: Season,
) -> None:
    biwa = season.alliance["biwa"]
    other = season.applicant(biwa, MAKI)
    with biwa.database.transaction() as session:
        exclusion.set_flag(session, biwa.context, other, "no_third_party", user_id=HR)
    season.applicant(biwa, PEOPLE[1])
    made = hand_on(biwa, not_hired(season))
    with biwa.database.reading() as session:
        found = applicants.notifiable(session, biwa.context, [made])
    assert found.excluded == {made: "no_third_party"}


def test_pressed_twice_at_once_it_is_handed_on_once(season: Season) -> None:
    biwa = season.alliance["biwa"]
    own = not_hired(season)
    made = []

    def press(session: Session) -> None:
        made.append(relays.hand_on(session, biwa.context, own, user_id=HR))

    at_once(biwa, press, press)
    assert len(set(made)) == 1
    assert [count(biwa, table) for table in (models.Relay, models.Applicant)] == [1, 1]


def test_profile_and_applicant_are_each_kept_by_their_own_clock(season: Season) -> None:
    biwa = season.alliance["biwa"]
    own = not_hired(season)
    made = hand_on(biwa, own)
    season.days(100)
    with biwa.database.transaction() as session:
        told = session.get(models.Applicant, made)
        assert told is not None
        told.notified_at = biwa.context.now()

    season.days(81)
    assert destroyed(biwa) == (0, 1), "180 days after the selection ended"
    with biwa.database.reading() as session:
        row = session.get(models.Applicant, made)
        assert row is not None
        assert applicants.person_of(session, biwa.context, row).email == MAKI.email
    season.days(100)
    assert destroyed(biwa) == (1, 0), "180 days after the notice"


def destroyed(house: House) -> tuple[int, int]:
    """How many applicants and how many profiles of referrals the calendar's job destroyed."""
    with house.database.transaction() as session:
        gone = retention.destroy_due(session, house.context)
    return gone["applicants"], gone["profiles"]


def test_once_handed_on_the_selection_here_is_over_for_good(season: Season) -> None:
    biwa = season.alliance["biwa"]
    own = not_hired(season)
    hand_on(biwa, own)
    with pytest.raises(referrals.ReferralHandedOn):
        season.move("biwa", own, "interview_1")
    with pytest.raises(referrals.ReferralHandedOn):
        season.hire("biwa", own, slot=False)
    with pytest.raises(referrals.ReferralHandedOn), biwa.database.transaction() as session:
        referrals.declare_known(
            session,
            biwa.context,
            own,
            known_since="2026-12-01",
            last_contact="2027-01-08",
            user_id=HR,
        )
    row = season.row_in("biwa", own)
    assert (row.state, row.stage_code) == ("profile_received", "declined_by_company")
    assert count(biwa, models.Hire) == 0
    with biwa.database.reading() as session:
        assert hires.find(session, "in", own) is None
