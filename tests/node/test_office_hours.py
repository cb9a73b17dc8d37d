"""Office hours: notices leave on working days, by day, and not on the night before a day off."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.config_values import send_window
from node.services import office_hours

TOKYO = ZoneInfo("Asia/Tokyo")
TEN_TO_SIX = send_window("10:00-18:00")
LATE = send_window("10:00-21:00")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=TOKYO).timestamp())


def shown(second: int) -> str:
    return datetime.fromtimestamp(second, TOKYO).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("asked", "slot"),
    [
        ("2026-11-25 14:00", "2026-11-25 14:00"),  # a Wednesday afternoon
        ("2026-11-25 07:00", "2026-11-25 10:00"),  # before the office opens
        ("2026-11-25 18:00", "2026-11-26 10:00"),  # six o'clock is over
        ("2026-11-20 17:59", "2026-11-20 17:59"),  # a Friday, just in time
        ("2026-11-20 18:30", "2026-11-24 10:00"),  # weekend, then 勤労感謝の日 on Monday
        ("2026-09-21 12:00", "2026-09-24 10:00"),  # 敬老の日, 国民の休日 between, 秋分の日
        ("2027-05-01 12:00", "2027-05-06 10:00"),  # Golden Week
        ("2026-12-29 12:00", "2027-01-04 10:00"),  # year end
    ],
)
def test_the_next_slot_steps_over_nights_weekends_and_holidays(asked: str, slot: str) -> None:
    assert slot == shown(office_hours.next_slot(at(asked), TEN_TO_SIX, TOKYO))


def test_nothing_leaves_on_the_night_before_a_day_off_however_long_the_window_is() -> None:
    assert office_hours.is_open(at("2026-11-25 20:00"), LATE, TOKYO)
    assert not office_hours.is_open(at("2026-11-27 20:00"), LATE, TOKYO), "tomorrow is Saturday"
    assert not office_hours.is_open(at("2026-11-02 19:00"), LATE, TOKYO), "tomorrow is 文化の日"
    assert shown(office_hours.next_slot(at("2026-11-02 19:00"), LATE, TOKYO)) == "2026-11-04 10:00"


seconds = st.integers(at("2025-01-01 00:00"), at("2035-12-31 23:59"))


@given(seconds)
def test_a_slot_is_open_and_nothing_between_it_and_the_question_is(asked: int) -> None:
    slot = office_hours.next_slot(asked, TEN_TO_SIX, TOKYO)
    local = datetime.fromtimestamp(slot, TOKYO)
    assert slot >= asked
    assert office_hours.is_open(slot, TEN_TO_SIX, TOKYO)
    assert 10 <= local.hour < 18
    assert office_hours.is_working_day(local.date())
    assert slot - asked < office_hours.DAYS_OFF_MAX * 86_400
    if slot > asked:
        assert (local.hour, local.minute, local.second) == (10, 0, 0)
        halfway = (asked + slot) // 2
        assert not office_hours.is_open(halfway, TEN_TO_SIX, TOKYO)


@given(seconds, st.integers(0, 5 * 86_400))
def test_whoever_asks_later_never_gets_an_earlier_slot(asked: int, later_s: int) -> None:
    first = office_hours.next_slot(asked, LATE, TOKYO)
    assert first <= office_hours.next_slot(asked + later_s, LATE, TOKYO)


@given(st.dates(date(2025, 1, 1), date(2035, 12, 31)))
def test_a_week_has_at_most_five_working_days(day: date) -> None:
    week = [office_hours.is_working_day(day + timedelta(days=more)) for more in range(7)]
    assert sum(week) <= 5
