"""Relays: a person we did not hire is handed on, with a fresh consent of their own.

HR hands on; that sends nothing. It makes an applicant of our own out of the profile we received,
under a key of its own, who is told the result like all others. The private link in that notice
shows the person by whom the profile came to us, and only what he or she agrees to there goes on:
an ordinary referral of ours. Of the selection here nothing travels, and of the first referral
neither.  DOMAIN 2.7, 3.1, 3.7; 個人情報保護法 27(1), 29, 30.
"""

import secrets
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.refusals import Refusal
from node.services import audit, persons, referrals
from node.services import charter as charters
from node.services.applicants import exclusion, normalisation, people
from node.services.applicants.people import Person
from node.services.applicants.rows import day_start
from protocol import JSON, Member, Profile

# What the applicant's row says of where the person came from.
SOURCE = "referral"
# How we came to the data, in the words of the next receiver's record (個人情報保護法 30). By whom
# is left out: the person may have wished it hidden, and the law asks for the kind of source.
ACQUIRED = "他社からの紹介（本人の同意に基づく提供）により取得し、本人が内容を確認"
# Where the card names no occupation, the notice still needs a word for what it was about.
JOB = "ご紹介による選考"
DECLINED = "declined_by_company"
# The steps of a selection, as the notice names them where we have no stages of our own.
STEPS = {
    "screening": "書類選考",
    "test": "適性検査",
    "interview_1": "一次面接",
    "interview_2": "二次面接",
    "interview_n": "面接",
    "interview_final": "最終面接",
    "offer": "内定",
    "accepted": "内定承諾",
}

In = models.ReferralIn
Out = models.ReferralOut
Row = models.Relay


class SelectionNotOver(Refusal, code="selection-not-over"):
    """Only somebody whom you will not hire can be handed on. Finish the selection first."""


class PersonWithdrew(Refusal, code="person-withdrew"):
    """This person withdrew from the selection, and is not handed on: that was no rejection."""


class NothingToHandOn(Refusal, code="nothing-to-hand-on"):
    """There is no profile here that could be handed on: it never came, or it has been erased."""


class ContactRefused(Refusal, code="contact-refused"):
    """This person asked not to be contacted again, or left no e-mail address to be asked at."""


@dataclass(frozen=True, slots=True)
class Chain:
    """How a profile came to us, as far as we know: whoever gave it, when, by which consent."""

    giver: Member
    consented_at: int
    given_at: int
    # The giver had it from another company, whose name it did not tell.
    had_it_from_another: bool


# --- Handing on. ---


def hand_on(session: Session, context: Context, referral_id: str, *, user_id: str) -> str:
    """Make an applicant of our own of a person we did not hire; once, however often it is asked.

    The applicant's id. Nothing is sent, and the referrer is told nothing.
    """
    row = referrals.received(session, referral_id)
    known = of_referral(session, row.id)
    if known is not None:
        return known.applicant_id
    check(row)
    profile = _profile(session, context, row)
    person = _person_in(profile)
    if not person.email or exclusion.is_suppressed(session, context, person):
        raise ContactRefused

    applicant = _admit(session, context, row, person)
    session.add(
        Row(
            referral_in_id=row.id,
            applicant_id=applicant.id,
            handed_by=user_id,
            created_at=context.now(),
        )
    )
    session.flush()
    audit.record(session, context, actor=user_id, action="referral.handed_on", subject=row.id)
    return applicant.id


def check(row: In) -> None:
    """Raise unless this referral ended here without a hire, and its profile is still held."""
    if row.state in ("received", "accepted", "hired"):
        raise SelectionNotOver(row.state)
    if row.state != "profile_received" or row.profile_blob is None:
        raise NothingToHandOn(row.state)
    if row.stage_code == "withdrawn_by_candidate":
        raise PersonWithdrew
    if row.stage_code != DECLINED:
        raise SelectionNotOver(row.stage_code or "")


def may_hand_on(row: In) -> bool:
    """Whether HR is offered to hand this person on; the address is looked at when it is done."""
    try:
        check(row)
    except Refusal:
        return False
    return True


def _profile(session: Session, context: Context, row: In) -> Profile:
    assert row.profile_blob is not None, "it was looked at before"
    cipher = persons.cipher(session, context, row.id)
    return Profile.parse(cipher.decrypt(referrals.PROFILE_COLUMN, row.id, row.profile_blob))


def _person_in(profile: Profile) -> Person:
    """Whom a profile is about, written as an import would have written it."""
    basics: JSON = profile.content["basics"]
    japan: JSON = profile.content.get("x-jp", {})
    address = normalisation.email(str(basics.get("email", "")))
    family_kana, given_kana = japan.get("familyNameKana", ""), japan.get("givenNameKana", "")
    region = str(basics.get("location", {}).get("region", ""))
    return Person(
        name=str(basics["name"]),
        family=str(japan.get("familyName", "")),
        given=str(japan.get("givenName", "")),
        kana=f"{family_kana} {given_kana}".strip(),
        family_kana=str(family_kana),
        given_kana=str(given_kana),
        email=address[0] if address else "",
        phone=normalisation.phone(str(basics.get("phone", ""))) or "",
        prefecture=normalisation.prefecture(region) or "",
    )


