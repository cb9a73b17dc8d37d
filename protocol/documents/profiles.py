"""What is told of a person: the anonymous card, and the profile released against an acceptance.

The profile is JSON Resume 1.2.1 (a subset) with the extension `x-jp`.  SPEC §7, DOMAIN 6.1.
What must never travel has no field here: gender, birth date, photo, nationality, street address,
family, health, marital status, scores, reasons. A document that carries one is refused whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol import limits
from protocol.errors import DocumentInvalid
from protocol.strictjson import JSON, Reader, encode, parse

APPLICANT_TYPES = ("newgrad", "midcareer", "parttime")
STAGES = (
    "applied",
    "screening",
    "test",
    "interview_1",
    "interview_2",
    "interview_n",
    "interview_final",
    "offer",
    "accepted",
    "hired",
    "declined_by_company",
    "withdrawn_by_candidate",
    "no_answer",
    "left",
)
PARTIAL_DATE = r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?"
PREFECTURE = r"(0[1-9]|[1-3]\d|4[0-7])"

_TEXTS: dict[str, dict[str, int]] = {
    # section -> field -> characters at most. These are JSON Resume's own names.
    "basics": {
        "name": limits.NAME_CHARS_MAX,
        "label": limits.LINE_CHARS_MAX,
        "email": 254,
        "phone": 20,
        "summary": limits.TEXT_CHARS_MAX,
    },
    "location": {"region": 40, "city": 80, "countryCode": 2},
    "work": {
        "name": limits.LINE_CHARS_MAX,
        "position": limits.LINE_CHARS_MAX,
        "startDate": 10,
        "endDate": 10,
        "summary": limits.TEXT_CHARS_MAX,
    },
    "education": {
        "institution": limits.LINE_CHARS_MAX,
        "area": limits.LINE_CHARS_MAX,
        "studyType": limits.LINE_CHARS_MAX,
        "startDate": 10,
        "endDate": 10,
    },
    "skills": {"name": limits.LINE_CHARS_MAX, "level": 40},
    "languages": {"language": 40, "fluency": 80},
    "certificates": {"name": limits.LINE_CHARS_MAX, "date": 10, "issuer": limits.LINE_CHARS_MAX},
    "projects": {
        "name": limits.LINE_CHARS_MAX,
        "description": limits.TEXT_CHARS_MAX,
        "startDate": 10,
        "endDate": 10,
    },
}
_LISTS: dict[str, dict[str, int]] = {
    # section -> field -> how many texts at most in that list.
    "work": {"highlights": 20},
    "education": {"courses": 30},
    "skills": {"keywords": 30},
    "projects": {"highlights": 20, "keywords": 30},
}
_SECTIONS = ("work", "education", "skills", "languages", "certificates", "projects")


@dataclass(frozen=True, slots=True)
class Card:
    """The anonymous summary on which a receiver decides: no name, school, employer or free text."""

    applicant_type: str
    region: str
    occupation: str
    experience_years: int
    skills: tuple[str, ...]
    languages: tuple[str, ...]
    reached_stage: str
    available_from: str

    def to_json(self) -> JSON:
        return {
            "applicantType": self.applicant_type,
            "availableFrom": self.available_from,
            "experienceYears": self.experience_years,
            "languages": list(self.languages),
            "occupation": self.occupation,
            "reachedStage": self.reached_stage,
            "region": self.region,
            "skills": list(self.skills),
        }

    @classmethod
    def read(cls, reader: Reader) -> Card:
        """Read a card. An empty text means that the person chose not to say."""
        card = cls(
            applicant_type=reader.text("applicantType", 9, pattern="|".join(APPLICANT_TYPES)),
            region=reader.text("region", 2, pattern=f"|{PREFECTURE}", empty=True),
            occupation=reader.text("occupation", limits.LINE_CHARS_MAX, empty=True),
            experience_years=reader.integer("experienceYears", 0, 70),
            skills=reader.texts("skills", limits.CARD_SKILLS_MAX, chars_max=60),
            languages=reader.texts("languages", 10, chars_max=60),
            reached_stage=reader.text(
                "reachedStage", 24, pattern="|" + "|".join(STAGES), empty=True
            ),
            available_from=reader.text("availableFrom", 10, pattern=f"|{PARTIAL_DATE}", empty=True),
        )
        reader.done()
        return card


@dataclass(frozen=True, slots=True)
class Profile:
    """The identified record, checked to hold allowed fields only; `content` is its JSON."""

    content: dict[str, JSON]

    @property
    def name(self) -> str:
        basics = self.content["basics"]
        assert isinstance(basics, dict)
        return str(basics["name"])

    def encode(self) -> bytes:
        return encode(self.content)

    @classmethod
    def from_json(cls, value: JSON) -> Profile:
        """Check a profile; DocumentInvalid names the first field that may not be there."""
        reader = Reader(value)
        content: dict[str, JSON] = {"basics": _basics(reader.object("basics"))}
        for section in _SECTIONS:
            if reader.has(section):
                rows = reader.objects(section, limits.PROFILE_ROWS_MAX)
                content[section] = [_row(section, each) for each in rows]
        if reader.has("x-jp"):
            content["x-jp"] = _japan(reader.object("x-jp"))
        reader.done()
        return cls(content)

    @classmethod
    def parse(cls, data: bytes) -> Profile:
        return cls.from_json(parse(data, bytes_max=limits.PROFILE_BYTES_MAX))


def _basics(reader: Reader) -> JSON:
    basics: dict[str, JSON] = {"name": reader.text("name", limits.NAME_CHARS_MAX)}
    basics |= _texts(reader, "basics", skip="name")
    if reader.has("location"):
        location = reader.object("location")
        basics["location"] = _texts(location, "location")
        location.done()
    reader.done()
    return basics


def _row(section: str, reader: Reader) -> JSON:
    row = _texts(reader, section)
    for name, length_max in _LISTS.get(section, {}).items():
        if reader.has(name):
            texts = reader.texts(name, length_max, chars_max=limits.LINE_CHARS_MAX)
            row[name] = list(texts)
    reader.done()
    return row


def _texts(reader: Reader, section: str, skip: str = "") -> dict[str, JSON]:
    found: dict[str, JSON] = {}
    for name, chars_max in _TEXTS[section].items():
        if name != skip and reader.has(name):
            dated = name in ("startDate", "endDate", "date")
            pattern = f"|{PARTIAL_DATE}" if dated else None
            found[name] = reader.text(name, chars_max, pattern=pattern, empty=True)
    return found


def _japan(reader: Reader) -> JSON:
    found: dict[str, JSON] = {}
    for name in ("familyName", "givenName", "familyNameKana", "givenNameKana"):
        if reader.has(name):
            found[name] = reader.text(name, limits.NAME_CHARS_MAX, empty=True)
    if reader.has("applicantType"):
        found["applicantType"] = reader.text("applicantType", 9, pattern="|".join(APPLICANT_TYPES))
    for name, low, high in (("graduationYear", 1900, 2200), ("desiredSalaryMin", 0, 10**9)):
        if reader.has(name):
            found[name] = reader.integer(name, low, high)
    for name, chars_max in (("desiredOccupation", 60), ("desiredRegions", 2)):
        if reader.has(name):
            found[name] = list(reader.texts(name, 47, chars_max=chars_max))
    for name in ("availableFrom", "reachedStage"):
        if reader.has(name):
            found[name] = reader.text(name, 24, empty=True)
    if reader.has("sourceHidden"):
        found["sourceHidden"] = reader.boolean("sourceHidden")
    if reader.has("resumeFile"):
        found["resumeFile"] = _resume_file(reader.object("resumeFile"))
    reader.done()
    return found


def _resume_file(reader: Reader) -> JSON:
    found: JSON = {
        "mime": reader.text("mime", 15, pattern="application/pdf"),
        "sha256": reader.text("sha256", 64, pattern="[0-9a-f]{64}"),
        "size": reader.integer("size", 1, limits.ATTACHMENT_BYTES_MAX),
    }
    reader.done()
    return found


def stage_code(code: str) -> str:
    """`code` if it is one of the common stage codes; DocumentInvalid otherwise.  DOMAIN 6.4."""
    if code not in STAGES:
        raise DocumentInvalid(f"{code} is no common stage code")
    return code
