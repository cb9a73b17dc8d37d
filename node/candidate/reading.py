"""Reading: a card or a profile as people read it, field by field, with nothing left out.

The JSON itself stands beside it, byte for byte as it is signed and sealed; a test compares both
with what arrives at the partner.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask_babel import gettext as _

from node.candidate.words import APPLICANT_TYPES, STAGES, prefecture
from node.i18n import later
from node.services.applicants import OCCUPATIONS
from node.services.consents import FLUENCIES, tongues
from protocol import JSON, Card, Profile, strictjson

TITLES = {
    "card": later("Summary without your name"),
    "basics": later("About you"),
    "location": later("Where you live"),
    "work": later("Work history"),
    "education": later("Education"),
    "skills": later("Skills"),
    "languages": later("Languages"),
    "certificates": later("Certificates and licences"),
    "x-jp": later("Details and wishes"),
    "resumeFile": later("Attached PDF"),
}
LABELS = {
    "applicantType": later("Kind of application"),
    "region": later("Prefecture"),
    "occupation": later("Field of work"),
    "experienceYears": later("Years of experience"),
    "skills": later("Skills"),
    "languages": later("Languages"),
    "reachedStage": later("Step reached in the selection"),
    "availableFrom": later("Available from"),
    "name": later("Name"),
    "label": later("Desired work"),
    "email": later("E-mail address"),
    "phone": later("Telephone number"),
    "city": later("City"),
    "countryCode": later("Country"),
    "position": later("Position"),
    "startDate": later("Start"),
    "endDate": later("End"),
    "summary": later("In your own words"),
    "institution": later("School"),
    "area": later("Faculty and subject"),
    "studyType": later("Degree"),
    "language": later("Language"),
    "fluency": later("Level"),
    "date": later("Date"),
    "familyName": later("Family name"),
    "givenName": later("Given name"),
    "familyNameKana": later("Family name in katakana"),
    "givenNameKana": later("Given name in katakana"),
    "graduationYear": later("Year of graduation"),
    "desiredOccupation": later("Desired field of work"),
    "desiredRegions": later("Desired places of work"),
    "desiredSalaryMin": later("Desired yearly pay, at least"),
    "sourceHidden": later("Company you applied to"),
    "mime": later("Kind of file"),
    "sha256": later("Check digits (SHA-256)"),
    "size": later("Size in bytes"),
}


# What travels in Japanese because our pages offered it so.
OUR_WORDS = OCCUPATIONS | FLUENCIES
# What a name or a summary is of depends on the section.
OF_SECTION = {
    ("work", "name"): later("Employer"),
    ("work", "summary"): later("What you did there"),
    ("certificates", "name"): later("Certificate or licence"),
}


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, and groups of (label, value): one group for each row of a list."""

    title: str
    groups: tuple[tuple[tuple[str, str], ...], ...]


def card_sections(card: Card) -> list[Section]:
    """The card in words; what is not told is said to be not told."""
    content = card.to_json()
    pairs = tuple((_(LABELS[name]), _value(name, content[name])) for name in _order(content))
    title = TITLES["card"]
    return [Section(_(title), (pairs,))]


def profile_sections(profile: Profile) -> list[Section]:
    """The profile in words, section by section."""
    found = []
    for name in ("basics", "work", "education", "skills", "languages", "certificates", "x-jp"):
        content = profile.content.get(name)
        if content is None:
            continue
        rows = content if isinstance(content, list) else [content]
        if name == "skills":
            # Each is one word: a line for all of them reads better than a table of many.
            rows = [{"skills": [row["name"] for row in rows]}]
        groups = tuple(tuple(_pairs(row, name)) for row in rows)
        found.append(Section(_(TITLES[name]), groups))
    return found


def exact(document: Card | Profile) -> str:
    """The document's JSON as it is sent, to the byte."""
    if isinstance(document, Profile):
        return document.encode().decode()
    return strictjson.encode(document.to_json()).decode()


def free_texts(profile: Profile) -> list[tuple[str, str]]:
    """What the person wrote freely, with the name of the field, for the gentle remarks."""
    texts = []
    for section in profile_sections(profile):
        for group in section.groups:
            texts += [(f"{section.title}: {label}", value) for label, value in group]
    own = {_(LABELS[name]) for name in ("summary", "position", "label", "skills")}
    own |= {_(label) for (_section, name), label in OF_SECTION.items() if name == "summary"}
    return [(place, text) for place, text in texts if place.split(": ", 1)[1] in own]


def _order(content: dict[str, JSON]) -> list[str]:
    return [name for name in LABELS if name in content]


def _pairs(content: dict[str, JSON], section: str = "") -> Iterator[tuple[str, str]]:
    assert set(content) <= set(LABELS) | {"location", "resumeFile"}, "a field without a word"
    for name in _order(content):
        label = OF_SECTION.get((section, name), LABELS[name])
        yield _(label), _value(name, content[name])
    for name in ("location", "resumeFile"):
        if name in content:
            yield from _pairs(content[name])


def _value(name: str, value: JSON) -> str:
    if value in ("", [], None):
        return str(_("(not told)"))
    if name == "applicantType":
        return str(_(APPLICANT_TYPES[value]))
    if name == "reachedStage":
        return str(_(STAGES[value]))
    if name == "sourceHidden":
        return str(_("hidden from those who select"))
    if name == "desiredSalaryMin":
        return str(_("%(yen)s yen", yen=f"{value:,}"))
    many = value if isinstance(value, list) else [value]
    if name in ("desiredRegions", "region"):
        many = [prefecture(each) for each in many]
    if name in ("occupation", "desiredOccupation", "fluency"):
        many = [_(OUR_WORDS.get(each, each)) for each in many]
    if name == "languages":
        many = [tongues.of_card(each, _) for each in many]
    if name == "language":
        many = [tongues.name_of(each, _) for each in many]
    return str(_(", ")).join(str(each) for each in many)
