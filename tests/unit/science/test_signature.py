"""Energy signatures beside the mean prediction over the data, had one driver been the same throughout."""

from dataclasses import replace

import numpy as np
import pytest
from unit.science.samples import hours, well_measured

from enms.science.arrays import Values
from enms.science.baseline.build import Built, RefusalRules, Request, build
from enms.science.baseline.model import Baseline
from enms.science.baseline.names import Model
from enms.science.baseline.signature import Signature, signature
from enms.science.baseline.verdict import Limits


def _built(model: Model, *drivers: str) -> Built:
    data = hours(24 * 80)
    bend = 3 * np.maximum(data.drivers["outdoor_temp_c"] - 17, 0)
    data = replace(data, energy_kwh=data.energy_kwh + bend)
    return build(data, well_measured(len(data)), Request(drivers, (), model), Limits(), RefusalRules())


def _signature(built: Built, driver: str) -> Signature:
    baseline = Baseline.of(built)
    mean_kwh = float(baseline.predict_kwh(built.data).mean())
    return signature(baseline.terms, baseline.coefficients, driver, built.data.drivers[driver], mean_kwh)


def _partial_dependence(built: Built, driver: str, x: Values) -> Values:
    means = []
    for value in x:
        drivers = {**built.data.drivers, driver: np.full(len(built.data), value)}
        means.append(Baseline.of(built).predict_kwh(replace(built.data, drivers=drivers)).mean())
    return np.array(means)


@pytest.mark.parametrize(
    ("model", "drivers", "driver", "bends"),
    [
        ("linear", ("production_count", "outdoor_temp_c", "shift"), "production_count", 0),
        ("linear", ("production_count", "cooling_degrees", "weekday"), "outdoor_temp_c", 1),
        ("change_point", ("production_count",), "outdoor_temp_c", 2),
        ("time_of_week_temperature", ("production_count",), "outdoor_temp_c", 5),
        ("time_of_week_temperature", ("production_count",), "production_count", 0),
    ],
)
def test_a_signature_is_the_mean_prediction_at_each_place(
    model: Model, drivers: tuple[str, ...], driver: str, bends: int
) -> None:
    built = _built(model, *drivers)
    found = _signature(built, driver)
    values = built.data.drivers[driver]
    assert len(found.x) == len(found.kwh) == 2 + bends
    assert (found.x[0], found.x[-1]) == (values.min(), values.max())
    np.testing.assert_allclose(found.kwh, _partial_dependence(built, driver, found.x))
    # Between its bends the line is straight: nothing is missing between its places.
    dense = np.linspace(found.x[0], found.x[-1], 23)
    line = np.interp(dense, found.x, found.kwh)
    np.testing.assert_allclose(line, _partial_dependence(built, driver, dense))
