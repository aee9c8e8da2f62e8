"""Uncertainty of totals: closed forms, gaps, groups, severities, and a small count of how often it holds."""

import numpy as np
import pytest
from benchmarks.interval_coverage import Study, coverage, ours
from scipy.stats import t as student
from statsmodels.api import OLS

from enms.science.arrays import Values
from enms.science.baseline.uncertainty import (
    TotalError,
    ashrae_fractional_uncertainty,
    coefficient_covariance,
    group_errors,
    independent_error,
    interval_std_errors,
    severity,
    sun_baltazar_factor,
    total_error,
    z_score,
)
from enms.science.diagnostics.error_cycle import Cycle, no_cycle
from enms.science.diagnostics.error_model import ErrorModel

CERTAIN = np.zeros((3, 3))


def _errors(*phi: float, sigma: float = 1.0, cycle: Cycle | None = None) -> ErrorModel:
    return ErrorModel(np.array(phi), sigma, 1000, 3, cycle or no_cycle("hour", 3))


def _design(count: int) -> Values:
    random = np.random.default_rng(1)
    return np.column_stack([np.ones(count), random.random(count), random.standard_normal(count)])


def _dense(rho: float, count: int) -> Values:
    distance = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    matrix: Values = rho**distance / (1 - rho**2)
    return matrix


def test_independent_errors_give_the_prediction_interval_of_statsmodels() -> None:
    design = _design(200)
    fit = OLS(np.random.default_rng(2).standard_normal(200), design).fit()
    errors = ErrorModel(np.zeros(0), float(np.sqrt(fit.scale)), 200, 3, no_cycle("hour", 3))
    covariance = coefficient_covariance(np.arange(200), design, errors)
    np.testing.assert_allclose(covariance, fit.cov_params(), rtol=1e-8)
    row = np.array([[1.0, 0.3, -2.0]])
    expected = fit.get_prediction(row).se_obs
    assert total_error(errors, covariance, np.array([500]), row).std_error == pytest.approx(expected[0])
    np.testing.assert_allclose(interval_std_errors(errors, covariance, row), expected)


def test_coefficient_covariance_is_the_sandwich_of_the_full_matrix_with_gaps_too() -> None:
    positions = np.sort(np.random.default_rng(3).choice(300, 220, replace=False))
    design = _design(220)
    gamma = _dense(0.8, 300)[np.ix_(positions, positions)]
    inverse = np.linalg.inv(design.T @ design)
    expected = inverse @ design.T @ gamma @ design @ inverse
    found = coefficient_covariance(positions + 1_000_000, design, _errors(0.8))
    np.testing.assert_allclose(found, expected, rtol=1e-8)
    np.testing.assert_array_equal(found, found.T)


def test_a_total_sums_the_autocovariances_of_all_pairs() -> None:
    positions = np.array([0, 1, 2, 5, 6, 40])
    expected = _dense(0.7, 41)[np.ix_(positions, positions)].sum()
    found = total_error(_errors(0.7), CERTAIN, positions + 77, _design(6))
    assert found.std_error == pytest.approx(np.sqrt(expected))


def test_freedom_follows_the_delta_method() -> None:
    # Of one interval, σ²/(1 - φ²): d log/dφ = 2φ/(1 - φ²), var φ = (1 - φ²)/n, var log σ² = 2/(n - p - 1).
    spread = 4 * 0.64 / 0.36 / 1000 + 2 / 996
    found = total_error(_errors(0.8), CERTAIN, np.array([5]), _design(1))
    # trigamma(k/2) = spread, to the second order in it.
    assert found.degrees_of_freedom == pytest.approx(2 / spread + 1, rel=1e-3)


def test_independent_errors_keep_the_freedom_of_the_fit() -> None:
    found = total_error(_errors(), CERTAIN, np.arange(10), _design(10))
    assert found.degrees_of_freedom == pytest.approx(997 + 1, rel=1e-3)


def test_groups_are_the_totals_of_their_intervals() -> None:
    positions = np.sort(np.random.default_rng(4).choice(500, 400, replace=False))
    design, groups = _design(400), positions // 24 % 11
    errors, covariance = _errors(0.6, 0.2), np.diag([1e-4, 1e-3, 1e-4])
    found = group_errors(errors, covariance, positions, design, groups)
    assert len(found) == 11
    for group, each in enumerate(found):
        rows = groups == group
        alone = total_error(errors, covariance, positions[rows], design[rows])
        assert each.std_error == pytest.approx(alone.std_error, rel=1e-9)
        assert each.degrees_of_freedom == pytest.approx(alone.degrees_of_freedom, rel=1e-6)


def test_a_larger_unit_makes_a_larger_error_only() -> None:
    design, positions = _design(50), np.arange(50)
    one = total_error(_errors(0.5), 1e-3 * np.eye(3), positions, design)
    thousand = total_error(_errors(0.5, sigma=1000), 1e3 * np.eye(3), positions, design)
    assert thousand.std_error == pytest.approx(1000 * one.std_error)
    assert thousand.degrees_of_freedom == pytest.approx(one.degrees_of_freedom)


