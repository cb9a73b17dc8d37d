"""Handing on: HR makes an applicant of ours of a person whom we did not hire.  DOMAIN 3.7."""

import re
import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.refusals import Refusal
from node.services import audit, persons, referrals
from node.services.applicants import OCCUPATIONS, exclusion, normalisation, people
from node.services.applicants.people import Person
from node.services.applicants.rows import CHARS_MAX, day_start
from node.services.letters import Letter
from node.services.relays.origins import of_referral, opened
from protocol import JSON, Profile, ProfileRelease

# What the applicant's row says of where the person came from.
SOURCE = "referral"
# Where the card names no occupation that we know, the notice still needs a word for the job.
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

# What would make a link of a name in a mail program, or in a browser.
_LINKING = re.compile(r"[/:@<>\\]|[.](?=\S)")

In = models.ReferralIn
Row = models.Relay


class SelectionNotOver(Refusal, code="selection-not-over"):
    """Only somebody whom you will not hire can be handed on. Finish the selection first."""


class PersonWithdrew(Refusal, code="person-withdrew"):
    """This person withdrew from the selection, and is not handed on: that was no rejection."""


class NothingToHandOn(Refusal, code="nothing-to-hand-on"):
    """There is no profile here that could be handed on: it never came, or it has been erased."""


class ContactRefused(Refusal, code="contact-refused"):
    """This person asked not to be contacted again, or left no e-mail address to be asked at."""


def hand_on(session: Session, context: Context, referral_id: str, *, user_id: str) -> str:
    """Make an applicant of our own of a person we did not hire; once, however often it is asked.

    The applicant's id. Nothing is sent, and the referrer is told nothing.
    """
    row = referrals.received(session, referral_id)
    known = made_by(session, row.id)
    if known is not None:
        return known
    check(row)
    person = _person_in(referrals.open_profile(session, context, row, user_id=user_id))
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


def made_by(session: Session, referral_id: str) -> str | None:
    """The applicant that was made of a referral; NothingToHandOn once that person was erased."""
    relay = of_referral(session, referral_id)
    if relay is None:
        return None
    applicant = session.get(models.Applicant, relay.applicant_id)
    if applicant is None or not applicant.person_blob:
        raise NothingToHandOn
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


def _person_in(profile: Profile) -> Person:
    """Whom a profile is about, written as an import would have written it.

    Another member wrote it, and we write it into a letter of our own: a name is a name there.
    """
    basics: JSON = profile.content["basics"]
    japan: JSON = profile.content.get("x-jp", {})
    address = normalisation.email(str(basics.get("email", "")))
    family_kana, given_kana = _name(japan, "familyNameKana"), _name(japan, "givenNameKana")
    region = str(basics.get("location", {}).get("region", ""))
    return Person(
        name=_name(basics, "name"),
        family=_name(japan, "familyName"),
        given=_name(japan, "givenName"),
        kana=f"{family_kana} {given_kana}".strip(),
        family_kana=family_kana,
        given_kana=given_kana,
        email=address[0] if address else "",
        phone=normalisation.phone(str(basics.get("phone", ""))) or "",
        prefecture=normalisation.prefecture(region) or "",
    )


def _name(fields: JSON, field: str) -> str:
    """One line of a length that names have, in which nothing becomes a link."""
    said = _LINKING.sub(lambda found: ". " if found[0] == "." else " ", str(fields.get(field, "")))
    return " ".join(said.split())[: CHARS_MAX["name"]]


def _admit(session: Session, context: Context, row: In, person: Person) -> models.Applicant:
    """The applicant, with a key of its own: it has another clock than the referral's profile."""
    now, applicant_id = context.now(), secrets.token_hex(16)
    cipher = persons.begin(session, context, applicant_id)
    card, (stage, code) = referrals.card_of(row), _reached(session, row)
    applicant = models.Applicant(
        id=applicant_id,
        person_id=applicant_id,
        person_blob=b"",
        job=card.occupation if card.occupation in OCCUPATIONS else JOB,
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


# --- What comes later. ---


def receive_profile(session: Session, context: Context, letter: Letter) -> None:
    """Keep a released or corrected profile; who was handed on already is called by its words.

    Only while the mailbox is the same, and until the person consents here: then our own word of
    the person stands.
    """
    referrals.receive_profile(session, context, letter)
    release = ProfileRelease.parse(letter.document.payload)
    row = session.scalar(
        select(In).where(In.sender == letter.sender, In.referral_id == release.referral)
    )
    relay = of_referral(session, row.id) if row is not None else None
    applicant = session.get(models.Applicant, relay.applicant_id) if relay is not None else None
    if row is None or applicant is None or not applicant.person_blob:
        return
    if row.email_index != applicant.email_index or _has_consented(session, applicant.id):
        return
    person = _person_in(opened(session, context, row))
    if person != people.person_of(session, context, applicant):
        cipher = persons.cipher(session, context, applicant.person_id)
        people.rewrite(context, cipher, applicant, person)


def _has_consented(session: Session, applicant_id: str) -> bool:
    table = models.Consent
    given = select(table.id).where(table.applicant_id == applicant_id, table.given_at.is_not(None))
    return session.scalar(given.limit(1)) is not None
