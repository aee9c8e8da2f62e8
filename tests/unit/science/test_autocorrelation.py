"""Newey and West's covariance and the statistics of neighbouring residuals, beside statsmodels."""

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.stattools import durbin_watson as their_durbin_watson
from unit.science.samples import autocorrelated

from enms.science.arrays import Values
from enms.science.diagnostics.autocorrelation import (
    durbin_watson,
    lag_one_autocorrelation,
    newey_west_covariance,
    newey_west_lags,
)
from enms.science.diagnostics.least_squares import solve


def _problem(rows: int = 400) -> tuple[Values, Values]:
    random = np.random.default_rng(5)
    design = np.column_stack([np.ones(rows), random.normal(size=(rows, 2)) * [3.0, 0.1] + [50.0, 7.0]])
    return design, design @ [10.0, 2.0, 5.0] + autocorrelated(rows, 0.7, random)


@pytest.mark.parametrize("lags", [0, 1, 5, 24])
def test_the_covariance_agrees_with_statsmodels(lags: int) -> None:
    design, target = _problem()
    ours = newey_west_covariance(solve(design, target), np.arange(400), lags)
    theirs = OLS(target, design).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True})
    np.testing.assert_allclose(ours, theirs.cov_params(), rtol=1e-8)


def test_the_covariance_with_gaps_pairs_what_lies_apart_by_the_grid() -> None:
    design, target = _problem(60)
    positions = np.flatnonzero(np.random.default_rng(6).random(90) < 0.7)[:60].astype(np.int64) + 1000
    design, target = design[: len(positions)], target[: len(positions)]
    fit, lags = solve(design, target), 4
    scores = design * fit.residuals[:, None]
    distances = np.abs(positions[:, None] - positions)
    middle = scores.T @ np.maximum(1 - distances / (lags + 1), 0) @ scores
    n, p = design.shape
    expected = fit.normal_inverse @ middle @ fit.normal_inverse * n / (n - p)
    np.testing.assert_allclose(newey_west_covariance(fit, positions, lags), expected, rtol=1e-9)


def test_the_covariance_grows_with_the_memory_of_the_errors() -> None:
    random = np.random.default_rng(7)
    slow = autocorrelated(3000, 0.9, random)
    design = np.column_stack([np.ones(3000), slow])
    fit = solve(design, slow + autocorrelated(3000, 0.9, random))
    positions = np.arange(3000)
    without, with_memory = (newey_west_covariance(fit, positions, lags)[1, 1] for lags in (0, 48))
    assert with_memory > 4 * without


@pytest.mark.parametrize(
    ("observations", "shortest", "lags"),
    [(100, 0, 4), (2160, 0, 7), (2160, 24, 24), (10_000, 7, 11), (10, 24, 9), (1, 24, 0)],
)
def test_the_lags_follow_the_rule_of_thumb_within_what_there_is(
    observations: int, shortest: int, lags: int
) -> None:
    assert newey_west_lags(observations, shortest) == lags


def test_durbin_watson_agrees_with_statsmodels() -> None:
    design, target = _problem()
    residuals = solve(design, target).residuals
    assert durbin_watson(residuals, np.arange(400)) == pytest.approx(their_durbin_watson(residuals), rel=1e-8)


def test_gaps_hardly_move_the_statistics_of_neighbours() -> None:
    residuals = autocorrelated(6000, 0.5, np.random.default_rng(8))
    kept = np.flatnonzero(np.random.default_rng(9).random(6000) < 0.8)
    assert durbin_watson(residuals[kept], kept) == pytest.approx(1.0, abs=0.08)
    assert lag_one_autocorrelation(residuals[kept], kept) == pytest.approx(0.5, abs=0.04)
    # As if the gaps weren't there: other pairs, less alike.
    assert durbin_watson(residuals[kept], np.arange(len(kept))) > 1.1


def test_without_neighbours_or_errors_nothing_is_remembered() -> None:
    apart, alike = np.arange(0, 20, 2), np.arange(10)
    assert durbin_watson(np.ones(10), apart) == 2.0
    assert lag_one_autocorrelation(np.ones(10), apart) == 0.0
    assert durbin_watson(np.zeros(10), alike) == 2.0
    assert lag_one_autocorrelation(np.zeros(10), alike) == 0.0
