"""Handing on, for tests: a person whom `biwa` did not hire, and the way from there to others."""

from sqlalchemy import func, select

from node import models
from node.services import erasures, links, referrals, relays
from tests.equipment.alliance import Alliance, House
from tests.equipment.candidates import Candidates, Walker
from tests.equipment.season import DAY_S, HR, PEOPLE, Season, Someone
from tests.equipment.web_house import WebHouse

MAKI = PEOPLE[0]
ABOUT = {"family_name": "髙橋", "given_name": "真紀", "applicant_type": "midcareer"}


def not_hired(season: Season, *, to: str = "biwa", person: Someone = MAKI, **more: object) -> str:
    """Referred by `aoba`, accepted, and declined after a final interview; the receiver's id."""
    own = season.accepted("aoba", to, person, **more)
    season.move(to, own, "interview_final", "declined_by_company")
    season.carry()
    return own


def hand_on(house: House, own: str) -> str:
    """HR hands the person on; the applicant's id."""
    with house.database.transaction() as session:
        return relays.hand_on(session, house.context, own, user_id=HR)


def guest(alliance: Alliance, house: House, applicant_id: str) -> Walker:
    """The person with the private link of the notice, before the first page."""
    with house.database.transaction() as session:
        expires_at = house.context.now() + 30 * DAY_S
        _, token = links.issue(session, house.context, applicant_id, expires_at=expires_at)
    walker = Candidates(alliance, WebHouse(house)).walker(token)
    walker.about = dict(ABOUT)
    return walker


def agree(walker: Walker, *members: str, order: str = "profile") -> None:
    """Go the whole way, and consent for these members."""
    walker.arrive(*members, order=order, share_progress="yes")
    assert walker.agree(*members).location == "/l/done"


def applicant(house: House, applicant_id: str) -> models.Applicant:
    with house.database.reading() as session:
        return session.scalars(
            select(models.Applicant).where(models.Applicant.id == applicant_id)
        ).one()


def count(house: House, table: type[models.Model]) -> int:
    with house.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def take_back(season: Season, referral_id: str) -> int:
    """The person takes the first consent back, at aoba."""
    aoba = season.alliance["aoba"]
    with aoba.database.transaction() as session:
        consent = referrals.sent_of(session, referral_id).consent_id
        return erasures.withdraw(session, aoba.context, consent)


def first_referral(season: Season, own: str) -> str:
    return season.row_in("biwa", own).referral_id