def _admit(session: Session, context: Context, row: In, person: Person) -> models.Applicant:
    """The applicant, with a key of its own: it has another clock than the referral's profile."""
    now, applicant_id = context.now(), secrets.token_hex(16)
    cipher = persons.begin(session, context, applicant_id)
    card, (stage, code) = referrals.card_of(row), _reached(session, row)
    applicant = models.Applicant(
        id=applicant_id,
        person_id=applicant_id,
        person_blob=b"",
        job=card.occupation or JOB,
        stage=stage,
        stage_code=code,
        status="rejected",
        applicant_type=card.applicant_type,
        source=SOURCE,
        exclusion=_mark_of(session, context, person),
        applied_on=_day(context, row.created_at),
        rejected_on=_day(context, row.updated_at),
        created_at=now,
        updated_at=now,
    )
    people.rewrite(context, cipher, applicant, person)
    session.add(applicant)
    session.flush()
    return applicant


def _mark_of(session: Session, context: Context, person: Person) -> str | None:
    """The mark that HR set on the same person's own application, which holds here too."""
    same = people.find_by_contact(session, context, person.email, person.phone)
    return next((each.exclusion for each in same if each.exclusion), None)


def _reached(session: Session, row: In) -> tuple[str, str]:
    """The last step before the end, in our own words and as a code; it stays on this node."""
    steps = [
        step
        for step in referrals.stages_of(session, "in", row.id)
        if step.stage_code not in referrals.ENDS
    ]
    if not steps:
        first = referrals.course(session)[0]
        return first.name or STEPS.get(first.code, JOB), first.code
    last = steps[-1]
    name = referrals.names(session).get(last.stage_id or "", "")
    return name or STEPS.get(last.stage_code, JOB), last.stage_code


def _day(context: Context, at: int) -> int:
    return day_start(context.day_of(at), context.settings.time_zone)


# --- What came of it. ---


def of_referral(session: Session, referral_id: str) -> Row | None:
    """How a referral that we received was handed on; None if it was not."""
    return session.get(Row, referral_id)


def of_applicant(session: Session, applicant_id: str) -> Row | None:
    """Of which referral an applicant was made; None for those who applied to us themselves."""
    return session.scalar(select(Row).where(Row.applicant_id == applicant_id))


def chain_of(session: Session, applicant_id: str) -> Chain | None:
    """How the profile of this applicant came to us, for the person's own pages."""
    relay = of_applicant(session, applicant_id)
    if relay is None:
        return None
    row = referrals.offered(session, relay.referral_in_id)
    grounds = referrals.grounds_of(row)
    return Chain(
        giver=charters.describing(session, row.sender),
        consented_at=grounds.given_at,
        given_at=row.created_at,
        had_it_from_another=grounds.acquired == ACQUIRED,
    )


def profile_of(session: Session, context: Context, applicant_id: str) -> Profile | None:
    """The profile that an applicant was made of, for the person's own pages; None once it went."""
    relay = of_applicant(session, applicant_id)
    if relay is None:
        return None
    row = referrals.offered(session, relay.referral_in_id)
    return None if row.profile_blob is None else _profile(session, context, row)


def acquainted(session: Session, applicant: models.Applicant) -> frozenset[str]:
    """The members that have this person already, as far as we know, and so are not offered.

    Whoever referred the person to us, and whom we referred him or her to by another application.
    """
    relay = of_applicant(session, applicant.id)
    # Whoever was erased meanwhile has no mailbox here, and nothing to choose any more.
    if relay is None or applicant.email_index is None:
        return frozenset()
    table, mailbox = models.Applicant, applicant.email_index
    known = In.id == relay.referral_in_id
    senders = session.scalars(select(In.sender).where(or_(known, In.email_index == mailbox)))
    recipients = session.scalars(
        select(Out.recipient)
        .join(table, table.id == Out.applicant_id)
        .where(table.id != applicant.id, table.email_index == mailbox, Out.state != "withdrawn")
    )
    return frozenset((*senders, *recipients))


def made_of(session: Session, sender: str, referral_id: str) -> models.Applicant | None:
    """The applicant made of a member's referral, for its erasure.

    The referral is held until the end of the transaction: nobody hands it on meanwhile.
    """
    row = session.scalar(
        select(In).where(In.sender == sender, In.referral_id == referral_id).with_for_update()
    )
    relay = of_referral(session, row.id) if row is not None else None
    return session.get(models.Applicant, relay.applicant_id) if relay is not None else None


def forget_origin(session: Session, context: Context, person_id: str) -> None:
    """Destroy the profiles that a person of our own list was made of: the person asked us to."""
    table = models.Applicant
    found = session.scalars(
        select(Row.referral_in_id)
        .join(table, table.id == Row.applicant_id)
        .where(table.person_id == person_id)
    ).all()
    for referral_id in found:
        referrals.forget(session, context, referrals.received(session, referral_id))
