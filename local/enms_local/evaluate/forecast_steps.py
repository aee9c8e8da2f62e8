"""Rows of a file in the steps of a forecast, each by the share of it that lies there."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from enms.errors import InvalidInputError
from enms.science.arrays import Positions, Values
from enms.science.baseline.calendar import utc_offsets
from enms.science.forecasting.horizons import DAY_SECONDS
from enms_local.evaluate.anomaly_question import duration

# Of a step's length that has to be known: the mean of less isn't the step's.
_LEAST_COVERED = 0.5
_MOST_STEPS = 2_000_000


@dataclass(frozen=True)
class Steps:
    """Steps without a hole, and the rows in them.

    Attributes:
        step_seconds: Length of a step; 86 400 stands for local days.
        starts_at: Start of each, and of the one after the last, seconds since 1970, shape (n + 1,).
        rows: Rows, twice where one lies in two steps, shape (m,).
        places: The step in which each lies, shape (m,).
        seconds: How long it lies there, shape (m,).
    """

    step_seconds: int
    starts_at: Positions
    rows: Positions
    places: Positions
    seconds: Values

    def means(self, values: Values) -> Values:
        """Mean of a column in each step, NaN where less than half of it is known, shape (n,)."""
        known = np.isfinite(values[self.rows])
        places, seconds = self.places[known], self.seconds[known]
        count = len(self.starts_at) - 1
        covered = np.bincount(places, seconds, count)
        sums = np.bincount(places, seconds * values[self.rows][known], count)
        enough = covered >= _LEAST_COVERED * np.diff(self.starts_at)
        return np.where(enough, sums / np.where(enough, covered, 1), np.nan)


def steps_of(starts_at: Positions, interval_seconds: int, step_seconds: int, zone: ZoneInfo) -> Steps:
    """The steps that rows fall into, counted by the local clock.

    Args:
        starts_at: Start of each row, seconds since 1970, shape (r,).
        interval_seconds: What a row stands for, at most a step.
        step_seconds: Length of a step.
        zone: Of the local clock.

    Raises:
        InvalidInputError: From the first row to the last there are too many steps.
    """
    count = int(starts_at.max() - starts_at.min()) // step_seconds + 1
    if count > _MOST_STEPS:
        raise InvalidInputError(
            f"From the first row to the last there are {count:,} steps of {duration(step_seconds)}; at most "
            f"{_MOST_STEPS:,} can be taken: mend the stamps."
        )
    edges = _edges(int(starts_at.min()), int(starts_at.max()) + interval_seconds, step_seconds, zone)
    first = np.searchsorted(edges, starts_at, side="right") - 1
    inside = np.minimum(edges[first + 1] - starts_at, interval_seconds)
    spilled = np.flatnonzero(inside < interval_seconds)
    rows = np.arange(len(starts_at))
    places, seconds = first, inside.astype(np.float64)
    if step_seconds < DAY_SECONDS:
        rows = np.concatenate([rows, spilled])
        places = np.concatenate([places, first[spilled] + 1])
        seconds = np.concatenate([seconds, interval_seconds - seconds[spilled]])
    return Steps(step_seconds, edges, rows, places, seconds)


def _edges(first: int, end: int, step_seconds: int, zone: ZoneInfo) -> Positions:
    """Starts of the steps from the one of an instant to the first that begins no earlier than another."""
    if step_seconds == DAY_SECONDS:
        day = datetime.fromtimestamp(first, UTC).astimezone(zone).replace(tzinfo=None).date()
        starts: list[int] = []
        while not starts or starts[-1] < end:
            starts.append(round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()))
            day += timedelta(days=1)
        return np.array(starts, dtype=np.int64)
    # Zones that are half an hour off have hours of their own.
    shift = int(utc_offsets(np.array([first]), zone.key)[0]) % step_seconds
    begin = (first + shift) // step_seconds * step_seconds - shift
    return np.arange(begin, end + step_seconds, step_seconds, dtype=np.int64)
