"""What a person may say about himself or herself, field by field, as it is typed.  DOMAIN 6.1.

There is no field for what must never travel (gender, birth date, photograph, nationality, street
address, family, health, reasons): what has no field here cannot be asked for. The typed values are
kept as they are, right or wrong, so that the back button and a second device lose nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, TypeAlias

from marshmallow import Schema, ValidationError, fields, validate

from node.i18n import later
from node.services.applicants import OCCUPATIONS, normalisation
from node.services.consents.wording import names_someone

# As it stands in the draft: flat groups of texts, and lists of rows.
Answers: TypeAlias = dict[str, Any]

APPLICANT_TYPES = ("midcareer", "newgrad", "parttime")
FLUENCIES = {
    "母語": later("Native"),
    "ビジネスレベル": later("Business level"),
    "日常会話レベル": later("Everyday conversation"),
    "初級": later("Beginner"),
}
PREFECTURES = {f"{at:02}": name for at, name in enumerate(normalisation.PREFECTURES, 1)}

SKILLS_MAX = 20
SKILL_CHARS_MAX = 60
SUMMARY_CHARS_MAX = 2000
ROWS_MAX = {"work": 15, "education": 6, "languages": 6, "certificates": 10}

_MONTH = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})月?)?\Z")
_KANA = re.compile(r"[ァ-ヺー・゛゜ヽヾA-Za-z'’ -]*\Z")
_SEPARATORS = re.compile(r"[\n,、，;；]")

TOO_LONG = later("This is too long.")


def _text(chars_max: int, *, required: bool = False) -> fields.String:
    return fields.String(required=required, validate=validate.Length(max=chars_max, error=TOO_LONG))


class Month(fields.String):
    """A month such as 2024-04, however it was written; or a year alone."""

    def _deserialize(self, value: object, *rest: Any, **named: Any) -> str:  # noqa: ANN401
        text = unicodedata.normalize("NFKC", str(super()._deserialize(value, *rest, **named)))
        found = _MONTH.match(text)
        if not found or not 1900 <= int(found[1]) <= 2100:
            raise ValidationError(later("Please enter a month such as 2024-04."))
        if found[2] is None:
            return found[1]
        if not 1 <= int(found[2]) <= 12:
            raise ValidationError(later("Please enter a month such as 2024-04."))
        return f"{found[1]}-{int(found[2]):02}"


class Kana(fields.String):
    """A reading in katakana, however wide or round it was written."""

    def _deserialize(self, value: object, *rest: Any, **named: Any) -> str:  # noqa: ANN401
        text = normalisation.kana(str(super()._deserialize(value, *rest, **named)))
        if not _KANA.match(text) or len(text) > 60:
            raise ValidationError(later("Please enter the reading in katakana."))
        return text


class Phone(fields.String):
    """A telephone number as people write it; what is sent is the number they would dial."""

    def _deserialize(self, value: object, *rest: Any, **named: Any) -> str:  # noqa: ANN401
        number = normalisation.phone(str(super()._deserialize(value, *rest, **named)))
        if number is None:
            raise ValidationError(later("Please enter a telephone number such as 090-1234-5678."))
        return normalisation.shown_phone(number)


class Skills(fields.Field[list[str]]):
    """Short words, one on each line; they stand on the card without a name."""

    def _deserialize(self, value: object, *_rest: Any, **_named: Any) -> list[str]:  # noqa: ANN401
        text = str(value)
        skills = list(dict.fromkeys(s.strip() for s in _SEPARATORS.split(text) if s.strip()))
        if len(skills) > SKILLS_MAX:
            raise ValidationError(later("Please name at most 20 skills."))
        if any(len(skill) > SKILL_CHARS_MAX for skill in skills):
            raise ValidationError(later("Please keep each skill short, at most 60 characters."))
        if any(names_someone(skill) for skill in skills):
            raise ValidationError(later(ANONYMOUS))
        return skills


ANONYMOUS = later(
    "Skills and languages stand on the summary without your name. Please leave out names, "
    "addresses and telephone numbers here."
)


class AboutSchema(Schema):
    """Who the person is and what he or she is looking for."""

    family_name = _text(60, required=True)
    given_name = _text(60)
    family_kana = Kana()
    given_kana = Kana()
    phone = Phone()
    prefecture = fields.String(validate=validate.OneOf(list(PREFECTURES)))
    city = _text(80)
    applicant_type = fields.String(required=True, validate=validate.OneOf(APPLICANT_TYPES))
    graduation_year = fields.Integer(
        validate=validate.Range(1950, 2100, error=later("Please enter a year such as 2027."))
    )
    occupation = fields.String(validate=validate.OneOf(list(OCCUPATIONS)))
    label = _text(100)
    available_from = Month()
    desired_regions = fields.List(fields.String(validate=validate.OneOf(list(PREFECTURES))))
    desired_pay = fields.Integer(
        validate=validate.Range(
            0, 100_000, error=later("Please enter an amount in units of 10,000 yen, such as 450.")
        )
    )


class CorrectionSchema(Schema):
    """What can be corrected once a consent is given; the rest is asked of the company."""

    family_name = _text(60, required=True)
    given_name = _text(60)
    family_kana = Kana()
    given_kana = Kana()
    phone = Phone()
    summary = _text(4000)


class ExperienceSchema(Schema):
    """What the person can do; the rows of work and schools come beside it."""

    experience_years = fields.Integer(
        required=True,
        validate=validate.Range(0, 70, error=later("Please enter a number from 0 to 70.")),
    )
    skills = Skills()
    summary = _text(SUMMARY_CHARS_MAX)


class WorkSchema(Schema):
    """One place of work."""

    name = _text(120, required=True)
    position = _text(120)
    start = Month()
    end = Month()
    summary = _text(SUMMARY_CHARS_MAX)


class EducationSchema(Schema):
    """One school."""

    institution = _text(120, required=True)
    area = _text(120)
    study_type = _text(60)
    start = Month()
    end = Month()


class LanguageSchema(Schema):
    """One language."""

    language = _text(40, required=True)
    fluency = fields.String(validate=validate.OneOf(list(FLUENCIES)))


class CertificateSchema(Schema):
    """One certificate or licence to practise."""

    name = _text(120, required=True)
    date = Month()


CORRECTION = CorrectionSchema()
ABOUT = AboutSchema()
EXPERIENCE = ExperienceSchema()
ROWS: Mapping[str, Schema] = {
    "work": WorkSchema(),
    "education": EducationSchema(),
    "languages": LanguageSchema(),
    "certificates": CertificateSchema(),
}


def meant(answers: Answers) -> Answers | None:
    """What the typed answers mean; None while something is missing or cannot be understood."""
    return None if first_wrong(answers) else _load(answers)


def first_wrong(answers: Answers) -> str | None:
    """The first page whose answers cannot stand as they are; None when all can."""
    if ABOUT.validate(answers.get("about", {})):
        return "about"
    if EXPERIENCE.validate(answers.get("experience", {})):
        return "experience"
    for section, schema in ROWS.items():
        rows = answers.get(section, [])
        if len(rows) > ROWS_MAX[section] or any(schema.validate(row) for row in rows):
            return "experience"
    return "experience" if names_its_author(answers) else None


def names_its_author(answers: Answers) -> bool:
    """Whether the card without a name would hold it after all, among skills or languages."""
    about = answers.get("about", {})
    family, given = about.get("family_name", ""), about.get("given_name", "")
    # A name of one character (森) may well stand in a skill; the whole name may not.
    whole = (f"{family}{given}", f"{family} {given}") if given else (family,)
    words = [answers.get("experience", {}).get("skills", "")]
    words += [row.get("language", "") for row in answers.get("languages", [])]
    return any(names_someone(word, whole) for word in words)


def _load(answers: Answers) -> Answers:
    found: Answers = {
        "about": ABOUT.load(answers.get("about", {})),
        "experience": EXPERIENCE.load(answers.get("experience", {})),
    }
    for section, schema in ROWS.items():
        found[section] = [schema.load(row) for row in answers.get(section, [])]
    return found
