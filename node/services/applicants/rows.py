"""Rows: one row of a file and the meaning of its columns -> one applicant, or what is wrong.

What is wrong with a row is a problem: the row is not imported, and stands in the error file.
What is merely odd is a warning: it is imported, and the page says so.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from node.i18n import later
from node.services.applicants import columns, dates, normalisation, values
from node.services.applicants.columns import ColumnMapping
from node.services.applicants.people import Person
from node.services.templates import lint

CHARS_MAX = {"name": 100, "family": 100, "given": 100, "kana": 100, "job": 200, "stage": 100}
SHORT_CHARS_MAX = 300
ADULT_YEARS = 18

PROBLEMS = {
    "columns-few": later("The row has fewer columns than the header."),
    "columns-many": later("The row has more columns than the header."),
    "quote-broken": later("A quotation mark stands in the wrong place."),
    "cell-too-long": later("A value is too long."),
    "name-missing": later("The name is missing."),
    "identity-missing": later("Both the applicant ID and the e-mail are missing."),
    "email-unreadable": later("The e-mail address cannot be right."),
    "date-unreadable": later("A date cannot be read. Write it as 2026-11-22."),
}
WARNINGS = {
    "email-legacy": later("An old mobile address with dots in a row: mail may not arrive."),
    "email-none": later("No e-mail address: no notice can be sent."),
    "phone-unreadable": later("The telephone number cannot be read and is kept as written."),
    "name-not-split": later("Family and given name are not apart: {{姓}} will be the whole name."),
    "status-unknown": later("The result is a word we do not know: counted as in selection."),
    "stage-unknown": later("The stage is a word we do not know: counted as applied."),
    "stage-unfair": later(
        "The stage names something that has no place in selection, such as a person's family, "
        "background or health."
    ),
    "no-result-date": later("Rejected without a date: the day of this import is taken."),
    "under-18": later("Under 18: no private link is sent."),
    "high-school": later("A high-school graduate: no private link is sent."),
    "erased": later("This person was erased here, and is not imported again."),
    "no-third-party": later("Did not agree to be passed on: no private link is sent."),
}


class RowBroken(Exception):
    """The row cannot be imported; `problems` says why, as (field, code)."""

    def __init__(self, *problems: tuple[str, str]) -> None:
        super().__init__()
        self.problems = problems


class Draft(NamedTuple):
    """An applicant as a row describes it; not yet stored."""

    person: Person
    job: str
    stage: str
    stage_code: str
    status: str
    applicant_type: str
    source: str | None
    applied_on: int | None
    rejected_on: int | None
    exclusion: str | None
    warnings: tuple[str, ...]


@lru_cache(maxsize=8192)
def day_start(day: str, zone: ZoneInfo) -> int:
    """Return the first second of an ISO day in the node's time zone."""
    return int(datetime.fromisoformat(day).replace(tzinfo=zone).timestamp())


@lru_cache(maxsize=1024)
def _is_unfair(stage: str) -> bool:
    return bool(lint.unfair(stage))


