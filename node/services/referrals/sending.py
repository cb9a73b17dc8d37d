"""Referrals that we send: from the person's consent to the released profile.  DESIGN 2.3-2.4.

The card goes first. The profile waits here, sealed under the person's own key, until the receiver's
signed acceptance is in, and the person's yes where they asked to be asked; then it is released and
our copy of what waited goes. Card and profile are each recorded as provided where they are written
into the outbox.
"""

import hashlib
import secrets
from dataclasses import replace

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import audit, ledger, office_hours, outbox, persons, records
from node.services.letters import Letter, LetterEarly
from node.services.referrals import promises
from node.services.referrals.offers import ASKS_FIRST
from node.services.referrals.refusals import LetterUnexpected
from node.services.referrals.stages import start_of
from protocol import (
    ATTACHMENT,
    CORRECTION,
    PROFILE,
    PROGRESS,
    REFERRAL,
    Acceptance,
    AlreadyKnown,
    Attachment,
    Card,
    Decline,
    Grounds,
    Profile,
    ProfileRelease,
    Referral,
    SignedDocument,
    commitment,
    limits,
)

DAY_S = 86_400
PROFILE_COLUMN = "referrals_out.profile_blob"
RESUME_COLUMN = "referrals_out.resume_blob"


def refer(
    session: Session,
    context: Context,
    *,
    consent_id: str,
    applicant_id: str,
    recipient: str,
    card: Card,
    grounds: Grounds,
    profile: Profile,
    resume: bytes | None,
    send_profile_now: bool,
    share_progress: bool,
    asks_first: bool = False,
) -> str:
    """Offer a person to one member they chose; the referral's id.

    Without `send_profile_now` the profile (and the PDF) wait for the acceptance; with `asks_first`
    they wait for the person's yes to it, too. That, and whether the receiver may tell how far the
    selection has come, stand among the items it is given.
    """
    wishes = {ASKS_FIRST: asks_first, PROGRESS: share_progress}
    items = tuple(item for item in grounds.items if item not in wishes)
    grounds = replace(grounds, items=(*items, *(wish for wish, is_so in wishes.items() if is_so)))
    now = context.now()
    referral_id = secrets.token_hex(16)
    policy = context.charter(session).policy
    letter = Referral(
        id=referral_id,
        card=card,
        grounds=grounds,
        created_at=now,
        answer_by=_answer_by(context, now, policy.answer_days),
        profile=profile if send_profile_now else None,
    )
    envelope_id = _send(session, context, recipient, REFERRAL, letter.encode(), referral_id)
    cipher = persons.cipher(session, context, _person_of(session, applicant_id))
    row = models.ReferralOut(
        id=referral_id,
        consent_id=consent_id,
        applicant_id=applicant_id,
        recipient=recipient,
        envelope_id=envelope_id,
        shares_progress=share_progress,
        asks_first=asks_first,
        profile_blob=cipher.encrypt(PROFILE_COLUMN, referral_id, profile.encode()),
        resume_blob=resume and cipher.encrypt(RESUME_COLUMN, referral_id, resume),
        answer_by=letter.answer_by,
        created_at=now,
        updated_at=now,
    )
    session.add(row)
    session.flush()
    told = ["card", *records.items_in(profile)] if send_profile_now else ["card"]
    _record(session, context, row, envelope_id, profile, told)
    if send_profile_now and resume is not None:
        _send_resume(session, context, row, resume)
    audit.record(session, context, actor="applicant", action="referral.sent", subject=referral_id)
    return referral_id


def _answer_by(context: Context, since: int, days: int) -> int:
    """Answer days are working days: a holiday must not eat the receiver's time.  DOMAIN 2.2 V2."""
    return office_hours.end_of_working_day(since, days, context.settings.time_zone)


def _person_of(session: Session, applicant_id: str) -> str:
    table = models.Applicant
    return session.scalars(select(table.person_id).where(table.id == applicant_id)).one()


