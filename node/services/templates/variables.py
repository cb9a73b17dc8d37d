"""Variables of a notice: `{{候補者名}}` in subject and body, found and filled.  DOMAIN 5.1.

Each variable has a Japanese name and an English one, and either may be written. The text around
the variables is never interpreted, and a value is never searched for variables again, so that a
person called `{{専用リンク}}` is only a person with an unusual name.

The passage is the paragraph, between blank lines, in which the private link stands. It is what
people who get no link (DOMAIN 2.7) do not read: their notice is the same without it.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LINK = "専用リンク"
LINK_EXPIRY = "リンク有効期限"
# Japanese name -> English name; the order is the order of the editor's list.
VARIABLES = {
    "候補者名": "name",
    "姓": "family_name",
    "求人名": "job",
    "選考ステップ": "stage",
    "企業名": "company",
    "部署": "department",
    "担当者名": "sender",
    "電話": "phone",
    LINK: "link",
    LINK_EXPIRY: "expiry",
    "保管期限": "kept_until",
}
# Known to whoever got a link only: they stand in the passage.
OF_THE_LINK = frozenset({LINK, LINK_EXPIRY})
_NAMES = {**{name: name for name in VARIABLES}, **{en: ja for ja, en in VARIABLES.items()}}

_VARIABLE = re.compile(r"\{\{([^{}\n]*)\}\}")
# What is left over when the variables are taken out: braces that open or close nothing, and the
# full-width ones that a Japanese keyboard writes and no reader would see the difference of.
_STRAY = re.compile(r"\{\{|\}\}|[｛｝]")
_PARAGRAPHS = re.compile(r"\n[ \t　]*(?:\n[ \t　]*)+")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: in the subject or the body, line and column from 1."""

    where: str  # "subject" or "body"; "text" of what is no letter
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Use:
    """One `{{…}}` in a text: the name as written, the variable's own name or None, and where."""

    written: str
    name: str | None
    place: Place
    start: int
    end: int


def place_of(where: str, text: str, offset: int) -> Place:
    """Return line and column of `offset` in `text`."""
    before = text[:offset]
    return Place(where, before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


def uses(where: str, text: str) -> Iterator[Use]:
    """Find every `{{…}}`, known or not, in the order of the text."""
    for match in _VARIABLE.finditer(text):
        written = match[1].strip()
        known = _NAMES.get(unicodedata.normalize("NFKC", written).lower())
        yield Use(written, known, place_of(where, text, match.start()), *match.span())


def strays(where: str, text: str) -> Iterator[Place]:
    """Find braces that belong to no variable."""
    blanked = _VARIABLE.sub(lambda match: " " * len(match[0]), text)
    for match in _STRAY.finditer(blanked):
        yield place_of(where, text, match.start())


def names(*texts: str) -> frozenset[str]:
    """Return the variables that `texts` need filled."""
    return frozenset(use.name for text in texts for use in uses("", text) if use.name)


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put the values in; every variable in `text` must have one."""
    pieces, position = [], 0
    for use in uses("", text):
        assert use.name is not None, "only checked texts are filled"
        pieces += [text[position : use.start], values[use.name]]
        position = use.end
    return "".join((*pieces, text[position:]))


def passage(body: str) -> tuple[int, int] | None:
    """Return the span of the paragraph in which the link stands; None without a link."""
    start = next((use.start for use in uses("body", body) if use.name == LINK), None)
    if start is None:
        return None
    begins = 0
    for gap in _PARAGRAPHS.finditer(body):
        if gap.start() >= start:
            return begins, gap.start()
        begins = gap.end()
    return begins, len(body)


def without_passage(body: str) -> str:
    """Return the body as people without a link get it."""
    span = passage(body)
    if span is None:
        return body
    kept = (body[: span[0]].rstrip(), body[span[1] :].lstrip())
    return "\n\n".join(part for part in kept if part)
