"""What a stored peak tells: the same as the science says of it."""

import numpy as np
import pytest

from enms.science.forecasting.forecast import Peak
from enms.science.forecasting.forecast import probability_over as probability_by_science
from enms.services.forecast_quantiles import probability_over, quantile

SHARES = np.arange(1, 100) / 100


def test_probabilities_are_those_of_the_science() -> None:
    quantiles = np.sort(np.random.default_rng(5).normal(80, 10, 99))
    quantiles[40:45] = quantiles[40]
    for limit_kw in (*np.linspace(20, 160, 71).tolist(), float(quantiles[40]), float(quantiles[-1])):
        expected = probability_by_science(Peak(0, float(quantiles[49]), quantiles), limit_kw)
        assert probability_over(quantiles.tolist(), limit_kw) == pytest.approx(expected)


def test_a_peak_that_is_certain() -> None:
    assert probability_over([50.0] * 99, 49.9) == 1
    assert probability_over([50.0] * 99, 50.1) == 0


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.025, 2.5), (0.975, 97.5), (0.1, 10)])
def test_between_quantiles_they_are_interpolated(share: float, expected: float) -> None:
    assert quantile((100 * SHARES).tolist(), share) == pytest.approx(expected)


@pytest.mark.parametrize(("share", "expected"), [(0.001, 1), (0.999, 99)])
def test_beyond_the_outermost_it_is_these(share: float, expected: float) -> None:
    assert quantile((100 * SHARES).tolist(), share) == pytest.approx(expected)
