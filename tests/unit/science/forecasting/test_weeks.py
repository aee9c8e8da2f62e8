"""Medians of the week, and holidays among them."""

from dataclasses import replace

import numpy as np
from unit.science.forecasting.plant import FIRST_STEP, plant, usual, with_garbage

from enms.science.forecasting.weeks import places_of_week, weekly_median

MONDAY = 24 * 49


def test_the_median_of_a_place_is_moved_neither_by_one_odd_day_nor_by_flagged_ones() -> None:
    window = plant(noise_kw=0)
    odd = window.power_kw.copy()
    odd[24 * 7 : 24 * 8] = 0.0
    window = with_garbage(replace(window, power_kw=odd), 24 * 14, 24 * 35)
    median = weekly_median(window, window.step_of_week, half_life_weeks=4)
    np.testing.assert_array_equal(median, usual(window)[: window.week])


def test_late_weeks_count_more() -> None:
    power_kw = np.repeat([10.0, 10.0, 10.0, 30.0, 30.0], 168)
    window = replace(plant(days=35), power_kw=power_kw)
    assert weekly_median(window, window.step_of_week, half_life_weeks=100)[0] == 10
    assert weekly_median(window, window.step_of_week, half_life_weeks=1)[0] == 30


def test_a_place_that_was_never_seen_is_as_all() -> None:
    window = plant(days=3, noise_kw=0)
    median = weekly_median(window, window.step_of_week, half_life_weeks=4)
    assert median[24 * 6] == np.median(window.power_kw)


def test_a_holiday_to_come_is_a_sunday_where_none_is_known() -> None:
    window = plant()
    holiday = np.zeros(len(window) + 24, dtype=bool)
    holiday[len(window) :] = True
    places = places_of_week(replace(window, is_holiday=holiday))
    assert (places[len(window) :] // 24 == 6).all()
    np.testing.assert_array_equal(places[: len(window)], window.step_of_week[: len(window)])


def test_holidays_on_which_the_plant_worked_are_ordinary_days() -> None:
    window = plant()
    holiday = np.zeros(len(window) + 24, dtype=bool)
    holiday[[*range(MONDAY, MONDAY + 24), *range(len(window), len(window) + 24)]] = True
    worked = replace(window, is_holiday=holiday)
    stood = window.power_kw.copy()
    stood[MONDAY : MONDAY + 24] = 20.0
    np.testing.assert_array_equal(places_of_week(worked), worked.step_of_week)
    assert (places_of_week(replace(worked, power_kw=stood))[-24:] // 24 == 6).all()


def test_the_sample_begins_on_a_monday() -> None:
    assert plant().weekday[0] == 0
    assert plant().first_step == FIRST_STEP
