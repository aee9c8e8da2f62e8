"""Forecasts of a file's past: every candidate, and what would have served, each by what lay before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from enms.errors import InvalidInputError
from enms.science.arrays import Values
from enms.science.forecasting.backtest import Trials
from enms.science.forecasting.candidate import Candidate
from enms.science.forecasting.clock import on_local_clock
from enms.science.forecasting.conformal import PastErrors
from enms.science.forecasting.forecast import Bands
from enms.science.forecasting.horizons import HOUR_SECONDS, Horizon
from enms.science.forecasting.metrics import coverage, mape_percent
from enms.science.forecasting.pool import candidates_of
from enms.science.forecasting.selected import SELECTED, Rolled, proof_origins, roll_selected
from enms.science.forecasting.selection import Choice
from enms.science.forecasting.window import Window
from enms_local.evaluate.forecast_file import read_load
from enms_local.evaluate.forecast_origins import clock_iso, origins_of
from enms_local.evaluate.forecast_question import ForecastQuestion


@dataclass(frozen=True)
class Score:
    """How forecasts fared at all origins; None where nothing tells.

    Attributes:
        mase: Mean absolute scaled error.
        mape: Mean absolute percentage error.
        mae: Mean absolute error in kW.
        coverage_80: Share of the truth inside the 80 % band.
        coverage_95: The same for 95 %.
        fit_s: Seconds of a fit.
        predict_s: Seconds of a forecast.
    """

    mase: float | None
    mape: float | None
    mae: float | None
    coverage_80: float | None
    coverage_95: float | None
    fit_s: float | None
    predict_s: float | None


@dataclass(frozen=True)
class ForecastEvaluation:
    """What came of it.

    Attributes:
        asked: The horizon's name as it was asked for.
        horizon: What was forecast.
        origins: Local clock at each origin, ISO 8601.
        models: By candidate.
        selected: Of what would have served.
        chosen: Its members at each origin.
        trials: The forecasts beside what came.
        regressors_used: Names.
        regressors_left_out: Why not, by name.
        refusals: Why a candidate could not be fitted, or was held, by name.
        warnings: What the reader should know.
    """

    asked: str
    horizon: Horizon
    origins: tuple[str, ...]
    models: Mapping[str, Score]
    selected: Score
    chosen: tuple[tuple[str, ...], ...]
    trials: Trials
    regressors_used: tuple[str, ...]
    regressors_left_out: Mapping[str, str]
    refusals: Mapping[str, str]
    warnings: tuple[str, ...]


def evaluate_forecasts(
    question: ForecastQuestion, candidates: Sequence[Candidate] | None = None
) -> ForecastEvaluation:
    """Forecasts at origins of a file's past.

    Args:
        question: Which file, and what.
        candidates: None: all of the horizon.

    Raises:
        InvalidInputError: The file can't be read, or has no such origins; says why.
    """
    question.require_sound()
    horizon = question.horizon()
    if question.training_days is not None:
        horizon = replace(horizon, training_days=question.training_days)
    file = read_load(question, horizon)
    clocked = on_local_clock(file.series)
    window = clocked.window
    last_clock = question.last_origin_clock(ZoneInfo(file.series.zone))
    origins, moved = origins_of(question, horizon, window, last_clock)
    found = candidates_of(horizon) if candidates is None else tuple(candidates)
    _require_truth(window, horizon, origins)
    rolled = roll_selected(window, horizon, origins, found, _fit_every_steps(horizon))
    by_name = {each.name: Choice((each.name,), (1.0,), "") for each in found}
    return ForecastEvaluation(
        asked=question.horizon_name,
        horizon=horizon,
        origins=tuple(clock_iso(window, place) for place in origins),
        models={
            name: _score(rolled, window, found, name, [choice] * len(origins))
            for name, choice in by_name.items()
        },
        selected=_score(rolled, window, found, SELECTED, rolled.choices),
        chosen=tuple(choice.members for choice in rolled.choices),
        trials=rolled.trials,
        regressors_used=tuple(window.regressors),
        regressors_left_out=clocked.left_out,
        refusals=rolled.rolling.refusals,
        warnings=(*file.warnings, *moved, *_overlap(origins, horizon)),
    )


def _fit_every_steps(horizon: Horizon) -> int:
    """Hours are fitted at each midnight; the others, which learn from many weeks, weekly as what serves."""
    return horizon.steps_per_day if horizon.step_seconds == HOUR_SECONDS else horizon.week


def _require_truth(window: Window, horizon: Horizon, origins: Sequence[int]) -> None:
    """Refuses origins of which nothing after or nothing before is known."""
    known = window.weights > 0
    if not any(known[origin : origin + horizon.points].any() for origin in origins):
        raise InvalidInputError("No step after any origin is known: there is nothing to judge by.")
    learned = horizon.training_days * horizon.steps_per_day
    for origin in origins:
        past = known[max(origin - learned, 0) : origin]
        if not (past[horizon.season :] & past[: -horizon.season]).any():
            raise InvalidInputError(
                f"Before the origin {clock_iso(window, origin)} too little is known to tell a scale: choose "
                "another --last-origin, or fewer origins."
            )


def _overlap(origins: Sequence[int], horizon: Horizon) -> tuple[str, ...]:
    if all(later - earlier >= horizon.points for earlier, later in pairwise(origins)):
        return ()
    return ("Origins are nearer than the horizon is long: the same hours are judged several times.",)


def _score(
    rolled: Rolled, window: Window, candidates: Sequence[Candidate], name: str, choices: Sequence[Choice]
) -> Score:
    trials = rolled.trials
    made = trials.forecast_kw[name]
    around = [_bands(rolled, window, candidates, choice, row) for row, choice in enumerate(choices)]
    errors = np.abs(made - trials.actual_kw)
    scale = np.where(trials.scale_kw > 0, trials.scale_kw, np.nan)[:, None]
    return Score(
        mase=_mean(errors / scale),
        mape=_figure(mape_percent(trials.actual_kw, made)),
        mae=_mean(errors),
        coverage_80=_covered(
            trials, [(each.lower_80_kw, each.upper_80_kw) if each else None for each in around]
        ),
        coverage_95=_covered(
            trials, [(each.lower_95_kw, each.upper_95_kw) if each else None for each in around]
        ),
        fit_s=_seconds(rolled.rolling.fit_seconds, choices),
        predict_s=_seconds(rolled.rolling.forecast_seconds, choices),
    )


def _bands(
    rolled: Rolled, window: Window, candidates: Sequence[Candidate], choice: Choice, row: int
) -> Bands | None:
    """The band as it would have been served: by the choice's errors at origins before this one."""
    rolling, origin = rolled.rolling, int(rolled.trials.origins[row])
    proof = rolling.trials(candidates, proof_origins(rolling.horizon, origin))
    said = choice.combined(proof.forecast_kw)
    point = choice.combined({name: rolled.trials.forecast_kw[name][row] for name in choice.members})
    told = ~np.isnan(said).any(axis=1) if len(said) else np.zeros(0, dtype=np.bool_)
    if not told.any() or np.isnan(point).any():
        return None
    past = PastErrors(window.first_step + proof.origins[told], said[told], (proof.actual_kw - said)[told])
    return past.bands(point, rolling.training(origin))


def _covered(trials: Trials, ends: Sequence[tuple[Values, Values] | None]) -> float | None:
    rows = [row for row, each in enumerate(ends) if each is not None]
    if not rows:
        return None
    lower, upper = (np.array([each[side] for each in ends if each is not None]) for side in (0, 1))
    return _figure(coverage(trials.actual_kw[rows], lower, upper))


def _seconds(spent: Mapping[str, Sequence[float]], choices: Sequence[Choice]) -> float | None:
    """Mean over choices of what their members took together."""
    means = {name: sum(each) / len(each) for name, each in spent.items() if each}
    sums = [sum(means.get(name, 0.0) for name in choice.members) for choice in choices]
    return _figure(sum(sums) / len(sums))


def _mean(values: Values) -> float | None:
    known = values[~np.isnan(values)]
    return _figure(float(known.mean())) if len(known) else None


def _figure(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None
