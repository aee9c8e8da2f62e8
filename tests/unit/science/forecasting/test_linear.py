"""Regressions that neither an odd row nor an unstable root throws off."""

import numpy as np
import pytest

from enms.science.forecasting.linear import ridge, robust_ridges, stationary

RANDOM = np.random.default_rng(3)
TRUE = np.array([1.0, -2.0, 0.5])


def test_ridge_finds_the_coefficients_and_leaves_rows_of_weight_nought_alone() -> None:
    table = RANDOM.standard_normal((80, 3))
    target = table @ TRUE
    target[:10] += 1_000
    weights = np.where(np.arange(80) < 10, 0.0, 1.0)
    np.testing.assert_allclose(ridge(table, target, weights, 0.0), TRUE, atol=1e-6)


def test_ridge_of_columns_that_say_nothing_is_nought() -> None:
    np.testing.assert_array_equal(ridge(np.zeros((9, 2)), np.ones(9), np.ones(9), 0.1), np.zeros(2))


def test_a_few_odd_rows_hardly_move_robust_regressions() -> None:
    tables = RANDOM.standard_normal((2, 60, 3))
    targets = tables @ TRUE + 0.05 * RANDOM.standard_normal((2, 60))
    targets[:, :3] += 60
    plain = ridge(tables[0], targets[0], np.ones(60), 0.0)
    found = robust_ridges(tables, targets, np.ones((2, 60)), 1e-4)
    assert np.abs(plain - TRUE).max() > 0.5
    np.testing.assert_allclose(found, np.tile(TRUE, (2, 1)), atol=0.15)


@pytest.mark.parametrize("ar", [[1.3], [1.8, -0.5], [0.5, 0.4, 0.3]])
def test_an_autoregression_that_would_run_away_is_shrunk(ar: list[float]) -> None:
    shrunk = stationary(np.array(ar))
    companion = np.eye(len(ar), k=-1)
    companion[0] = shrunk
    assert np.abs(np.linalg.eigvals(companion)).max() < 1


def test_a_stationary_one_stays_as_it_is() -> None:
    np.testing.assert_array_equal(stationary(np.array([0.5, 0.2])), [0.5, 0.2])
    assert len(stationary(np.zeros(0))) == 0
