"""The status of a given consent, partner by partner, as the person sees it.  DOMAIN 2.4 C7."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import charter as charters
from node.services import erasures, outbox, referrals
from node.services.consents import receipts, refusals
from node.services.links import TOKEN
from protocol import Member

# What one partner's line says. `waiting` has a date by which an answer is expected; `asking` one by
# which the person's own is.
STEPS = (
    "sending",
    "waiting",
    "late",
    "undelivered",
    "asking",
    "selection",
    "hired",
    "closed",
    "known",
    "no-answer",
    "withdrawn",
    "erasing",
    "erasing-late",
    "erased",
)
_CLOSED = {"declined": "closed", "already_known": "known", "expired": "no-answer"}
_CLOSED_STAGES = {
    "declined_by_company": "closed",
    "withdrawn_by_candidate": "closed",
    "no_answer": "no-answer",
    "hired": "hired",
    "left": "closed",
}


@dataclass(frozen=True, slots=True)
class PartnerStatus:
    """How things stand with one partner."""

    member: Member
    step: str
    stage_code: str | None
    has_profile: bool
    sent_at: int
    answer_by: int
    changed_at: int
    may_withdraw: bool
    # By when the person has to say whether the profile may go, once the company has accepted.
    decide_by: int | None = None
    # Whether the company would have liked to go on, and the profile was not sent to it.
    kept_here: bool = False
    # The stage that the company offers to begin at, until the selection goes on from there.
    start: str | None = None
    # By when it has to erase, when it proved that it did, and the kinds of what it keeps.
    erase_by: int | None = None
    erased_at: int | None = None
    kept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """A consent as its status page shows it; it holds no name and no address of the person."""

    consent_id: str
    applicant_id: str
    given_at: int
    controller: Member
    partners: tuple[PartnerStatus, ...]
    shares_progress: bool
    asks_first: bool
    retention_days: int
    # When the person was erased here.
    erased_at: int | None

    @property
    def may_withdraw(self) -> bool:
        """Whether there is a company left for which the consent can be taken back."""
        return any(each.may_withdraw for each in self.partners)


def given_by_token(session: Session, token: str) -> models.Consent | None:
    """The given consent that this token opens; the same for a wrong token and for none."""
    if not TOKEN.fullmatch(token):
        return None
    row = session.scalar(
        select(models.Consent).where(models.Consent.status_token_hash == receipts.token_hash(token))
    )
    return row if row is not None and row.given_at is not None else None


def find(session: Session, context: Context, token: str) -> Status:
    """The status that this token opens; refused alike for a wrong token and for none."""
    row = given_by_token(session, token)
    if row is None or row.given_at is None:
        raise refusals.ConsentNotThere
    charter = context.charter(session)
    sent = referrals.of_consent(session, row.id)
    asked = erasures.by_referral(session, [each.id for each in sent])
    return Status(
        consent_id=row.id,
        applicant_id=row.applicant_id,
        given_at=row.given_at,
        controller=charters.describing(session, context.member_id),
        partners=tuple(
            _partner(
                session,
                context,
                charters.describing(session, each.recipient),
                each,
                asked.get(each.id),
            )
            for each in sent
        ),
        shares_progress=any(each.shares_progress for each in sent),
        asks_first=any(each.asks_first for each in sent),
        retention_days=charter.policy.retention_days,
        erased_at=_erased_at(session, row),
    )


def token_of(session: Session, context: Context, link_id: str) -> str:
    """The token of the status page of a consent that was given by this link."""
    given = session.scalar(
        select(models.Consent.id).where(
            models.Consent.link_id == link_id, models.Consent.given_at.is_not(None)
        )
    )
    if given is None:
        raise refusals.ConsentNotThere
    return receipts.status_token(context, given)


def _erased_at(session: Session, row: models.Consent) -> int | None:
    keys, table = models.PersonKey, models.Applicant
    return session.scalar(
        select(keys.erased_at)
        .join(table, table.person_id == keys.person_id)
        .where(table.id == row.applicant_id)
    )


def _partner(
    session: Session,
    context: Context,
    member: Member,
    row: models.ReferralOut,
    asked: models.Erasure | None,
) -> PartnerStatus:
    start = referrals.start_of(session, row) if row.shares_progress else None
    return PartnerStatus(
        member=member,
        step=_step(session, context, row) if asked is None else _erasing(context, asked),
        stage_code=row.stage_code if row.shares_progress else None,
        has_profile=row.released_at is not None or _at_once(session, row),
        sent_at=row.created_at,
        answer_by=row.answer_by,
        changed_at=row.updated_at,
        may_withdraw=erasures.may_withdraw(row, asked),
        decide_by=row.decide_by,
        kept_here=row.decide_by is not None and row.released_at is None,
        start=start if start == row.stage_code else None,
        erase_by=None if asked is None else asked.erase_by,
        erased_at=None if asked is None else asked.erased_at,
        kept=() if asked is None else erasures.kept_of(asked),
    )


def _erasing(context: Context, asked: models.Erasure) -> str:
    if "hire" in erasures.kept_of(asked):
        return "hired"
    words = {"asked": "erasing", "late": "erasing-late", "proven": "erased"}
    return words[erasures.state_of(asked, context.now())]


def _step(session: Session, context: Context, row: models.ReferralOut) -> str:
    if row.state in _CLOSED:
        if row.state == "expired" and _is_lost(outbox.find(session, row.envelope_id)):
            return "undelivered"
        return _CLOSED[row.state]
    if row.state in ("hired", "withdrawn"):
        return row.state
    if row.state == "accepted" and row.decide_by is not None:
        return "asking"
    if row.state in ("accepted", "released"):
        return _CLOSED_STAGES.get(row.stage_code or "", "selection")
    delivery = outbox.find(session, row.envelope_id)
    if _is_lost(delivery):
        return "undelivered"
    if delivery is not None and delivery.state == "queued":
        return "sending"
    return "waiting" if context.now() <= row.answer_by else "late"


def _is_lost(delivery: outbox.OutboxView | None) -> bool:
    return delivery is not None and delivery.state in ("refused", "expired", "cancelled")


def _at_once(session: Session, row: models.ReferralOut) -> bool:
    choice = session.get(models.ConsentChoice, (row.consent_id, row.recipient))
    return choice is not None and choice.profile_at_once
