"""The consent is given at biwa in the very moment in which the first is taken back at aoba."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.keyring import PersonKeyErased
from node.services import consents, inbox, persons, relays
from node.services.consents import LinkNotForYou
from node.services.letters import Letter
from tests.equipment.alliance import Alliance, House
from tests.equipment.handing import first_referral, guest, hand_on, not_hired, take_back
from tests.equipment.letters import deliver
from tests.equipment.season import HR, Season
from tests.node.test_spending_at_once import at_once

TEXT = "what stood above the button"


@pytest.fixture
def season(alliance: Alliance) -> Season:
    return Season(alliance)


def withdrawal(season: Season, own: str) -> tuple[inbox.Waiting, Letter]:
    """The withdrawal of the first referral, arrived at biwa and not handled yet."""
    biwa = season.alliance["biwa"]
    take_back(season, first_referral(season, own))
    deliver(season.alliance, season.alliance["aoba"])
    with biwa.database.reading() as session:
        (entry,) = inbox.waiting(session, biwa.context)
        return entry, inbox.open_letter(session, biwa.context, entry)


def agree(session: Session, house: House, link: str) -> None:
    consents.give(
        session,
        house.context,
        link,
        agreed=["seeds"],
        render=lambda _preview: TEXT,
        seen_hash=consents.hash_of(TEXT),
        language="ja",
        network="",
    )


def about_to_agree(season: Season) -> tuple[str, str, str]:
    """Handed on, and on the last page: the referral's id, the applicant's and the link's."""
    biwa = season.alliance["biwa"]
    own = not_hired(season)
    made = hand_on(biwa, own)
    guest(season.alliance, biwa, made).arrive("seeds")
    with biwa.database.reading() as session:
        return own, made, session.scalars(select(models.Link.id)).one()


def assert_nothing_goes_on(house: House, made: str) -> None:
    with house.database.reading() as session:
        states = session.scalars(select(models.ReferralOut.state)).all()
        queued = session.scalars(
            select(models.OutboxEntry.kind).where(
                models.OutboxEntry.recipient == "seeds", models.OutboxEntry.state == "queued"
            )
        ).all()
        assert set(states) <= {"withdrawn"}
        assert list(queued) == []
        with pytest.raises(PersonKeyErased):
            persons.cipher(session, house.context, made)


def test_a_consent_that_comes_first_is_taken_back_too(season: Season) -> None:
    biwa = season.alliance["biwa"]
    own, made, link = about_to_agree(season)
    entry, letter = withdrawal(season, own)
    at_once(
        biwa,
        lambda session: agree(session, biwa, link),
        lambda session: inbox.handle(session, biwa.context, entry, letter),
    )
    assert_nothing_goes_on(biwa, made)
    with biwa.database.reading() as session:
        assert len(session.scalars(select(models.ReferralOut)).all()) == 1


def test_a_consent_that_comes_second_finds_nobody(season: Season) -> None:
    biwa = season.alliance["biwa"]
    own, made, link = about_to_agree(season)
    entry, letter = withdrawal(season, own)
    with pytest.raises(LinkNotForYou):
        at_once(
            biwa,
            lambda session: inbox.handle(session, biwa.context, entry, letter),
            lambda session: agree(session, biwa, link),
        )
    assert_nothing_goes_on(biwa, made)
    with biwa.database.reading() as session:
        assert not session.scalars(select(models.ReferralOut)).all()


def test_handing_on_that_comes_second_finds_nothing(season: Season) -> None:
    biwa = season.alliance["biwa"]
    own = not_hired(season)
    entry, letter = withdrawal(season, own)
    with pytest.raises(relays.NothingToHandOn):
        at_once(
            biwa,
            lambda session: inbox.handle(session, biwa.context, entry, letter),
            lambda session: make(session, biwa, own),
        )
    with biwa.database.reading() as session:
        assert not session.scalars(select(models.Applicant)).all()


def test_handing_on_that_comes_first_is_erased_too(season: Season) -> None:
    biwa = season.alliance["biwa"]
    own = not_hired(season)
    entry, letter = withdrawal(season, own)
    at_once(
        biwa,
        lambda session: make(session, biwa, own),
        lambda session: inbox.handle(session, biwa.context, entry, letter),
    )
    with biwa.database.reading() as session:
        row = session.scalars(select(models.Applicant)).one()
    assert_nothing_goes_on(biwa, row.id)


def make(session: Session, house: House, own: str) -> None:
    relays.hand_on(session, house.context, own, user_id=HR)
