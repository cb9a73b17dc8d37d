"""Receipts: what the person keeps of a consent, to be read and to be verified.  DOMAIN 6.2.

The receipt is a document signed by this node, with one purpose for each partner, under the field
names of the Kantara consent receipt. The mail says the same in words and carries it as a file.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from node.context import Context
from node.i18n import EASY_JAPANESE, later, plain_moment, tag_of, translator
from node.mail import Attachment
from node.services import charter as charters
from node.services import mailing
from node.services.consents.previews import Preview
from protocol import (
    CONSENT_RECEIPT,
    ConsentParty,
    ConsentPurpose,
    ConsentReceipt,
    Member,
    SignedDocument,
    b64encode,
    sign,
    strictjson,
)

# The version of the words above the button; a change of their meaning is a new one.
TEXT_VERSION = "2026-11.2"
# Easy Japanese says it in words of its own, which have a version of their own.
EASY_TEXT_VERSION = f"{TEXT_VERSION}-easy"

Say = Callable[..., str]

# The kinds of data, in the order in which a person would name them.
ITEM_NAMES = {
    "card": later("summary without your name"),
    "name": later("name"),
    "kana": later("reading of the name"),
    "email": later("e-mail address"),
    "phone": later("telephone number"),
    "location": later("prefecture and city"),
    "work": later("work history"),
    "education": later("education"),
    "skills": later("skills"),
    "languages": later("languages"),
    "certificates": later("certificates"),
    "projects": later("projects"),
    "summary": later("about you"),
    "preferences": later("what you are looking for"),
    "resume-pdf": later("attached PDF"),
    "reached-stage": later("step reached in the selection"),
    "source": later("name of the company you applied to"),
    "source-hidden": later("name of the company you applied to, hidden from those who select"),
    "asks-first": later("your wish to be asked before the profile is sent"),
    "progress": later("progress told back"),
}


def text_version(language: str) -> str:
    """The version of the words that a reader of this language agrees to."""
    return EASY_TEXT_VERSION if language == EASY_JAPANESE else TEXT_VERSION


def purpose_text(say: Say) -> str:
    """For what a partner gets the data."""
    return say("Use in the company's own selection of applicants")


def retention_text(say: Say, days: int) -> str:
    """How long a partner keeps it."""
    return say(
        "Until %(days)s days after the end of its selection, if you are not hired", days=days
    )


def item_list(say: Say, items: Sequence[str]) -> str:
    """The kinds of data in words."""
    return say(", ").join(say(name) for item, name in ITEM_NAMES.items() if item in items)


def party_of(member: Member) -> ConsentParty:
    """A member as the receipt names it."""
    return ConsentParty(
        member=member.id,
        name=member.legal_name,
        address=member.address,
        representative=member.representative,
        contact=member.contact,
        country=member.country,
        licences=tuple(licence.number for licence in member.licences),
    )


def make(
    session: Session,
    context: Context,
    preview: Preview,
    *,
    page_hash: str,
    language: str,
    network: str,
) -> SignedDocument:
    """The signed receipt of a consent that is given now."""
    say = translator(language)
    draft, charter = preview.draft, context.charter(session)
    key = context.signing(charter)
    receipt = ConsentReceipt(
        id=draft.id,
        language=tag_of(language),
        given_at=context.now(),
        principal=context.keyring.blind("consents.principal", draft.applicant_id).hex(),
        public_key=b64encode(key.verify_key.raw),
        controller=party_of(charters.describing(session, context.member_id)),
        policy_url=context.settings.privacy_url,
        purposes=tuple(
            ConsentPurpose(
                partner=party_of(partner),
                purpose=purpose_text(say),
                items=preview.items,
                termination=retention_text(say, preview.retention_days),
                profile_at_once=draft.profile_at_once,
            )
            for partner in preview.partners
        ),
        page_hash=page_hash,
        text_version=text_version(language),
        network=network,
    )
    return sign(CONSENT_RECEIPT, receipt.encode(), key)


def status_token(context: Context, consent_id: str) -> str:
    """The token of the status page: 128 bits that only this node's keyring can make."""
    secret = context.keyring.blind("consents.status", consent_id)
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


