"""Referrals that we receive: the card, our answer, the released profile.  DESIGN 2.4.

The answer is a person's, or the rule's that HR wrote for cards it always takes (up to a number a
month). Accepting is one transaction: the signed acceptance in the outbox, the point owed in the
ledger, the state of the referral and the audit entry stand or fall together.
"""

import json
import secrets

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import audit, ledger, office_hours, outbox, persons, records, restores
from node.services.letters import Letter, LetterEarly
from node.services.referrals import ownership, profiles, rules
from node.services.referrals.deadlines import last_day
from node.services.referrals.offers import grounds_of, require_not_handed_on, tell
from node.services.referrals.refusals import (
    AnswerTooLate,
    CapReached,
    KnownDateInvalid,
    KnownTooLate,
    LetterUnexpected,
    ReferralAnswered,
    ReferralNotAccepted,
    ReferralUnknown,
    StageUnknown,
)
from node.services.referrals.sending import check_evidence
from node.services.referrals.stages import (
    ENDS,
    WITHDRAWN,
    Stage,
    change_stage,
    course,
    own_id,
    starts,
)
from protocol import (
    ACCEPTANCE,
    ALREADY_KNOWN,
    DECLINE,
    REFERRAL_ENTRY,
    Acceptance,
    AlreadyKnown,
    Attachment,
    Decline,
    Profile,
    ProfileRelease,
    Referral,
    SignedDocument,
    commitment,
)


def receive_referral(session: Session, context: Context, letter: Letter) -> None:
    """Take a card in; with a rule that wants it, accept it at once."""
    referral = Referral.parse(letter.document.payload)
    known = session.scalar(
        select(models.ReferralIn.id).where(
            models.ReferralIn.sender == letter.sender,
            models.ReferralIn.referral_id == referral.id,
        )
    )
    if known is not None:
        raise LetterUnexpected("this referral was received before in another envelope")
    if _was_withdrawn(session, letter.sender, referral.id):
        return
    now = context.now()
    row = models.ReferralIn(
        id=secrets.token_hex(16),
        sender=letter.sender,
        referral_id=referral.id,
        envelope_id=letter.envelope_id,
        card=json.dumps(referral.card.to_json(), ensure_ascii=False),
        grounds=json.dumps(referral.grounds.to_json(), ensure_ascii=False),
        receipt_digest=letter.receipt_digest,
        due_at=min(referral.answer_by, _due_by(session, context, now)),
        created_at=now,
        updated_at=now,
    )
    session.add(row)
    session.flush()
    persons.begin(session, context, row.id)
    if referral.profile is not None:
        profiles.keep(session, context, row, referral.profile)
        _record_receipt(session, context, letter, row, referral.profile, "card")
    in_time = now <= _last_day(session, context, row)
    wanted = in_time and rules.wants(session, context, referral.card)
    if wanted and not ownership.is_proven_twin(session, context, row):
        _accept(session, context, row, user_id=None)


def _due_by(session: Session, context: Context, now: int) -> int:
    """The latest time at which an answer can be due: no sender gives us longer than the charter."""
    days = context.charter(session).policy.answer_days
    return office_hours.end_of_working_day(now, days, context.settings.time_zone)


def _last_day(session: Session, context: Context, row: models.ReferralIn) -> int:
    return last_day(context, context.charter(session).policy.answer_days, row.due_at)


def _was_withdrawn(session: Session, sender: str, referral_id: str) -> bool:
    """Whether the person took the consent back before the referral arrived: nothing is kept."""
    table = models.Erasure
    return bool(
        session.scalar(
            select(table.id).where(
                table.direction == "in", table.peer == sender, table.referral_id == referral_id
            )
        )
    )


def accept(
    session: Session, context: Context, referral_id: str, *, user_id: str, start: str = ""
) -> None:
    """Promise the point and ask for the profile; ReferralAnswered when an answer was given.

    `start` names the stage that the person may begin at, if it is not the first.  DOMAIN 2.2 V6.
    """
    row = _unanswered(session, context, referral_id)
    found = {each.id: each for each in starts(session)}
    if start and start not in found:
        raise StageUnknown(start)
    _accept(session, context, row, user_id=user_id, start=found.get(start))


