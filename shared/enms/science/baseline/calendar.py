"""The factory's calendar as categories: weekday, hour of the week, shift, working day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from enms.science.arrays import Positions
from enms.science.baseline.observations import Category

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HOURS_OF_WEEK = tuple(f"{day[:3]} {hour:02}" for day in WEEKDAYS for hour in range(24))
# Where no shift is reported: by the factory's clock.
SHIFTS = ("early", "late", "night")
WORKING = ("working day", "day off")

_EPOCH = date(1970, 1, 1)
_DAY = 86_400
_WEEK = 7 * _DAY
_HOUR = 3_600
_UNIX_WEEKDAY = 3  # 1970-01-01 was a Thursday, with 0 = Monday


@dataclass(frozen=True)
class LocalTime:
    """Instants by the factory's clock.

    Attributes:
        days: Local days since 1970-01-01.
        hours: Local hour of the day, 0 to 23.
    """

    days: Positions
    hours: Positions

    @property
    def weekdays(self) -> Positions:
        """0 = Monday."""
        weekdays: Positions = (self.days + _UNIX_WEEKDAY) % 7
        return weekdays


def local_time(starts_at: Positions, zone: str) -> LocalTime:
    """Instants (seconds since 1970, UTC, ascending) by the clock of an IANA zone."""
    local = starts_at + utc_offsets(starts_at, zone)
    return LocalTime(local // _DAY, local % _DAY // _HOUR)


def utc_offsets(starts_at: Positions, zone: str) -> Positions:
    """Distance of the zone's clock from UTC at each instant, in seconds.

    A week whose ends agree has one offset (no zone leaves one and returns to it within three weeks: the
    shortest are the clocks of Ramadan); in the others each instant is looked up.
    """
    if not len(starts_at):
        return starts_at
    info = ZoneInfo(zone)
    weeks, place = np.unique(starts_at // _WEEK, return_inverse=True)
    at_edge = {
        week: _offset(week * _WEEK, info)
        for week in {edge for each in weeks.tolist() for edge in (each, each + 1)}
    }
    offsets = np.array([at_edge[week] for week in weeks.tolist()], dtype=np.int64)[place]
    changing = np.array([at_edge[week] != at_edge[week + 1] for week in weeks.tolist()])[place]
    for row in np.flatnonzero(changing).tolist():
        offsets[row] = _offset(int(starts_at[row]), info)
    return offsets


def date_of(day: int) -> date:
    """The date of a day, counted from 1970-01-01."""
    return _EPOCH + timedelta(days=day)


def day_of(at: date) -> int:
    """The number of a date's day, counted from 1970-01-01."""
    return (at - _EPOCH).days


def categories(
    local: LocalTime, country: str | None, reported_shifts: list[str] | None
) -> dict[str, Category]:
    """The calendar terms of some intervals.

    Args:
        local: The intervals' starts.
        country: ISO 3166 code, with a subdivision if wanted (`DE`, `DE-BY`), whose public holidays are days
            off; None: weekends only.
        reported_shifts: The shift that production rows tell, `''` where they don't; None: by the clock.
    """
    found = {
        "weekday": Category(WEEKDAYS, local.weekdays),
        "hour_of_week": Category(HOURS_OF_WEEK, local.weekdays * 24 + local.hours),
        "working_day": Category(WORKING, _days_off(local, country)),
    }
    if reported_shifts is None:
        found["shift"] = Category(SHIFTS, np.digitize((local.hours - 6) % 24, [8, 16]).astype(np.int64))
    else:
        levels = tuple(sorted({shift for shift in reported_shifts if shift}))
        place = {level: i for i, level in enumerate(levels)}
        codes = np.array([place.get(shift, -1) for shift in reported_shifts], dtype=np.int64)
        found["shift"] = Category(levels, codes)
    return found


def is_known_country(country: str) -> bool:
    """Whether holidays of this code are known."""
    try:
        _holidays(country, [2026])
    except (KeyError, NotImplementedError):
        return False
    return True


def _days_off(local: LocalTime, country: str | None) -> Positions:
    is_off = local.weekdays >= 5
    if country and len(local.days):
        first, last = date_of(int(local.days.min())), date_of(int(local.days.max()))
        dates = _holidays(country, list(range(first.year, last.year + 1)))
        off = np.array([day_of(each) for each in dates], dtype=np.int64)
        is_off = is_off | np.isin(local.days, off)
    return is_off.astype(np.int64)


def _holidays(country: str, years: list[int]) -> Mapping[date, str]:
    # Imported here: most models have no such term.
    import holidays

    code, _, subdivision = country.partition("-")
    found: Mapping[date, str] = holidays.country_holidays(code, subdiv=subdivision or None, years=years)
    return found


def _offset(at: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(at, zone).utcoffset() or timedelta()
    return int(offset.total_seconds())
