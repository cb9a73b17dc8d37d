"""Words for codes: what the applicant's pages say for a stage, a kind of application, an item."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from node.context import Context
from node.i18n import later
from node.services import charter as charters
from node.services.applicants import PREFECTURES
from node.services.consents import PREFECTURES as IN_JAPANESE
from protocol import Member

APPLICANT_TYPES = {
    "newgrad": later("New graduate"),
    "midcareer": later("Mid-career"),
    "parttime": later("Part-time"),
}
STAGES = {
    "applied": later("Application"),
    "screening": later("Document screening"),
    "test": later("Aptitude test"),
    "interview_1": later("First interview"),
    "interview_2": later("Second interview"),
    "interview_n": later("Further interview"),
    "interview_final": later("Final interview"),
    "offer": later("Offer"),
    "accepted": later("Offer accepted"),
    "hired": later("Joined"),
}


CODES = {name: code for code, name in IN_JAPANESE.items()}


def prefecture(written: str) -> str:
    """A prefecture in the reader's language: a card has its code, a profile its Japanese name."""
    code = CODES.get(written, written)
    return str(_(PREFECTURES[code])) if code in PREFECTURES else written


@dataclass(frozen=True, slots=True)
class Sender:
    """The company whose pages these are, as every page names it."""

    legal_name: str
    address: str
    representative: str
    contact: str
    licences: tuple[str, ...]
    # Where it says how it deals with personal data; "" where it told no address.
    privacy_url: str


def sender_of(session: Session, context: Context) -> Sender:
    """Who asks: this member, as the charter has it."""
    us = charters.describing(session, context.member_id)
    return Sender(
        legal_name=us.legal_name,
        address=us.address,
        representative=us.representative,
        contact=us.contact,
        licences=licences_of(us),
        privacy_url=context.settings.privacy_url,
    )


def licences_of(member: Member) -> tuple[str, ...]:
    """The numbers of the licences a member declares."""
    return tuple(licence.number for licence in member.licences)


def steps() -> list[str]:
    """The way to a consent, as the line above the pages names it."""
    return [
        _("Companies"),
        _("How to send"),
        _("Code by mail"),
        _("Profile"),
        _("Experience"),
        _("Consent"),
    ]
