"""A referral's whole way between two members, letter by letter, over real databases."""

import pytest
from sqlalchemy import select

from node import models
from node.services import ledger, outbox, referrals
from node.services.referrals import refusals
from protocol import (
    ACCEPTANCE,
    ALREADY_KNOWN,
    DECLINE,
    HIRE,
    PROFILE,
    PROGRESS,
    Acceptance,
    AlreadyKnown,
    Decline,
    Hire,
    ProfileRelease,
    Progress,
)
from tests.equipment.alliance import Alliance
from tests.equipment.letters import carry, handle
from tests.equipment.referring import (
    CARD,
    DAY_S,
    PDF,
    PROFILE_OF_MAKI,
    accept,
    letter,
    owed,
    received,
    refer,
    sent,
)
from tests.equipment.season import Season


def test_the_card_crosses_first_and_the_profile_stays_at_home(alliance: Alliance) -> None:
    refer(alliance["aoba"], "biwa")
    assert carry(alliance) == []
    row = received(alliance["biwa"])
    assert referrals.card_of(row) == CARD
    assert (row.state, row.profile_blob) == ("received", None)
    assert "髙橋" not in row.card + row.grounds


def test_accepting_promises_a_point_and_releases_the_profile(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa", resume=PDF)
    carry(alliance)
    accept(biwa, received(biwa).id)
    assert carry(alliance) == []

    row = received(biwa)
    assert row.state == "profile_received"
    with biwa.database.transaction() as session:
        profile = referrals.open_profile(session, biwa.context, row, user_id="hanako")
        assert profile == PROFILE_OF_MAKI
        assert referrals.open_resume(session, biwa.context, row, user_id="hanako") == PDF
        opened = session.scalars(select(models.AuditEntry.action)).all()
    assert opened[-2:] == ["profile.opened", "resume.opened"]
    assert owed(biwa) == [("referral", "aoba", 1)]
    ours = sent(aoba, referral)
    assert (ours.state, ours.profile_blob, ours.resume_blob) == ("released", None, None)
    assert ours.entry_id == row.entry_id
    with aoba.database.reading() as session:
        assert referrals.promised(session, aoba.context) == 1


def test_an_answer_is_given_once(alliance: Alliance) -> None:
    biwa = alliance["biwa"]
    refer(alliance["aoba"], "biwa")
    carry(alliance)
    accept(biwa, received(biwa).id)
    with pytest.raises(refusals.ReferralAnswered), biwa.database.transaction() as session:
        referrals.decline(session, biwa.context, received(biwa).id, user_id="hanako")
    with pytest.raises(refusals.ReferralAnswered):
        accept(biwa, received(biwa).id)
    assert owed(biwa) == [("referral", "aoba", 1)]


def test_declining_costs_nothing_and_erases_what_was_sent_at_once(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa", now=True, resume=PDF)
    carry(alliance)
    row = received(biwa)
    assert row.profile_blob is not None
    with biwa.database.transaction() as session:
        referrals.decline(session, biwa.context, row.id, user_id="hanako")
    carry(alliance)
    row = received(biwa)
    assert (row.state, row.profile_blob, row.resume_blob, row.email_index) == (
        "declined",
        None,
        None,
        None,
    )
    with biwa.database.reading() as session:
        key = session.get(models.PersonKey, row.id)
    assert key is not None
    assert key.wrapped is None
    assert owed(biwa) == []
    assert sent(aoba, referral).state == "declined"


def test_a_profile_sent_at_once_waits_for_no_release(alliance: Alliance) -> None:
    biwa = alliance["biwa"]
    refer(alliance["aoba"], "biwa", now=True)
    carry(alliance)
    accept(biwa, received(biwa).id)
    assert received(biwa).state == "profile_received"
    assert carry(alliance) == []


def test_no_step_is_told_of_somebody_who_did_not_allow_it(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa", share=False)
    carry(alliance)
    accept(biwa, received(biwa).id)
    carry(alliance)
    with biwa.database.transaction() as session:
        row = received(biwa)
        referrals.move(session, biwa.context, row.id, "interview_1", user_id="hanako")
        letters = session.scalars(select(models.OutboxEntry.kind)).all()
    assert PROGRESS not in letters
    assert received(biwa).stage_code == "interview_1"
    carry(alliance)
    assert sent(aoba, referral).stage_code is None


def test_the_rule_accepts_by_itself_up_to_its_cap(alliance: Alliance) -> None:
    bridge = alliance["bridge"]
    with bridge.database.transaction() as session:
        referrals.write_rule(
            session,
            bridge.context,
            active=True,
            monthly_cap=2,
            applicant_types=("midcareer",),
            regions=(),
            user_id="hanako",
        )
    for _ in range(3):
        refer(alliance["aoba"], "bridge")
        carry(alliance)
    with bridge.database.reading() as session:
        page = referrals.list_in(session, limit=10)
        states = sorted(row.state for row in page.rows)
        assert referrals.accepted_this_month(session, bridge.context) == 2
    assert states == ["profile_received", "profile_received", "received"]
    assert len(owed(bridge)) == 2


def test_a_promise_the_ledger_could_not_keep_is_not_made(alliance: Alliance) -> None:
    biwa = alliance["biwa"]
    with biwa.database.transaction() as session:
        ledger.pay(
            session,
            biwa.context,
            entry_id="all-that-it-may-owe",
            kind="referral",
            to="seeds",
            points=20,
            reference=bytes(32),
        )
    refer(alliance["aoba"], "biwa")
    carry(alliance)
    with pytest.raises(refusals.CapReached):
        accept(biwa, received(biwa).id)
    assert received(biwa).state == "received"


def test_already_known_with_a_date_brings_the_point_back(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa")
    carry(alliance)
    accept(biwa, received(biwa).id)
    carry(alliance)
    today = biwa.context.day_of(biwa.context.now())
    for since, last in (("2019-01-01", "2019-01-02"), (today, "2099-01-01"), (today, "2020-01-01")):
        with pytest.raises(refusals.KnownDateInvalid), biwa.database.transaction() as session:
            referrals.declare_known(
                session,
                biwa.context,
                received(biwa).id,
                known_since=since,
                last_contact=last,
                user_id="hanako",
            )
    with biwa.database.transaction() as session:
        referrals.declare_known(
            session,
            biwa.context,
            received(biwa).id,
            known_since=today,
            last_contact=today,
            user_id="hanako",
        )
    assert carry(alliance) == []
    assert sent(aoba, referral).state == "released", "the point has not come yet"
    assert owed(aoba) == []

    assert Season(alliance).certify("biwa")
    alliance.clock.move(60)
    assert handle(alliance, aoba) == []
    assert sent(aoba, referral).state == "already_known"
    assert owed(aoba) == [("correction", "biwa", 1)]


def test_already_known_after_the_days_of_the_charter_is_refused(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa")
    carry(alliance)
    accept(biwa, received(biwa).id)
    carry(alliance)
    alliance.clock.move(12 * DAY_S)  # five business days, and some
    day = biwa.context.day_of(biwa.context.now() - 13 * DAY_S)
    with pytest.raises(refusals.KnownTooLate), biwa.database.transaction() as session:
        referrals.declare_known(
            session,
            biwa.context,
            received(biwa).id,
            known_since=day,
            last_contact=day,
            user_id="hanako",
        )
    assert received(biwa).state == "profile_received"

    known = AlreadyKnown(referral, day, day, biwa.context.now())
    with biwa.database.transaction() as session:
        outbox.enqueue(
            session,
            biwa.context,
            recipient="aoba",
            kind=ALREADY_KNOWN,
            payload=known.encode(),
            subject=referral,
        )
    assert carry(alliance) == ["letter-unexpected"], "whoever says it all the same is not believed"
    assert owed(aoba) == []


def test_letters_of_another_member_about_our_referral_change_nothing(alliance: Alliance) -> None:
    """Seeds has heard of aoba's referral to biwa and writes as if it had been sent to seeds."""
    aoba, seeds = alliance["aoba"], alliance["seeds"]
    referral = refer(aoba, "biwa")
    moment = aoba.context.now()
    for kind, document in (
        (ACCEPTANCE, Acceptance(referral, moment, 1, "e" * 32, bytes(32))),
        (DECLINE, Decline(referral, moment)),
        (PROGRESS, Progress(referral, "offer", moment)),
        (HIRE, Hire(referral, "2027-04-01", 0, "", bytes(32), moment)),
    ):
        letter(seeds, "aoba", kind, document.encode())
    assert carry(alliance) == ["letter-unexpected"] * 4
    row = sent(aoba, referral)
    assert (row.state, row.profile_blob is not None) == ("sent", True)


def test_a_profile_without_our_acceptance_is_refused(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa")
    carry(alliance)
    release = ProfileRelease(referral, bytes(32), PROFILE_OF_MAKI, aoba.context.now())
    letter(aoba, "biwa", PROFILE, release.encode())
    assert carry(alliance) == ["letter-unexpected"]
    assert received(biwa).profile_blob is None


def test_a_promise_of_fewer_points_releases_nothing(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa")
    carry(alliance)
    generous = Acceptance(referral, biwa.context.now(), 2, "e" * 32, bytes(32))
    letter(biwa, "aoba", ACCEPTANCE, generous.encode())
    assert carry(alliance) == ["letter-unexpected"]
    assert sent(aoba, referral).state == "sent"


def test_a_referral_known_to_the_receiver_is_shown_for_a_human_to_judge(alliance: Alliance) -> None:
    biwa = alliance["biwa"]
    refer(alliance["aoba"], "biwa")
    carry(alliance)
    row = received(biwa)
    with biwa.database.reading() as session:
        assert referrals.duplicates_of(session, biwa.context, row) == []


def test_lists_page_newest_first_without_gaps(alliance: Alliance) -> None:
    aoba = alliance["aoba"]
    ids = []
    for _ in range(5):
        alliance.clock.move(1)
        ids.append(refer(aoba, "biwa"))
    seen, cursor = [], None
    while True:
        with aoba.database.reading() as session:
            page = referrals.list_out(session, cursor=cursor, limit=2)
        seen += [row.id for row in page.rows]
        cursor = page.after
        if cursor is None:
            break
    assert seen == ids[::-1]
