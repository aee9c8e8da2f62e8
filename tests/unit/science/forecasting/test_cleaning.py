"""A shutdown, a step change and a dead sensor must not poison the week after."""

from dataclasses import replace

import numpy as np
import pytest
from unit.science.forecasting.plant import plant, usual

from enms.science.forecasting.cleaning import cleaned
from enms.science.forecasting.days_off import DaysOff
from enms.science.forecasting.filling import filled
from enms.science.forecasting.window import Window

DAY = 24


def _changed(window: Window, first_day: float, last_day: float, factor: float) -> Window:
    power_kw = window.power_kw.copy()
    power_kw[round(first_day * DAY) : round(last_day * DAY)] *= factor
    return replace(window, power_kw=power_kw)


def _daily(window: Window) -> Window:
    days = window.power_kw.reshape(-1, DAY).mean(axis=1)
    return Window(
        86_400, window.first_step // DAY, days, np.ones(len(days)), 7, np.zeros(len(days) + 7, dtype=bool)
    )


@pytest.mark.parametrize("is_daily", [False, True])
def test_a_week_of_shutdown_that_is_over_is_filled_by_what_is_usual(is_daily: bool) -> None:
    window = _changed(plant(days=57), 49, 54, 0.05)
    sound = plant(days=57)
    if is_daily:
        window, sound = _daily(window), _daily(sound)
    found = cleaned(window)
    stopped = slice(49 * window.steps_per_day, 54 * window.steps_per_day)
    assert found.stopped_days.tolist() == [18_001 + day for day in range(49, 54)]
    assert found.window.power_kw[stopped].mean() == pytest.approx(sound.power_kw[stopped].mean(), rel=0.05)
    assert (found.window.weights[stopped] == 0).all()
    assert found.window.weights.sum() == len(window) - 5 * window.steps_per_day
    assert found.changed_on is None


def test_a_stop_that_goes_on_is_left_as_it_is() -> None:
    window = _changed(plant(days=52), 50, 52, 0.05)
    found = cleaned(window)
    assert found.window.power_kw.tolist() == window.power_kw.tolist()
    assert (found.window.weights == 1).all()


def test_a_stop_that_lasts_is_the_new_level() -> None:
    window = _changed(plant(days=61), 49, 61, 0.05)
    found = cleaned(window)
    assert found.changed_on == 18_001 + 49
    assert found.window.power_kw[: 49 * DAY].max() < 15


@pytest.mark.parametrize("factor", [0.5, 1.8])
def test_a_lasting_change_moves_the_former_level(factor: float) -> None:
    window = _changed(plant(days=62), 50, 62, factor)
    found = cleaned(window)
    assert found.changed_on == 18_001 + 50
    expected = factor * usual(window)[: 50 * DAY]
    assert found.window.power_kw[: 50 * DAY].mean() == pytest.approx(expected.mean(), rel=0.05)
    assert (found.window.weights[: 50 * DAY] == 0.5).all()
    assert (found.window.weights[50 * DAY :] == 1).all()


def test_a_change_of_two_days_is_no_level_yet() -> None:
    window = _changed(plant(days=52), 50, 52, 1.8)
    assert cleaned(window).changed_on is None


def test_a_dead_sensor_that_reads_nothing_is_a_stop() -> None:
    found = cleaned(_changed(plant(), 30, 33, 0.0))
    assert found.stopped_days.tolist() == [18_001 + day for day in (30, 31, 32)]
    assert found.window.power_kw[30 * DAY : 33 * DAY].max() > 100


def test_what_was_done_is_told() -> None:
    assert cleaned(_changed(plant(days=62), 50, 62, 1.8)).notes == (
        "The load has been at another level since 2019-06-04: what was before is moved to it.",
    )
    assert cleaned(_changed(plant(), 30, 33, 0.0)).notes == (
        "Days on which it stood still are not learned from: 3 (2019-05-15, 2019-05-16, 2019-05-17).",
    )
    long = cleaned(_changed(plant(days=90), 49, 58, 0.0))
    assert long.notes[0].startswith("Days on which it stood still are not learned from: 7, the last 5 (")
    assert cleaned(plant()).notes == ()


