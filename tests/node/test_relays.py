"""The sash is handed on: aoba → biwa → seeds, with a fresh consent, and taken back all the way."""

import pytest
from sqlalchemy import select

from node import models
from node.keyring import PersonKeyErased
from node.services import (
    applicants,
    consents,
    persons,
    records,
    referrals,
    relays,
    rights,
)
from node.services.consents import PartnerNotOffered
from node.services.referrals import Stage
from protocol import Referral, envelope
from tests.equipment.alliance import Alliance, House
from tests.equipment.handing import (
    MAKI,
    agree,
    applicant,
    count,
    first_referral,
    guest,
    hand_on,
    not_hired,
    take_back,
)
from tests.equipment.letters import carry, deliver, handle
from tests.equipment.referring import PDF
from tests.equipment.season import HR, Season

# What HR at biwa calls its last step; it occurs nowhere else.
CANARY = "金糸雀面接"


@pytest.fixture
def season(alliance: Alliance) -> Season:
    return Season(alliance)


def letters_to(alliance: Alliance, sender: str, to: str) -> list[tuple[str, bytes]]:
    """The letters that wait for one member, opened as it will open them: kind and bytes."""
    with alliance[sender].database.reading() as session:
        rows = session.scalars(
            select(models.OutboxEntry).where(
                models.OutboxEntry.recipient == to, models.OutboxEntry.state == "queued"
            )
        ).all()
    keys = alliance[to].context.keyring.sealing
    opened = [envelope.open(envelope.parse(row.envelope or b""), keys) for row in rows]
    return [(each.kind, each.payload) for each in opened]


def handed_on(season: Season) -> tuple[str, str]:
    """Handed on at biwa and agreed to for seeds: the referral's id there, and the applicant's."""
    biwa = season.alliance["biwa"]
    own = not_hired(season)
    made = hand_on(biwa, own)
    agree(guest(season.alliance, biwa, made), "seeds")
    return own, made


def test_handing_on_makes_an_applicant_who_may_be_told_and_sends_nothing(season: Season) -> None:
    biwa = season.alliance["biwa"]
    own = not_hired(season)
    before = count(biwa, models.OutboxEntry)

    made = hand_on(biwa, own)

    row = applicant(biwa, made)
    assert (row.status, row.source, row.notified_at) == ("rejected", "referral", None)
    assert (row.job, row.stage) == (MAKI.card.occupation, "最終面接")
    with biwa.database.reading() as session:
        person = applicants.person_of(session, biwa.context, row)
        assert applicants.notifiable(session, biwa.context, [made]).allowed == {made}
        said = session.scalars(
            select(models.AuditEntry.actor).where(models.AuditEntry.action == "referral.handed_on")
        ).all()
    assert (person.name, person.kana, person.email) == ("髙橋 真紀", "タカハシ マキ", MAKI.email)
    assert said == [HR]
    assert row.person_id != own, "it has a key and a clock of its own"
    assert "髙橋".encode() not in row.person_blob
    assert count(biwa, models.OutboxEntry) == before


def test_twice_handed_on_is_once(season: Season) -> None:
    biwa = season.alliance["biwa"]
    own = not_hired(season)
    made = hand_on(biwa, own)
    assert hand_on(biwa, own) == made
    assert (count(biwa, models.Relay), count(biwa, models.Applicant)) == (1, 1)


def test_the_chain_goes_on_with_a_fresh_consent_and_an_ordinary_referral(season: Season) -> None:
    alliance, biwa, seeds = season.alliance, season.alliance["biwa"], season.alliance["seeds"]
    own, made = handed_on(season)
    assert carry(alliance) == []

    (there,) = season.referrals("seeds")
    assert isinstance(there, models.ReferralIn)
    assert (there.sender, there.state) == ("biwa", "received")
    grounds = referrals.grounds_of(there)
    with biwa.database.reading() as session:
        consent = session.scalars(select(models.Consent)).one()
    assert (grounds.consent, grounds.given_at) == (consent.id, consent.given_at)
    assert (consent.applicant_id, grounds.acquired) == (made, relays.ACQUIRED)
    # Art. 29 at biwa, Art. 30 at seeds, and that of the first referral at biwa.
    assert provided(biwa) == [("seeds", there.referral_id)]
    assert received(seeds) == [("biwa", there.referral_id, relays.ACQUIRED)]
    assert received(biwa)[0][:2] == ("aoba", first_referral(season, own))

    season.answer("seeds", there.id)
    season.carry()
    assert season.row_in("seeds", there.id).state == "profile_received"
    with alliance["seeds"].database.transaction() as session:
        profile = referrals.open_profile(session, seeds.context, there, user_id=HR)
    assert profile.content["basics"]["email"] == MAKI.email  # type: ignore[index, call-overload]


