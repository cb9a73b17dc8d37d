"""One person, referred by two members: the first to arrive counts, and no rule pays twice."""

import pytest

from node import models
from node.services import referrals
from node.services.referrals import Other, ownership
from tests.equipment.alliance import Alliance, House
from tests.equipment.season import DAY_S, HR, PEOPLE, Season
from tests.equipment.web_house import WebHouse

MAKI = PEOPLE[0]


@pytest.fixture
def season(alliance: Alliance) -> Season:
    return Season(alliance)


def others(season: Season, own: str) -> list[Other]:
    biwa = season.alliance["biwa"]
    with biwa.database.reading() as session:
        return referrals.others_of(session, biwa.context, referrals.offered(session, own))


def test_of_two_referrals_the_first_to_arrive_counts(season: Season) -> None:
    first = season.accepted("aoba", "biwa", MAKI)
    season.clock.move(DAY_S)
    later = season.accepted("seeds", "biwa", MAKI)
    season.clock.move(DAY_S)
    telephone = season.accepted("seeds", "biwa", PEOPLE[1])

    found = [(each.row.id, each.alike, each.counts) for each in others(season, later)]
    assert found == [
        (first, ("email", "phone", "kana"), True),
        (telephone, ("phone",), False),
    ]
    assert [each.counts for each in others(season, first)] == [False, False]


@pytest.mark.parametrize("days", [179, 181])
def test_the_first_holds_for_as_long_as_the_charter_says(season: Season, days: int) -> None:
    season.accepted("aoba", "biwa", MAKI)
    season.days(days)
    later = season.accepted("seeds", "biwa", MAKI)
    (other,) = others(season, later)
    assert other.counts == (days < 180)


def test_one_that_was_turned_down_holds_nobody(season: Season) -> None:
    first = season.offered("aoba", "biwa", MAKI, now=True)
    season.clock.move(60)
    later = season.offered("seeds", "biwa", MAKI, now=True)
    assert [each.counts for each in others(season, later)] == [True]
    season.answer("biwa", first, accept=False)
    # What was declined is erased, so that it is not even found.
    assert others(season, later) == []


def test_the_later_one_is_already_known_since_the_first_and_its_point_comes_back(
    season: Season,
) -> None:
    season.accepted("aoba", "biwa", MAKI)
    season.clock.move(DAY_S)
    later = season.accepted("seeds", "biwa", MAKI)
    season.certify_all()

    recruiter = WebHouse(season.alliance["biwa"]).signed_in("recruiter")
    page = recruiter.get(f"/referrals/in/{later}").get_data(as_text=True)
    assert "重複して紹介された可能性" in page
    assert "重複して紹介された可能性" not in (
        WebHouse(season.alliance["biwa"]).signed_in("viewer").get(f"/referrals/in/{later}")
    ).get_data(as_text=True)
    form = recruiter.get(f"/referrals/in/{later}/known").get_data(as_text=True)
    day = season.alliance["biwa"].context.day_of(season.row_in("biwa", later).created_at - DAY_S)
    assert form.count(f'value="{day}"') == 2
    assert "先に紹介されています" in recruiter.get(f"/referrals/in/{later}/hire").get_data(True)

    values = {"known_since": day, "last_contact": day, "confirmed": "yes"}
    assert recruiter.post(f"/referrals/in/{later}/known", values).status_code == 302
    season.carry()
    season.certify_all()
    with season.alliance["seeds"].database.reading() as session:
        (sent,) = [row for row in season.referrals("seeds") if hasattr(row, "recipient")]
        assert referrals.sent_of(session, sent.id).state == "already_known"


def test_a_crowd_that_shares_a_telephone_hides_nobody(season: Season) -> None:
    biwa = season.alliance["biwa"]
    lookalike = season.accepted("aoba", "biwa", PEOPLE[1])
    crowd(biwa, lookalike, ownership.OTHERS_MAX)
    season.clock.move(60)
    first = season.accepted("aoba", "biwa", MAKI)
    season.clock.move(60)
    later = season.accepted("seeds", "biwa", MAKI)
    found = others(season, later)
    assert (len(found), found[0].row.id) == (ownership.OTHERS_MAX, first)
    counted = referrals.first_of(found)
    assert counted is not None
    assert counted.id == first
    with biwa.database.reading() as session:
        row = referrals.offered(session, later)
        assert ownership.is_proven_twin(session, biwa.context, row)


def crowd(house: House, own: str, count: int) -> None:
    """So many more referrals with the contact of one, as a household or an office has them."""
    with house.database.transaction() as session:
        row = referrals.offered(session, own)
        alike = {each.key: getattr(row, each.key) for each in row.__table__.columns}
        for number in range(count):
            own_id = f"{number:032x}"
            session.add(models.ReferralIn(**alike | {"id": own_id, "referral_id": own_id}))


def test_no_rule_pays_twice_for_one_mailbox(season: Season) -> None:
    biwa = season.alliance["biwa"]
    with biwa.database.transaction() as session:
        referrals.write_rule(
            session,
            biwa.context,
            active=True,
            monthly_cap=9,
            applicant_types=(),
            regions=(),
            user_id=HR,
        )
    first = season.offered("aoba", "biwa", MAKI, now=True)
    later = season.offered("seeds", "biwa", MAKI, now=True)
    assert season.row_in("biwa", first).state == "profile_received"
    assert season.row_in("biwa", later).state == "received", "a human looks at it"