def test_weekends_are_no_stops() -> None:
    window = plant()
    found = cleaned(window)
    assert len(found.stopped_days) == 0
    assert found.window.power_kw.tolist() == window.power_kw.tolist()


def test_a_machine_that_runs_now_and_then_is_left_alone() -> None:
    window = plant()
    runs = np.random.default_rng(5).random(56) < 0.6
    power_kw = window.power_kw * np.repeat(runs, DAY)
    found = cleaned(replace(window, power_kw=power_kw))
    assert found.window.power_kw.tolist() == power_kw.tolist()


def test_a_machine_that_is_off_or_new_is_left_alone() -> None:
    off = replace(plant(), power_kw=np.zeros(56 * DAY))
    assert (cleaned(off).window.power_kw == 0).all()
    assert cleaned(plant(days=5)).window.weights.sum() == 5 * DAY
    unknown = replace(plant(), weights=np.zeros(56 * DAY))
    assert len(cleaned(unknown).stopped_days) == 0


def test_only_the_past_is_looked_at() -> None:
    window = _changed(plant(days=57), 49, 54, 0.05)
    early = cleaned(window.until(51 * DAY, 24))
    assert len(early.stopped_days) == 0


class TestDaysOff:
    def _window(self, past_holiday: int, factor: float) -> Window:
        window = _changed(plant(days=53), past_holiday, past_holiday + 1, factor)
        is_holiday = window.is_holiday.copy()
        is_holiday[past_holiday * DAY : (past_holiday + 1) * DAY] = True
        is_holiday[len(window) :] = True
        return replace(window, is_holiday=is_holiday)

    def test_a_coming_holiday_is_as_earlier_ones_were(self) -> None:
        window = self._window(30, 0.1)
        point, notes = DaysOff.of(window).applied(usual(window)[len(window) :], window)
        assert point.max() < 15
        assert notes == ["A public holiday is ahead: it is forecast as earlier ones were."]

    @pytest.mark.parametrize(("day", "factor"), [(30, 1.0), (33, 0.1)], ids=["it was worked", "a saturday"])
    def test_holidays_that_were_as_other_days_change_nothing(self, day: int, factor: float) -> None:
        window = self._window(day, factor)
        usual_kw = usual(window)[len(window) :]
        point, notes = DaysOff.of(window).applied(usual_kw, window)
        assert point.tolist() == usual_kw.tolist()
        assert notes == []

    def test_without_an_earlier_holiday_nothing_is_known(self) -> None:
        window = plant()
        is_holiday = window.is_holiday.copy()
        is_holiday[len(window) :] = True
        assert DaysOff.of(replace(window, is_holiday=is_holiday)).profile_kw is None


class TestFilling:
    def test_the_median_of_four_weeks_stands(self) -> None:
        values = np.repeat([1.0, 2.0, 3.0, 50.0, 0.0, 9.0], 7)
        known = np.ones(42, dtype=bool)
        known[28:35] = False
        assert filled(values, known, 1)[28:35].tolist() == [2.5] * 7

    def test_before_the_first_week_the_weeks_after_tell(self) -> None:
        values = np.repeat([0.0, 4.0, 6.0], 7)
        known = np.arange(21) >= 7
        assert filled(values, known, 1)[:7].tolist() == [5.0] * 7

    def test_without_weeks_the_days_tell_and_without_days_everything(self) -> None:
        hours = np.tile(np.arange(24.0), 2)
        known = np.ones(48, dtype=bool)
        known[30] = False
        assert filled(hours, known, 24)[30] == 6.0
        assert filled(np.array([1.0, 0.0, 3.0]), np.array([True, False, True]), 24).tolist() == [
            1.0,
            2.0,
            3.0,
        ]

    def test_nothing_known_is_nothing(self) -> None:
        assert filled(np.full(3, np.nan), np.zeros(3, dtype=bool), 24).tolist() == [0.0, 0.0, 0.0]
