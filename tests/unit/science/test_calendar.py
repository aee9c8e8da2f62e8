"""The factory's calendar: nights when clocks change, half hours, holidays by country."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from enms.science.arrays import Positions
from enms.science.baseline.calendar import (
    HOURS_OF_WEEK,
    WORKING,
    LocalTime,
    categories,
    is_known_country,
    local_time,
    utc_offsets,
)

HOUR = 3_600


def _hours(start: str, count: int) -> Positions:
    first = int(datetime.fromisoformat(start).replace(tzinfo=UTC).timestamp())
    return first + HOUR * np.arange(count, dtype=np.int64)


def test_the_short_night_leaves_an_hour_out() -> None:
    local = local_time(_hours("2026-03-29T00:00", 3), "Europe/Berlin")
    assert local.hours.tolist() == [1, 3, 4]
    assert len(set(local.days.tolist())) == 1


def test_the_long_night_has_an_hour_twice() -> None:
    local = local_time(_hours("2026-10-24T22:00", 26), "Europe/Berlin")
    assert local.hours.tolist() == [0, 1, 2, 2, *range(3, 24), 0]
    assert np.bincount(local.days - local.days[0]).tolist() == [25, 1]
    assert local.weekdays[[0, -1]].tolist() == [6, 0]


@pytest.mark.parametrize(
    "zone",
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca",
     "Pacific/Apia"],
)  # fmt: skip
def test_offsets_are_those_of_the_zone_all_year_round(zone: str) -> None:
    for start in ("2011-06-01T00:00", "2026-01-01T00:00"):
        at = _hours(start, 366 * 24)[::5]
        info = ZoneInfo(zone)
        expected = [datetime.fromtimestamp(each, info).utcoffset() for each in at.tolist()]
        assert utc_offsets(at, zone).tolist() == [
            each.total_seconds() for each in expected if each is not None
        ]


def test_no_intervals_have_no_offsets() -> None:
    assert utc_offsets(np.array([], dtype=np.int64), "Europe/Berlin").tolist() == []
    assert len(categories(local_time(np.array([], dtype=np.int64), "UTC"), "DE", None)["weekday"].codes) == 0


def test_in_half_hour_zones_an_utc_hour_begins_within_a_local_one() -> None:
    local = local_time(_hours("2026-01-04T17:00", 3), "Asia/Kolkata")
    assert local.hours.tolist() == [22, 23, 0]
    assert local.weekdays.tolist() == [6, 6, 0]


def test_the_hour_of_the_week_begins_on_monday() -> None:
    week = categories(local_time(_hours("2026-01-05T00:00", 168), "UTC"), None, None)["hour_of_week"]
    assert week.codes.tolist() == list(range(168))
    assert week.levels == HOURS_OF_WEEK
    assert (week.levels[0], week.levels[167]) == ("mon 00", "sun 23")


def test_weekdays_before_1970_are_right_too() -> None:
    monday = (datetime(1969, 12, 29, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days
    assert LocalTime(np.array([monday]), np.array([0])).weekdays.tolist() == [0]


def test_shifts_go_by_the_clock_where_none_is_reported() -> None:
    shift = categories(local_time(_hours("2026-01-05T00:00", 24), "UTC"), None, None)["shift"]
    names = [shift.levels[code] for code in shift.codes]
    assert names == ["night"] * 6 + ["early"] * 8 + ["late"] * 8 + ["night"] * 2


def test_reported_shifts_are_unknown_where_nothing_is_reported() -> None:
    local = local_time(_hours("2026-01-05T00:00", 4), "UTC")
    shift = categories(local, None, ["B", "", "A", "B"])["shift"]
    assert shift.levels == ("A", "B")
    assert shift.codes.tolist() == [1, -1, 0, 1]


def _is_day_off(day: str, country: str | None) -> bool:
    found = categories(local_time(_hours(f"{day}T12:00", 1), "UTC"), country, None)["working_day"]
    return found.levels[found.codes[0]] == WORKING[1]


@pytest.mark.parametrize(
    ("day", "country", "is_off"),
    [
        ("2026-01-07", None, False),  # a Wednesday
        ("2026-01-10", None, True),  # a Saturday
        ("2026-10-03", "DE", True),
        ("2026-05-01", "DE", True),  # a Friday
        ("2026-05-01", "US", False),
        ("2026-11-26", "US", True),  # Thanksgiving, a Thursday
        ("2026-11-26", "DE", False),
        ("2026-01-06", "DE", False),  # Epiphany, a Tuesday: of some states only
        ("2026-01-06", "DE-BY", True),
        ("2026-05-01", None, False),
    ],
)
def test_days_off_are_weekends_and_holidays_of_the_country(
    day: str, country: str | None, is_off: bool
) -> None:
    assert _is_day_off(day, country) is is_off


def test_holidays_go_by_the_local_day() -> None:
    # 23:00 UTC on the last of April is the first of May in Berlin.
    eve = _hours("2026-04-30T23:00", 1)
    codes = [categories(local_time(eve, zone), "DE", None)["working_day"].codes[0] for zone in
             ("UTC", "Europe/Berlin")]  # fmt: skip
    assert codes == [0, 1]


def test_holidays_of_all_years_of_a_period_count() -> None:
    local = local_time(_hours("2025-12-25T12:00", 24 * 8)[::24], "UTC")
    codes = categories(local, "DE", None)["working_day"].codes
    # Thursday and Friday of Christmas, the weekend, three days of work, New Year's.
    assert codes.tolist() == [1, 1, 1, 1, 0, 0, 0, 1]


@pytest.mark.parametrize(
    ("country", "is_known"), [("DE", True), ("US", True), ("DE-BY", True), ("XX", False), ("DE-ZZ", False)]
)
def test_countries_are_known_by_their_holidays(country: str, is_known: bool) -> None:
    assert is_known_country(country) is is_known
