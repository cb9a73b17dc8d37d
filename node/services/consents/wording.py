"""Gentle remarks on what a person writes about himself or herself.  DOMAIN 3.7.

Nothing is refused and nothing is changed: an applicant may write what he or she likes, but should
know that nobody may ask for it, and that a card without a name should stay without one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from node.services.templates.lint import FAIR_SELECTION

# Beside the fourteen items: what must never travel in a field of its own (DOMAIN 6.1).
PERSONAL = re.compile(
    r"生年月日|満?\d{1,2}歳|性別|国籍|在留資格|人種|既婚|独身|離婚|妊娠|通院|病歴|両親|父親|母親"
    r"|障[害が]い?者?手帳|date of birth|\b\d{1,2} years old\b|gender|nationality|\brace\b"
    r"|married|divorced|pregnan|disabilit|illness",
    re.IGNORECASE,
)
# What would tell who someone is: an address, a site, a telephone number.
CONTACT = re.compile(r"@|https?:|www\.|\d(?:[\s().‐-―−-]?\d){6,}")


@dataclass(frozen=True, slots=True)
class Remark:
    """Words in one field that need not be there."""

    field: str
    words: str


def remarks(texts: Iterable[tuple[str, str]]) -> list[Remark]:
    """Remarks on `(field, text)` pairs, at most one for each field."""
    found = []
    for field, text in texts:
        patterns = [rule.pattern for rule in FAIR_SELECTION] + [PERSONAL]
        matches = [match for pattern in patterns if (match := pattern.search(text))]
        if matches:
            first = min(matches, key=lambda match: match.start())
            found.append(Remark(field, first[0]))
    return found


def names_someone(text: str, names: Iterable[str] = ()) -> bool:
    """Whether a text on the anonymous card would tell who the person is."""
    return bool(CONTACT.search(text)) or any(name and name in text for name in names)
