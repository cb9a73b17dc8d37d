"""Columns: which field a header of a recruiting system's file means.  DOMAIN 6.5.

A mapping gives each column of one file a field or none.  It is saved by header texts, so that
next month's file may have its columns in another order.  What must not be known about a person
(DOMAIN 3.7) is not offered as a field at all: such a column is skipped, and the page says so.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from node.i18n import later
from node.services.applicants import headers
from node.services.applicants.normalisation import fold

# Field -> its name on the screen, in the order of the choice.
FIELDS: Mapping[str, str] = {
    "ats_id": later("Applicant ID"),
    "name": later("Name"),
    "family": later("Family name"),
    "given": later("Given name"),
    "kana": later("Reading of the name"),
    "family_kana": later("Reading of the family name"),
    "given_kana": later("Reading of the given name"),
    "email": later("E-mail"),
    "phone": later("Telephone"),
    "postal": later("Postal code"),
    "prefecture": later("Prefecture"),
    "address": later("Home address"),
    "job": later("Job"),
    "source": later("Source of the application"),
    "stage": later("Selection stage"),
    "status": later("Result"),
    "applied_on": later("Applied on"),
    "rejected_on": later("Rejected on"),
    "updated_on": later("Last changed on"),
    "applicant_type": later("New graduate or mid-career"),
    "school": later("School"),
    "faculty": later("Faculty"),
    "department": later("Department"),
    "graduation": later("Graduation"),
    "third_party": later("Consent to be passed on"),
}

FORBIDDEN_FIELD = "-forbidden"
AGE_FIELD = "-age"
OWN_FIELD = "-own"
IDENTITY = ("ats_id", "email")
NAMES = ("name", "family")
RESULTS = ("status", "stage", "rejected_on")
COLUMNS_MAX = 200

_NOISE = re.compile(r"[\s_・:*※【】\[\]\"']|\(必須\)|\(任意\)|必須$")


@lru_cache(maxsize=4096)
def header_key(header: str) -> str:
    """Return what two ways to write one header have in common."""
    folded = fold(header).replace("－", "-").replace("−", "-").casefold()
    key = _NOISE.sub("", folded)
    return key.removesuffix(".").replace("-", "")


def _keys(words: str) -> Iterable[str]:
    return (header_key(word) for word in words.split())


def _dictionary() -> dict[str, str]:
    """Return header key -> field, or what a column is that cannot be chosen."""
    known: dict[str, str] = {}
    field = ""
    for word in headers.SYNONYMS.split():
        if word.endswith(":"):
            field = word[:-1]
        else:
            known[header_key(word)] = field
    known.update(dict.fromkeys(_keys(headers.FORBIDDEN), FORBIDDEN_FIELD))
    known.update(dict.fromkeys(_keys(headers.AGE), AGE_FIELD))
    known.update(dict.fromkeys(_keys(headers.OWN), OWN_FIELD))
    return known


_BY_KEY = _dictionary()


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """For each column of a file its field, or None."""

    fields: tuple[str | None, ...]

    def column(self, field: str) -> int | None:
        """Return the column that holds `field`."""
        return self.fields.index(field) if field in self.fields else None

    def missing(self) -> tuple[str, ...]:
        """Return what a file needs and this mapping has not: who, how to tell apart, the result."""
        lacking = []
        if not any(name in self.fields for name in NAMES):
            lacking.append("name")
        if not any(name in self.fields for name in IDENTITY):
            lacking.append("email")
        if not any(name in self.fields for name in RESULTS):
            lacking.append("status")
        return tuple(lacking)


def special(header: str) -> str | None:
    """Return FORBIDDEN_FIELD, AGE_FIELD or OWN_FIELD for a column that cannot be chosen."""
    field = _BY_KEY.get(header_key(header))
    return field if field in (FORBIDDEN_FIELD, AGE_FIELD, OWN_FIELD) else None


def guess(titles: Sequence[str], saved: Mapping[str, str | None] | None = None) -> ColumnMapping:
    """Map each header by a saved mapping, else by its synonyms; the first of two wins."""
    taken: set[str] = set()
    fields: list[str | None] = []
    for header in titles:
        key = header_key(header)
        found = _BY_KEY.get(key)
        if saved is not None and key in saved and not special(header):
            found = saved[key]
        if found is not None and not found.startswith("-"):
            if found in taken or found not in FIELDS:
                found = None
            else:
                taken.add(found)
        fields.append(found)
    return ColumnMapping(tuple(fields))


def choose(titles: Sequence[str], chosen: Sequence[str]) -> ColumnMapping:
    """Return the mapping a person chose; columns that cannot be chosen keep what they are."""
    taken: set[str] = set()
    fields: list[str | None] = []
    for header, field in zip(titles, chosen, strict=True):
        fixed = special(header)
        if fixed is not None:
            fields.append(fixed)
        elif field in FIELDS and field not in taken:
            taken.add(field)
            fields.append(field)
        else:
            fields.append(None)
    return ColumnMapping(tuple(fields))


def repeated(chosen: Sequence[str]) -> tuple[str, ...]:
    """Return the fields chosen for more than one column."""
    real = [field for field in chosen if field in FIELDS]
    return tuple(sorted({field for field in real if real.count(field) > 1}))


def to_save(titles: Sequence[str], mapping: ColumnMapping) -> dict[str, str | None]:
    """Return the mapping by header texts, without the columns that cannot be chosen."""
    pairs = zip(titles, mapping.fields, strict=True)
    return {header_key(header): field for header, field in pairs if special(header) is None}


def recognised(titles: Sequence[str]) -> int:
    """Return how many headers are known words; none at all hints at a wrong encoding."""
    return sum(1 for header in titles if header_key(header) in _BY_KEY)
