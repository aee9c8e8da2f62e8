"""From instants to the local clock and back.

An instant lies in the step of the local clock that its local time falls into: both hours of a doubled one in
the same step (their mean is its value, and both get its forecast), none in the missing one (a gap, and no
line of the answer).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from enms.science.arrays import Flags, Positions, Values
from enms.science.baseline.calendar import date_of, day_of, utc_offsets
from enms.science.forecasting.filling import filled
from enms.science.forecasting.planned_stops import LEARNED_SHARE
from enms.science.forecasting.series import LoadSeries
from enms.science.forecasting.window import Window
from enms.science.problems import UnfitError

_DAY_SECONDS = 86_400
# A regressor of whose past more is unknown than this is left out.
_MOST_UNKNOWN_SHARE = 0.2


@dataclass(frozen=True)
class Clocked:
    """A series on the local clock.

    Attributes:
        window: What candidates see, from the first known reading on.
        places: Where the instants to come stand among the window's steps to come, shape (h,).
        left_out: Why a regressor is not used, by name.
        known_share: Share of the window's past steps that were read.
        stopped_share: Share of the load that planned stops take away in the window's steps to come; None: no
            stop is planned.
    """

    window: Window
    places: Positions
    left_out: Mapping[str, str]
    known_share: float
    stopped_share: Values | None = None


def on_local_clock(series: LoadSeries) -> Clocked:
    """Makes the window of a series.

    Raises:
        UnfitError: No reading is known.
    """
    read = np.flatnonzero(~np.isnan(series.power_kw))
    if not len(read):
        raise UnfitError("no-readings", "There is no reading to forecast from; send readings first.")
    coming = local_steps(series.future_starts_at, series)
    past = local_steps(series.starts_at, series)
    first, origin = int(past[read[0]]), int(coming[0])
    if origin <= first:
        raise UnfitError(
            "no-readings", "There is no closed step with a reading yet; ask again after the next."
        )
    cells = origin - first
    power_kw = _on_steps(series.power_kw, past, first, cells)
    known = ~np.isnan(power_kw)
    flagged = _on_steps(series.is_flagged.astype(np.float64), past, first, cells) > 0
    steps_per_day = _DAY_SECONDS // series.step_seconds
    # A doubled hour makes the local clock shorter than the horizon: all of it is forecast all the same.
    points = max(int(coming[-1]) - origin + 1, len(coming))
    stopped = None
    if series.stopped_share is not None:
        every = np.concatenate([past, coming])
        stopped = np.nan_to_num(_on_steps(series.stopped_share, every, first, cells + points))
        flagged |= stopped[:cells] > LEARNED_SHARE
    learned = known & ~flagged
    regressors, left_out = _regressors(series, np.concatenate([past, coming]), first, cells, points)
    return Clocked(
        Window(
            step_seconds=series.step_seconds,
            first_step=first,
            # Where all is flagged, flagged values tell more than none.
            power_kw=filled(power_kw, learned if learned.any() else known, steps_per_day),
            weights=learned.astype(np.float64),
            points=points,
            is_holiday=_holidays(np.arange(first, origin + points) // steps_per_day, series.country),
            regressors=regressors,
            rated_power_kw=series.rated_power_kw,
        ),
        coming - origin,
        left_out,
        float(known.mean()),
        None if stopped is None else stopped[cells:],
    )


def local_steps(starts_at: Positions, series: LoadSeries) -> Positions:
    """Numbers of the steps since 1970 on the local clock in which instants lie, shape as given."""
    steps: Positions = (starts_at + utc_offsets(starts_at, series.zone)) // series.step_seconds
    return steps


def _on_steps(values: Values, steps: Positions, first: int, count: int) -> Values:
    """Mean by step of what is known, NaN where nothing is, shape (count,)."""
    inside = ~np.isnan(values) & (steps >= first) & (steps < first + count)
    places = steps[inside] - first
    counts = np.bincount(places, minlength=count)
    sums = np.bincount(places, weights=values[inside], minlength=count)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _regressors(
    series: LoadSeries, steps: Positions, first: int, cells: int, points: int
) -> tuple[dict[str, Values], dict[str, str]]:
    used: dict[str, Values] = {}
    left_out: dict[str, str] = {}
    steps_per_day = _DAY_SECONDS // series.step_seconds
    origin = first + cells
    # The missing hour has no future either.
    asked = np.isin(np.arange(origin, origin + points), steps)
    for name, values in sorted(series.regressors.items()):
        found = _on_steps(values, steps, first, cells + points)
        known = ~np.isnan(found)
        reason = _unusable(known[:cells], known[cells:][asked], found[known])
        if reason is None:
            used[name] = filled(found, known, steps_per_day)
        else:
            left_out[name] = reason
    return used, left_out


def _unusable(past: Flags, future: Flags, values: Values) -> str | None:
    if not future.all():
        return f"{np.count_nonzero(~future)} of the {len(future)} steps to come are unknown"
    if past.mean() < 1 - _MOST_UNKNOWN_SHARE:
        return f"{100 * (1 - past.mean()):.0f} % of its past is unknown"
    if values.min() == values.max():
        return "it never changes"
    return None


def _holidays(days: Positions, country: str | None) -> Flags:
    if country is None:
        return np.zeros(len(days), dtype=np.bool_)
    # Imported here: where no country is told, there is nothing to look up.
    import holidays

    code, _, subdivision = country.partition("-")
    years = list(range(date_of(int(days[0])).year, date_of(int(days[-1])).year + 1))
    try:
        dates = holidays.country_holidays(code, subdiv=subdivision or None, years=years)
    except (KeyError, NotImplementedError):  # Nobody knows this country's: none.
        return np.zeros(len(days), dtype=np.bool_)
    return np.isin(days, np.array([day_of(each) for each in dates], dtype=np.int64))
