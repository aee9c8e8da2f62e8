"""Rows in hours and days: which interval a row belongs to, means, and hours of levels."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from enms.errors import InvalidInputError
from enms.science.baseline.names import Interval
from enms.science.baseline.observations import Category
from enms_local.evaluate.grid import Grid, make_grid
from enms_local.evaluate.question import StampKind
from enms_local.evaluate.stamps import Stamps, read_stamps

BERLIN = ZoneInfo("Europe/Berlin")


def stamps(first: str, count: int, minutes: int, *, zone: ZoneInfo | None = None) -> Stamps:
    """Stamps at equal distances; by the clock of a zone with its offsets."""
    start = datetime.fromisoformat(first).replace(tzinfo=zone or UTC).astimezone(UTC)
    moments = [start + timedelta(minutes=minutes) * n for n in range(count)]
    if zone:
        return read_stamps([each.astimezone(zone).isoformat() for each in moments], range(count), None)
    return read_stamps([each.replace(tzinfo=None).isoformat() for each in moments], range(count), None)


def grid(of: Stamps, interval: Interval | None = None, stamp: StampKind | None = None) -> Grid:
    return make_grid(of, interval, stamp)


@pytest.mark.parametrize(
    ("minutes", "interval"), [(10, "hour"), (15, "hour"), (60, "hour"), (120, "day"), (1440, "day")]
)
def test_the_distance_of_rows_decides(minutes: int, interval: Interval) -> None:
    assert grid(stamps("2020-01-01", 300, minutes)).interval == interval


def test_finer_rows_are_joined_if_wanted() -> None:
    found = grid(stamps("2020-01-01", 24 * 6 * 3, 10), "day")
    assert len(found) == 3
    assert found.rows_expected.tolist() == [144.0] * 3


def test_what_rows_cannot_tell() -> None:
    with pytest.raises(InvalidInputError, match="1 days apart: --interval 1d"):
        grid(stamps("2020-01-01", 30, 1440), "hour")
    with pytest.raises(InvalidInputError, match="7 days apart"):
        grid(stamps("2020-01-01", 30, 7 * 1440))
    with pytest.raises(InvalidInputError, match="one instant only"):
        grid(stamps("2020-01-01", 1, 15))


def test_ends_of_intervals_are_recognised() -> None:
    ends = grid(stamps("2020-01-01T00:15", 96, 15))
    assert ends.is_end
    assert len(ends) == 24
    assert np.bincount(ends.places).tolist() == [4] * 24
    starts = grid(stamps("2020-01-01T00:00", 96, 15))
    assert not starts.is_end
    assert len(starts) == 24
    assert not grid(stamps("2020-01-01T00:15", 95, 15)).is_end
    assert grid(stamps("2020-01-01T00:15", 95, 15), stamp="end").is_end
    assert not grid(stamps("2020-01-01T00:15", 96, 15), stamp="start").is_end
    assert not grid(stamps("2020-01-01", 30, 1440)).is_end


def test_rows_in_any_order_and_the_last_of_equal_stamps() -> None:
    texts = ["2020-01-01 02:00", "2020-01-01 00:00", "2020-01-01 01:00", "2020-01-01 00:00"]
    found = grid(read_stamps(texts, range(4), None))
    assert found.rows.tolist() == [3, 2, 0]
    assert found.repeated == 1
    means, counts = found.means(np.array([2.0, -1.0, 1.0, 0.0]))
    assert means.tolist() == [0.0, 1.0, 2.0]
    assert counts.tolist() == [1, 1, 1]


def test_gaps_are_intervals_without_rows() -> None:
    texts = ["2020-01-01 00:00", "2020-01-01 01:00", "2020-01-01 05:00"]
    found = grid(read_stamps(texts, range(3), None))
    assert len(found) == 6
    means, counts = found.means(np.array([1.0, 2.0, 3.0]))
    assert np.isnan(means[2:5]).all()
    assert counts.tolist() == [1, 1, 0, 0, 0, 1]


@pytest.mark.parametrize(("day", "hours"), [("2020-03-29", 23), ("2020-10-25", 25), ("2020-10-26", 24)])
def test_days_on_which_clocks_change(day: str, hours: int) -> None:
    found = grid(stamps(day, hours * 4, 15, zone=BERLIN), "day")
    assert found.seconds.tolist() == [hours * 3600.0]
    assert found.rows_expected.tolist() == [hours * 4.0]
    assert len(grid(stamps(day, hours * 4, 15, zone=BERLIN))) == hours


def test_hours_are_the_clocks_hours_in_zones_with_half_hours() -> None:
    found = grid(stamps("2020-01-01", 96, 15, zone=ZoneInfo("Asia/Kolkata")))
    assert len(found) == 24
    assert (found.clock % 86_400 // 3600).tolist() == list(range(24))
    assert (found.clock % 3600 == 0).all()


def test_the_naive_clock_may_skip_and_repeat_an_hour() -> None:
    moments = [datetime(2020, 10, 24, 22, tzinfo=UTC) + timedelta(hours=n) for n in range(25)]
    texts = [each.astimezone(BERLIN).replace(tzinfo=None).isoformat() for each in moments]
    found = grid(read_stamps(texts, range(25), None))
    assert len(found) == 24
    assert found.repeated == 1


def test_drivers_that_are_known_too_seldom_are_not_known() -> None:
    found = grid(stamps("2020-01-01", 18, 10))
    values = np.ones(18)
    values[6:11] = np.nan
    values[12:14] = np.nan
    driver = found.driver(values)
    assert np.isnan(driver).tolist() == [False, True, False]
    # A driver that is recorded once an hour only is known.
    seldom = np.full(18, np.nan)
    seldom[::6] = 4.0
    assert found.driver(seldom).tolist() == [4.0] * 3


def test_a_level_for_each_row_or_hours_of_levels() -> None:
    column = Category(("off", "on"), np.array([0] * 6 + [1] * 18))
    hourly = grid(stamps("2020-01-01", 24, 60))
    assert hourly.category(column).hours is None
    assert hourly.category(column).codes.tolist() == column.codes.tolist()
    daily = grid(stamps("2020-01-01", 24, 60), "day").category(column)
    assert daily.hours is not None
    assert daily.hours.tolist() == [[6.0, 18.0]]
    assert daily.codes.tolist() == [1]
