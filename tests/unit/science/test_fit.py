"""A fit's inference beside statsmodels; knots that were searched; refusals that name drivers."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.optimize import curve_fit
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.outliers_influence import variance_inflation_factor
from statsmodels.stats.stattools import durbin_watson, jarque_bera
from unit.science.samples import autocorrelated, hours

from enms.science.arrays import Values
from enms.science.baseline.fit import Fit, fit_terms
from enms.science.baseline.forms import change_point, linear, searched_knots
from enms.science.baseline.observations import Observations
from enms.science.baseline.terms import Numeric, design_matrix
from enms.science.problems import UnfitError

DRIVERS = ("production_count", "outdoor_temp_c", "pressure_bar", "shift")


@cache
def _data() -> Observations:
    data = hours(600)
    random = np.random.default_rng(50)
    # A driver that goes with another one, errors that remember, and some that are far out.
    pressure = 7 + 0.004 * data.drivers["production_count"] + 0.1 * random.normal(size=600)
    energy = data.energy_kwh + 3 * pressure + 2 * autocorrelated(600, 0.6, random)
    energy[::97] += 15
    return replace(data, energy_kwh=energy, drivers={**data.drivers, "pressure_bar": pressure})


@cache
def _ours() -> Fit:
    data = _data()
    return fit_terms(data, linear(DRIVERS, "outdoor_temp_c")(data))


@cache
def _theirs(*, robust: bool) -> Any:
    data = _data()
    model = OLS(data.energy_kwh, design_matrix(linear(DRIVERS, "outdoor_temp_c")(data), data))
    if not robust:
        return model.fit()
    options = {"maxlags": 24, "use_correction": True}
    return model.fit(cov_type="HAC", cov_kwds=options, use_t=True)


def _column(name: str) -> list[float]:
    return [getattr(each, name) for each in _ours().coefficients]


def test_coefficients_and_robust_inference_agree_with_statsmodels() -> None:
    theirs = _theirs(robust=True)
    assert _ours().newey_west_lags == 24
    for name, expected in (
        ("value", theirs.params),
        ("std_error", theirs.bse),
        ("t_value", theirs.tvalues),
        ("low", theirs.conf_int()[:, 0]),
        ("high", theirs.conf_int()[:, 1]),
    ):
        np.testing.assert_allclose(_column(name), expected[1:], rtol=1e-8)
    np.testing.assert_allclose(_column("p_value"), theirs.pvalues[1:], rtol=1e-7, atol=1e-300)
    assert _ours().intercept == pytest.approx(theirs.params[0], rel=1e-8)
    assert _ours().intercept_std_error == pytest.approx(theirs.bse[0], rel=1e-8)


def test_plain_inference_agrees_with_statsmodels() -> None:
    theirs = _theirs(robust=False)
    np.testing.assert_allclose(_column("plain_std_error"), theirs.bse[1:], rtol=1e-8)
    np.testing.assert_allclose(_column("plain_t_value"), theirs.tvalues[1:], rtol=1e-8)
    np.testing.assert_allclose(_column("plain_p_value"), theirs.pvalues[1:], rtol=1e-7, atol=1e-300)


def test_goodness_and_residual_statistics_agree_with_statsmodels() -> None:
    ours, theirs = _ours(), _theirs(robust=False)
    assert ours.goodness.r_squared == pytest.approx(theirs.rsquared, rel=1e-8)
    assert ours.goodness.adjusted_r_squared == pytest.approx(theirs.rsquared_adj, rel=1e-8)
    assert ours.f_value == pytest.approx(theirs.fvalue, rel=1e-8)
    assert ours.f_p_value == pytest.approx(theirs.f_pvalue, rel=1e-7, abs=1e-300)
    assert ours.durbin_watson == pytest.approx(durbin_watson(theirs.resid), rel=1e-8)
    assert ours.normality.statistic == pytest.approx(jarque_bera(theirs.resid)[0], rel=1e-8)


def test_term_tests_agree_with_the_wald_tests_of_statsmodels() -> None:
    theirs = _theirs(robust=True)
    for test, rows in zip(_ours().term_tests, ([1], [2], [3], [4, 5]), strict=True):
        wald = theirs.wald_test(np.eye(6)[rows], use_f=True, scalar=True)
        assert test.columns == len(rows)
        assert test.f_value == pytest.approx(float(wald.statistic), rel=1e-8)
        assert test.p_value == pytest.approx(float(wald.pvalue), rel=1e-7, abs=1e-300)
    assert [test.term for test in _ours().term_tests] == list(DRIVERS)


def test_variance_inflation_agrees_with_statsmodels() -> None:
    design = _ours().solution.design
    expected = [variance_inflation_factor(design, column) for column in range(1, 6)]
    np.testing.assert_allclose(_column("vif"), expected, rtol=1e-8)


def test_influential_rows_are_those_of_statsmodels() -> None:
    influence = _theirs(robust=False).get_influence()
    distances = influence.cooks_distance[0]
    largest = np.argsort(-distances)[:5]
    for ours, row in zip(_ours().influential, largest, strict=True):
        assert ours.row == row
        assert ours.cooks_distance == pytest.approx(distances[row], rel=1e-8)
        assert ours.leverage == pytest.approx(influence.hat_matrix_diag[row], rel=1e-8)
        assert ours.residual_kwh == pytest.approx(influence.resid[row], rel=1e-8)


def test_contributions_are_those_of_standardised_drivers() -> None:
    data, ours = _data(), _ours()
    design = ours.solution.design[:, 1:]
    scaled = (design - design.mean(axis=0)) / design.std(axis=0)
    energy = (data.energy_kwh - data.energy_kwh.mean()) / data.energy_kwh.std()
    expected = OLS(energy, scaled).fit().params
    np.testing.assert_allclose(_column("standardised"), expected, rtol=1e-8)
    np.testing.assert_allclose(
        _column("contribution_percent"), 100 * np.abs(expected) / np.abs(expected).sum(), rtol=1e-8
    )


def test_ranges_are_of_numeric_drivers() -> None:
    values = _data().drivers["pressure_bar"]
    assert _ours().ranges["pressure_bar"] == (values.min(), values.max())
    assert "shift" not in _ours().ranges


def test_an_exact_relation_is_certain() -> None:
    data = hours(100)
    data = replace(data, energy_kwh=3 + 2 * data.drivers["production_count"])
    fit = fit_terms(data, [Numeric("production_count")])
    assert fit.coefficients[0].value == pytest.approx(2)
    assert fit.goodness.r_squared == pytest.approx(1)
    assert fit.term_tests[0].p_value < 1e-100


def _signature(values: Values, base: float, below: float, above: float, low: float, high: float) -> Values:
    line: Values = base + below * np.maximum(low - values, 0) + above * np.maximum(values - high, 0)
    return line


TRUTH = (50.0, 2.0, 3.0, 12.0, 20.0)


def _days(seed: int, count: int = 365) -> Observations:
    random = np.random.default_rng(seed)
    warmth = random.uniform(-10, 32, count)
    energy = _signature(warmth, *TRUTH) + 3 * random.normal(size=count)
    return Observations("day", np.arange(count), energy, {"outdoor_temp_c": warmth})


def _fit_change_point(data: Observations) -> Fit:
    terms = change_point([], "outdoor_temp_c", "two knots")(data)
    return fit_terms(data, terms, searched_knots(terms))


def test_plain_errors_beside_searched_knots_are_those_of_nonlinear_least_squares() -> None:
    data = _days(51)
    fit = _fit_change_point(data)
    values, covariance = curve_fit(_signature, data.drivers["outdoor_temp_c"], data.energy_kwh, TRUTH)
    errors = np.sqrt(np.diag(covariance))
    assert [each.value for each in fit.coefficients] == pytest.approx(values[1:3], rel=0.01)
    assert [each.plain_std_error for each in fit.coefficients] == pytest.approx(errors[1:3], rel=0.03)
    assert fit.goodness.rmse == pytest.approx(np.sqrt(fit.solution.squared_error / 360), rel=1e-9)
    assert fit.goodness.parameters == 5


def test_robust_errors_beside_searched_knots_are_true_on_average() -> None:
    fits = [_fit_change_point(_days(seed)) for seed in range(100, 220)]
    for at in (0, 1):
        found = np.array([fit.coefficients[at].value for fit in fits])
        stated = np.array([fit.coefficients[at].std_error for fit in fits])
        assert np.sqrt((stated**2).mean()) == pytest.approx(found.std(), rel=0.2)
    # Taken as known, knots would make the intercept look more certain than it is.
    intercepts = np.array([fit.intercept for fit in fits])
    stated_intercept = np.sqrt(np.mean([fit.intercept_std_error**2 for fit in fits]))
    assert stated_intercept == pytest.approx(intercepts.std(), rel=0.2)


def _problem(data: Observations, *drivers: str) -> UnfitError:
    with pytest.raises(UnfitError) as caught:
        fit_terms(data, linear(drivers, "outdoor_temp_c")(data))
    return caught.value


def test_a_constant_driver_is_refused_by_name() -> None:
    data = _data()
    data = replace(data, drivers={**data.drivers, "pressure_bar": np.full(600, 7.1)})
    problem = _problem(data, "production_count", "pressure_bar")
    assert problem.code == "constant-driver"
    assert problem.details["given"] == "pressure_bar"
    assert problem.message.startswith("pressure_bar has the same value")


def test_a_pair_that_determines_each_other_is_refused_by_name() -> None:
    data = _data()
    fahrenheit = 32 + 1.8 * data.drivers["outdoor_temp_c"]
    data = replace(data, drivers={**data.drivers, "environment.fahrenheit": fahrenheit})
    problem = _problem(data, "production_count", "outdoor_temp_c", "environment.fahrenheit")
    assert problem.code == "collinear-drivers"
    assert problem.details["given"] == ["environment.fahrenheit", "outdoor_temp_c"]
    assert "fully determined by outdoor_temp_c" in problem.message


def test_levels_that_repeat_another_category_are_refused_by_name() -> None:
    data = _data()
    data = replace(data, categories={**data.categories, "team": data.categories["shift"]})
    problem = _problem(data, "shift", "team")
    assert problem.code == "collinear-drivers"
    assert all("shift[" in name or "team[" in name for name in problem.details["given"])  # type: ignore[attr-defined]


def test_a_parameter_needs_ten_samples() -> None:
    terms = [Numeric("production_count"), Numeric("outdoor_temp_c")]
    assert fit_terms(hours(30), terms).goodness.observations == 30
    with pytest.raises(UnfitError) as caught:
        fit_terms(hours(29), terms)
    assert caught.value.code == "too-many-drivers"
    assert caught.value.message.startswith("3 parameters (intercept included) need 30 hours, and 29 can")


def test_a_searched_knot_needs_samples_too() -> None:
    data = _days(52, 45)
    with pytest.raises(UnfitError, match="5 parameters"):
        _fit_change_point(data)