def test_a_cycle_cancels_over_whole_days_and_shifts_parts_of_one() -> None:
    profile = np.array([6.0] * 4 + [-1.2] * 20)
    errors = _errors(cycle=Cycle(profile, np.array([0.5, 0.0, 0.0])))
    whole = total_error(errors, CERTAIN, np.arange(48), _design(48))
    part = total_error(errors, CERTAIN, np.arange(4), _design(4))
    assert whole.bias == pytest.approx(24)
    assert part.bias == pytest.approx(0.5 * 4 - 24)


def test_errors_of_nothing_are_certain() -> None:
    certain = total_error(_errors(sigma=0), CERTAIN, np.arange(5), _design(5))
    assert (certain.std_error, certain.half_width(0.9)) == (0, 0)
    assert severity(0, certain) == "normal"
    assert severity(1e-3, certain) == "critical"


@pytest.mark.parametrize("confidence", [0.68, 0.8, 0.9, 0.95])
def test_half_width_is_students(confidence: float) -> None:
    expected = 3 * student.interval(confidence, 12)[1]
    assert TotalError(3, 12).half_width(confidence) == pytest.approx(expected)


@pytest.mark.parametrize("bias", [0.1, -1.0, 25.0])
def test_half_width_holds_a_shifted_error_as_often(bias: float) -> None:
    error = TotalError(2, 15, bias)
    reach = error.half_width(0.9)
    inside = student.cdf((reach - bias) / 2, 15) - student.cdf((-reach - bias) / 2, 15)
    assert inside == pytest.approx(0.9, abs=1e-9)
    assert error.half_width(0.9) == TotalError(2, 15, -bias).half_width(0.9)


@pytest.mark.parametrize(
    ("deviation", "freedom", "expected"),
    [
        (1.9, 1e6, "normal"),
        (-2.1, 1e6, "warning"),
        (3.1, 1e6, "critical"),
        (-3.1, 1e6, "critical"),
        # Of three degrees of freedom 2.1 and 3.1 are less improbable than of many.
        (2.1, 3, "normal"),
        (3.1, 3, "normal"),
        (9.0, 3, "warning"),
        (0.0, 3, "normal"),
    ],
)
def test_severity_by_equally_improbable_sigmas(deviation: float, freedom: float, expected: str) -> None:
    assert severity(deviation, TotalError(1, freedom)) == expected


def test_z_has_the_sign_of_the_deviation_and_stays_finite() -> None:
    assert z_score(-2, TotalError(1, 1e9)) == pytest.approx(-2, rel=1e-6)
    assert 30 < z_score(1e9, TotalError(1, 1e9)) < 40


def _of_a_quarter(savings_fraction: float) -> dict[float, float]:
    return ashrae_fractional_uncertainty(
        cv_rmse=0.2,
        observations=365,
        parameters=4,
        lag_one_autocorrelation=0.5,
        reporting_intervals=90,
        savings_fraction=savings_fraction,
    )


def test_ashrae_by_hand() -> None:
    found = _of_a_quarter(savings_fraction=0.1)
    # n' = 121.67; 1.6490 · 1.26 · 0.2 / 0.1 · √(3 · 1.01644 / 90)
    assert found[0.9] == pytest.approx(0.76492, rel=1e-4)
    assert sun_baltazar_factor(12) == pytest.approx(1.3925)


def test_ashrae_of_no_savings_is_boundless() -> None:
    found = _of_a_quarter(savings_fraction=0.0)
    assert found == {0.68: np.inf, 0.8: np.inf, 0.9: np.inf}


@pytest.mark.parametrize(
    ("study", "runs"),
    [
        (Study("day", 365, 90, "AR(1) 0.6"), 150),
        (Study("day", 90, 30, "AR(3) 0.4 0.2 0.2"), 150),
        (Study("hour", 2160, 720, "AR(1) 0.9"), 30),
        (Study("hour", 2160, 720, "AR(1) 0.6 + daily cycle"), 30),
    ],
)
def test_stated_intervals_hold_the_truth_as_often_as_they_say(study: Study, runs: int) -> None:
    # Three standard errors of the count; the study of 1 000 runs is `make bench`'s and docs/adr/0005's.
    shares = coverage(study, {"ours": ours}, runs)["ours"][0]
    for share, stated in zip(shares, (0.68, 0.8, 0.9), strict=True):
        assert share == pytest.approx(stated, abs=0.01 + 3 * np.sqrt(stated * (1 - stated) / runs))


def test_errors_of_several_machines_add_up_as_independent_ones() -> None:
    alike = independent_error([TotalError(3.0, 50.0, 1.0), TotalError(3.0, 50.0, -0.5)])
    assert alike.std_error == pytest.approx(np.sqrt(18))
    assert alike.degrees_of_freedom == pytest.approx(100)
    assert alike.bias == pytest.approx(0.5)
    led = independent_error([TotalError(10.0, 20.0), TotalError(0.01, 500.0)])
    assert led.degrees_of_freedom == pytest.approx(20, rel=1e-4)
    alone = TotalError(2.0, 30.0, 0.7)
    assert independent_error([alone]) == alone
    certain = independent_error([TotalError(0.0, 40.0), TotalError(0.0, 20.0)])
    assert (certain.std_error, certain.degrees_of_freedom) == (0.0, 20.0)
