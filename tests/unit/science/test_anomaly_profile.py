"""Power against the same hours before: what repeats, what is expected, how far off it is."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from enms.science.anomalies.profile import (
    SPANS_SECONDS,
    Season,
    expected_and_scale,
    profile_scores,
    season_of,
    span_means,
)
from enms.science.arrays import Positions, Values

HOUR = 3_600
WEEKS = 8
COUNT = WEEKS * 7 * 24


def clock(
    zone: str = "UTC", first: datetime = datetime(2021, 1, 4, tzinfo=UTC)
) -> tuple[Positions, Positions]:
    """Start and minute of the day of eight weeks of hours."""
    moments = [first + timedelta(hours=n) for n in range(COUNT)]
    local = [moment.astimezone(ZoneInfo(zone)) for moment in moments]
    starts_at = np.array([round(moment.timestamp()) for moment in moments], dtype=np.int64)
    return starts_at, np.array([each.hour * 60 + each.minute for each in local], dtype=np.int64)


def noise(seed: int = 1) -> Values:
    return np.random.default_rng(seed).normal(0, 1, COUNT)


def by_hour(minute_of_day: Positions) -> Values:
    return np.where((minute_of_day >= 360) & (minute_of_day < 1080), 30.0, 10.0)


def weekend() -> Values:
    return (np.arange(COUNT) // 24 % 7 >= 5).astype(np.float64)


@pytest.mark.parametrize(
    ("season", "shape"),
    [
        ("none", np.full(COUNT, 20.0)),
        ("day", by_hour(clock()[1])),
        ("working_day", by_hour(clock()[1]) * (1 - weekend())),
        ("week", by_hour(clock()[1]) * (1 + np.arange(COUNT) // 24 % 7)),
    ],
)
def test_what_repeats_is_seen(season: Season, shape: Values) -> None:
    assert season_of(shape + noise(), *clock(), HOUR) == season


@pytest.mark.parametrize("season", ["none", "day", "working_day", "week"])
def test_nothing_later_changes_a_score(season: Season) -> None:
    starts_at, minutes = clock()
    values = by_hour(minutes) + noise()
    values[50:60] = np.nan
    half = COUNT // 2 + 7

    def scores(count: int) -> Values:
        expected = expected_and_scale(values[:count], starts_at[:count], minutes[:count], HOUR, season)
        return profile_scores(values[:count], expected, HOUR)

    np.testing.assert_array_equal(scores(COUNT)[:, :half], scores(half))


def test_expected_value_and_scale_are_what_was_put_in() -> None:
    starts_at, minutes = clock()
    works = minutes >= 720
    values = by_hour(minutes) + noise() * np.where(works, 4, 1)
    expected = expected_and_scale(values, starts_at, minutes, HOUR, "day")
    late = np.arange(COUNT) > COUNT // 2
    np.testing.assert_allclose(np.median((expected.value - by_hour(minutes))[late]), 0, atol=0.5)
    loud, quiet = (late & works & (minutes >= 840) & (minutes < 1260)), (late & ~works & (minutes < 540))
    assert np.median(expected.scale[loud]) == pytest.approx(4, rel=0.3)
    assert np.median(expected.scale[quiet]) < 2


def test_too_little_history_tells_nothing() -> None:
    starts_at, minutes = clock()
    expected = expected_and_scale(noise(), starts_at, minutes, HOUR, "week")
    assert np.isnan(expected.value[: 15 * 24]).all()
    assert np.isfinite(expected.value[23 * 24 :]).all()


def test_a_quantity_that_never_moved_has_no_scale() -> None:
    starts_at, minutes = clock()
    expected = expected_and_scale(np.full(COUNT, 5.0), starts_at, minutes, HOUR, "none")
    assert np.isnan(expected.scale).all()


def test_a_machine_that_mostly_stands_has_one() -> None:
    starts_at, minutes = clock()
    runs = np.arange(COUNT) % 12 == 0
    expected = expected_and_scale(np.where(runs, 10.0, 0.0), starts_at, minutes, HOUR, "none")
    assert np.isfinite(expected.scale[14 * 24 :]).all()


def test_short_and_long_faults_stand_out_each_in_its_span() -> None:
    starts_at, minutes = clock()
    values = by_hour(minutes) + noise()
    values[1000] += 8
    values[1100:1124] += 2
    expected = expected_and_scale(values, starts_at, minutes, HOUR, "day")
    alone, _, day = profile_scores(values, expected, HOUR)
    assert alone[1000] > 5
    assert day[1123] > 4
    assert len(span_means(values, expected, HOUR)) == len(SPANS_SECONDS)


def test_a_new_level_is_usual_after_a_week_or_so() -> None:
    starts_at, minutes = clock()
    values = by_hour(minutes) + noise()
    values[700:] += 10
    scores = span_means(values, expected_and_scale(values, starts_at, minutes, HOUR, "day"), HOUR)[2]
    assert scores[724] > 2
    assert np.abs(scores[700 + 14 * 24 :]).max() < 2


def test_the_same_hours_stay_the_same_after_a_clock_change() -> None:
    starts_at, minutes = clock("Europe/Berlin", datetime(2021, 3, 1, tzinfo=UTC))
    values = by_hour(minutes) + noise()
    expected = expected_and_scale(values, starts_at, minutes, HOUR, "day")
    changed = starts_at >= datetime(2021, 3, 28, tzinfo=UTC).timestamp()
    assert np.abs(values - expected.value)[changed].max() < 6


def test_rows_of_a_day_have_no_season_of_a_day() -> None:
    days = np.arange(200, dtype=np.int64)
    values = 50 + 20.0 * (days % 7 >= 5) + np.random.default_rng(2).normal(size=200)
    assert season_of(values, days * 86_400, np.zeros(200, dtype=np.int64), 86_400) == "week"