def receive_acceptance(
    session: Session, context: Context, letter: Letter
) -> models.ReferralOut | None:
    """Keep the signed promise of a point, and release the profile against it.

    The referral comes back when it was accepted now: its person is told what follows.
    """
    acceptance = Acceptance.parse(letter.document.payload)
    row = referral_of(session, letter, acceptance.referral)
    if _was_said_before(row, acceptance):
        return None
    if row.state != "withdrawn" and not may_be_accepted(row):
        raise LetterUnexpected(f"the referral is {row.state}")
    policy = context.charter(session).policy
    if acceptance.points != policy.points_per_referral:
        agreed = policy.points_per_referral
        raise LetterUnexpected(f"{acceptance.points} points promised and {agreed} agreed")
    now = context.now()
    row.acceptance = letter.document.encode()
    row.entry_id, row.points = acceptance.entry, acceptance.points
    row.answered_at, row.updated_at = acceptance.accepted_at, now
    if row.state == "withdrawn":
        # It promised before it knew. The point stays promised; there is nothing to release.
        return None
    row.state, row.stage_code = "accepted", start_of(session, row)
    if row.asks_first:
        row.decide_by = _answer_by(context, now, policy.answer_days)
    else:
        _release(session, context, row, letter.document, actor=row.recipient)
    return row


def may_be_accepted(row: models.ReferralOut) -> bool:
    """An acceptance that was given in time may have been on its way for long."""
    return row.state == "sent" or (row.state == "expired" and row.profile_blob is not None)


def _was_said_before(row: models.ReferralOut, acceptance: Acceptance) -> bool:
    """The same promise again: its member was restored from before it had said so."""
    if row.acceptance is None:
        return False
    held = Acceptance.parse(SignedDocument.parse(row.acceptance).payload)
    return (held.entry, held.salt, held.points) == (
        acceptance.entry,
        acceptance.salt,
        acceptance.points,
    )


def release(session: Session, context: Context, row: models.ReferralOut) -> None:
    """The person said yes to a company that had accepted: what waited goes to it now."""
    assert row.acceptance is not None, "only what was accepted waits for the person"
    _release(session, context, row, SignedDocument.parse(row.acceptance), actor="applicant")
    row.updated_at = context.now()


def _release(
    session: Session,
    context: Context,
    row: models.ReferralOut,
    acceptance: SignedDocument,
    *,
    actor: str,
) -> None:
    cipher = persons.cipher(session, context, _person_of(session, row.applicant_id))
    assert row.profile_blob is not None
    profile = Profile.parse(cipher.decrypt(PROFILE_COLUMN, row.id, row.profile_blob))
    send_profile(session, context, row, acceptance, profile)
    if row.resume_blob is not None:
        _send_resume(session, context, row, cipher.decrypt(RESUME_COLUMN, row.id, row.resume_blob))
    # What waited has gone; the applicant's own record stays where it was.
    row.profile_blob = row.resume_blob = None
    row.state, row.released_at = "released", context.now()
    audit.record(session, context, actor=actor, action="profile.released", subject=row.id)


def send_profile(
    session: Session,
    context: Context,
    row: models.ReferralOut,
    acceptance: SignedDocument,
    profile: Profile,
) -> None:
    """Release a profile against the acceptance, and record that it was provided."""
    release = ProfileRelease(
        referral=row.id,
        acceptance=acceptance.digest,
        profile=profile,
        released_at=context.now(),
    )
    envelope_id = _send(session, context, row.recipient, PROFILE, release.encode(), row.id)
    _record(session, context, row, envelope_id, profile, records.items_in(profile))


def _send(
    session: Session, context: Context, recipient: str, kind: str, payload: bytes, referral_id: str
) -> str:
    return outbox.enqueue(
        session, context, recipient=recipient, kind=kind, payload=payload, subject=referral_id
    )


def _record(
    session: Session,
    context: Context,
    row: models.ReferralOut,
    envelope_id: str,
    profile: Profile,
    items: list[str],
) -> None:
    """What the law asks us to keep of a letter; the chunks of a PDF belong to its profile."""
    records.write_provision(
        session,
        context,
        envelope_id=envelope_id,
        referral_id=row.id,
        consent_id=row.consent_id,
        recipient=row.recipient,
        person=profile,
        items=items,
    )


