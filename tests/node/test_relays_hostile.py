"""A member that writes what it likes into a profile, and a person who asks us in between."""

import copy

import pytest
from sqlalchemy import select

from node import models
from node.services import (
    applicants,
    consents,
    notices,
    persons,
    referrals,
    relays,
    rights,
    templates,
)
from node.services.notices import Wish
from node.services.templates.defaults import JAPANESE_HANDED_ON
from protocol import JSON, Profile
from tests.equipment.alliance import Alliance, House
from tests.equipment.candidates import Candidates
from tests.equipment.handing import (
    MAKI,
    agree,
    applicant,
    first_referral,
    guest,
    hand_on,
    not_hired,
    take_back,
)
from tests.equipment.notices_room import SENDER
from tests.equipment.season import HR, PEOPLE, Season, profile_of
from tests.equipment.web_house import WebHouse


@pytest.fixture
def season(alliance: Alliance) -> Season:
    return Season(alliance)


def sends_anew(season: Season, own: str, **basics: str) -> None:
    """The referrer corrects the profile of a referral into whatever it likes."""
    aoba = season.alliance["aoba"]
    content: JSON = copy.deepcopy(profile_of(MAKI).content)
    content["basics"].update(basics)
    with aoba.database.transaction() as session:
        sent = referrals.sent_of(session, first_referral(season, own))
        whose = session.get(models.Applicant, sent.applicant_id)
        assert whose is not None
        cipher = persons.cipher(session, aoba.context, whose.person_id)
        profile = Profile.from_json(content)
        assert referrals.correct(session, aoba.context, sent.consent_id, profile, cipher) == 1
    season.carry()


def person_of(house: House, made: str) -> applicants.Person:
    with house.database.reading() as session:
        return applicants.person_of(session, house.context, applicant(house, made))


def status_token(house: House) -> str:
    with house.database.reading() as session:
        link = session.scalars(select(models.Link)).one().id
        return consents.status_token_of(session, house.context, link)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("当選 https://evil.example/x 今すぐ", "当選 https evil. example x 今すぐ"),
        ("www.evil.example", "www. evil. example"),
        ("a@evil.example\n<b>", "a evil. example b"),
        ("J. R. 髙橋", "J. R. 髙橋"),
        ("長" * 200, "長" * 100),
    ],
)
def test_a_name_from_elsewhere_is_one_line_in_which_nothing_is_a_link(
    season: Season, written: str, read: str
) -> None:
    biwa = season.alliance["biwa"]
    own = not_hired(season)
    sends_anew(season, own, name=written)
    assert person_of(biwa, hand_on(biwa, own)).name == read


def test_a_profile_changed_to_another_mailbox_is_not_shown_to_who_was_handed_on(
    season: Season,
) -> None:
    biwa = season.alliance["biwa"]
    own = not_hired(season)
    made = hand_on(biwa, own)
    sends_anew(season, own, email=PEOPLE[1].email, name="別人 太郎", summary="別人の経歴")

    assert person_of(biwa, made).email == MAKI.email
    assert person_of(biwa, made).name == "髙橋 真紀"
    with biwa.database.reading() as session:
        assert relays.profile_of(session, biwa.context, applicant(biwa, made)) is None
    walker = guest(season.alliance, biwa, made)
    walker.start()
    with biwa.database.reading() as session:
        link = session.scalars(select(models.Link)).one()
        assert consents.load(session, biwa.context, link.id).answers["work"] == []


def test_a_corrected_name_is_ours_too_until_the_person_consents_here(season: Season) -> None:
    biwa = season.alliance["biwa"]
    own = not_hired(season)
    made = hand_on(biwa, own)
    sends_anew(season, own, name="高橋 真希")
    assert person_of(biwa, made).name == "高橋 真希"

    agree(guest(season.alliance, biwa, made), "seeds")
    said_here = person_of(biwa, made)
    sends_anew(season, own, name="だれか ほか")
    assert person_of(biwa, made) == said_here


def test_the_letter_to_someone_handed_on_does_not_say_that_they_applied(season: Season) -> None:
    biwa = season.alliance["biwa"]
    ids = [hand_on(biwa, not_hired(season)), season.applicant(biwa, PEOPLE[1])]
    with biwa.database.transaction() as session:
        session.add(
            models.User(id=HR, login="hr", name="佐藤", role="recruiter", password_hash="none",
                        created_at=biwa.context.now())
        )  # fmt: skip
        session.flush()
        templates.install_defaults(session, biwa.context, user_id=HR)
        (ours,) = (t for t in templates.listing(session) if t.name == JAPANESE_HANDED_ON.name)
        batch = notices.draft(session, biwa.context, ids, Wish(ours.id, SENDER), user_id=HR)
        letters = [notices.preview(session, biwa.context, batch, each) for each in ids]
    bodies = [each.body if each is not None else "" for each in letters]
    assert ["ご同意に基づき他社からご紹介いただいた方へ" in body for body in bodies] == [
        True,
        False,
    ]
    assert ["ご応募いただいた方へ" in body for body in bodies] == [False, True]


def test_who_is_erased_here_is_erased_in_what_every_member_sent_of_the_mailbox(
    season: Season,
) -> None:
    alliance, biwa = season.alliance, season.alliance["biwa"]
    own = not_hired(season)
    going_on = season.accepted("seeds", "biwa", MAKI)
    season.move("biwa", going_on, "interview_1")
    unanswered = season.offered("aoba", "biwa", MAKI, now=True)
    other = season.accepted("bridge", "biwa", PEOPLE[1])
    agree(guest(alliance, biwa, hand_on(biwa, own)), "bridge")

    with biwa.database.transaction() as session:
        rights.erase(session, biwa.context, status_token(biwa))
    for each in (own, going_on, unanswered):
        row = season.row_in("biwa", each)
        assert (row.profile_blob, row.email_index) == (None, None)
    assert season.row_in("biwa", going_on).stage_code == "withdrawn_by_candidate"
    assert season.row_in("biwa", unanswered).state == "declined"
    assert season.row_in("biwa", other).profile_blob is not None, "nobody asked for this one"

    season.carry()
    with alliance["seeds"].database.reading() as session:
        told = session.scalars(select(models.ReferralOut)).one()
    assert told.stage_code == "withdrawn_by_candidate"


def test_who_took_it_back_at_the_first_company_is_told_by_us_too(season: Season) -> None:
    biwa = season.alliance["biwa"]
    own = not_hired(season)
    agree(guest(season.alliance, biwa, hand_on(biwa, own)), "seeds")
    take_back(season, first_referral(season, own))
    season.carry()
    (mail,) = Candidates(season.alliance, WebHouse(biwa)).mails("erasure")
    assert mail.to == MAKI.email
    assert "株式会社aobaから、あなたがプロフィールの提供への同意を取り消された" in mail.text


def test_nobody_is_handed_on_again_once_erased(season: Season) -> None:
    biwa = season.alliance["biwa"]
    own = not_hired(season)
    made = hand_on(biwa, own)
    with biwa.database.transaction() as session:
        rights.destroy(session, biwa.context, applicant(biwa, made).person_id)
    with pytest.raises(relays.NothingToHandOn):
        hand_on(biwa, own)
