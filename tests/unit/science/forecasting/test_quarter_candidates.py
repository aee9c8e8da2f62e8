"""Candidates of quarter hours: what each has to hold, and the ARMA recursion beside statsmodels' own."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from enms.science.forecasting.candidate import Candidate, Fitted
from enms.science.forecasting.candidates.arima import Arima, FittedArima
from enms.science.forecasting.candidates.autoregression import Autoregression
from enms.science.forecasting.candidates.persistence import Persistence
from enms.science.forecasting.candidates.short_boosting import ShortBoosting
from enms.science.forecasting.horizons import NEXT_HOUR
from enms.science.forecasting.pool import candidates_of
from enms.science.forecasting.window import Window
from enms.science.problems import UnfitError

# A Monday.
FIRST_STEP = 96 * 18_001
MODELS = (Persistence(), Autoregression(), Arima(), ShortBoosting())
LEARNING = MODELS[1:]
FITTED: dict[str, Fitted] = {}


def shifts(days: int = 21, points: int = 4, first_step: int = FIRST_STEP) -> Window:
    """Two shifts, with a wave that lasts for hours: the last steps tell of the next."""
    steps = first_step + np.arange(96 * days + points)
    random = np.random.default_rng(5)
    wave = np.zeros(len(steps))
    for step in range(1, len(steps)):
        wave[step] = 0.97 * wave[step - 1] + random.normal(0, 2)
    in_shift = (steps // 96 + 3) % 7 < 5
    power_kw = 60 + 80 * (in_shift & (steps % 96 >= 24) & (steps % 96 < 88)) + wave
    past = len(steps) - points
    return Window(900, first_step, power_kw[:past], np.ones(past), points, np.zeros(len(steps), dtype=bool))


def fitted(model: Candidate) -> Fitted:
    if model.name not in FITTED:
        FITTED[model.name] = model.fit(shifts())
    return FITTED[model.name]


def named(models: tuple[Candidate, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("model", models, ids=lambda each: each.name)


def test_all_compete() -> None:
    assert {each.name for each in MODELS} < {each.name for each in candidates_of(NEXT_HOUR)}


@named(MODELS)
def test_a_document_makes_the_same_model(model: Candidate) -> None:
    document = json.loads(json.dumps(fitted(model).document()))
    window = shifts(days=23)
    np.testing.assert_allclose(model.load(document).forecast(window), fitted(model).forecast(window))


@named(LEARNING)
def test_errs_less_than_the_naive_without_another_fit(model: Candidate) -> None:
    """Over the week after the one that was learned from."""
    whole = shifts(days=28)
    ours, weekly, last = [], [], []
    for origin in range(96 * 21, 96 * 28 - 4, 13):
        truth = whole.power_kw[origin : origin + 4]
        window = whole.until(origin, 4)
        ours.append(np.abs(fitted(model).forecast(window) - truth).mean())
        weekly.append(np.abs(whole.power_kw[origin - 672 : origin - 668] - truth).mean())
        last.append(np.abs(whole.power_kw[origin - 1] - truth).mean())
    assert np.mean(ours) < 0.7 * np.mean(weekly)
    assert np.mean(ours) < 0.8 * np.mean(last)


@named(MODELS)
@pytest.mark.parametrize("points", [1, 4, 8])
def test_as_many_steps_as_the_clock_has(model: Candidate, points: int) -> None:
    """At a clock change the local clock has other than four quarter hours to come."""
    window = shifts(points=points)
    made = fitted(model).forecast(window)
    assert made.shape == (points,)
    assert np.isfinite(made).all()
    np.testing.assert_allclose(made[:1], fitted(model).forecast(shifts().until(len(window), 1)), rtol=1e-9)


def test_what_does_not_count_is_not_learned() -> None:
    model, window = Autoregression(), shifts()
    power_kw, weights = window.power_kw.copy(), window.weights.copy()
    weights[300:360] = 0
    expected = model.fit(replace(window, weights=weights)).forecast(window)
    power_kw[300:360] = 5_000
    found = model.fit(replace(window, power_kw=power_kw, weights=weights)).forecast(window)
    assert np.abs(found - expected).max() < 40


@named(LEARNING)
def test_a_past_that_tells_nothing_is_refused(model: Candidate) -> None:
    window = shifts()
    with pytest.raises(UnfitError):
        model.fit(replace(window, power_kw=np.full(len(window), 5.0), weights=np.zeros(len(window))))
    with pytest.raises(UnfitError):
        model.fit(window.last(96))


def test_boosting_is_for_the_next_steps() -> None:
    with pytest.raises(UnfitError, match="8 steps ahead, not 96"):
        ShortBoosting().fit(shifts(points=96))


@named(LEARNING)
def test_a_past_too_short_to_look_back_has_no_forecast(model: Candidate) -> None:
    assert np.isnan(fitted(model).forecast(shifts().last(96))).all()


@pytest.mark.parametrize(
    ("ar", "ma", "apart"),
    [([0.9], -0.3, 1e-9), ([1.2, -0.4], 0.5, 1e-9), ([0.8, 0.1], -0.995, 1e-2)],
    ids=["ARMA(1, 1)", "ARMA(2, 1)", "nearly not invertible"],
)
def test_the_recursion_says_what_statsmodels_says(ar: list[float], ma: float, apart: float) -> None:
    from statsmodels.tsa.arima.model import ARIMA

    season, window = 96, shifts(points=9)
    differences = window.power_kw[season:] - window.power_kw[:-season]
    theirs: Any = ARIMA(differences, order=(len(ar), 0, 1), trend="n").smooth([*ar, ma, 1.0])
    made = FittedArima(season, np.array(ar), ma).forecast(window)
    season_ago = window.power_kw[len(window) - season :][:9]
    np.testing.assert_allclose(made - season_ago, theirs.forecast(9), rtol=apart, atol=apart)


def test_arima_dies_out_and_forgets() -> None:
    """A jump at the end fades; the beginning of the recursion doesn't show."""
    model = fitted(Arima())
    assert isinstance(model, FittedArima)
    assert np.abs(np.roots([1, *-model.ar])).max() < 1
    assert abs(model.ma) < 1
    window = shifts(points=2_000)
    jumped = window.power_kw.copy()
    jumped[-1] += 500
    apart = model.forecast(replace(window, power_kw=jumped)) - model.forecast(window)
    assert apart[0] > 300
    assert abs(apart[-1500]) < 50
    start = window.power_kw.copy()
    start[:200] += 300
    np.testing.assert_allclose(model.forecast(replace(window, power_kw=start)), model.forecast(window))
