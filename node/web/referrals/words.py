"""Words for codes: what HR reads for a state, a stage, a kind of application, a delivery."""

from flask_babel import gettext as _

from node.i18n import later
from node.services.applicants import OCCUPATIONS
from node.services.consents import FLUENCIES, tongues
from node.services.referrals import Stage
from node.web.marks import Mark

IN_STATES = {
    "received": Mark("waiting", None, later("Waiting for an answer")),
    "accepted": Mark("info", "hourglass-split", later("Accepted, profile on its way")),
    "profile_received": Mark("info", "person-lines-fill", later("In selection")),
    "hired": Mark("success", "award", later("Hired")),
    "declined": Mark("neutral", None, later("Declined")),
    "already_known": Mark("neutral", "person-check", later("Already known")),
    "expired": Mark("neutral", "clock-history", later("No answer in time")),
    "withdrawn": Mark("neutral", "x-circle", later("Taken back by the person")),
}
# Accepted, where the person wished to be asked before the profile is sent.
ASKED = Mark("waiting", "hourglass-split", later("Accepted, the person is asked"))
OUT_STATES = {
    "sent": Mark("waiting", None, later("Waiting for their answer")),
    "accepted": Mark("info", "hand-thumbs-up", later("Accepted")),
    "released": Mark("info", "person-lines-fill", later("Profile released")),
    "hired": Mark("success", "award", later("Hired")),
    "declined": Mark("neutral", None, later("Declined")),
    "already_known": Mark("neutral", "person-check", later("Already known")),
    "expired": Mark("neutral", "clock-history", later("No answer in time")),
    "withdrawn": Mark("neutral", "x-circle", later("Taken back by the person")),
}
DELIVERY_STATES = {
    "queued": Mark("waiting", None, later("Waiting to be sent")),
    "delivered": Mark("success", None, later("Delivered")),
    "refused": Mark("danger", None, later("Refused")),
    "expired": Mark("danger", "clock-history", later("Not deliverable in time")),
    "cancelled": Mark("neutral", "slash-circle", later("Cancelled")),
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
    "declined_by_company": later("Not proceeding"),
    "withdrawn_by_candidate": later("Withdrawn by the candidate"),
    "no_answer": later("No answer"),
    "left": later("Left"),
}
APPLICANT_TYPES = {
    "newgrad": later("New graduate"),
    "midcareer": later("Mid-career"),
    "parttime": later("Part-time"),
}
LETTERS = {
    "referral": later("Referral with the anonymous card"),
    "acceptance": later("Acceptance"),
    "decline": later("Answer that it is declined"),
    "already-known": later("Answer “already known”"),
    "profile": later("Profile"),
    "attachment": later("PDF"),
    "progress": later("Stage of the selection"),
    "hire": later("Notice of the hire"),
    "withdrawal": later("Consent taken back, please erase"),
    "erasure-receipt": later("Proof of the erasure"),
}


def stage(code: str | None) -> str:
    """The stage in the words of the page; nothing for none."""
    return str(_(STAGES[code])) if code in STAGES else ""


def stage_name(stage: Stage) -> str:
    """One of our own stages: its own name, or that of its common code."""
    return stage.name or str(_(STAGES[stage.code]))


def occupation(written: str) -> str:
    """One of the fifteen main groups in the reader's language; others as they are written."""
    return str(_(OCCUPATIONS[written])) if written in OCCUPATIONS else written


def fluency(written: str) -> str:
    """A level that our pages offer in the reader's language; others as they are written."""
    return str(_(FLUENCIES[written])) if written in FLUENCIES else written


def language(written: str) -> str:
    """A language of a card, with its level, in the reader's language."""
    return tongues.of_card(written, lambda sentence: str(_(sentence)))


def language_name(written: str) -> str:
    """A language of a profile in the reader's language; others as they are written."""
    return tongues.name_of(written, lambda sentence: str(_(sentence)))


def applicant_type(code: str) -> str:
    """New graduate, mid-career, part-time."""
    return str(_(APPLICANT_TYPES[code])) if code in APPLICANT_TYPES else ""


def letter(kind: str) -> str:
    """What was sent, in the words of the page."""
    return str(_(LETTERS[kind])) if kind in LETTERS else kind
