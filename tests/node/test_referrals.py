"""A referral's whole way between two members, letter by letter, over real databases."""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.database import Database
from node.services import hires, ledger, outbox, persons, referrals
from node.services.referrals import refusals
from protocol import (
    ACCEPTANCE,
    DECLINE,
    HIRE,
    PROFILE,
    PROGRESS,
    Acceptance,
    Card,
    Decline,
    Grounds,
    Hire,
    Profile,
    ProfileRelease,
    Progress,
)
from tests.equipment.alliance import MEMBERS, Alliance, House, found_alliance
from tests.equipment.databases import Databases
from tests.equipment.letters import carry

CARD = Card(
    "midcareer", "25", "ソフトウェア開発", 7, ("Python",), ("日本語",), "interview_final", ""
)
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 5000
PROFILE_OF_MAKI = Profile.from_json(
    {
        "basics": {"name": "髙橋 真紀", "email": "maki@example.jp", "phone": "+819000000001"},
        "work": [{"name": "例示株式会社", "position": "開発", "startDate": "2019-04"}],
        "x-jp": {
            "familyNameKana": "タカハシ",
            "givenNameKana": "マキ",
            "resumeFile": {
                "mime": "application/pdf",
                "sha256": hashlib.sha256(PDF).hexdigest(),
                "size": len(PDF),
            },
        },
    }
)
DAY_S = 86_400


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def alliance(request: pytest.FixtureRequest) -> Iterator[Alliance]:
    """Four members on four databases of one engine."""
    databases: Databases = request.getfixturevalue(f"{request.param}_databases")
    with ExitStack() as stack:
        opened = [Database(stack.enter_context(databases.fresh()), unsafe=True) for _ in MEMBERS]
        for database in opened:
            stack.callback(database.close)
        yield found_alliance(opened)


def refer(
    house: House, to: str, *, now: bool = False, resume: bytes | None = None, share: bool = True
) -> str:
    """A consent of a new applicant of the house, sent to one member."""
    context = house.context
    grounds = Grounds(
        "consent0001", context.now(), "1", "0" * 64, ("name", "work"), "応募により本人から取得"
    )
    with house.database.transaction() as session:
        applicant, consent = _consenting(session, context)
        return referrals.refer(
            session,
            context,
            consent_id=consent,
            applicant_id=applicant,
            recipient=to,
            card=CARD,
            grounds=grounds,
            profile=PROFILE_OF_MAKI,
            resume=resume,
            send_profile_now=now,
            share_progress=share,
        )


def _consenting(session: Session, context: Context) -> tuple[str, str]:
    """An applicant with a link and a given consent; their own services are tested elsewhere."""
    applicant, link, consent = (secrets.token_hex(16) for _ in range(3))
    cipher = persons.begin(session, context, applicant)
    moment = context.now()
    session.add(
        models.Applicant(
            id=applicant,
            person_id=applicant,
            person_blob=cipher.encrypt("applicants.person_blob", applicant, b"{}"),
            job="",
            stage="",
            stage_code="interview_final",
            status="rejected",
            applicant_type="midcareer",
            created_at=moment,
            updated_at=moment,
        )
    )
    session.flush()
    session.add(
        models.Link(
            id=link,
            applicant_id=applicant,
            token_hash=secrets.token_bytes(32),
            created_at=moment,
            expires_at=moment + DAY_S,
        )
    )
    session.flush()
    session.add(
        models.Consent(
            id=consent,
            applicant_id=applicant,
            link_id=link,
            state="given",
            sealed_blob=b"",
            language="ja",
            page_hash=bytes(32),
            given_at=moment,
            created_at=moment,
        )
    )
    session.flush()
    return applicant, consent


def received(house: House) -> models.ReferralIn:
    with house.database.reading() as session:
        return session.scalars(select(models.ReferralIn)).one()


def sent(house: House, referral_id: str) -> models.ReferralOut:
    with house.database.reading() as session:
        return referrals.sent_of(session, referral_id)


def accept(house: House, referral_id: str) -> None:
    with house.database.transaction() as session:
        referrals.accept(session, house.context, referral_id, user_id="hanako")


def letter(house: House, to: str, kind: str, payload: bytes) -> None:
    """A letter that the house's own services would not write now; a hostile peer's would."""
    with house.database.transaction() as session:
        outbox.enqueue(session, house.context, recipient=to, kind=kind, payload=payload)


def owed(house: House) -> list[tuple[str, str, int]]:
    with house.database.reading() as session:
        return [(each.kind, each.to, each.points) for each in ledger.waiting(session)]


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
        assert referrals.promised(session) == 1


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
    assert sent(aoba, referral).state == "already_known"
    assert owed(aoba) == [("correction", "biwa", 1)]


def test_already_known_after_the_days_of_the_charter_is_refused(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    refer(aoba, "biwa")
    carry(alliance)
    accept(biwa, received(biwa).id)
    carry(alliance)
    alliance.clock.move(12 * DAY_S)  # five business days, and some
    day = biwa.context.day_of(biwa.context.now() - 13 * DAY_S)
    with biwa.database.transaction() as session:
        referrals.declare_known(
            session,
            biwa.context,
            received(biwa).id,
            known_since=day,
            last_contact=day,
            user_id="hanako",
        )
    assert carry(alliance) == ["letter-unexpected"]
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
