"""Actual against expected energy: by interval, in total, by group, and by day."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from unit.science.samples import hours, well_measured

from enms.science.baseline.build import RefusalRules, Request, build
from enms.science.baseline.deviation import Total, compare, sum_of, total_of, totals_by
from enms.science.baseline.model import Baseline
from enms.science.baseline.observations import Observations
from enms.science.baseline.uncertainty import total_error
from enms.science.baseline.verdict import Limits

DRIVERS = ("production_count", "outdoor_temp_c")


@cache
def _baseline() -> Baseline:
    return Baseline.of(build(hours(), well_measured(1200), Request(DRIVERS), Limits(), RefusalRules()))


def _later(count: int = 240, more_kwh: float = 0.0) -> Observations:
    data = hours(count, seed=2)
    data.drivers["outdoor_temp_c"].clip(5, 25, out=data.drivers["outdoor_temp_c"])
    return replace(data, positions=data.positions + 1200, energy_kwh=data.energy_kwh + more_kwh)


def test_a_deviation_is_actual_less_predicted() -> None:
    data = _later(more_kwh=5.0)
    found = compare(_baseline(), data)
    np.testing.assert_allclose(found.predicted_kwh, _baseline().predict_kwh(data))
    np.testing.assert_allclose(found.deviation_kwh, data.energy_kwh - found.predicted_kwh)
    assert found.deviation_kwh.mean() == pytest.approx(5, abs=0.5)
    # Of a single hour: the noise, and little of the coefficients.
    assert found.std_error_kwh == pytest.approx(np.full(240, 2.0), rel=0.1)
    assert not found.is_beyond.any()
    assert found.beyond == {}


def test_beyond_the_range_in_training_is_flagged_by_driver() -> None:
    data = _later()
    data.drivers["production_count"][[3, 4]] = 150.0, 90.0
    data.drivers["outdoor_temp_c"][9] = -40.0
    found = compare(_baseline(), data)
    assert np.flatnonzero(found.is_beyond).tolist() == [3, 9]
    assert found.beyond["production_count"][3] == pytest.approx(150 - 119)
    assert found.beyond["outdoor_temp_c"][9] < -30


def test_a_total_adds_up_with_its_own_error() -> None:
    data = _later(more_kwh=5.0)
    found = compare(_baseline(), data)
    total = total_of(found)
    assert total.intervals == 240
    assert total.actual_kwh == pytest.approx(data.energy_kwh.sum())
    assert total.deviation_kwh == pytest.approx(found.deviation_kwh.sum())
    assert total.deviation_percent == pytest.approx(100 * total.deviation_kwh / total.predicted_kwh)
    expected = total_error(_baseline().errors, _baseline().covariance, data.positions, found.design)
    assert total.error == expected
    assert total.severity == "critical"
    assert total.z > 3


def test_some_of_the_intervals_make_a_total_too() -> None:
    found = compare(_baseline(), _later())
    rows = np.arange(240) % 3 == 0
    total = total_of(found, rows)
    assert total.intervals == 80
    assert total.deviation_kwh == pytest.approx(found.deviation_kwh[rows].sum())
    assert total.severity == "normal"


def test_groups_have_the_totals_of_their_intervals() -> None:
    found = compare(_baseline(), _later())
    groups = np.repeat([7, 3, 20], [24, 100, 116])
    totals = totals_by(found, groups)
    assert list(totals) == [3, 7, 20]
    for number, total in totals.items():
        alone = total_of(found, groups == number)
        assert total.intervals == alone.intervals
        assert total.deviation_kwh == pytest.approx(alone.deviation_kwh)
        assert total.error.std_error == pytest.approx(alone.error.std_error, rel=1e-6)


def test_where_nothing_is_expected_there_is_no_percent() -> None:
    total = replace(total_of(compare(_baseline(), _later())), predicted_kwh=0.0)
    assert isinstance(total, Total)
    assert total.deviation_percent is None


def test_the_sum_of_several_machines() -> None:
    one, other = (
        total_of(compare(_baseline(), _later(more_kwh=5.0))),
        total_of(compare(_baseline(), _later(48))),
    )
    found = sum_of([one, other])
    assert found.intervals == 288
    assert found.deviation_kwh == pytest.approx(one.deviation_kwh + other.deviation_kwh)
    assert found.error.std_error**2 == pytest.approx(one.error.std_error**2 + other.error.std_error**2)
    assert found.severity == "critical"