def _unanswered(session: Session, context: Context, referral_id: str) -> models.ReferralIn:
    """A referral that may be answered now; its referrer keeps to the same days."""
    row = received(session, referral_id)
    is_late = _last_day(session, context, row) < context.now()
    if row.state == "expired" or (row.state == "received" and is_late):
        raise AnswerTooLate(row.state)
    if row.state != "received":
        raise ReferralAnswered(row.state)
    return row


def _accept(
    session: Session,
    context: Context,
    row: models.ReferralIn,
    *,
    user_id: str | None,
    start: Stage | None = None,
) -> None:
    charter = context.charter(session)
    points = charter.policy.points_per_referral
    ledger.hold(session, context)
    position = ledger.position(session, context)
    # A promise that the ledger could never certify is not made.
    if position.available - points < -position.credit_limit:
        raise CapReached(limit=position.credit_limit)
    now, (entry_id, salt) = context.now(), _promise_of(context, row)
    acceptance = Acceptance(row.referral_id, now, points, entry_id, salt)
    first = course(session)[0]
    row.stage_code, row.stage_id = first.code, own_id(first)
    if start is not None and start != first:
        # Ahead of the acceptance, so that one mail tells the person both.
        change_stage(session, context, row, start, user_id=user_id or "rule", starts_at=now)
    envelope_id = outbox.enqueue(
        session,
        context,
        recipient=row.sender,
        kind=ACCEPTANCE,
        payload=acceptance.encode(),
        subject=row.id,
    )
    row.acceptance = acceptance.encode()
    row.entry_id, row.answered_by, row.answered_at = entry_id, user_id, now
    # A person may have sent the profile at once: then it is here already.
    row.state = "accepted" if row.profile_blob is None else "profile_received"
    row.updated_at = now
    ledger.pay(
        session,
        context,
        entry_id=entry_id,
        kind=REFERRAL_ENTRY,
        to=row.sender,
        points=points,
        reference=commitment(salt, row.receipt_digest),
    )
    audit.record(
        session,
        context,
        actor=user_id or "rule",
        action="referral.accepted",
        subject=row.id,
        detail=envelope_id,
    )


def _promise_of(context: Context, row: models.ReferralIn) -> tuple[str, bytes]:
    """The entry and the salt that our acceptance of a referral has, in every life of this node.

    Derived, not drawn: a node that was restored from before its answer promises and pays the same
    entry again, which the ledger takes once. Nobody without our key can guess either of them.
    """
    keyring, name = context.keyring, f"{row.sender} {row.referral_id}"
    # Ids that grow with time stand beside each other in the index, as in `ledger.new_entry_id`.
    since = grounds_of(row).given_at & 0xFFFFFFFF
    entry_id = f"{since:08x}{keyring.blind('acceptance entry', name).hex()[:24]}"
    salt = keyring.blind("acceptance salt 1", name) + keyring.blind("acceptance salt 2", name)
    return entry_id, salt


def decline(session: Session, context: Context, referral_id: str, *, user_id: str) -> None:
    """Answer that we do not go on. No reason is asked, kept or sent; a profile sent is erased."""
    row = _unanswered(session, context, referral_id)
    now = context.now()
    tell(session, context, row, DECLINE, Decline(row.referral_id, now).encode())
    profiles.forget(session, context, row)
    row.state, row.answered_by, row.answered_at = "declined", user_id, now
    row.updated_at = now
    audit.record(session, context, actor=user_id, action="referral.declined", subject=row.id)


def close(session: Session, context: Context, row: models.ReferralIn, *, user_id: str) -> None:
    """End what still goes on, because the person asked us to; the referrer learns that it ended."""
    now = context.now()
    if row.state == "received":
        tell(session, context, row, DECLINE, Decline(row.referral_id, now).encode())
        row.state, row.answered_at, row.updated_at = "declined", now, now
        audit.record(session, context, actor=user_id, action="referral.declined", subject=row.id)
    elif row.state == "profile_received" and row.stage_code not in ENDS:
        change_stage(session, context, row, WITHDRAWN, user_id=user_id)


def check_known(
    session: Session, context: Context, row: models.ReferralIn, known_since: str, last_contact: str
) -> AlreadyKnown:
    """What would be said; raises what stands against it, before anything is."""
    if row.state != "profile_received":
        raise ReferralNotAccepted(row.state)
    require_not_handed_on(session, row)
    policy = context.charter(session).policy
    if context.now() > _known_by(session, context, row, policy.answer_days):
        raise KnownTooLate
    known = AlreadyKnown(row.referral_id, known_since, last_contact, context.now())
    try:
        check_evidence(context, known, row.created_at, policy.ownership_days)
    except LetterUnexpected as refusal:
        raise KnownDateInvalid(days=policy.ownership_days) from refusal
    return known


