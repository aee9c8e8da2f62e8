"""The memory of errors: closed forms, statsmodels, gaps, cycles, and what has no memory at all."""

import json

import numpy as np
import pytest
from scipy.signal import lfilter
from statsmodels.regression.linear_model import yule_walker
from statsmodels.tsa.arima_process import arma_acovf

from enms.science.arrays import Positions, Values
from enms.science.diagnostics.error_cycle import Cycle, influence, no_cycle
from enms.science.diagnostics.error_model import ErrorModel, estimate_errors

HOURS = np.arange(2160)


def _model(*phi: float, sigma: float = 1.0, observations: int = 500) -> ErrorModel:
    return ErrorModel(np.array(phi), sigma, observations, 3, no_cycle("hour", 3))


def _autoregression(seed: int, count: int, *phi: float) -> Values:
    noise = np.random.default_rng(seed).standard_normal(count + 500)
    values: Values = lfilter([1.0], [1.0, *(-each for each in phi)], noise)[500:]
    return values


def _design(seed: int, count: int) -> Values:
    random = np.random.default_rng(seed)
    slow = np.cumsum(random.standard_normal(count)) / 10
    return np.column_stack([np.ones(count), slow, random.random(count)])


def _residuals(design: Values, target: Values) -> Values:
    return target - design @ np.linalg.lstsq(design, target, rcond=None)[0]


def _fitted(errors: Values, positions: Positions = HOURS, seed: int = 1) -> ErrorModel:
    design = _design(seed, len(positions))
    return estimate_errors(positions, _residuals(design, errors), design, "hour")


def _long_run(errors: ErrorModel) -> float:
    return errors.sigma**2 / (1 - float(errors.phi.sum())) ** 2


def test_autocovariance_of_the_first_order_is_geometric() -> None:
    lags = np.arange(31)
    expected = 4 / (1 - 0.8**2) * 0.8**lags
    np.testing.assert_allclose(_model(0.8, sigma=2).autocovariance(30), expected, rtol=1e-9)


@pytest.mark.parametrize("phi", [(0.5, 0.3), (1.2, -0.5), (0.4, 0.2, 0.2), (0.0,) * 23 + (0.5,)])
def test_autocovariance_of_higher_orders_is_that_of_statsmodels(phi: tuple[float, ...]) -> None:
    expected = arma_acovf(np.array([1, *(-each for each in phi)]), np.array([1.0]), nobs=60)
    np.testing.assert_allclose(_model(*phi).autocovariance(59), expected, atol=1e-7)


def test_independent_errors_have_only_a_variance() -> None:
    np.testing.assert_allclose(_model(sigma=3).autocovariance(2), [9, 0, 0], atol=1e-12)
    assert _model(sigma=3).marginal_std == pytest.approx(3)


def test_covariance_of_phi_in_closed_form() -> None:
    np.testing.assert_allclose(_model(0.6).phi_covariance, [[(1 - 0.36) / 500]], rtol=1e-9)


@pytest.mark.parametrize("phi", [(), (0.6,), (0.9,), (0.4, 0.2, 0.2)])
def test_long_run_variance_is_found(phi: tuple[float, ...]) -> None:
    # One estimate of order 50 scatters by 30 %; the mean of eight by a tenth.
    found = [_long_run(_fitted(_autoregression(seed, 2160, *phi), seed=seed)) for seed in range(8)]
    assert np.mean(found) == pytest.approx(1 / (1 - sum(phi)) ** 2, rel=0.3)


def test_memory_lost_to_the_fit_is_given_back() -> None:
    found, plain = [], []
    for seed in range(40):
        design = _design(seed, 90)
        residuals = _residuals(design, _autoregression(seed, 90, 0.7))
        found.append(_long_run(estimate_errors(np.arange(90), residuals, design, "day")))
        phi, sigma = yule_walker(residuals, order=8, method="mle", result_object=False)
        plain.append(sigma**2 / (1 - phi.sum()) ** 2)
    true = 1 / (1 - 0.7) ** 2
    assert np.mean(plain) < 0.6 * true
    assert 0.8 * true < np.mean(found) < 1.25 * true


def test_gaps_don_t_change_what_is_found() -> None:
    random = np.random.default_rng(3)
    shares = []
    for seed in range(8):
        errors, kept = _autoregression(seed, 2160, 0.8), random.random(2160) > 0.2
        kept[500:700] = False
        shares.append(_long_run(_fitted(errors[kept], HOURS[kept], seed)) * (1 - 0.8) ** 2)
    assert np.mean(shares) == pytest.approx(1, rel=0.3)


def test_another_unit_changes_nothing_but_the_unit() -> None:
    errors = _autoregression(4, 2160, 0.7) + np.cos(2 * np.pi * HOURS / 24)
    plain, scaled = _fitted(errors), _fitted(1000 * errors)
    np.testing.assert_allclose(scaled.phi, plain.phi, atol=1e-9)
    np.testing.assert_allclose(scaled.cycle.profile, 1000 * plain.cycle.profile, rtol=1e-9)
    assert scaled.sigma == pytest.approx(1000 * plain.sigma, rel=1e-9)


