"""What is kept how long: dry run and job agree, and only what is over goes."""

import pytest
from sqlalchemy import select

from node import models
from node.keyring import PersonKeyErased
from node.services import persons, referrals, retention
from protocol import ACCEPTANCE, PROFILE, ProfileRelease, SignedDocument
from tests.equipment.alliance import Alliance, House
from tests.equipment.letters import carry
from tests.equipment.referring import (
    DAY_S,
    PROFILE_OF_MAKI,
    accept,
    letter,
    received,
    refer,
    sent,
)

KEPT_S = 180 * DAY_S


def told(house: House, referral_id: str, **changed: object) -> models.Applicant:
    """The person of a referral, as HR's list has them: told, or as `changed` says."""
    with house.database.transaction() as session:
        row = referrals.sent_of(session, referral_id)
        applicant = session.get(models.Applicant, row.applicant_id)
        assert applicant is not None
        applicant.notified_at = house.context.now()
        for name, value in changed.items():
            setattr(applicant, name, value)
    return applicant


def due(house: House) -> dict[str, int]:
    with house.database.reading() as session:
        return {one.kind: one.due for one in retention.review(session, house.context)}


def destroy(house: House) -> dict[str, int]:
    with house.database.transaction() as session:
        return dict(retention.destroy_due(session, house.context))


def is_readable(house: House, person_id: str) -> bool:
    try:
        with house.database.reading() as session:
            persons.cipher(session, house.context, person_id)
    except PersonKeyErased:
        return False
    return True


def ended(alliance: Alliance) -> tuple[House, models.Applicant, str]:
    """Somebody of aoba who was told, consented, and was declined at biwa."""
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa")
    applicant = told(aoba, referral)
    carry(alliance)
    with biwa.database.transaction() as session:
        referrals.decline(session, biwa.context, received(biwa).id, user_id="hanako")
    carry(alliance)
    return aoba, applicant, referral


def test_a_person_goes_180_days_after_the_last_that_happened(alliance: Alliance) -> None:
    aoba, applicant, referral = ended(alliance)
    alliance.clock.move(KEPT_S)
    assert (due(aoba)["applicants"], destroy(aoba)["applicants"]) == (0, 0)
    alliance.clock.move(1)
    assert due(aoba)["applicants"] == 1
    assert destroy(aoba)["applicants"] == 1
    assert not is_readable(aoba, applicant.person_id)
    with aoba.database.reading() as session:
        row = session.get(models.Applicant, applicant.id)
        logged = session.scalars(select(models.AuditEntry.action)).all()
    assert row is not None
    assert (row.person_blob, row.notified_at is not None) == (b"", True)
    assert logged[-1] == "retention.destroyed"
    # The referral stays as what it was, without anybody in it.
    assert sent(aoba, referral).state == "declined"
    assert (due(aoba)["applicants"], destroy(aoba)["applicants"]) == (0, 0)


@pytest.mark.parametrize(
    "changed",
    [{"status": "hired"}, {"status": "active"}, {"notified_at": None}],
    ids=["hired", "in selection", "never told"],
)
def test_who_is_not_over_stays(alliance: Alliance, changed: dict[str, object]) -> None:
    aoba, applicant, referral = ended(alliance)
    told(aoba, referral, **changed)
    alliance.clock.move(3 * KEPT_S)
    assert destroy(aoba)["applicants"] == 0
    assert is_readable(aoba, applicant.person_id)


def test_a_second_application_keeps_the_person(alliance: Alliance) -> None:
    aoba, applicant, _referral = ended(alliance)
    alliance.clock.move(KEPT_S)
    with aoba.database.transaction() as session:
        session.add(
            models.Applicant(
                id="second",
                person_id=applicant.person_id,
                person_blob=b"x",
                job="",
                stage="",
                stage_code="applied",
                status="active",
                applicant_type="midcareer",
                created_at=aoba.context.now(),
                updated_at=aoba.context.now(),
            )
        )
    alliance.clock.move(DAY_S)
    assert destroy(aoba)["applicants"] == 0


def test_an_offer_that_is_open_keeps_the_person(alliance: Alliance) -> None:
    aoba = alliance["aoba"]
    referral = refer(aoba, "biwa")
    applicant = told(aoba, referral)
    alliance.clock.move(2 * KEPT_S)
    assert destroy(aoba)["applicants"] == 0
    assert is_readable(aoba, applicant.person_id)


def test_a_profile_goes_180_days_after_its_selection_ended(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    refer(aoba, "biwa")
    carry(alliance)
    accept(biwa, received(biwa).id)
    carry(alliance)
    alliance.clock.move(2 * KEPT_S)
    assert due(biwa)["profiles"] == 0, "a selection that goes on has no clock"
    with biwa.database.transaction() as session:
        row = received(biwa)
        referrals.move(session, biwa.context, row.id, "declined_by_company", user_id="hanako")
    alliance.clock.move(KEPT_S)
    assert due(biwa)["profiles"] == 0
    alliance.clock.move(1)
    assert due(biwa)["profiles"] == 1
    assert destroy(biwa)["profiles"] == 1
    row = received(biwa)
    assert (row.state, row.profile_blob, row.email_index) == ("profile_received", None, None)
    assert not is_readable(biwa, row.id)


def test_the_records_have_their_own_clock(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    refer(aoba, "biwa", now=True)
    carry(alliance)
    assert (due(aoba)["provided"], due(biwa)["received"]) == (0, 0)
    alliance.clock.move(1097 * DAY_S)
    assert (due(aoba)["provided"], due(biwa)["received"]) == (1, 1)
    assert (destroy(aoba)["records"], destroy(biwa)["records"]) == (1, 1)


def test_a_profile_that_is_sent_again_after_its_time_is_refused(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa")
    carry(alliance)
    accept(biwa, received(biwa).id)
    carry(alliance)
    with biwa.database.transaction() as session:
        referrals.move(session, biwa.context, received(biwa).id, referrals.ENDS[0], user_id="h")
        days = biwa.context.charter(session).policy.retention_days
    alliance.clock.move(days * DAY_S + 1)
    assert destroy(biwa)["profiles"] == 1
    digest = SignedDocument(ACCEPTANCE, received(biwa).acceptance or b"", ()).digest
    again = ProfileRelease(referral, digest, PROFILE_OF_MAKI, aoba.context.now())
    letter(aoba, "biwa", PROFILE, again.encode())
    assert carry(alliance) == ["letter-unexpected"]
    assert received(biwa).profile_blob is None