def provided(house: House) -> list[tuple[str, str]]:
    with house.database.reading() as session:
        rows = list(records.every(session, house.context, records.Filters("provided")))
    return [(each.row.peer, each.row.referral_id) for each in rows]


def received(house: House) -> list[tuple[str, str, str]]:
    with house.database.reading() as session:
        rows = list(records.every(session, house.context, records.Filters("received")))
    return [(each.row.peer, each.row.referral_id, each.row.acquired) for each in rows]


def test_nothing_of_the_selection_and_of_the_first_referral_travels(season: Season) -> None:
    alliance, biwa = season.alliance, season.alliance["biwa"]
    with biwa.database.transaction() as session:
        course = (Stage("", "screening", "書類"), Stage("", "interview_2", CANARY))
        referrals.write_course(session, biwa.context, course, user_id=HR)
    own = season.accepted("aoba", "biwa", MAKI, resume=PDF)
    with biwa.database.reading() as session:
        step = referrals.course(session)[1].id
    season.move("biwa", own, step, "declined_by_company")
    season.carry()
    first = season.row_in("biwa", own)
    made = hand_on(biwa, own)
    assert applicant(biwa, made).stage == CANARY, "HR itself sees where it ended"

    agree(guest(alliance, biwa, made), "seeds")

    letters = letters_to(alliance, "biwa", "seeds")
    assert [kind for kind, _ in letters] == ["referral"]
    said = b"".join(payload for _, payload in letters).decode()
    assert Referral.parse(letters[0][1]).card.reached_stage == ""
    words = (CANARY, "interview", "declined", "見送", "不採用", "aoba", "最終")
    for word in (*words, own, first.referral_id, referrals.grounds_of(first).consent):
        assert word not in said, word
    assert MAKI.email in said, "the search finds what is there"


def test_the_person_sees_the_chain_and_is_not_offered_to_those_who_have_the_profile(
    season: Season,
) -> None:
    alliance, biwa = season.alliance, season.alliance["biwa"]
    own = not_hired(season)
    walker = guest(alliance, biwa, hand_on(biwa, own))

    page = walker.get(walker.arrival).get_data(as_text=True)
    assert "別の会社から" in page
    for told in ("株式会社aoba", MAKI.given, "最終面接", "見送"):
        assert told not in page, f"{told}: no mailbox is proven yet"
    walker.start()
    page = walker.get("/l/partners").get_data(as_text=True)
    offered = [member for member in alliance.houses if f'value="{member}"' in page]
    assert offered == ["seeds", "bridge"]
    assert walker.choose("aoba").status_code == PartnerNotOffered.status


def test_what_came_with_the_profile_is_filled_in_for_the_person_to_check(season: Season) -> None:
    biwa = season.alliance["biwa"]
    own = not_hired(season)
    made = hand_on(biwa, own)
    walker = guest(season.alliance, biwa, made)
    walker.start()
    with biwa.database.reading() as session:
        link = session.scalars(select(models.Link)).one()
        draft = consents.load(session, biwa.context, link.id)
    about, experience = draft.answers["about"], draft.answers["experience"]
    assert (about["family_name"], about["phone"]) == ("髙橋", "090-1234-5678")
    assert (about["desired_pay"], about["desired_regions"]) == ("550", ["13", "14"])
    assert experience["skills"].split("\n") == list(MAKI.card.skills)
    assert [row["start"] for row in draft.answers["work"]] == ["2020-04", "2016-04"]
    assert draft.answers["languages"] == [{"language": "英語", "fluency": "ビジネスレベル"}]
    assert draft.checked == (), "the person looks at every page of it"


def test_whoever_else_referred_the_same_person_is_not_offered_either(season: Season) -> None:
    biwa = season.alliance["biwa"]
    own = not_hired(season)
    season.accepted("bridge", "biwa", MAKI)
    row = applicant(biwa, hand_on(biwa, own))
    with biwa.database.reading() as session:
        assert relays.acquainted(session, row) == {"aoba", "bridge"}
        chain = relays.chain_of(session, row.id)
    assert chain is not None
    assert (chain.giver.id, chain.had_it_from_another) == ("aoba", False)


