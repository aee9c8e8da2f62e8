"""Recipes: which terms each form is made of."""

from dataclasses import replace

import numpy as np
import pytest
from unit.science.samples import autocorrelated, hours

from enms.science.baseline.fit import fit_terms
from enms.science.baseline.forms import (
    change_point,
    indicators,
    linear,
    searched_knots,
    time_of_week_temperature,
    week_of,
)
from enms.science.baseline.observations import Category, Observations
from enms.science.baseline.terms import Hinge, Indicators, Numeric, Segments

TEMPERATURE = "outdoor_temp_c"


def _heated() -> Observations:
    data = hours()
    warmth = data.drivers[TEMPERATURE]
    energy = 20 + 0.5 * data.drivers["production_count"] + 2 * np.maximum(12 - warmth, 0)
    energy += 3 * np.maximum(warmth - 19, 0) + np.random.default_rng(40).normal(size=len(data))
    return replace(data, energy_kwh=energy)


def test_linear_terms_stand_in_the_order_in_which_they_were_asked_for() -> None:
    drivers = ["heating_degrees", "shift", "production_count", "cooling_degrees"]
    terms = linear(drivers, TEMPERATURE)(_heated())
    assert [term.name for term in terms] == drivers
    assert [type(term) for term in terms] == [Hinge, Indicators, Numeric, Hinge]


def test_balance_points_are_found() -> None:
    terms = linear(["production_count", "heating_degrees", "cooling_degrees"], TEMPERATURE)(_heated())
    knots = {term.name: term.knot for term in terms if isinstance(term, Hinge)}
    assert knots["heating_degrees"] == pytest.approx(12, abs=0.3)
    assert knots["cooling_degrees"] == pytest.approx(19, abs=0.3)
    assert searched_knots(terms) == 2


def test_one_kind_of_degrees_alone_has_one_balance_point() -> None:
    terms = linear(["cooling_degrees"], TEMPERATURE)(_heated())
    assert [(term.name, searched_knots(terms)) for term in terms] == [("cooling_degrees", 1)]


@pytest.mark.parametrize(
    ("shape", "names", "knots"),
    [
        ("heating", ["outdoor_temp_c_below"], 1),
        ("cooling", ["outdoor_temp_c_above"], 1),
        ("one knot", ["outdoor_temp_c_below", "outdoor_temp_c_above"], 1),
        ("two knots", ["outdoor_temp_c_below", "outdoor_temp_c_above"], 2),
    ],
)
def test_a_change_point_stands_for_the_temperature(shape: str, names: list[str], knots: int) -> None:
    drivers = ["production_count", TEMPERATURE, "heating_degrees"]
    terms = change_point(drivers, TEMPERATURE, shape)(_heated())  # type: ignore[arg-type]
    assert [term.name for term in terms] == ["production_count", *names]
    assert searched_knots(terms) == knots


@pytest.mark.parametrize(
    ("below", "above", "names"),
    [
        (2.0, 0.0, ["outdoor_temp_c_below"]),
        (0.0, 3.0, ["outdoor_temp_c_above"]),
        (2.0, 3.0, ["outdoor_temp_c_below", "outdoor_temp_c_above"]),
    ],
)
@pytest.mark.parametrize("seed", range(5))
def test_a_shape_has_no_arm_that_says_nothing(
    below: float, above: float, names: list[str], seed: int
) -> None:
    data = hours(1000, seed=seed)
    warmth = data.drivers[TEMPERATURE]
    # Errors with memory look like arms to who takes them for independent.
    energy = 60 + below * np.maximum(14 - warmth, 0) + above * np.maximum(warmth - 18, 0)
    energy += autocorrelated(1000, 0.6, np.random.default_rng(seed))
    data = replace(data, energy_kwh=energy)
    terms = change_point([], TEMPERATURE)(data)
    assert set(names) <= {term.name for term in terms}
    tests = fit_terms(data, terms, searched_knots(terms)).term_tests
    assert all(test.p_value < 0.05 for test in tests)


def test_a_shape_is_found_where_nothing_is_left_to_explain() -> None:
    data = hours(1000)
    energy = 60 + 2 * np.maximum(data.drivers[TEMPERATURE] - data.drivers[TEMPERATURE].mean(), 0)
    terms = change_point([], TEMPERATURE)(replace(data, energy_kwh=energy))
    assert "outdoor_temp_c_above" in [term.name for term in terms]


def test_time_of_week_and_temperature_take_the_place_of_what_they_say() -> None:
    drivers = ["weekday", "production_count", TEMPERATURE, "cooling_degrees", "hour_of_week", "shift"]
    week, segments, *others = time_of_week_temperature(drivers, TEMPERATURE)(_heated())
    assert isinstance(week, Indicators)
    assert isinstance(segments, Segments)
    assert week.category == "hour_of_week"
    assert len(week.levels) == 167
    # The shift goes by the clock here, so that the hour of the week tells it.
    assert [term.name for term in others] == ["production_count"]


def test_of_days_the_weekday_tells_the_time_of_the_week() -> None:
    data = hours(70 * 24)
    days = replace(data.take(np.arange(0, len(data), 24)), interval="day")
    week, *_ = time_of_week_temperature([], TEMPERATURE)(days)
    assert week.name == week_of("day") == "weekday"
    assert week_of("hour") == "hour_of_week"


def test_segments_are_six_of_equal_width() -> None:
    data = hours(2000)
    values = data.drivers[TEMPERATURE]
    _, segments = time_of_week_temperature([], TEMPERATURE)(data)
    assert isinstance(segments, Segments)
    np.testing.assert_allclose(segments.knots, np.linspace(values.min(), values.max(), 7))
    assert searched_knots([segments]) == 0


def test_segments_with_few_observations_are_joined_to_a_neighbour() -> None:
    data = hours(2000)
    data.drivers[TEMPERATURE][7] = 400.0
    _, segments = time_of_week_temperature([], TEMPERATURE)(data)
    assert isinstance(segments, Segments)
    assert segments.knots == (data.drivers[TEMPERATURE].min(), 400.0)


def test_the_most_frequent_level_is_the_reference_and_absent_ones_have_no_column() -> None:
    shift = Category(("a", "b", "c", "d"), np.array([1, 1, 1, 0, 0, 3, -1]))
    data = Observations("hour", np.arange(7), np.ones(7), {}, {"shift": shift})
    assert indicators("shift", data) == Indicators("shift", ("a",), "b")


def test_knots_at_one_place_are_one_knot() -> None:
    below, above = (Hinge(str(side), "t", 5.0, is_above=side) for side in (False, True))
    assert searched_knots([below, above, Numeric("x")]) == 1
    assert searched_knots([below, replace(above, knot=5.1)]) == 2
