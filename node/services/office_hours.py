"""Office hours: when a notice may leave.  DOMAIN 5.1: working days, by day, not on an eve's night.

A rejection read at midnight, or on the evening before a holiday with nobody to ask, hurts more
than it must. So notices leave on working days inside the window that the settings give, and on the
day before a day off never after six, even where the window is longer.
"""

from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import jpholiday

from node.config_values import SendWindow

# From the evening on nobody answers the telephone the next morning.
EVE_CLOSES_MINUTE = 18 * 60
# The longest run of days off: New Year joined to weekends, or Golden Week; ten days and a margin.
DAYS_OFF_MAX = 20
# A due date may come from another member; nobody plans further ahead than a quarter.
DAYS_COUNTED_MAX = 92
# Another member may name any second of the calendar; behind the last days no day is counted.
LAST_DAY = date.max - timedelta(days=1)
SATURDAY = 5


@cache
def is_working_day(day: date) -> bool:
    """Tell whether offices are open: no weekend, no public holiday, not 12/29 to 1/3."""
    year_end = (day.month, day.day) >= (12, 29) or (day.month, day.day) <= (1, 3)
    return not (day.weekday() >= SATURDAY or year_end or jpholiday.is_holiday(day))


def end_of_working_day(at: int, days: int, zone: ZoneInfo) -> int:
    """Return the last second of the working day that is `days` working days after `at`."""
    day = min(datetime.fromtimestamp(at, zone).date(), LAST_DAY)
    while days > 0 and day < LAST_DAY:
        day += timedelta(days=1)
        days -= is_working_day(day)
    return _second(day + timedelta(days=1), 0, zone) - 1


def working_days_until(at: int, end: int, zone: ZoneInfo) -> int:
    """Return how many working days lie after the day of `at`, up to the day of `end`."""
    day, last = (datetime.fromtimestamp(each, zone).date() for each in (at, end))
    ahead = min((last - day).days, DAYS_COUNTED_MAX)
    return sum(is_working_day(day + timedelta(days=number)) for number in range(1, ahead + 1))


def is_open(at: int, window: SendWindow, zone: ZoneInfo) -> bool:
    """Tell whether a notice may leave at the second `at`."""
    return next_slot(at, window, zone) == at


def next_slot(at: int, window: SendWindow, zone: ZoneInfo) -> int:
    """Return the first second from `at` on at which a notice may leave."""
    today = datetime.fromtimestamp(at, zone).date()
    for days in range(DAYS_OFF_MAX):
        hours = _hours(today + timedelta(days=days), window, zone)
        if hours is not None and at < hours[1]:
            return max(at, hours[0])
    raise AssertionError("no calendar has so many days off in a row")


def closes_at(at: int, window: SendWindow, zone: ZoneInfo) -> int:
    """Return the second at which the opening hours that `at` lies in end."""
    hours = _hours(datetime.fromtimestamp(at, zone).date(), window, zone)
    assert hours is not None, "only asked on a working day"
    return hours[1]


def _hours(day: date, window: SendWindow, zone: ZoneInfo) -> tuple[int, int] | None:
    """Return when sending opens and closes on `day`; None when it stays closed."""
    if not is_working_day(day):
        return None
    closes = window.closes_minute
    if not is_working_day(day + timedelta(days=1)):
        closes = min(closes, EVE_CLOSES_MINUTE)
    if closes <= window.opens_minute:
        return None
    return _second(day, window.opens_minute, zone), _second(day, closes, zone)


def _second(day: date, minute: int, zone: ZoneInfo) -> int:
    local = datetime.combine(day, time(0)) + timedelta(minutes=minute)
    return int(local.replace(tzinfo=zone).timestamp())
