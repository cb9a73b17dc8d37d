"""Giving the consent: one transaction in which the choice is recorded and the letters are written.

Nothing was shared before this, and what is shared now is what stood on the page above the button.
The record, the signed receipt, its mail and one referral for each chosen partner stand or fall
together.  個人情報保護法 27(1), 29; DOMAIN 3.1, 6.2.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.i18n import translator
from node.services import audit, links, mailing, referrals, relays
from node.services import charter as charters
from node.services.consents import codes, drafts, previews, receipts, refusals, resumes
from node.services.consents.previews import Preview
from protocol import Grounds, SignedDocument

# How the giver came to the data, which the receiver must record (個人情報保護法 30).
ACQUIRED = "応募により本人から取得"


@dataclass(frozen=True, slots=True)
class Given:
    """A consent that stands; `now` is False when it stood already and nothing was done again."""

    consent_id: str
    status_token: str
    now: bool


def send_code(session: Session, context: Context, link_id: str, language: str) -> None:
    """Mail a new contact code to the address that the link was sent to, and to no other."""
    draft = drafts.edit(session, context, link_id)
    facts = previews.facts_of(session, context, draft)
    say = translator(language)
    harmless = say(
        "If you did not ask for a code, please ignore this mail. Nothing is passed on "
        "without the code and your consent."
    )
    mail_code(session, context, link_id, draft.id, facts.email, language, harmless)


def mail_code(
    session: Session,
    context: Context,
    link_id: str,
    consent_id: str,
    email: str,
    language: str,
    harmless: str,
) -> None:
    """Make a code for a link and mail it; the caller knows that the address is the person's.

    `harmless` says what happens without the code, to whoever did not ask for it.
    """
    code = codes.make(session, context, link_id)
    us = charters.describing(session, context.member_id)
    say = translator(language)
    paragraphs = [
        say("Your code: %(code)s", code=code),
        say("Please enter it on the page you have open. It is valid for 10 minutes."),
        harmless,
        f"{us.legal_name}\n{us.contact}",
    ]
    mailing.enqueue(
        session,
        context,
        to=email,
        # Not in the subject, which a locked telephone shows to everybody.
        subject=say("[%(company)s] Your code", company=us.legal_name),
        text="\n\n".join(paragraphs) + "\n",
        purpose="code",
        subject_id=consent_id,
    )


def verify_code(
    session: Session, context: Context, link_id: str, typed: str
) -> tuple[codes.Outcome, int]:
    """Judge a typed code, and mark the draft when it is right. Commit it, whatever it says."""
    draft = drafts.edit(session, context, link_id)
    outcome, left = codes.check(session, context, link_id, typed)
    if outcome is codes.Outcome.RIGHT:
        row = _row(session, draft.id)
        row.state, row.verified_at = "verified", context.now()
    return outcome, left


def give(
    session: Session,
    context: Context,
    link_id: str,
    *,
    agreed: Collection[str],
    render: Callable[[Preview], str],
    seen_hash: str,
    language: str,
    network: str,
) -> Given:
    """Record the consent and write a referral for each partner that was agreed to, once.

    `render` makes the page's text from the preview as it is now; when its hash is not that of the
    page the person saw (the draft was changed on another device), PageChanged. Of the companies on
    that page only those in `agreed`, ticked one by one, get anything.
    """
    link = session.scalar(select(models.Link).where(models.Link.id == link_id).with_for_update())
    assert link is not None, "the session was opened by a link"
    draft = drafts.load(session, context, link_id, lock=True)
    token = receipts.status_token(context, draft.id)
    if draft.state == "given":
        return Given(draft.id, token, now=False)
    if draft.state == "withdrawn":
        raise refusals.ConsentGiven
    if draft.state != "verified":
        raise refusals.ContactNotVerified
    preview = previews.of(session, context, draft)
    page = render(preview)
    page_hash = hash_of(page)
    if not hmac.compare_digest(page_hash, seen_hash):
        raise refusals.PageChanged
    preview = _agreed(preview, agreed)

    document = receipts.make(
        session, context, preview, page_hash=page_hash, language=language, network=network
    )
    _record(session, context, preview, page, document, language)
    links.mark_used(session, context, link_id)
    _refer(session, context, preview, page_hash, language)
    receipts.send(session, context, preview, document, language)
    audit.record(session, context, actor="applicant", action="consent.given", subject=draft.id)
    return Given(draft.id, token, now=True)


def _agreed(preview: Preview, agreed: Collection[str]) -> Preview:
    """The preview with the partners that were ticked, and no other."""
    if not set(agreed) <= {partner.id for partner in preview.partners}:
        raise refusals.PartnerNotOffered
    partners = tuple(partner for partner in preview.partners if partner.id in agreed)
    if not partners:
        raise refusals.NoPartnerChosen
    return replace(preview, partners=partners)


def hash_of(page: str) -> str:
    """SHA-256 of the page's text, as the consent record names it."""
    return hashlib.sha256(page.encode()).hexdigest()


def _record(
    session: Session,
    context: Context,
    preview: Preview,
    page: str,
    document: SignedDocument,
    language: str,
) -> None:
    draft = preview.draft
    cipher = drafts.cipher_of(session, context, drafts.applicant_of(session, draft))
    row = _row(session, draft.id)
    content = json.loads(cipher.decrypt(drafts.COLUMN, draft.id, row.sealed_blob))
    content |= {"page": page, "receipt": document.to_json(), "profile": preview.profile.content}
    row.sealed_blob = cipher.encrypt(
        drafts.COLUMN, draft.id, json.dumps(content, ensure_ascii=False).encode()
    )
    # What was chosen and in the end not agreed to is no choice.
    session.execute(
        delete(models.ConsentChoice).where(
            models.ConsentChoice.consent_id == draft.id,
            models.ConsentChoice.member.not_in([partner.id for partner in preview.partners]),
        )
    )
    row.state, row.given_at, row.language = "given", context.now(), language
    row.page_hash = bytes.fromhex(hash_of(page))
    row.status_token_hash = receipts.token_hash(receipts.status_token(context, draft.id))
    session.flush()


def _refer(
    session: Session, context: Context, preview: Preview, page_hash: str, language: str
) -> None:
    draft = preview.draft
    cipher = drafts.cipher_of(session, context, drafts.applicant_of(session, draft))
    resume = resumes.load(session, cipher, draft.id)
    grounds = Grounds(
        consent=draft.id,
        given_at=context.now(),
        text_version=receipts.text_version(language),
        page_hash=page_hash,
        items=preview.items,
        acquired=_acquired(session, draft.applicant_id),
    )
    for partner in preview.partners:
        referrals.refer(
            session,
            context,
            consent_id=draft.id,
            applicant_id=draft.applicant_id,
            recipient=partner.id,
            card=preview.card,
            grounds=grounds,
            profile=preview.profile,
            resume=resume,
            send_profile_now=draft.profile_at_once,
            share_progress=draft.share_progress,
            asks_first=draft.asks_first,
        )
    # Each referral keeps what it still has to send; a further copy serves nobody.
    resumes.remove(session, draft.id)


def _acquired(session: Session, applicant_id: str) -> str:
    return ACQUIRED if relays.of_applicant(session, applicant_id) is None else relays.ACQUIRED


def _row(session: Session, consent_id: str) -> models.Consent:
    row = session.get(models.Consent, consent_id)
    assert row is not None, "it was loaded in this transaction"
    return row
