"""Normality, influence and bends of residuals, beside statsmodels; and the tails of t and F beside scipy."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.stattools import jarque_bera as their_jarque_bera

from enms.science.arrays import Values
from enms.science.diagnostics.correlation import correlation
from enms.science.diagnostics.distributions import f_tail, t_quantile, two_sided_p
from enms.science.diagnostics.least_squares import LeastSquares, solve
from enms.science.diagnostics.residuals import cooks_distance, curvature_share, jarque_bera


def _fit(target: Values, *columns: Values) -> LeastSquares:
    return solve(np.column_stack([np.ones(len(target)), *columns]), target)


def test_jarque_bera_agrees_with_statsmodels() -> None:
    residuals = np.random.default_rng(11).gamma(2.0, size=500)
    ours = jarque_bera(residuals)
    theirs = their_jarque_bera(residuals)
    assert (ours.statistic, ours.p_value, ours.skewness, ours.kurtosis) == pytest.approx(theirs, rel=1e-8)


def test_residuals_of_nothing_are_normal() -> None:
    assert jarque_bera(np.zeros(9)).p_value == 1.0


def test_cooks_distance_agrees_with_statsmodels() -> None:
    random = np.random.default_rng(12)
    x = random.normal(size=150)
    target = 3 + x + random.standard_t(3, size=150)
    fit = _fit(target, x)
    theirs = OLS(target, fit.design).fit().get_influence().cooks_distance[0]
    np.testing.assert_allclose(cooks_distance(fit), theirs, rtol=1e-8)


def test_a_perfect_fit_has_no_influential_rows() -> None:
    x = np.arange(8.0)
    assert not cooks_distance(_fit(np.zeros(8), x)).any()


def test_a_row_with_a_column_of_its_own_is_not_infinitely_influential() -> None:
    random = np.random.default_rng(13)
    alone = np.zeros(50)
    alone[7] = 1
    assert np.isfinite(cooks_distance(_fit(random.normal(size=50), random.normal(size=50), alone))).all()


def test_a_missed_bend_shows_and_a_straight_line_does_not() -> None:
    random = np.random.default_rng(14)
    x = random.uniform(0, 10, 2000)
    noise = random.normal(size=2000)
    assert curvature_share(_fit(5 * x + noise, x)) < 0.01
    assert curvature_share(_fit(5 * x + x**2 + noise, x)) > 0.9


def test_curvature_is_the_share_of_the_residuals_that_the_squares_of_the_fit_explain() -> None:
    random = np.random.default_rng(15)
    x = random.uniform(0, 10, 300)
    fit = _fit(5 * x + 0.2 * x**2 + random.normal(size=300), x)
    wider = OLS(fit.target, np.column_stack([fit.design, (fit.target - fit.residuals) ** 2])).fit()
    assert curvature_share(fit) == pytest.approx(1 - wider.ssr / fit.squared_error, rel=1e-7)


def test_a_switch_has_no_bend() -> None:
    random = np.random.default_rng(16)
    switch = np.arange(100) % 2.0
    assert curvature_share(_fit(4 * switch + random.normal(size=100), switch)) == 0.0


def test_tails_agree_with_scipy() -> None:
    t = np.array([0.0, -1.5, 2.4, 40.0])
    np.testing.assert_allclose(two_sided_p(t, 37), 2 * stats.t.sf(np.abs(t), 37), rtol=1e-9)
    assert t_quantile(0.975, 12) == pytest.approx(stats.t.ppf(0.975, 12), rel=1e-9)
    assert f_tail(3.3, 4, 50) == pytest.approx(stats.f.sf(3.3, 4, 50), rel=1e-9)


def test_what_is_certain_has_no_tail_and_what_is_unknown_stays_unknown() -> None:
    assert f_tail(np.inf, 3, 40) == 0.0
    assert np.isnan(f_tail(np.nan, 3, 40))


def test_correlation_looks_where_both_are_known() -> None:
    one = np.array([1.0, 2.0, np.nan, 4.0, 5.0])
    other = np.array([2.0, 4.0, 0.0, 8.0, np.nan])
    assert correlation(one, other) == pytest.approx(1.0)


@pytest.mark.parametrize("value", [0.0, 7.1, 1 / 3])
def test_a_constant_correlates_with_nothing(value: float) -> None:
    # The standard deviation of 1728 times 7.1 is not zero.
    energy = np.random.default_rng(17).normal(size=1728)
    assert correlation(np.full(1728, value), energy) is None


def test_two_values_are_too_few_to_correlate() -> None:
    assert correlation(np.array([1.0, 2.0]), np.array([1.0, 3.0])) is None
