"""The local clock in equal steps, and what was known at an origin."""

from datetime import UTC, datetime

import numpy as np

from enms.science.forecasting.window import Window

HOURS = 24 * 15


def _window(step_seconds: int = 3_600, steps: int = HOURS, points: int = 24) -> Window:
    first = int(datetime(2026, 3, 4, tzinfo=UTC).timestamp()) // step_seconds  # a Wednesday
    every = np.arange(steps + points, dtype=np.float64)
    return Window(
        step_seconds, first, every[:steps], np.ones(steps), points, every % 24 == 0, {"temperature": every}
    )


def test_weekdays_begin_on_monday() -> None:
    window = _window()
    assert window.weekday[0] == 2
    assert window.step_of_week[0] == 2 * 24
    assert window.weekday[24 * 5] == 0


def test_days_are_steps_of_a_week() -> None:
    window = _window(step_seconds=86_400, steps=30, points=7)
    assert (window.season, window.week, window.steps_per_day) == (7, 7, 1)
    np.testing.assert_array_equal(window.step_of_week[:6], [2, 3, 4, 5, 6, 0])


def test_an_origin_knows_what_lay_before_it_and_the_calendar_after() -> None:
    seen = _window().until(100)
    assert len(seen) == 100
    assert seen.points == 24
    assert seen.power_kw[-1] == 99
    np.testing.assert_array_equal(seen.regressors["temperature"], np.arange(124))
    assert len(seen.is_holiday) == 124


def test_near_the_end_no_more_is_asked_than_is_there() -> None:
    assert _window().until(HOURS + 10).points == 14


def test_the_last_steps_keep_their_place_on_the_clock() -> None:
    window = _window()
    last = window.last(48)
    assert len(last) == 48
    np.testing.assert_array_equal(last.steps, window.steps[-72:])
    np.testing.assert_array_equal(last.regressors["temperature"], window.regressors["temperature"][-72:])
    assert window.last(10_000) is window