def declare_known(
    session: Session,
    context: Context,
    referral_id: str,
    *,
    known_since: str,
    last_contact: str,
    user_id: str,
) -> None:
    """Say, with dates (YYYY-MM-DD), that we knew the person before; the point comes back."""
    row = received(session, referral_id)
    known = check_known(session, context, row, known_since, last_contact)
    outbox.enqueue(
        session,
        context,
        recipient=row.sender,
        kind=ALREADY_KNOWN,
        payload=known.encode(),
        subject=row.id,
    )
    row.state, row.updated_at = "already_known", context.now()
    audit.record(session, context, actor=user_id, action="referral.known", subject=row.id)


def _known_by(session: Session, context: Context, row: models.ReferralIn, answer_days: int) -> int:
    """Until when the referrer takes that answer: working days from the release on."""
    arrived_at = records.first_received(session, row.sender, row.referral_id) or row.created_at
    since = max(arrived_at, row.answered_at or 0)
    return office_hours.end_of_working_day(since, answer_days, context.settings.time_zone)


def receive_profile(session: Session, context: Context, letter: Letter) -> None:
    """Keep the profile that was released against our acceptance."""
    release = ProfileRelease.parse(letter.document.payload)
    if _was_withdrawn(session, letter.sender, release.referral):
        return
    row = _from_sender(session, context, letter, release.referral)
    if row.acceptance is None or row.state not in ("accepted", "profile_received"):
        raise LetterUnexpected(f"the referral is {row.state}")
    if release.acceptance != _acceptance_digest(row.acceptance) and not (
        restores.was_restored(session)
        and row.entry_id is not None
        and ledger.is_certified(session, context.member_id, row.entry_id)
    ):
        # Unless we accepted it in a life that we forgot: our point in the ledger says so.
        raise LetterUnexpected("released against another acceptance")
    profiles.keep(session, context, row, release.profile)
    _record_receipt(session, context, letter, row, release.profile)
    row.state, row.updated_at = "profile_received", context.now()


def _record_receipt(
    session: Session,
    context: Context,
    letter: Letter,
    row: models.ReferralIn,
    profile: Profile,
    *more: str,
) -> None:
    """A card alone names nobody, so the record is of the letter with the profile."""
    records.write_receipt(
        session,
        context,
        letter,
        referral_id=row.referral_id,
        grounds=grounds_of(row),
        person=profile,
        items=[*more, *records.items_in(profile)],
    )


def _acceptance_digest(payload: bytes) -> bytes:
    return SignedDocument(ACCEPTANCE, payload, ()).digest


def receive_attachment(session: Session, context: Context, letter: Letter) -> None:
    """Keep one chunk of the PDF; the last one to arrive puts the whole together."""
    chunk = Attachment.parse(letter.document.payload)
    if _was_withdrawn(session, letter.sender, chunk.referral):
        return
    row = _from_sender(session, context, letter, chunk.referral)
    if row.state in ("declined", "already_known"):
        raise LetterUnexpected(f"the referral is {row.state}")
    profiles.keep_chunk(session, context, row, chunk)


def received(session: Session, referral_id: str) -> models.ReferralIn:
    """The referral of that id, held for a change."""
    row = session.get(models.ReferralIn, referral_id, with_for_update=True)
    if row is None:
        raise ReferralUnknown(referral_id)
    return row


def _from_sender(
    session: Session, context: Context, letter: Letter, referral_id: str
) -> models.ReferralIn:
    """The referral that a letter is about; its sender can write about no other member's."""
    row = session.scalar(
        select(models.ReferralIn)
        .where(
            models.ReferralIn.sender == letter.sender,
            models.ReferralIn.referral_id == referral_id,
        )
        .with_for_update()
    )
    if row is None:
        early = letter.may_wait(context.now())
        raise (LetterEarly if early else LetterUnexpected)("no referral of this member has that id")
    return row


def waiting_count(session: Session) -> int:
    """How many referrals wait for an answer."""
    table = models.ReferralIn
    return session.scalar(select(func.count()).where(table.state == "received")) or 0
