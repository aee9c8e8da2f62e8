"""R², RMSE, CV(RMSE) and NMBE as ASHRAE Guideline 14 defines them."""

import math

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS

from enms.science.diagnostics.goodness import goodness


def test_in_sample_it_agrees_with_statsmodels() -> None:
    random = np.random.default_rng(10)
    design = np.column_stack([np.ones(200), random.normal(size=(200, 3))])
    target = 40 + design @ [0.0, 2.0, -1.0, 0.5] + random.normal(size=200)
    fit = OLS(target, design).fit()
    measures = goodness(target, fit.fittedvalues, 4)
    assert measures.r_squared == pytest.approx(fit.rsquared, rel=1e-8)
    assert measures.adjusted_r_squared == pytest.approx(fit.rsquared_adj, rel=1e-8)
    assert measures.rmse == pytest.approx(math.sqrt(fit.mse_resid), rel=1e-8)
    assert measures.cv_rmse_percent == pytest.approx(100 * math.sqrt(fit.mse_resid) / target.mean(), rel=1e-8)
    assert measures.mae == pytest.approx(np.abs(fit.resid).mean(), rel=1e-8)
    assert measures.nmbe_percent == pytest.approx(0, abs=1e-10)


def test_out_of_sample_by_hand() -> None:
    measures = goodness(np.array([10.0, 20.0, 30.0]), np.array([8.0, 21.0, 26.0]), 0)
    # Errors 2, -1, 4: squares 21, sum 5; squares about the mean 200.
    assert measures.r_squared == measures.adjusted_r_squared == pytest.approx(1 - 21 / 200)
    assert measures.rmse == pytest.approx(math.sqrt(7))
    assert measures.cv_rmse_percent == pytest.approx(100 * math.sqrt(7) / 20)
    assert measures.nmbe_percent == pytest.approx(100 * 5 / 3 / 20)
    assert measures.mae == pytest.approx(7 / 3)


def test_parameters_take_their_share_of_the_observations() -> None:
    actual, predicted = np.array([10.0, 20.0, 30.0, 40.0]), np.array([12.0, 18.0, 32.0, 40.0])
    plain, fitted = goodness(actual, predicted, 0), goodness(actual, predicted, 2)
    assert fitted.rmse == pytest.approx(plain.rmse * math.sqrt(2))
    assert fitted.nmbe_percent == pytest.approx(plain.nmbe_percent * 2)
    assert fitted.adjusted_r_squared == pytest.approx(1 - (1 - plain.r_squared) * 3 / 2)


def test_bias_is_positive_where_too_little_is_predicted() -> None:
    assert goodness(np.full(5, 10.0), np.full(5, 9.0), 0).nmbe_percent == pytest.approx(10)
    assert goodness(np.full(5, 10.0), np.full(5, 11.0), 0).nmbe_percent == pytest.approx(-10)


def test_a_worse_guess_than_the_mean_is_below_zero() -> None:
    assert goodness(np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0]), 0).r_squared == -3


def test_where_nothing_ran_percents_are_infinite_or_nothing() -> None:
    idle = np.zeros(4)
    assert goodness(idle, np.full(4, 2.0), 0).cv_rmse_percent == math.inf
    assert goodness(idle, np.full(4, 2.0), 0).nmbe_percent == -math.inf
    assert goodness(idle, idle, 0).cv_rmse_percent == goodness(idle, idle, 0).nmbe_percent == 0


def test_a_constant_target_has_nothing_to_explain() -> None:
    assert goodness(np.full(4, 5.0), np.full(4, 5.0), 0).r_squared == 0
