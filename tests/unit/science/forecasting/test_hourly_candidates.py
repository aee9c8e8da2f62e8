"""What every candidate of hours has to hold, and what is particular to some."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest
from unit.science.forecasting.plant import plant, usual, with_garbage

from enms.science.forecasting.candidate import Candidate, Fitted
from enms.science.forecasting.candidates.boosting import Boosting
from enms.science.forecasting.candidates.dynamic_regression import DynamicRegression
from enms.science.forecasting.candidates.mstl import Mstl
from enms.science.forecasting.candidates.prophet_model import ProphetModel
from enms.science.forecasting.candidates.weekly_median import WeeklyMedian
from enms.science.forecasting.guards import guarded
from enms.science.forecasting.horizons import NEXT_DAY
from enms.science.forecasting.pool import candidates_of
from enms.science.forecasting.window import Window
from enms.science.problems import UnfitError

# A tenth of what a shift needs.
NEAR_KW = 10
MODELS = [WeeklyMedian(), DynamicRegression(), Mstl(), Boosting(), ProphetModel()]
WITH_REGRESSORS = [each for each in MODELS if each.uses_regressors]
FITTED: dict[str, Fitted] = {}


def _fitted(model: Candidate) -> Fitted:
    if model.name not in FITTED:
        FITTED[model.name] = model.fit(plant())
    return FITTED[model.name]


def _error_kw(model: Candidate, window: Window) -> float:
    made = _fitted(model).forecast(window)
    return float(np.abs(made - usual(window)[len(window) :]).mean())


def _named(models: list[Candidate]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("model", models, ids=lambda each: each.name)


def test_all_compete() -> None:
    assert {each.name for each in MODELS} < {each.name for each in candidates_of(NEXT_DAY)}


@_named(MODELS)
def test_a_document_makes_the_same_model(model: Candidate) -> None:
    window = plant(points=168)
    document = json.loads(json.dumps(_fitted(model).document()))
    np.testing.assert_allclose(
        model.load(document).forecast(window), _fitted(model).forecast(window), rtol=1e-12
    )


@_named(MODELS)
@pytest.mark.parametrize(
    "window",
    [plant(), plant(points=168), plant(days=70, end_hour=13).last(56 * 24), plant(days=57, points=3)],
    ids=["next day", "next week", "two weeks later, from noon", "three hours"],
)
def test_the_week_of_a_plant_is_learned_and_goes_on_without_another_fit(
    model: Candidate, window: Window
) -> None:
    # Prophet's few sines don't draw the edges of a shift.
    assert _error_kw(model, window) < (25 if model.name == "prophet" else NEAR_KW)


@_named(MODELS)
def test_flagged_steps_do_not_poison_what_comes(model: Candidate) -> None:
    window = with_garbage(plant(), 24 * 28, 24 * 33)
    # The clock fills what is flagged by what is usual there; nonsense is left to those that look at weights.
    filled = replace(window, power_kw=np.where(window.weights > 0, window.power_kw, usual(window)[:-24]))
    seen = filled if model.name == "MSTL + AR" else window
    made = model.fit(seen).forecast(seen)
    assert np.abs(made - usual(window)[-24:]).mean() < (25 if model.name == "prophet" else NEAR_KW)


@_named(MODELS[1:3])
def test_the_last_day_moves_the_next(model: Candidate) -> None:
    window = plant()
    raised = window.power_kw.copy()
    raised[-24:] += 30
    more = _fitted(model).forecast(replace(window, power_kw=raised)) - _fitted(model).forecast(window)
    assert more[:6].mean() > 1


@_named(MODELS)
@pytest.mark.parametrize("load_kw", [0.0, 40.0])
def test_a_load_that_never_moves_is_foretold_as_it_is(model: Candidate, load_kw: float) -> None:
    window = plant()
    still = replace(window, power_kw=np.full(len(window), load_kw))
    np.testing.assert_allclose(model.fit(still).forecast(still), load_kw, atol=1e-3)


@_named(MODELS)
@pytest.mark.parametrize("hours", [20, 24 * 3, 24 * 10])
def test_a_later_past_that_is_short_is_no_error(model: Candidate, hours: int) -> None:
    window = plant().last(hours)
    made = guarded(_fitted(model).forecast(window), window)
    assert made.power_kw.shape == (24,)
    assert np.isfinite(made.power_kw).all()


@_named(WITH_REGRESSORS)
def test_what_is_known_ahead_is_used(model: Candidate) -> None:
    window = plant()
    orders = np.random.default_rng(11).uniform(0, 1, len(window) + 24)
    window = replace(window, power_kw=window.power_kw + 50 * orders[:-24], regressors={"orders": orders})
    fitted = model.fit(window)
    few, many = (
        fitted.forecast(replace(window, regressors={"orders": np.append(orders[:-24], np.full(24, share))}))
        for share in (0.1, 0.9)
    )
    assert 15 < (many - few).mean() < 60
    # Where it isn't known any more the model goes on without.
    assert np.isfinite(fitted.forecast(replace(window, regressors={}))).all()


@_named(MODELS[:3])
def test_a_holiday_is_a_sunday(model: Candidate) -> None:
    window = plant()
    holiday = np.zeros(len(window) + 24, dtype=bool)
    holiday[-24:] = True
    assert _fitted(model).forecast(window)[12] > 80
    assert _fitted(model).forecast(replace(window, is_holiday=holiday))[12] < 60


def test_prophet_says_what_prophet_says(monkeypatch: pytest.MonkeyPatch) -> None:
    from enms.science.forecasting.candidates import prophet_model

    seen = []
    made = prophet_model.FittedProphet.of
    monkeypatch.setattr(
        prophet_model.FittedProphet, "of", lambda model, names: (seen.append(model), made(model, names))[1]
    )
    window = plant(points=168)
    temperature = 20 + 10 * np.random.default_rng(2).standard_normal(len(window) + 168)
    holiday = np.zeros(len(window) + 168, dtype=bool)
    holiday[[*range(24 * 15, 24 * 16), *range(len(window), len(window) + 24)]] = True
    window = replace(window, regressors={"temperature": temperature}, is_holiday=holiday)
    fitted = ProphetModel().fit(window)
    with warnings.catch_warnings():
        # Prophet calls pandas in ways that a later pandas won't have.
        warnings.simplefilter("ignore")
        expected = seen[0].predict(prophet_model._frame(window))["yhat"].to_numpy()[len(window) :]
    np.testing.assert_allclose(fitted.forecast(window), expected, atol=1e-6)


def test_prophet_of_flagged_steps_alone_is_refused() -> None:
    window = plant()
    with pytest.raises(UnfitError, match="a week"):
        ProphetModel().fit(replace(window, weights=np.zeros(len(window))))
