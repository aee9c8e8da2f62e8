"""Where the forecasts of an evaluation begin."""

from datetime import datetime

import numpy as np

from enms.errors import InvalidInputError
from enms.science.forecasting.horizons import Horizon
from enms.science.forecasting.window import Window
from enms_local.evaluate.anomaly_question import duration
from enms_local.evaluate.data import clock_text
from enms_local.evaluate.forecast_question import ForecastQuestion

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the local clock


def origins_of(
    question: ForecastQuestion, horizon: Horizon, window: Window, last_clock: datetime | None
) -> tuple[list[int], tuple[str, ...]]:
    """Places of the origins in the window's past, ascending, and what the reader should know of them.

    Args:
        question: How many, and how far apart.
        horizon: What is forecast.
        window: The whole file.
        last_clock: The last of them, by the local clock; None: see `ForecastQuestion.last_origin`.

    Raises:
        InvalidInputError: The file has no such origins; says how many it has.
    """
    every = question.origin_every_steps(horizon)
    last, warnings = _last(question, horizon, window, last_clock)
    origins = [last - every * back for back in reversed(range(question.origins_wanted))]
    # A scale takes more than one season.
    least = 2 * horizon.season
    if origins[0] < least:
        possible = max((last - least) // every + 1, 0)
        raise InvalidInputError(
            f"{question.origins_wanted} origins, {duration(every * horizon.step_seconds)} apart, would begin "
            f"before {duration(least * horizon.step_seconds)} of the file are known: the last is "
            f"{_clock(window, last)} and the file begins {_clock(window, 0)}, so at most {possible} are "
            "possible."
        )
    return origins, warnings


def _last(
    question: ForecastQuestion, horizon: Horizon, window: Window, last_clock: datetime | None
) -> tuple[int, tuple[str, ...]]:
    latest = _latest(horizon, window)
    if latest < 0:
        raise InvalidInputError(
            f"The file holds {duration(len(window) * horizon.step_seconds)}; a horizon of "
            f"{question.horizon_name} and some past before it are needed."
        )
    if last_clock is None:
        return latest, ()
    seconds = round((last_clock - _EPOCH).total_seconds())
    last = seconds // horizon.step_seconds - window.first_step
    if seconds % horizon.step_seconds:
        raise InvalidInputError(
            f"--last-origin is '{question.last_origin}': it has to be the start of a step of "
            f"{duration(horizon.step_seconds)}."
        )
    if not 0 < last <= len(window):
        raise InvalidInputError(
            f"--last-origin is '{question.last_origin}' and the file goes from {_clock(window, 0)} to "
            f"{_clock(window, len(window))}."
        )
    if last + horizon.points <= len(window):
        return last, ()
    # At the same time of day, as far back as it takes.
    day = horizon.steps_per_day
    moved = last - -(-(last + horizon.points - len(window)) // day) * day
    if moved <= 0:
        raise InvalidInputError(
            f"--last-origin is '{question.last_origin}': no {question.horizon_name} after it is in the file."
        )
    return moved, (
        f"The file ends {_clock(window, len(window))}, before the {question.horizon_name} after "
        f"{_clock(window, last)}: the last origin is {_clock(window, moved)}.",
    )


def _latest(horizon: Horizon, window: Window) -> int:
    """The last midnight after which the whole horizon is known; of an hour's horizon the last step."""
    latest = len(window) - horizon.points
    if horizon.points < horizon.steps_per_day:
        return latest
    return latest - (window.first_step + latest) % horizon.steps_per_day


def _clock(window: Window, place: int) -> str:
    return clock_text((window.first_step + place) * window.step_seconds)


def clock_iso(window: Window, place: int) -> str:
    """What the local clock shows at the start of a step."""
    return str(np.datetime64((window.first_step + place) * window.step_seconds, "s"))