def test_the_same_residuals_give_the_same_model_to_the_last_bit() -> None:
    errors = _autoregression(4, 2160, 0.7)
    assert _fitted(errors).as_dict() == _fitted(errors).as_dict()


def test_a_daily_cycle_is_told_from_memory() -> None:
    shape = 2 * np.cos(2 * np.pi * np.arange(24) / 24)
    found = _fitted(_autoregression(5, 2160, 0.5) + shape[HOURS % 24])
    assert found.cycle.present
    np.testing.assert_allclose(found.cycle.profile, shape, atol=0.5)
    assert _long_run(found) == pytest.approx(4, rel=0.5)
    assert found.marginal_std == pytest.approx(np.sqrt(4 / 3 + 2), rel=0.1)


def test_the_place_in_the_cycle_is_that_of_the_grid() -> None:
    shape = 2 * np.cos(2 * np.pi * np.arange(24) / 24)
    later = HOURS + 7
    found = _fitted(_autoregression(5, 2160, 0.5) + shape[later % 24], later)
    np.testing.assert_allclose(found.cycle.profile, shape, atol=0.5)


def test_what_a_cycle_does_to_coefficients_is_known() -> None:
    random = np.random.default_rng(6)
    rhythm = np.cos(2 * np.pi * HOURS / 24)
    design = np.column_stack([np.ones(2160), rhythm + random.standard_normal(2160)])
    errors = _autoregression(6, 2160, 0.3) + 2 * rhythm
    found = estimate_errors(HOURS, _residuals(design, errors), design, "hour").cycle
    # The slope of 2 cos on cos + noise is 2 · ½ / (½ + 1).
    assert found.coefficient_bias[1] == pytest.approx(2 / 3, abs=0.1)


def test_memory_alone_is_seldom_taken_for_a_cycle() -> None:
    found = [_fitted(_autoregression(seed, 2160, 0.9), seed=seed).cycle.present for seed in range(30)]
    assert sum(found) <= 1


def test_an_influence_beside_a_cycle_ignores_the_cycle_and_keeps_the_columns() -> None:
    design = _design(7, 240)
    places = np.eye(24)[np.arange(240) % 24]
    cycle = Cycle(np.ones(24), np.zeros(3))
    weights = influence(np.arange(240), design, cycle)
    np.testing.assert_allclose(weights.T @ design, np.eye(3), atol=1e-9)
    # Only what all places have in common is left, and it is the intercept's.
    np.testing.assert_allclose((weights.T @ (places - 1 / 24))[1:], 0, atol=1e-9)


def test_calendar_columns_beside_a_cycle_are_no_trouble() -> None:
    night = (HOURS % 24 < 6).astype(float)
    design = np.column_stack([np.ones(2160), night, np.random.default_rng(8).random(2160)])
    errors = _autoregression(8, 2160, 0.5) + 2 * np.cos(2 * np.pi * HOURS / 24)
    found = estimate_errors(HOURS, _residuals(design, errors), design, "hour")
    assert found.cycle.present
    assert np.isfinite(found.cycle.coefficient_bias).all()
    assert _long_run(found) == pytest.approx(4, rel=0.5)


def test_a_design_with_all_hours_of_the_day_leaves_no_cycle() -> None:
    design = np.column_stack([np.eye(24)[HOURS % 24], np.random.default_rng(8).random(2160)])
    errors = _autoregression(8, 2160, 0.5) + 2 * np.cos(2 * np.pi * HOURS / 24)
    found = estimate_errors(HOURS, _residuals(design, errors), design, "hour")
    assert not found.cycle.present
    assert _long_run(found) == pytest.approx(4, rel=0.5)


def test_residuals_of_nothing_have_no_error() -> None:
    found = estimate_errors(HOURS, np.zeros(2160), _design(1, 2160), "hour")
    assert (found.sigma, found.phi.size, found.cycle.present) == (0, 0, False)


@pytest.mark.parametrize("count", [3, 4, 5, 11])
def test_few_observations_still_give_a_model(count: int) -> None:
    design = _design(2, count)
    found = estimate_errors(np.arange(count), _residuals(design, np.sin(np.arange(count))), design, "day")
    assert np.isfinite(found.sigma)
    assert found.phi.size <= 1


def test_a_pure_sinusoid_still_gives_a_stationary_model() -> None:
    found = _fitted(np.sin(HOURS / 3))
    roots = np.roots([1, *-found.phi])
    assert np.abs(roots).max() < 1
    assert np.isfinite(found.marginal_std)


def test_errors_that_never_return_are_bounded() -> None:
    found = [_fitted(np.cumsum(np.random.default_rng(seed).standard_normal(2160))) for seed in range(3)]
    assert all(_long_run(each) <= each.autocovariance(0)[0] * 2160 for each in found)


def test_a_model_survives_its_document() -> None:
    found = _fitted(_autoregression(9, 2160, 0.5) + 2 * np.cos(2 * np.pi * HOURS / 24))
    read = ErrorModel.from_dict(json.loads(json.dumps(found.as_dict())))
    assert read.as_dict() == found.as_dict()