def token_hash(token: str) -> bytes:
    """What is stored of it."""
    return hashlib.sha256(token.encode()).digest()


def status_url(context: Context, consent_id: str) -> str:
    """The address of the status page, as the receipt mail names it."""
    return f"{context.settings.public_url}/s/{status_token(context, consent_id)}"


def send(
    session: Session,
    context: Context,
    preview: Preview,
    document: SignedDocument,
    language: str,
) -> None:
    """Mail the receipt: in words, as JSON, and as the signed document."""
    us = charters.describing(session, context.member_id)
    say = translator(language)
    readable = strictjson.parse(document.payload, bytes_max=len(document.payload))
    mailing.enqueue(
        session,
        context,
        to=preview.email,
        subject=say("[%(company)s] Your receipt: what you have agreed to", company=us.legal_name),
        text=_text(say, context, us, preview, _moment(context, language)),
        purpose="receipt",
        subject_id=preview.draft.id,
        attachments=(
            Attachment(
                "consent-receipt.json",
                "json",
                json.dumps(readable, ensure_ascii=False, indent=2, sort_keys=True),
            ),
            Attachment("consent-receipt.signed.json", "json", document.encode().decode()),
        ),
    )


def _moment(context: Context, language: str) -> str:
    now = datetime.fromtimestamp(context.now(), context.settings.time_zone)
    return plain_moment(now) if language == EASY_JAPANESE else f"{now:%Y-%m-%d %H:%M}"


def _text(say: Say, context: Context, us: Member, preview: Preview, at: str) -> str:
    if preview.draft.profile_at_once:
        order = say("The summary and your profile are sent at once.")
    elif preview.draft.asks_first:
        order = say(
            "First a summary without your name is sent. When a company answers that it would like "
            "to go on, we ask you by mail, and your profile is sent to it only after your yes."
        )
    else:
        order = say(
            "First a summary without your name is sent. Your profile follows only to a company "
            "that answers that it would like to go on."
        )
    paragraphs = [
        say("Dear %(name)s,", name=preview.profile.name),
        say(
            "Thank you. At %(at)s you agreed that %(company)s passes your data to the companies "
            "below. Please keep this mail as your receipt.",
            at=at,
            company=us.legal_name,
        ),
        *(_partner(say, partner) for partner in preview.partners),
        say("What is sent: %(items)s", items=item_list(say, preview.items)) + "\n" + order,
        say("For what: %(purpose)s", purpose=purpose_text(say))
        + "\n"
        + say("How long: %(time)s", time=retention_text(say, preview.retention_days)),
        say("You can see how things stand at any time on your own page:")
        + f"\n{status_url(context, preview.draft.id)}\n"
        + say("Please do not pass this address on: whoever has it can see the page."),
        say(
            "You can take your consent back at any time, without giving a reason. The companies "
            "are then asked to erase what they received. Write to: %(contact)s",
            contact=us.contact,
        ),
        say(
            "The attached files hold the same receipt for programs: consent-receipt.json to be "
            "read, consent-receipt.signed.json with our electronic signature."
        ),
        f"{us.legal_name}\n{us.address}\n{us.contact}",
    ]
    return "\n\n".join(paragraphs) + "\n"


def _partner(say: Say, partner: Member) -> str:
    lines = [f"・{partner.legal_name}", f"　{partner.address}", f"　{partner.business}"]
    if partner.licences:
        numbers = say(", ").join(licence.number for licence in partner.licences)
        lines.append("　" + say("Licence: %(numbers)s", numbers=numbers))
    lines.append("　" + say("Contact: %(contact)s", contact=partner.contact))
    return "\n".join(lines)
