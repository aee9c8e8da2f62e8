"""Errors without units, by figures that can be checked in the head."""

import math

import numpy as np
import pytest

from enms.science.forecasting import metrics

NAN = float("nan")


def test_the_scale_is_the_mean_error_of_the_season_before() -> None:
    power_kw = np.array([1.0, 2.0, 4.0, 2.0, 4.0, 5.0])
    assert metrics.naive_scale(power_kw, season=2) == pytest.approx((3 + 0 + 0 + 3) / 4)


def test_differences_with_an_end_that_was_not_measured_do_not_scale() -> None:
    power_kw = np.array([1.0, 2.0, 4.0, 100.0])
    known = np.array([True, True, True, False])
    assert metrics.naive_scale(power_kw, season=2, known=known) == 3.0


def test_without_a_season_there_is_no_scale() -> None:
    assert math.isnan(metrics.naive_scale(np.ones(3), season=24))
    assert math.isnan(metrics.mase(np.ones(3), 0.0))


def test_mase_leaves_out_what_is_unknown() -> None:
    assert metrics.mase(np.array([1.0, -3.0, NAN]), scale_kw=4.0) == 0.5


def test_a_share_of_nearly_nothing_tells_nothing() -> None:
    actual_kw, forecast_kw = np.array([0.1, 10.0, 20.0]), np.array([5.0, 11.0, 18.0])
    assert metrics.mape_percent(actual_kw, forecast_kw, least_kw=1.0) == pytest.approx(10.0)
    assert math.isnan(metrics.mape_percent(np.zeros(2), np.ones(2)))


def test_two_nothings_agree() -> None:
    assert metrics.smape_percent(np.array([0.0, 10.0]), np.array([0.0, 30.0])) == pytest.approx(50.0)


def test_too_much_foretold_is_a_bias_above_zero() -> None:
    assert metrics.bias_kw(np.array([10.0, NAN]), np.array([12.0, 50.0])) == 2.0


def test_the_ends_of_a_band_are_inside() -> None:
    actual_kw = np.array([1.0, 2.0, 3.0, NAN])
    assert metrics.coverage(actual_kw, np.full(4, 1.0), np.full(4, 2.0)) == pytest.approx(2 / 3)
