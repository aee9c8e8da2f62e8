"""What would have been served at origins of the past: chosen at each by what lay before it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from enms.science.arrays import Flags
from enms.science.forecasting.backtest import Rolling, Trials
from enms.science.forecasting.candidate import Candidate
from enms.science.forecasting.horizons import Horizon
from enms.science.forecasting.pool import candidates_of
from enms.science.forecasting.selection import Choice, choose
from enms.science.forecasting.window import Window

SELECTED = "selected"


@dataclass(frozen=True)
class Rolled:
    """Candidates and what was chosen of them.

    Attributes:
        trials: Of the origins that were asked for; `forecast_kw` has `selected` beside the candidates.
        choices: What served at each of them.
        rolling: With the times that fits took, and all that was refused.
    """

    trials: Trials
    choices: tuple[Choice, ...]
    rolling: Rolling


def roll_selected(
    window: Window,
    horizon: Horizon,
    origins: Sequence[int],
    candidates: Sequence[Candidate] | None = None,
    fit_every_steps: int = 1,
) -> Rolled:
    """Forecasts of every candidate, and of what the past before each origin would have chosen.

    Args:
        window: The whole past.
        horizon: What is forecast.
        origins: Places in the window's past, ascending.
        candidates: None: all of the horizon.
        fit_every_steps: As `Rolling` has it.
    """
    candidates = candidates_of(horizon) if candidates is None else candidates
    rolling = Rolling(window, horizon, fit_every_steps)
    # All in order of time, so that a fit serves all origins it is for.
    wanted = sorted({*origins, *(at for origin in origins for at in proof_origins(horizon, origin))})
    trials = rolling.trials(candidates, wanted)
    choices = tuple(choose(_proof(trials, horizon, origin), candidates) for origin in origins)
    outer = _rows(trials, np.isin(trials.origins, origins))
    selected = [
        choice.combined({name: values[row] for name, values in outer.forecast_kw.items()})
        for row, choice in enumerate(choices)
    ]
    forecast_kw = {**outer.forecast_kw, SELECTED: np.array(selected).reshape(outer.actual_kw.shape)}
    return Rolled(replace(outer, forecast_kw=forecast_kw), choices, rolling)


def proof_origins(horizon: Horizon, origin: int) -> list[int]:
    """Origins of the past whose truth has come by an origin, by which a choice is made there, ascending."""
    every, points = horizon.origin_every_steps, horizon.points
    first = -(-points // every)
    count = horizon.proof_days * horizon.steps_per_day // every
    places = [origin - every * back for back in range(first, first + count)]
    return [place for place in reversed(places) if place > 0]


def _proof(trials: Trials, horizon: Horizon, origin: int) -> Trials:
    return _rows(trials, np.isin(trials.origins, proof_origins(horizon, origin)))


def _rows(trials: Trials, rows: Flags) -> Trials:
    return Trials(
        trials.origins[rows],
        trials.actual_kw[rows],
        {name: values[rows] for name, values in trials.forecast_kw.items()},
        trials.scale_kw[rows],
    )
