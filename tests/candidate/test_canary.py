"""Nothing negative crosses: what HR knows, notes and decides stands in no byte that leaves a node.

DOMAIN 3.7, check 14. Every envelope is opened with its recipient's key, every mail and every ledger
entry is read; what HR wrote on either side must be in none of them.
"""

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from node import models
from node.services import hires, mailing, referrals
from node.services.applicants import writing
from node.services.applicants.people import Person
from node.services.applicants.rows import Draft
from node.services.referrals import Stage
from protocol import envelope
from tests.equipment.alliance import House
from tests.equipment.candidates import EMAIL, NAME, PHONE, Candidates
from tests.equipment.letters import carry

CANARY = "金糸雀カナリア"
PAY = 7_654_321
# What may stand in a letter of each kind, and nothing else.
FIELDS = {
    "acceptance": {"accepted_at", "entry", "points", "referral", "salt"},
    "already-known": {"declared_at", "known_since", "last_contact", "referral"},
    "decline": {"declined_at", "referral"},
    "erasure-receipt": {"erased_at", "kept", "referral", "withdrawal"},
    "hire": {"entry", "joins_on", "points", "referral", "registered_at", "salt"},
    "profile": {"acceptance", "profile", "referral", "released_at"},
    "progress": {"changed_at", "referral", "stage"},
    "referral": {"answer_by", "card", "created_at", "grounds", "id", "profile"},
    "withdrawal": {"erase_by", "referral", "withdrawn_at"},
}
CARD = {
    *("applicantType", "availableFrom", "experienceYears", "languages", "occupation"),
    *("reachedStage", "region", "skills"),
}


def letters(candidates: Candidates) -> Iterator[tuple[str, str]]:
    """Kind and content of everything that any node has written to another."""
    for house in candidates.alliance.houses.values():
        with house.database.reading() as session:
            rows = session.scalars(select(models.OutboxEntry)).all()
        for row in rows:
            key = candidates.alliance[row.recipient].context.keyring.sealing
            yield row.kind, envelope.open(envelope.parse(row.envelope), key).payload.decode()


def everything_said(candidates: Candidates) -> Iterator[str]:
    """Letters, mails, and the ledger of every node."""
    yield from (content for _, content in letters(candidates))
    for house in candidates.alliance.houses.values():
        with house.database.reading() as session:
            for mail in session.scalars(select(models.MailEntry)):
                if mail.message_blob:
                    keyring = house.context.keyring
                    yield keyring.decrypt(mailing.COLUMN, mail.id, mail.message_blob).decode()
            for table in (models.LedgerCertificate, models.PendingEntry, models.LedgerEntry):
                for row in session.execute(select(table.__table__)):
                    yield repr(tuple(row))


def known_for_the_worse(house: House) -> None:
    """The person stands in this member's own list, with a flag and a remark of its source."""
    person = Person(name=NAME, email=EMAIL, phone=PHONE, ats_id="B-1")
    now = house.context.now()
    draft = Draft(
        person=person,
        job="営業",
        stage=CANARY,
        stage_code="interview_1",
        status="rejected",
        applicant_type="midcareer",
        source=CANARY,
        exclusion="misconduct",
        applied_on=now,
        rejected_on=now,
        warnings=(),
    )
    with house.database.transaction() as session:
        writing.store(session, house.context, [draft])


@pytest.fixture
def season(candidates: Candidates) -> Candidates:
    """One person at three companies: in selection and let go, hired, and declined."""
    names = ("biwa", "bridge", "seeds")
    _, token = candidates.invite(source=CANARY)
    walker = candidates.walker(token)
    walker.arrive(*names, share_progress="yes")
    walker.agree(*names)
    for name in names:
        known_for_the_worse(candidates.alliance[name])
    carry(candidates.alliance)
    for name in names:
        house = candidates.alliance[name]
        with house.database.transaction() as session:
            (row,) = session.scalars(select(models.ReferralIn)).all()
            course = (Stage("", "screening", f"{CANARY}待ち"), Stage("", "offer", CANARY))
            referrals.write_course(session, house.context, course, user_id="hanako")
            if name == "seeds":
                referrals.decline(session, house.context, row.id, user_id="hanako")
            else:
                referrals.accept(session, house.context, row.id, user_id="hanako")
    carry(candidates.alliance)
    for name in names[:2]:
        house = candidates.alliance[name]
        with house.database.transaction() as session:
            (row,) = session.scalars(select(models.ReferralIn)).all()
            offer = referrals.course(session)[1]
            referrals.move(session, house.context, row.id, offer.id, user_id="hanako")
            if name == "biwa":
                end = "declined_by_company"
                referrals.move(session, house.context, row.id, end, user_id="hanako")
            else:
                hires.register(
                    session,
                    house.context,
                    row.id,
                    joins_on="2027-04-01",
                    with_slot=False,
                    annual_pay_yen=PAY,
                    user_id="hanako",
                )
    carry(candidates.alliance)
    return candidates


def test_what_hr_knows_stands_in_no_byte_that_leaves(season: Candidates) -> None:
    said = list(everything_said(season))
    assert len(said) > 12
    for words in said:
        for canary in (CANARY, "金糸雀", "misconduct", str(PAY), "B-1"):
            assert canary not in words
    # The search finds what may be there, or it would find nothing at all.
    assert any(NAME in words for words in said)


def test_a_letter_has_no_field_beyond_those_of_its_kind(season: Candidates) -> None:
    kinds = set()
    for kind, content in letters(season):
        fields = json.loads(content)
        kinds.add(kind)
        assert set(fields) == FIELDS[kind]
        if kind == "referral":
            assert set(fields["card"]) == CARD
            assert fields["profile"] is None
    assert kinds >= {"referral", "acceptance", "decline", "profile", "progress", "hire"}
