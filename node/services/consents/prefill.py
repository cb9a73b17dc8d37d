"""The first answers: what the company knows of the person already, to be checked and corrected.

Only what the person wrote in the application, or had sent to us by another company; nothing about
the selection, and nothing guessed.
"""

from __future__ import annotations

from node.services.applicants import OCCUPATIONS, normalisation
from node.services.applicants.people import Person
from node.services.consents.answers import (
    FLUENCIES,
    PREFECTURES,
    ROWS_MAX,
    Answers,
)
from protocol import JSON, Profile

# Of a profile's rows: field of the profile -> field of the page.
_DATES = {"startDate": "start", "endDate": "end"}
_ROWS = {
    "work": {"name": "name", "position": "position", "summary": "summary"} | _DATES,
    "education": {"institution": "institution", "area": "area", "studyType": "study_type"} | _DATES,
    "languages": {"language": "language", "fluency": "fluency"},
    "certificates": {"name": "name", "date": "date"},
}
_YEN = 10_000  # the page asks for units of 10,000 yen
_CODES = {name: code for code, name in PREFECTURES.items()}


def answers_of(person: Person, applicant_type: str) -> Answers:
    """Answers as if the person had typed them."""
    family, given = _split(person.family, person.given, person.name)
    kana = normalisation.split_name(person.kana)
    family_kana, given_kana = person.family_kana or kana[0], person.given_kana or kana[1]
    about = {
        "family_name": family,
        "given_name": given,
        "family_kana": family_kana or person.kana,
        "given_kana": given_kana,
        "phone": normalisation.shown_phone(person.phone) if person.phone else "",
        "prefecture": _CODES.get(person.prefecture, ""),
        "applicant_type": applicant_type,
    }
    return {
        "about": {name: value for name, value in about.items() if value},
        "experience": {},
        "work": [],
        "education": [],
        "languages": [],
        "certificates": [],
    }


def completed(answers: Answers, profile: Profile) -> Answers:
    """The answers with what a profile that was handed to us says beyond name and contact.

    How far the person came elsewhere stands in it too and is left out.
    """
    content: JSON = profile.content
    basics, japan = content["basics"], content.get("x-jp", {})
    wanted = [each for each in japan.get("desiredOccupation", ()) if each in OCCUPATIONS]
    pay, year = japan.get("desiredSalaryMin"), japan.get("graduationYear")
    about = {
        "city": basics.get("location", {}).get("city", ""),
        "label": basics.get("label", ""),
        "occupation": wanted[0] if wanted else "",
        "available_from": japan.get("availableFrom", ""),
        "desired_regions": [r for r in japan.get("desiredRegions", ()) if r in PREFECTURES],
        "desired_pay": "" if pay is None else str(pay // _YEN),
        "graduation_year": "" if year is None else str(year),
    }
    skills = [row["name"] for row in content.get("skills", ()) if row.get("name")]
    experience = {"skills": "\n".join(skills), "summary": basics.get("summary", "")}
    rows = {
        section: [_row(row, names) for row in content.get(section, ())][: ROWS_MAX[section]]
        for section, names in _ROWS.items()
    }
    return {
        **answers,
        "about": {name: value for name, value in about.items() if value} | answers["about"],
        "experience": {name: value for name, value in experience.items() if value},
        **rows,
    }


def _row(row: JSON, names: dict[str, str]) -> dict[str, str]:
    found = {ours: str(row[theirs]) for theirs, ours in names.items() if row.get(theirs)}
    if found.get("fluency", "") not in FLUENCIES:
        found.pop("fluency", None)
    return found


def _split(family: str, given: str, name: str) -> tuple[str, str]:
    """姓 and 名; a name written in one is left whole for the person to divide."""
    if family or given:
        return family, given
    first, second = normalisation.split_name(name)
    return first or name, second