def _send_resume(
    session: Session, context: Context, row: models.ReferralOut, resume: bytes
) -> None:
    step = limits.ATTACHMENT_CHUNK_BYTES
    chunks = [resume[at : at + step] for at in range(0, len(resume), step)]
    for index, content in enumerate(chunks):
        chunk = Attachment(row.id, index, len(chunks), content)
        _send(session, context, row.recipient, ATTACHMENT, chunk.encode(), row.id)


def receive_decline(session: Session, context: Context, letter: Letter) -> None:
    """The receiver does not go on. What waited for its acceptance is destroyed."""
    decline = Decline.parse(letter.document.payload)
    row = referral_of(session, letter, decline.referral)
    if row.state in ("declined", "withdrawn"):
        return
    if row.state not in ("sent", "expired"):
        raise LetterUnexpected(f"the referral is {row.state}")
    row.profile_blob = row.resume_blob = None
    row.state, row.answered_at = "declined", decline.declined_at
    row.updated_at = context.now()


def close_offers(session: Session, context: Context, recipient: str) -> None:
    """Nothing comes of what we offered to a member that has left. What waited is destroyed."""
    table = models.ReferralOut
    session.execute(
        update(table)
        # What was accepted and still waits is what its person was asked about.
        .where(table.recipient == recipient, table.state.in_(("sent", "accepted")))
        .values(state="expired", profile_blob=None, resume_blob=None, updated_at=context.now())
    )


def receive_already_known(session: Session, context: Context, letter: Letter) -> None:
    """The receiver knew the person before: give the promised point back.

    It has to say so within the charter's answer days of the release, and name a contact within the
    ownership window before the person was referred.  DOMAIN 2.8. What never came does not go back:
    until the ledger shows the point, the letter waits.
    """
    known = AlreadyKnown.parse(letter.document.payload)
    row = referral_of(session, letter, known.referral)
    if row.state == "already_known":
        return
    was_released = row.state in ("released", "withdrawn")
    if not was_released or row.entry_id is None or row.released_at is None:
        raise LetterUnexpected(f"the referral is {row.state}")
    policy = context.charter(session).policy
    if known.declared_at > _answer_by(context, row.released_at, policy.answer_days):
        raise LetterUnexpected("declared after the days that the charter gives")
    # Of two members the one counts whose referral arrived first, not who wrote it first.
    delivery = outbox.find(session, row.envelope_id)
    arrived_at = (delivery and delivery.delivered_at) or row.created_at
    check_evidence(context, known, arrived_at, policy.ownership_days)
    if row.id not in promises.paid(session, context, [row]):
        early = letter.may_wait(context.now())
        raise (LetterEarly if early else LetterUnexpected)("the promised point was never paid")
    row.state, row.updated_at = "already_known", context.now()
    give_back(session, context, row, letter.document.digest)


def give_back(session: Session, context: Context, row: models.ReferralOut, document: bytes) -> None:
    """Pay a point back that was paid to us; `document` is the digest of the letter that is why."""
    assert row.entry_id is not None, "what goes back was promised"
    ledger.pay(
        session,
        context,
        entry_id=correction_id(row.entry_id),
        kind=CORRECTION,
        to=row.recipient,
        points=row.points,
        reference=commitment(promises.salt_of(row), document),
    )


def correction_id(entry_id: str) -> str:
    """The id of the entry that gives a point back: one for each, so it is given back once."""
    return hashlib.sha256(b"tasuki/v1/correction" + entry_id.encode()).hexdigest()[:32]


def check_evidence(
    context: Context, known: AlreadyKnown, referred_at: int, ownership_days: int
) -> None:
    """Raise unless the dates show a contact before the referral and within the window."""
    referred_on = context.day_of(referred_at)
    oldest = context.day_of(referred_at - ownership_days * DAY_S)
    if not known.known_since <= known.last_contact <= referred_on or known.last_contact < oldest:
        raise LetterUnexpected("the dates show no earlier contact within the ownership window")


def referral_of(session: Session, letter: Letter, referral_id: str) -> models.ReferralOut:
    """Our referral that a letter is about; the same answer for none and for somebody else's."""
    row = session.get(models.ReferralOut, referral_id, with_for_update=True)
    if row is None or row.recipient != letter.sender:
        raise LetterUnexpected("no referral of ours to this member has that id")
    return row
