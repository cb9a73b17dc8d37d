"""Dates in every form that Japanese files hold, as ISO 8601 days.  DOMAIN 4.2."""

import re
from datetime import date, timedelta
from functools import lru_cache

from node.services.applicants.normalisation import fold

# The day before an era's year 1 began is year 0 of it: R8 is 2018 + 8.
ERAS = {"M": 1867, "T": 1911, "S": 1925, "H": 1988, "R": 2018}
ERA_NAMES = {"明治": "M", "大正": "T", "昭和": "S", "平成": "H", "令和": "R"}
# Excel counts days from here (its year 1900 has a 29 February, so day 60 and later fit).
EXCEL_EPOCH = date(1899, 12, 30)
EXCEL_DAYS = range(18264, 73051)  # 1950-01-01 to 2099-12-31
YEARS = range(1900, 2100)

_TIME = r"(?:[T ]\s*\d{1,2}(?::|時)\d{1,2}.*)?"
_WEEKDAY = r"(?:\s*\([月火水木金土日]\))?"
_WESTERN = re.compile(
    rf"(\d{{4}})\s*[-/.年]\s*(\d{{1,2}})\s*[-/.月]\s*(\d{{1,2}})日?{_WEEKDAY}{_TIME}"
)
_ERA = re.compile(
    rf"(明治|大正|昭和|平成|令和|[MTSHRmtshr])\s*(\d{{1,2}}|元)\s*[-/.年]\s*"
    rf"(\d{{1,2}})\s*[-/.月]\s*(\d{{1,2}})日?{_WEEKDAY}{_TIME}"
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?")


class DateUnreadable(ValueError):
    """The text is no date that can be told without guessing."""


@lru_cache(maxsize=8192)
def parse(text: str) -> str:
    """Return the day as 2026-11-22; raise for anything ambiguous, such as 11/22/26."""
    text = fold(text)
    if found := _WESTERN.fullmatch(text) or _COMPACT.fullmatch(text):
        return _day(int(found[1]), found[2], found[3])
    if found := _ERA.fullmatch(text):
        era = ERA_NAMES.get(found[1]) or found[1].upper()
        year = 1 if found[2] == "元" else int(found[2])
        return _day(ERAS[era] + year, found[3], found[4])
    if (found := _SERIAL.fullmatch(text)) and int(found[1]) in EXCEL_DAYS:
        return (EXCEL_EPOCH + timedelta(days=int(found[1]))).isoformat()
    raise DateUnreadable


def _day(year: int, month: str, day: str) -> str:
    if year not in YEARS:
        raise DateUnreadable
    try:
        return date(year, int(month), int(day)).isoformat()
    except ValueError as error:
        raise DateUnreadable from error


def years_between(born: str, today: str) -> int:
    """Return the age on `today` of a person born on `born`, both ISO days."""
    birth, now = date.fromisoformat(born), date.fromisoformat(today)
    return now.year - birth.year - ((now.month, now.day) < (birth.month, birth.day))