def test_whoever_gets_it_later_may_hand_it_on_and_tells_that_there_were_others(
    season: Season,
) -> None:
    seeds = season.alliance["seeds"]
    handed_on(season)
    season.carry()
    (there,) = season.referrals("seeds")
    season.answer("seeds", there.id)
    season.carry()
    season.move("seeds", there.id, "declined_by_company")
    season.carry()
    made = hand_on(seeds, there.id)
    with seeds.database.reading() as session:
        chain = relays.chain_of(session, made)
    assert chain is not None
    assert (chain.giver.id, chain.had_it_from_another) == ("biwa", True)
    walker = guest(season.alliance, seeds, made)
    walker.start()
    walker.choose("bridge")
    walker.decide()
    walker.verify()
    page = walker.get("/l/about").get_data(as_text=True)
    assert "株式会社biwaが、" in page
    assert "その会社も" in page


# --- Taken back. ---


def is_erased(house: House, person_id: str) -> bool:
    with house.database.reading() as session:
        try:
            persons.cipher(session, house.context, person_id)
        except PersonKeyErased:
            return True
        return False


def test_what_is_taken_back_at_the_first_company_is_erased_all_the_way(season: Season) -> None:
    alliance = season.alliance
    aoba, biwa, seeds = (alliance[name] for name in ("aoba", "biwa", "seeds"))
    own, made = handed_on(season)
    season.carry()
    (there,) = season.referrals("seeds")
    assert take_back(season, first_referral(season, own)) == 1

    season.carry()

    assert is_erased(biwa, own)
    assert is_erased(biwa, made)
    row = applicant(biwa, made)
    assert (row.person_blob, row.email_index, row.kana_index) == (b"", None, None)
    assert season.row_in("seeds", there.id).state == "withdrawn"
    assert is_erased(seeds, there.id)
    with aoba.database.reading() as session:
        assert session.scalars(select(models.Erasure)).one().erased_at is not None
    with biwa.database.reading() as session:
        asked = session.scalars(
            select(models.Erasure).where(models.Erasure.direction == "out")
        ).one()
        sealed = session.scalars(select(models.Consent.sealed_blob)).one()
    assert (asked.peer, asked.erased_at is not None, sealed) == ("seeds", True, b"")


def test_the_receipt_is_written_only_with_the_erasure_of_what_was_made_of_it(
    season: Season,
) -> None:
    biwa = season.alliance["biwa"]
    own, made = handed_on(season)
    take_back(season, first_referral(season, own))
    carry_only(season, "aoba")

    letters = letters_to(season.alliance, "biwa", "aoba")
    assert "erasure-receipt" in [kind for kind, _ in letters]
    assert is_erased(biwa, made)
    # Nothing of the new referral had left, so it never does.
    assert [kind for kind, _ in letters_to(season.alliance, "biwa", "seeds")] == []


def carry_only(season: Season, sender: str) -> None:
    """What one house has to send arrives and is handled; nobody else sends anything."""
    deliver(season.alliance, season.alliance[sender])
    for house in season.alliance.houses.values():
        assert handle(season.alliance, house) == []


def test_whoever_took_it_back_is_not_handed_on_and_an_open_link_leads_nowhere(
    season: Season,
) -> None:
    biwa = season.alliance["biwa"]
    own = not_hired(season)
    walker = guest(season.alliance, biwa, hand_on(biwa, own))
    walker.start()
    take_back(season, first_referral(season, own))
    season.carry()
    assert walker.get("/l/partners").status_code == 410
    assert walker.get(walker.arrival).status_code == 410


def test_who_asks_us_to_be_erased_loses_the_profile_it_came_with(season: Season) -> None:
    biwa = season.alliance["biwa"]
    own, made = handed_on(season)
    with biwa.database.reading() as session:
        link = session.scalars(select(models.Link)).one().id
        token = consents.status_token_of(session, biwa.context, link)
        told = rights.copy_of(session, biwa.context, token)["received"]
    assert told["company"] == "株式会社aoba", "the chain stands in the copy, too"
    with biwa.database.transaction() as session:
        rights.erase(session, biwa.context, token)
    assert is_erased(biwa, made)
    assert is_erased(biwa, own)
    assert season.row_in("biwa", own).profile_blob is None