class RowReader:
    """Reads the rows of one file."""

    def __init__(self, mapping: ColumnMapping, zone: ZoneInfo, now: int) -> None:
        self._columns = [
            (field, column, CHARS_MAX.get(field, SHORT_CHARS_MAX))
            for field in columns.FIELDS
            if (column := mapping.column(field)) is not None
        ]
        self._age = mapping.column(columns.AGE_FIELD)
        self._zone = zone
        self._today = datetime.fromtimestamp(now, zone).date().isoformat()

    def read(self, cells: Sequence[str]) -> Draft:
        """Return the applicant in a row; raise RowBroken."""
        found = self._cells(cells)
        warnings: list[str] = []
        status = self._status(found, warnings)
        rejected_on = self._rejected_on(found, status, warnings)
        person = self._person(found, warnings)
        stage = found["stage"]
        code = values.stage_code(stage)
        if code is None:
            warnings.append("stage-unknown")
        if _is_unfair(stage):
            warnings.append("stage-unfair")
        return Draft(
            person=person,
            job=found["job"],
            stage=stage,
            stage_code=code or "applied",
            status=status,
            applicant_type=values.applicant_type(
                found["applicant_type"], graduation=bool(found["graduation"])
            ),
            source=found["source"] or None,
            applied_on=self._day("applied_on", found["applied_on"]),
            rejected_on=rejected_on,
            exclusion=self._exclusion(found, cells, warnings),
            warnings=tuple(warnings),
        )

    def _cells(self, cells: Sequence[str]) -> dict[str, str]:
        """Return the text of every field, tidied; the written form stays."""
        found = dict.fromkeys(columns.FIELDS, "")
        for field, column, chars_max in self._columns:
            if text := cells[column]:
                # Nearly every cell is tidy already, and asking is cheaper than doing.
                if not text.isprintable() or text[0] in " '" or text[-1] == " ":
                    text = tidy(text)
                if len(text) > chars_max:
                    raise RowBroken((field, "cell-too-long"))
                found[field] = text
        return found

    def _person(self, found: dict[str, str], warnings: list[str]) -> Person:
        family, given = found["family"], found["given"]
        name = found["name"] or f"{family} {given}".strip()
        if not name:
            raise RowBroken(("name", "name-missing"))
        if not family:
            family, given = normalisation.split_name(name)
        if not family:
            warnings.append("name-not-split")
        family_kana = normalisation.kana(found["family_kana"])
        given_kana = normalisation.kana(found["given_kana"])
        kana = normalisation.kana(found["kana"]) or f"{family_kana} {given_kana}".strip()
        if not family_kana:
            family_kana, given_kana = normalisation.split_name(kana)
        ats_id = normalisation.fold(found["ats_id"])
        postal = found["postal"]
        prefecture = normalisation.prefecture(found["prefecture"]) or found["prefecture"]
        return Person(
            name=name,
            family=family,
            given=given,
            kana=kana,
            family_kana=family_kana,
            given_kana=given_kana,
            email=self._email(found["email"], ats_id, warnings),
            phone=self._phone(found["phone"], warnings),
            postal=(normalisation.postal(postal) or postal) if postal else "",
            prefecture=prefecture or normalisation.prefecture_in(found["address"]),
            address=found["address"],
            school=found["school"],
            faculty=found["faculty"],
            department=found["department"],
            graduation=found["graduation"],
            ats_id=ats_id,
        )

    def _email(self, text: str, ats_id: str, warnings: list[str]) -> str:
        if not text:
            if not ats_id:
                raise RowBroken(("email", "identity-missing"))
            warnings.append("email-none")
            return ""
        read = normalisation.email(text)
        if read is None:
            raise RowBroken(("email", "email-unreadable"))
        if read[1]:
            warnings.append("email-legacy")
        return read[0]

    def _phone(self, text: str, warnings: list[str]) -> str:
        if not text:
            return ""
        number = normalisation.phone(text)
        if number is None:
            warnings.append("phone-unreadable")
        return number or text

    def _status(self, found: dict[str, str], warnings: list[str]) -> str:
        text = found["status"]
        # Some systems write the result into the stage: 一次面接 不合格.
        known = values.status(text or found["stage"])
        if text and known is None:
            warnings.append("status-unknown")
        if not text and known in (None, "active") and found["rejected_on"]:
            known = "rejected"
        return known or "active"

    def _rejected_on(self, found: dict[str, str], status: str, warnings: list[str]) -> int | None:
        if status != "rejected":
            return None
        day = self._day("rejected_on", found["rejected_on"])
        if day is None:
            day = self._day("updated_on", found["updated_on"])
        if day is None:
            warnings.append("no-result-date")
            day = day_start(self._today, self._zone)
        return day

    def _day(self, field: str, text: str) -> int | None:
        if not text:
            return None
        try:
            return day_start(dates.parse(text), self._zone)
        except dates.DateUnreadable as error:
            raise RowBroken((field, "date-unreadable")) from error

    def _exclusion(
        self, found: dict[str, str], cells: Sequence[str], warnings: list[str]
    ) -> str | None:
        """Return why this person may not be relayed, as far as a file can tell.  DOMAIN 2.7."""
        if self._age is not None and cells[self._age] and self._is_minor(cells[self._age]):
            warnings.append("under-18")
            return "under_18"
        if values.is_high_school(found["applicant_type"], found["school"]):
            warnings.append("high-school")
            return "new_high_school"
        if found["third_party"] and values.refuses_third_party(found["third_party"]):
            warnings.append("no-third-party")
            return "no_third_party"
        return None

    def _is_minor(self, text: str) -> bool:
        """Tell whether an age or a date of birth says under 18; neither is kept."""
        text = normalisation.fold(text)
        years = text.removesuffix("歳").removesuffix("才")
        if years.isascii() and years.isdigit() and len(years) <= 3:
            return int(years) < ADULT_YEARS
        try:
            return dates.years_between(dates.parse(text), self._today) < ADULT_YEARS
        except dates.DateUnreadable:
            return False


def tidy(text: str) -> str:
    """Return a cell without blanks around it, line breaks, hidden signs and our own apostrophe."""
    if not text.isprintable():
        text = normalisation.SPACES.sub(" ", normalisation.CONTROL.sub("", text))
    text = text.strip()
    # Exports put it before what a spreadsheet would take for a formula: see `exporting`.
    if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@"):
        return text[1:]
    return text
