"""Candidates of days: weeks that change, holidays, regressors."""

import json
from dataclasses import replace

import numpy as np
import pytest

from enms.science.arrays import Values
from enms.science.forecasting.candidate import Candidate
from enms.science.forecasting.candidates.exponential import ExponentialSmoothing, FittedExponential
from enms.science.forecasting.candidates.profile_regression import ProfileRegression
from enms.science.forecasting.candidates.weekly_profile import MEAN_OF_FOUR_WEEKS
from enms.science.forecasting.horizons import NEXT_WEEK
from enms.science.forecasting.pool import candidates_of
from enms.science.forecasting.window import Window
from enms.science.problems import UnfitError

# A Monday.
FIRST_DAY = 18_001
SMOOTHING, REGRESSION = ExponentialSmoothing(), ProfileRegression()
MODELS = (MEAN_OF_FOUR_WEEKS, SMOOTHING, REGRESSION)


def weeks(days: int = 140, noise_kw: float = 3.0, points: int = 7) -> Window:
    """Full on working days, half on Saturdays, nearly nothing on Sundays."""
    power_kw = profile(days) + np.random.default_rng(2).normal(0, noise_kw, days)
    return Window(86_400, FIRST_DAY, power_kw, np.ones(days), points, np.zeros(days + points, dtype=bool))


def profile(days: int) -> Values:
    return np.resize([100.0, 100, 100, 100, 100, 50, 10], days)


def named(models: tuple[Candidate, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("model", models, ids=lambda each: each.name)


def error_kw(model: Candidate, window: Window, truth: Values) -> float:
    return float(np.abs(model.fit(window).forecast(window) - truth).mean())


def test_all_compete() -> None:
    assert {each.name for each in MODELS} < {each.name for each in candidates_of(NEXT_WEEK)}


@named(MODELS)
@pytest.mark.parametrize("days", [140, 143])
def test_a_week_is_learned_whatever_day_it_is(model: Candidate, days: int) -> None:
    assert error_kw(model, weeks(days), profile(days + 7)[days:]) < 3


@named(MODELS)
def test_a_document_makes_the_same_model(model: Candidate) -> None:
    fitted = model.fit(weeks())
    document = json.loads(json.dumps(fitted.document()))
    later = weeks(170, points=10)
    np.testing.assert_allclose(model.load(document).forecast(later), fitted.forecast(later))
    assert fitted.forecast(later).shape == (10,)


@named((SMOOTHING, REGRESSION))
def test_a_level_that_wanders_is_followed(model: Candidate) -> None:
    """Of a slow wave the mean of four weeks is late."""
    window = weeks(200)
    days = np.arange(207)
    truth = profile(207) + 40 * np.sin(2 * np.pi * days / 80)
    window = replace(window, power_kw=truth[:200] + np.random.default_rng(4).normal(0, 2, 200))
    assert error_kw(model, window, truth[200:]) < 0.6 * error_kw(MEAN_OF_FOUR_WEEKS, window, truth[200:])


@named((SMOOTHING, REGRESSION))
def test_holidays_come_down_and_leave_no_trace(model: Candidate) -> None:
    window = weeks(147)
    holiday = window.is_holiday.copy()
    # Wednesdays; the last of them is to come.
    holiday[[23, 51, 72, 93, 114, 135, 149]] = True
    power_kw = np.where(holiday[:147], 10.0, window.power_kw)
    found = replace(window, power_kw=power_kw, is_holiday=holiday)
    made = model.fit(found).forecast(found)
    assert made[2] < 50
    assert made[[0, 1, 3, 4]].min() > 85
    # One that nobody knows of is a working day.
    told = replace(found, is_holiday=np.append(holiday[:147], np.zeros(7, dtype=bool)))
    assert model.fit(told).forecast(told)[2] > 85


def test_steps_that_do_not_count_move_nothing() -> None:
    window = weeks()
    weights, power_kw = window.weights.copy(), window.power_kw.copy()
    weights[120:127] = 0
    power_kw[120:127] = 0
    model = FittedExponential(0.9, 0.5, 0.2)
    still = model.forecast(replace(window, weights=weights))
    np.testing.assert_allclose(
        model.forecast(replace(window, power_kw=power_kw, weights=weights)), still, rtol=1e-9
    )
    assert np.abs(still - profile(147)[140:]).max() < 12


def test_a_regressor_that_is_known_ahead_tells() -> None:
    orders = np.random.default_rng(8).uniform(0, 1, 147)
    truth = profile(147) + 60 * orders
    window = replace(weeks(), power_kw=truth[:140] + np.random.default_rng(9).normal(0, 2, 140))
    with_orders = replace(window, regressors={"orders": orders})
    assert error_kw(REGRESSION, with_orders, truth[140:]) < 0.4 * error_kw(REGRESSION, window, truth[140:])
    fitted = REGRESSION.fit(with_orders)
    assert np.isnan(fitted.forecast(window)).all()
    # One that it doesn't know doesn't matter.
    more = replace(with_orders, regressors={"orders": orders, "other": orders})
    np.testing.assert_allclose(fitted.forecast(more), fitted.forecast(with_orders))


@named((SMOOTHING, REGRESSION))
def test_a_past_that_tells_nothing_is_refused(model: Candidate) -> None:
    with pytest.raises(UnfitError):
        model.fit(replace(weeks(), power_kw=np.full(140, 7.0)))
    with pytest.raises(UnfitError):
        model.fit(weeks(8))


def test_short_pasts_have_a_forecast_or_none() -> None:
    assert MEAN_OF_FOUR_WEEKS.forecast(weeks(10)).shape == (7,)
    np.testing.assert_allclose(MEAN_OF_FOUR_WEEKS.forecast(weeks(3)), np.full(7, weeks(3).power_kw[-1]))
    assert np.isnan(FittedExponential(0.9, 0.5, 0.2).forecast(weeks(5))).all()
    assert np.isnan(REGRESSION.fit(weeks()).forecast(weeks(20))).all()
