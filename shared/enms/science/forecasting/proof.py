"""A horizon's candidates, proven on one subject's past."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from enms.science.arrays import Flags, Values
from enms.science.forecasting.backtest import Rolling, Trials
from enms.science.forecasting.candidate import Candidate
from enms.science.forecasting.conformal import MOST_ERRORS, PastErrors
from enms.science.forecasting.forecast import Bands
from enms.science.forecasting.horizons import Horizon
from enms.science.forecasting.selected import SELECTED, proof_origins
from enms.science.forecasting.selection import NAIVE_COST, Choice, choose
from enms.science.forecasting.table import BacktestRow, Fared
from enms.science.forecasting.window import Window

# Days that lie before every origin, and origins that a proof has at least.
LEAST_PAST_DAYS, LEAST_ORIGINS = 14, 4
# Models are fitted so often in a proof, in between their state is updated.
_FITS = 4
# A percentage of next to nothing tells nothing: errors are shares of loads above this part of rated power.
_LEAST_LOAD_SHARE = 0.1
# Choices are made at origins that have half a proof before them.
_WARM_UP = 2


@dataclass(frozen=True)
class Proof:
    """What the past says of the candidates.

    Attributes:
        rolling: All forecasts that were made.
        trials: At the origins of the proof.
        choice: What serves from now on.
        table: The backtest, with what would have been served at each origin as `selected`.
        scale_kw: The scale of MASE at the end; None where nothing tells it.
    """

    rolling: Rolling
    trials: Trials
    choice: Choice
    table: tuple[BacktestRow, ...]
    scale_kw: float | None


def least_days(horizon: Horizon) -> float:
    """Days of readings from which on candidates can be proven."""
    every = horizon.origin_every_steps
    steps = (-(-horizon.points // every) + LEAST_ORIGINS - 1) * every
    return LEAST_PAST_DAYS + steps / horizon.steps_per_day


def prove(window: Window, horizon: Horizon, candidates: Sequence[Candidate]) -> Proof:
    """Lets candidates forecast at origins of the past, and chooses by what came."""
    rolling = Rolling(window, horizon, fit_every_steps=_fit_every(horizon))
    origins = _origins(horizon, len(window))
    earlier = proof_origins(horizon, origins[0])[-len(origins) // _WARM_UP :]
    every = rolling.trials(candidates, [each for each in earlier if _has_past(horizon, each)] + origins)
    trials = _rows(every, every.origins >= origins[0])
    choice = choose(trials, candidates)
    scale_kw = rolling.scale_kw(len(window))
    return Proof(
        rolling=rolling,
        trials=trials,
        choice=choice,
        table=_table(rolling, every, trials, candidates, choice),
        scale_kw=scale_kw if np.isfinite(scale_kw) else None,
    )


def errors_of(proof: Proof, choice: Choice, candidates: Sequence[Candidate]) -> PastErrors:
    """Errors of a choice at origins all around the clock, which its intervals are made of."""
    rolling, horizon = proof.rolling, proof.rolling.horizon
    members = [each for each in candidates if each.name in choice.members]
    end = len(rolling.window)
    every = _apart(horizon)
    # The latest origins tell of their first leads only.
    origins = range(end - 1, end - horizon.proof_days * horizon.steps_per_day, -every)
    trials = rolling.trials(members, [each for each in reversed(origins) if _has_past(horizon, each)])
    said = choice.combined(trials.forecast_kw)
    made: Flags = ~np.isnan(said).any(axis=1)
    first_steps = rolling.window.first_step + trials.origins
    return PastErrors(first_steps[made], said[made], (trials.actual_kw - said)[made])


def _apart(horizon: Horizon) -> int:
    """Steps between origins, so that these come at every time of the day."""
    apart = horizon.proof_days * horizon.steps_per_day * horizon.points // MOST_ERRORS + 1
    while math.gcd(apart, horizon.steps_per_day) > 1:
        apart += 1
    return apart


def _fit_every(horizon: Horizon) -> int:
    return max(horizon.proof_days // 7 // _FITS, 1) * horizon.week


def _has_past(horizon: Horizon, origin: int) -> bool:
    return origin >= LEAST_PAST_DAYS * horizon.steps_per_day


def _origins(horizon: Horizon, end: int) -> list[int]:
    return [each for each in proof_origins(horizon, end) if _has_past(horizon, each)]


def _rows(trials: Trials, rows: Flags) -> Trials:
    return Trials(
        trials.origins[rows],
        trials.actual_kw[rows],
        {name: values[rows] for name, values in trials.forecast_kw.items()},
        trials.scale_kw[rows],
    )


def _table(
    rolling: Rolling, every: Trials, trials: Trials, candidates: Sequence[Candidate], choice: Choice
) -> tuple[BacktestRow, ...]:
    fared = {name: _fared(name, rolling, every, values, trials) for name, values in every.forecast_kw.items()}
    selected = _selected(rolling.horizon, every, candidates)
    fared[SELECTED] = _fared(SELECTED, rolling, every, selected, trials)
    naives = [fared[each.name].scaled for each in candidates if each.cost == NAIVE_COST]
    naive = min(naives, key=lambda scaled: float(np.nansum(scaled)))
    least_kw = _LEAST_LOAD_SHARE * (rolling.window.rated_power_kw or 0.0)
    return tuple(
        each.row(naive, least_kw, each.name in (SELECTED, *choice.members)) for each in fared.values()
    )


def _selected(horizon: Horizon, every: Trials, candidates: Sequence[Candidate]) -> Values:
    """What would have been served: chosen by what had come before each origin, NaN where nothing had."""
    served = np.full_like(every.actual_kw, np.nan)
    for row, origin in enumerate(every.origins.tolist()):
        before = _rows(every, np.isin(every.origins, _origins(horizon, origin)))
        if len(before.origins) >= LEAST_ORIGINS:
            choice = choose(before, candidates)
            served[row] = choice.combined({name: values[row] for name, values in every.forecast_kw.items()})
    return served


def _fared(name: str, rolling: Rolling, every: Trials, forecast_kw: Values, trials: Trials) -> Fared:
    rows = np.flatnonzero(np.isin(every.origins, trials.origins))
    return Fared(
        name,
        every.actual_kw[rows],
        forecast_kw[rows],
        every.scale_kw[rows],
        tuple(_bands(rolling, every, forecast_kw, row) for row in rows.tolist()),
        _mean_seconds(rolling.fit_seconds.get(name)),
        _mean_seconds(rolling.forecast_seconds.get(name)),
    )


def _bands(rolling: Rolling, every: Trials, forecast_kw: Values, row: int) -> Bands | None:
    """The intervals as they would have been served, by errors whose truth had come."""
    origin = int(every.origins[row])
    before: Flags = every.origins + rolling.horizon.points <= origin
    before &= ~np.isnan(forecast_kw).any(axis=1)
    if np.count_nonzero(before) < LEAST_ORIGINS or np.isnan(forecast_kw[row]).any():
        return None
    errors = (every.actual_kw - forecast_kw)[before]
    past = PastErrors(rolling.window.first_step + every.origins[before], forecast_kw[before], errors)
    return past.bands(forecast_kw[row], rolling.training(origin))


def _mean_seconds(seconds: Sequence[float] | None) -> float | None:
    return sum(seconds) / len(seconds) if seconds else None
