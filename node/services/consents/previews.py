"""Previews: exactly what each chosen partner would receive, made by what makes the letters.

The card and the profile in a preview are the very documents that `giving` hands to the referrals:
a person reads the fields of these, and these are the bytes that are signed and sealed.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import relays
from node.services.applicants import people
from node.services.consents import drafts, refusals, resumes
from node.services.consents.answers import first_wrong, meant
from node.services.consents.drafts import Draft
from node.services.consents.profiles import Facts, card_of, items_of, profile_of
from node.services.consents.resumes import Resume
from protocol import Card, Member, Profile

# The groups of answers that a person must have looked at.
PAGES = ("about", "experience")


@dataclass(frozen=True, slots=True)
class Preview:
    """What is about to be agreed to: who gets what, when, and the data itself."""

    draft: Draft
    partners: tuple[Member, ...]
    card: Card
    profile: Profile
    items: tuple[str, ...]
    resume: Resume | None
    email: str
    retention_days: int
    answer_days: int


def preview(session: Session, context: Context, link_id: str) -> Preview:
    """The preview of a draft; refused with what is missing on the way to it."""
    return of(session, context, drafts.load(session, context, link_id))


def of(session: Session, context: Context, draft: Draft) -> Preview:
    """The preview of this very draft."""
    offered = drafts.offered(session, context, draft.applicant_id)
    partners = tuple(m for m in offered if m.id in draft.chosen)
    if not partners:
        raise refusals.NoPartnerChosen
    if not draft.decided:
        raise refusals.ProfileIncomplete(page="how")
    unseen = [page for page in PAGES if page not in draft.checked]
    answers = meant(draft.answers)
    if answers is None or unseen:
        wrong = first_wrong(draft.answers)
        raise refusals.ProfileIncomplete(page=unseen[0] if unseen else wrong)

    facts, policy = facts_of(session, context, draft), context.charter(session).policy
    profile = profile_of(answers, facts)
    return Preview(
        draft=draft,
        partners=partners,
        card=card_of(answers, facts),
        profile=profile,
        items=items_of(
            profile, facts, asks_first=draft.asks_first, share_progress=draft.share_progress
        ),
        resume=facts.resume,
        email=facts.email,
        retention_days=policy.retention_days,
        answer_days=policy.answer_days,
    )


def facts_of(session: Session, context: Context, draft: Draft) -> Facts:
    """What the node knows beside the answers: the verified address, the step reached, the file."""
    applicant = drafts.applicant_of(session, draft)
    return Facts(
        email=people.person_of(session, context, applicant).email,
        stage_code=stage_of(session, draft),
        hide_source=draft.hide_source,
        hide_stage=draft.hide_stage,
        resume=resume_of(session, context, draft),
    )


def stage_of(session: Session, draft: Draft) -> str:
    """The step that may be told; none of somebody who was referred to us, since only the person's
    own application is the person's to tell."""
    if relays.of_applicant(session, draft.applicant_id) is not None:
        return ""
    return drafts.applicant_of(session, draft).stage_code


def resume_of(session: Session, context: Context, draft: Draft) -> Resume | None:
    """What is known of the attached file; None when there is none."""
    table = models.ConsentResume
    pages = session.scalar(select(table.pages).where(table.consent_id == draft.id))
    if pages is None:
        return None
    cipher = drafts.cipher_of(session, context, drafts.applicant_of(session, draft))
    content = resumes.load(session, cipher, draft.id)
    assert content is not None, "its row was there a moment ago"
    return resumes.described(content, pages)
