"""What must not matter: a driver's unit, the order of rows or drivers, the time zone's offset."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.science.samples import hours, well_measured

from enms.science.arrays import Values
from enms.science.baseline.build import Built, RefusalRules, Request, build
from enms.science.baseline.forms import linear
from enms.science.baseline.model import Baseline
from enms.science.baseline.names import Model
from enms.science.baseline.observations import Observations
from enms.science.baseline.terms import design_matrix
from enms.science.baseline.verdict import Limits
from enms.science.diagnostics.least_squares import solve

# Own names: no rule of physics or plausibility may depend on a unit here.
TEMPERATURE = "environment.warmth"
DRIVERS = ("production.pieces", TEMPERATURE, "production.grams", "shift")
COUNT = 24 * 60
FEW = settings(max_examples=5, deadline=None, database=None, derandomize=True)
UNITS = st.floats(1e-6, 1e6)


@cache
def _data() -> Observations:
    data = hours(COUNT)
    warmth = data.drivers["outdoor_temp_c"]
    grams = np.random.default_rng(90).gamma(3, 40, COUNT)
    energy = data.energy_kwh + 0.01 * grams + 2 * np.maximum(warmth - 18, 0)
    energy += np.array([0.0, 3.0, 5.0])[data.categories["shift"].codes]
    energy[50:70] = np.nan
    drivers = {
        "production.pieces": data.drivers["production_count"], TEMPERATURE: warmth, "production.grams": grams
    }  # fmt: skip
    return replace(data, energy_kwh=energy, drivers=drivers)


def _build(data: Observations, drivers: tuple[str, ...] | None = DRIVERS, model: Model = "linear") -> Built:
    request = Request(drivers, DRIVERS, model, TEMPERATURE)
    return build(data, well_measured(COUNT), request, Limits(), RefusalRules())


@cache
def _reference(drivers: tuple[str, ...] | None, model: Model) -> Built:
    return _build(_data(), drivers, model)


def _expected(drivers: tuple[str, ...] | None, model: Model) -> Values:
    return _predicted(_reference(drivers, model), lambda later: later)


def _later() -> Observations:
    data = hours(300, seed=5)
    drivers = {
        "production.pieces": data.drivers["production_count"],
        TEMPERATURE: data.drivers["outdoor_temp_c"],
        "production.grams": np.random.default_rng(91).gamma(3, 40, 300),
    }
    return replace(data, drivers=drivers)


def _predicted(built: Built, altered: Callable[[Observations], Observations]) -> Values:
    return Baseline.of(built).predict_kwh(altered(_later()))


@FEW
@given(
    scale=UNITS,
    offset=st.floats(-500, 500),
    name=st.sampled_from(DRIVERS[:3]),
    drivers=st.sampled_from([DRIVERS, None]),
    model=st.sampled_from(["linear", "change_point"]),
)
def test_the_unit_of_a_driver(
    scale: float, offset: float, name: str, drivers: tuple[str, ...] | None, model: Model
) -> None:
    def altered(data: Observations) -> Observations:
        # An offset in the driver's own unit, as between °C and °F.
        return replace(data, drivers={**data.drivers, name: scale * (data.drivers[name] + offset)})

    found = _predicted(_build(altered(_data()), drivers, model), altered)
    np.testing.assert_allclose(found, _expected(drivers, model), rtol=1e-9)


@FEW
@given(scale=UNITS, model=st.sampled_from(["linear", "auto"]))
def test_the_unit_of_energy(scale: float, model: Model) -> None:
    data = replace(_data(), energy_kwh=scale * _data().energy_kwh)
    found = _predicted(_build(data, DRIVERS, model), lambda later: later)
    np.testing.assert_allclose(found, scale * _expected(DRIVERS, model), rtol=1e-9)


@FEW
@given(drivers=st.permutations(DRIVERS), model=st.sampled_from(["linear", "auto"]))
def test_the_order_of_drivers(drivers: list[str], model: Model) -> None:
    data = _data()
    turned = replace(data, drivers={name: data.drivers[name] for name in drivers if name in data.drivers})
    found = _predicted(_build(turned, tuple(drivers), model), lambda later: later)
    np.testing.assert_allclose(found, _expected(DRIVERS, model), rtol=1e-9)


@FEW
@given(seed=st.integers(0, 10**6))
def test_the_order_of_rows(seed: int) -> None:
    data = _data().take(np.isfinite(_data().energy_kwh))
    terms = linear(DRIVERS, TEMPERATURE)(data)
    mixed = data.take(np.random.default_rng(seed).permutation(len(data)))
    assert linear(DRIVERS, TEMPERATURE)(mixed) == terms
    later = design_matrix(terms, _later())
    one, other = (
        later @ solve(design_matrix(terms, each), each.energy_kwh).coefficients for each in (data, mixed)
    )
    np.testing.assert_allclose(other, one, rtol=1e-9)


@FEW
@given(hours_east=st.integers(-14, 14), model=st.sampled_from(["linear", "auto"]))
def test_the_offset_of_the_time_zone(hours_east: int, model: Model) -> None:
    data = replace(_data(), positions=_data().positions + hours_east)
    built, reference = _build(data, DRIVERS, model), _reference(DRIVERS, model)
    np.testing.assert_allclose(_predicted(built, lambda later: later), _expected(DRIVERS, model), rtol=1e-9)
    std_errors = [each.std_error for each in reference.fit.coefficients]
    np.testing.assert_allclose([each.std_error for each in built.fit.coefficients], std_errors, rtol=1e-9)
    np.testing.assert_allclose(built.covariance, reference.covariance, rtol=1e-6, atol=1e-12)
