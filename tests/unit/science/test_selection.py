"""Automatic drivers: the true ones among noise, physics, twins, and why others were left out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from unit.science.samples import autocorrelated, hours, temperature

from enms.science.arrays import Values
from enms.science.baseline.forms import linear
from enms.science.baseline.observations import Category, Observations
from enms.science.baseline.selection import MOST_FOR_ALL_SUBSETS, Selection, select_drivers
from enms.science.baseline.validation import out_of_time
from enms.science.problems import UnfitError

TEMPERATURE = "outdoor_temp_c"


def _with(data: Observations, drivers: Mapping[str, Values], energy: Values | None = None) -> Observations:
    kwh = data.energy_kwh if energy is None else energy
    return replace(data, drivers={**data.drivers, **drivers}, energy_kwh=kwh)


def _noise(data: Observations, count: int) -> dict[str, Values]:
    random = np.random.default_rng(60)
    return {f"environment.noise_{i}": autocorrelated(len(data), 0.8, random) for i in range(count)}


def _select(data: Observations, candidates: Sequence[str] | None = None) -> Selection:
    return select_drivers(data, candidates or [*data.drivers], TEMPERATURE)


def _why(selection: Selection, name: str) -> tuple[str, str]:
    return next((each.code, each.text) for each in selection.dropped if each.driver == name)


def test_true_drivers_are_found_among_noise() -> None:
    data = hours()
    data = _with(data, _noise(data, 6))
    selection = _select(data)
    assert set(selection.drivers) == {"production_count", TEMPERATURE}
    assert {each.driver for each in selection.dropped} == {f"environment.noise_{i}" for i in range(6)}
    code, text = _why(selection, "environment.noise_0")
    assert code == "no_gain"
    assert "doesn't lower the error out of time by more than 0.2%" in text


def test_all_sets_are_ranked_by_their_error() -> None:
    data = hours()
    selection = _select(_with(data, _noise(data, 2)))
    errors = [each.cv_rmse_percent for each in selection.ranked]
    assert len(errors) == 2**4
    assert errors == sorted(errors)
    chosen = next(each for each in selection.ranked if each.drivers == selection.drivers)
    assert chosen.veto is None
    assert chosen.parameters == 3
    assert chosen.cv_rmse_percent <= errors[0] * 1.002
    # The worst of all is the mean, or some noise beside it.
    assert not {"production_count", TEMPERATURE} & {*selection.ranked[-1].drivers}


def test_the_error_is_that_of_the_blocks() -> None:
    data = hours()
    for each in _select(data).ranked:
        if each.drivers:
            tested = out_of_time(data, linear(each.drivers, TEMPERATURE))
            assert each.cv_rmse_percent == pytest.approx(tested.goodness.cv_rmse_percent, rel=1e-6)


def test_where_nothing_explains_nothing_is_chosen() -> None:
    data = hours()
    noise = _noise(data, 8)
    energy = 100 + np.random.default_rng(61).normal(size=len(data))
    selection = _select(_with(data, noise, energy), [*noise])
    assert selection.drivers == ()
    assert len(selection.dropped) == 8
    assert () in [each.drivers for each in selection.ranked]


def test_of_twins_the_one_nearer_to_energy_stays() -> None:
    data = hours()
    random = np.random.default_rng(62)
    twin = data.drivers["production_count"] + 0.5 * random.normal(size=len(data))
    selection = _select(_with(data, {"production.twin": twin}))
    assert set(selection.drivers) == {"production_count", TEMPERATURE}
    assert _why(selection, "production.twin") == (
        "collinear", "production.twin says the same as production_count."
    )  # fmt: skip


def test_of_drivers_that_can_hardly_be_told_apart_one_goes() -> None:
    data = hours()
    # Correlated by less than a twin, and both with a share in the energy.
    random = np.random.default_rng(63)
    other = 3 * data.drivers["production_count"] + 9 * random.normal(size=len(data))
    energy = data.energy_kwh + 0.25 * other
    selection = _select(_with(data, {"production.other": other}, energy))
    assert len({"production_count", "production.other"} & {*selection.drivers}) == 1
    name = ({"production_count", "production.other"} - {*selection.drivers}).pop()
    code, text = _why(selection, name)
    assert code == "vetoed"
    assert "can hardly be told from the others (VIF" in text


def test_physics_has_a_veto() -> None:
    data = hours()
    moisture = 50 + 10 * np.random.default_rng(64).normal(size=len(data))
    energy = data.energy_kwh - 0.5 * moisture
    selection = _select(_with(data, {"material_moisture_percent": moisture}, energy))
    assert "material_moisture_percent" not in selection.drivers
    assert all("material_moisture_percent" not in each.drivers for each in selection.ranked)
    unknown = _select(_with(data, {"environment.damp": moisture}, energy))
    assert "environment.damp" in unknown.drivers


@pytest.mark.parametrize("value", [0.0, 7.1])
def test_constants_are_dropped_with_the_reason(value: float) -> None:
    data = hours()
    selection = _select(_with(data, {"pressure_bar": np.full(len(data), value)}))
    assert _why(selection, "pressure_bar") == ("constant", "pressure_bar has the same value throughout.")


def test_what_is_not_recorded_is_dropped_with_the_reason() -> None:
    data = hours()
    patchy = np.where(np.arange(len(data)) % 5 == 0, np.nan, data.drivers[TEMPERATURE])
    selection = _select(
        _with(data, {"indoor_temp_c": patchy}), ["indoor_temp_c", "flow_rate_m3h", *data.drivers]
    )
    assert (
        _why(selection, "indoor_temp_c")[1] == "indoor_temp_c is known in 80% of the intervals, 90% needed."
    )
    assert _why(selection, "flow_rate_m3h") == ("missing", "flow_rate_m3h isn't recorded.")


def test_what_is_known_most_of_the_time_may_be_chosen() -> None:
    data = hours()
    patchy = np.where(np.arange(len(data)) % 20 == 0, np.nan, data.drivers[TEMPERATURE])
    assert TEMPERATURE in _select(_with(data, {TEMPERATURE: patchy})).drivers


def test_consequences_of_energy_are_not_chosen() -> None:
    data = hours()
    vibration = data.energy_kwh + 0.1 * np.random.default_rng(65).normal(size=len(data))
    selection = _select(_with(data, {"vibration_mm_s": vibration}))
    assert set(selection.drivers) == {"production_count", TEMPERATURE}
    assert _why(selection, "vibration_mm_s")[0] == "not_a_cause"


def test_none_that_can_be_used_is_a_problem_with_all_reasons() -> None:
    data = hours()
    data = _with(data, {"pressure_bar": np.full(len(data), 7.1)})
    with pytest.raises(UnfitError) as caught:
        _select(data, ["pressure_bar", "flow_rate_m3h"])
    assert caught.value.code == "no-driver"
    assert "pressure_bar has the same value throughout. flow_rate_m3h isn't recorded." in caught.value.message


def test_too_few_observations_are_a_problem() -> None:
    assert _select(hours(20), ["production_count"]).drivers == ("production_count",)
    with pytest.raises(UnfitError, match="need 20 hours, and 19 can be used"):
        _select(hours(19), ["production_count"])


def test_candidates_that_are_never_known_together_are_a_problem() -> None:
    data = hours(200)
    place = np.arange(200) % 10
    patchy = {f"environment.{i}": np.where(place == i, np.nan, np.arange(200) % (i + 7.0)) for i in range(10)}
    with pytest.raises(UnfitError, match="need 20 hours, and 0 can be used"):
        _select(_with(data, patchy), [*patchy])


def _heated(data: Observations) -> Observations:
    warmth = data.drivers[TEMPERATURE]
    bent = 3 * np.maximum(13 - warmth, 0) + 2 * np.maximum(warmth - 19, 0)
    energy = 40 + 0.5 * data.drivers["production_count"] + bent
    return replace(data, energy_kwh=energy + np.random.default_rng(66).normal(size=len(data)))


@pytest.mark.parametrize("extra", [0, MOST_FOR_ALL_SUBSETS])
def test_degrees_and_their_temperature_are_never_together(extra: int) -> None:
    data = _heated(hours())
    noise = _noise(data, extra)
    data = _with(data, noise)
    candidates = [TEMPERATURE, "heating_degrees", "cooling_degrees", "production_count", *noise]
    selection = _select(data, candidates)
    assert {"heating_degrees", "cooling_degrees", "production_count"} <= {*selection.drivers}
    for each in selection.ranked:
        assert TEMPERATURE not in each.drivers or not {"heating_degrees", "cooling_degrees"} & {*each.drivers}


def test_a_straight_line_needs_no_degrees() -> None:
    data = hours()
    selection = _select(data, [TEMPERATURE, "heating_degrees", "cooling_degrees", "production_count"])
    assert set(selection.drivers) == {TEMPERATURE, "production_count"}


def test_steps_find_the_true_drivers_among_many() -> None:
    data = hours()
    noise = _noise(data, MOST_FOR_ALL_SUBSETS)
    selection = _select(_with(data, noise))
    assert set(selection.drivers) == {"production_count", TEMPERATURE}
    # Forward by one each: far fewer sets than there are.
    assert len(selection.ranked) <= 20


def test_steps_choose_nothing_where_nothing_explains() -> None:
    data = hours()
    noise = _noise(data, 14)
    energy = 100 + np.random.default_rng(67).normal(size=len(data))
    assert _select(_with(data, noise, energy), [*noise]).drivers == ()


def test_categories_are_chosen_whole() -> None:
    data = hours()
    weekday = data.categories["weekday"].codes
    energy = data.energy_kwh + np.array([0, 0, 0, 0, 0, -8.0, -12.0])[weekday]
    selection = _select(replace(data, energy_kwh=energy), [*data.drivers, "weekday", "shift"])
    assert set(selection.drivers) == {"production_count", TEMPERATURE, "weekday"}
    chosen = next(each for each in selection.ranked if each.drivers == selection.drivers)
    assert chosen.parameters == 9


def test_a_category_of_one_level_is_constant() -> None:
    data = hours()
    team = Category(("red", "blue"), np.zeros(len(data), np.int64))
    data = replace(data, categories={"team": team})
    assert _why(_select(data, [*data.drivers, "team"]), "team")[0] == "constant"


def test_sets_that_need_more_samples_than_there_are_are_not_tried() -> None:
    data = hours(60)
    weekday = Category(tuple("abcdefg"), np.arange(60) % 7)
    data = replace(data, categories={"weekday": weekday})
    selection = _select(data, [*data.drivers, "weekday"])
    assert all(each.parameters <= 6 for each in selection.ranked)


def test_the_order_of_candidates_makes_no_difference() -> None:
    data = _heated(hours())
    candidates = [TEMPERATURE, "heating_degrees", "cooling_degrees", "production_count", "shift"]
    one, other = _select(data, candidates), _select(data, candidates[::-1])
    assert {*one.drivers} == {*other.drivers}


def test_temperature_is_chosen_by_its_bend() -> None:
    random = np.random.default_rng(68)
    data = hours()
    warmth = temperature(len(data), random)
    energy = 50 + 2 * np.maximum(warmth - 18, 0) + 0.5 * random.normal(size=len(data))
    data = Observations("hour", data.positions, energy, {TEMPERATURE: warmth})
    selection = select_drivers(data, [TEMPERATURE, "heating_degrees", "cooling_degrees"], TEMPERATURE)
    assert selection.drivers == ("cooling_degrees",)
