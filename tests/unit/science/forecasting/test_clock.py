"""Instants on the local clock and back, on nights when it is changed."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from unit.science.forecasting.loads import load, usual, with_unknown

from enms.science.forecasting.clock import Clocked, on_local_clock
from enms.science.forecasting.horizons import NEXT_DAY, NEXT_HOUR, NEXT_WEEK, Horizon
from enms.science.forecasting.series import LoadSeries
from enms.science.problems import UnfitError


def _hours(clocked: Clocked) -> list[int]:
    """The local step of the day of each line of the answer."""
    window = clocked.window
    return window.step_of_day[len(window) + clocked.places].tolist()


def test_an_ordinary_day_is_itself() -> None:
    series = load(NEXT_DAY, "2026-02-10", noise_kw=1.0)
    clocked = on_local_clock(series)
    assert clocked.window.power_kw.tolist() == series.power_kw.tolist()
    assert (clocked.window.weights == 1).all()
    assert (clocked.window.points, clocked.known_share) == (24, 1.0)
    assert _hours(clocked) == list(range(24))
    assert clocked.window.weekday[-1] == 1


@pytest.mark.parametrize(
    ("zone", "origin", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", [0, 1, 3, 4]),
        ("Europe/Berlin", "2026-10-25", [0, 1, 2, 2]),
        ("America/New_York", "2026-03-08", [0, 1, 3, 4]),
        ("America/New_York", "2026-11-01", [0, 1, 1, 2]),
        ("Asia/Kolkata", "2026-03-29", [0, 1, 2, 3]),
    ],
)
def test_the_missing_hour_has_no_line_and_the_doubled_one_two(
    zone: str, origin: str, hours: list[int]
) -> None:
    clocked = on_local_clock(load(NEXT_DAY, origin, zone=zone))
    assert _hours(clocked)[:4] == hours
    assert clocked.window.points >= 24


@pytest.mark.parametrize(
    ("zone", "origin"),
    [
        ("Europe/Berlin", "2026-04-01"),
        ("Europe/Berlin", "2026-10-28"),
        ("America/New_York", "2026-03-11"),
        ("America/New_York", "2026-11-04"),
        ("Australia/Lord_Howe", "2026-04-08"),
        ("Australia/Lord_Howe", "2026-10-07"),
    ],
)
@pytest.mark.parametrize("horizon", [NEXT_HOUR, NEXT_DAY, NEXT_WEEK], ids=lambda each: each.name)
def test_the_daily_profile_stays_right_past_a_clock_change(horizon: Horizon, zone: str, origin: str) -> None:
    series = load(horizon, origin, days=28, zone=zone, noise_kw=0.0)
    window = on_local_clock(series).window
    assert abs(len(window) - 28 * horizon.steps_per_day) <= horizon.steps_per_day // 24
    week_ago = np.abs(window.power_kw[horizon.week :] - window.power_kw[: -horizon.week])
    assert week_ago.max() == 0
    # Nothing is filled but the missing hour of spring.
    assert np.count_nonzero(window.weights == 0) <= horizon.steps_per_day // 24


def test_a_doubled_hour_is_the_mean_of_both() -> None:
    series = load(NEXT_DAY, "2026-10-26", noise_kw=0.0)
    power_kw = series.power_kw.copy()
    power_kw[-23:-21] = [10.0, 30.0]
    window = on_local_clock(replace(series, power_kw=power_kw)).window
    assert window.power_kw[-22] == 20.0
    power_kw[-23] = np.nan
    assert on_local_clock(replace(series, power_kw=power_kw)).window.power_kw[-22] == 30.0


def test_an_origin_inside_the_doubled_hour_forecasts_all_of_it() -> None:
    before = load(NEXT_DAY, "2026-10-25 02:00")
    series = replace(
        before,
        starts_at=np.append(before.starts_at, before.future_starts_at[0]),
        power_kw=np.append(before.power_kw, 99.0),
        is_flagged=np.append(before.is_flagged, False),
        future_starts_at=before.future_starts_at + 3600,
    )
    clocked = on_local_clock(series)
    assert _hours(clocked)[:3] == [2, 3, 4]
    assert len(clocked.window) == len(before.starts_at)
    assert 99.0 not in clocked.window.power_kw


def test_gaps_are_what_the_same_hour_of_earlier_weeks_was() -> None:
    series = load(NEXT_DAY, "2026-02-10", noise_kw=0.0)
    clocked = on_local_clock(with_unknown(series, -60, -2))
    expected = usual(series.starts_at, NEXT_DAY, series.zone)
    assert clocked.window.power_kw.tolist() == expected.tolist()
    assert np.count_nonzero(clocked.window.weights == 0) == 58
    assert clocked.known_share == pytest.approx(1 - 58 / (45 * 24))


def test_flagged_steps_are_filled_too() -> None:
    series = load(NEXT_DAY, "2026-02-10", noise_kw=0.0)
    power_kw, is_flagged = series.power_kw.copy(), series.is_flagged.copy()
    power_kw[-30:-20], is_flagged[-30:-20] = 900.0, True
    window = on_local_clock(replace(series, power_kw=power_kw, is_flagged=is_flagged)).window
    assert window.power_kw.max() == 120.0
    assert np.flatnonzero(window.weights == 0).tolist() == list(range(len(window) - 30, len(window) - 20))


def test_where_all_is_flagged_it_still_tells_the_level() -> None:
    series = load(NEXT_DAY, "2026-02-10", days=3)
    window = on_local_clock(replace(series, is_flagged=~series.is_flagged)).window
    assert window.power_kw.tolist() == series.power_kw.tolist()
    assert (window.weights == 0).all()


def test_the_window_begins_with_the_first_reading() -> None:
    series = with_unknown(load(NEXT_DAY, "2026-02-10"), 0, 100)
    assert len(on_local_clock(series).window) == 45 * 24 - 100


@pytest.mark.parametrize("known", [slice(0, 0), slice(None)])
def test_without_readings_there_is_nothing_to_forecast_from(known: slice) -> None:
    series = load(NEXT_DAY, "2026-02-10", days=2)
    cut = replace(
        series,
        starts_at=series.starts_at[known],
        power_kw=np.full_like(series.power_kw[known], np.nan),
        is_flagged=series.is_flagged[known],
    )
    with pytest.raises(UnfitError, match="no reading") as refused:
        on_local_clock(cut)
    assert refused.value.code == "no-readings"


class TestRegressors:
    def _series(self, **regressors: np.ndarray) -> LoadSeries:
        return replace(load(NEXT_DAY, "2026-02-10"), regressors=regressors)

    def _known(self) -> np.ndarray:
        return np.arange(45 * 24 + 24, dtype=np.float64)

    def test_known_ones_are_used(self) -> None:
        clocked = on_local_clock(self._series(shifts=self._known()))
        assert clocked.window.regressors["shifts"].tolist() == self._known().tolist()
        assert clocked.left_out == {}

    def test_one_without_a_future_is_left_out_with_the_reason(self) -> None:
        values = self._known()
        values[-3:] = np.nan
        clocked = on_local_clock(self._series(temperature=values))
        assert clocked.window.regressors == {}
        assert clocked.left_out == {"temperature": "3 of the 24 steps to come are unknown"}

    def test_a_few_holes_of_the_past_are_filled_many_are_not(self) -> None:
        few, many = self._known(), self._known()
        few[10:20], many[:600] = np.nan, np.nan
        clocked = on_local_clock(self._series(few=few, many=many))
        assert not np.isnan(clocked.window.regressors["few"]).any()
        assert clocked.left_out == {"many": "56 % of its past is unknown"}

    def test_one_that_never_changes_tells_nothing(self) -> None:
        clocked = on_local_clock(self._series(stop=np.zeros(45 * 24 + 24)))
        assert clocked.left_out == {"stop": "it never changes"}

    def test_the_missing_hour_of_spring_is_not_asked_for(self) -> None:
        series = load(NEXT_DAY, "2026-03-29")
        clocked = on_local_clock(replace(series, regressors={"shifts": self._known()}))
        assert len(clocked.window.regressors["shifts"]) == len(clocked.window) + 25
        assert clocked.left_out == {}


def test_holidays_are_those_of_the_country() -> None:
    series = replace(load(NEXT_WEEK, "2026-12-22"), country="DE")
    window = on_local_clock(series).window
    berlin = ZoneInfo("Europe/Berlin")
    days = [datetime.fromtimestamp(each, berlin).day for each in series.future_starts_at.tolist()]
    assert [day for day, off in zip(days, window.is_holiday[len(window) :], strict=True) if off] == [25, 26]
    assert not on_local_clock(replace(series, country="XX")).window.is_holiday.any()
