"""The first answers: what the company knows of the person already, to be checked and corrected.

Only what the person wrote in the application; nothing about the selection, and nothing guessed.
"""

from __future__ import annotations

from node.services.applicants import normalisation
from node.services.applicants.people import Person
from node.services.consents.answers import PREFECTURES, Answers

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


def _split(family: str, given: str, name: str) -> tuple[str, str]:
    """姓 and 名; a name written in one is left whole for the person to divide."""
    if family or given:
        return family, given
    first, second = normalisation.split_name(name)
    return first or name, second
