"""Intervals from the errors that a model made before: conformal prediction with localised weights.

The quantiles of an interval are those of earlier errors at alike steps: near in lead, time of day and level
of the forecast, rather of late (Guan 2023, Localized conformal prediction; Barber et al. 2023, Conformal
prediction beyond exchangeability). Where such quantiles were too narrow or too wide in the last days, the
level is moved to the one that would have held (after Gibbs & Candès 2021, Adaptive conformal inference).
"""

from dataclasses import dataclass

import numpy as np

from enms.science.arrays import Positions, Values
from enms.science.forecasting.forecast import Bands
from enms.science.forecasting.nearness import Nearness
from enms.science.forecasting.window import Window

SHARES = (0.8, 0.95)
# More would cost more than they tell.
MOST_ERRORS = 2_400
# Half-lives, in days or in horizons where those are longer: of an error, and of how well the levels held.
_HALF_LIFE, _HALF_LIFE_OF_LEVELS = 20.0, 3.0
# How many such periods' weight the nominal levels have beside those that held.
_PRIOR = 1.0
_LOOKED_BACK = 14
# Quantiles of n periods' errors fall short by these parts of an nth, those further out by more.
_SHORTFALLS = (0.3, 0.4)
_HIGHEST_LEVEL = 0.998
_NOMINAL = (np.arange(200) + 0.5) / 200
# Pairs of errors that are compared to find the levels: more would cost more than they tell.
_MOST_PAIRS = 600_000


@dataclass(frozen=True)
class PastErrors:
    """What was said at origins of the past, and how far off it was.

    Attributes:
        first_steps: The first step of each on the local clock, ascending, shape (k,).
        points_kw: What was said, shape (k, h).
        errors_kw: Truth less that, NaN where unknown, shape (k, h).
    """

    first_steps: Positions
    points_kw: Values
    errors_kw: Values

    def __len__(self) -> int:
        return len(self.first_steps)

    def bands(self, point: Values, window: Window) -> Bands:
        """The 80 and 95 % intervals of a forecast, in kW, that was made from a window."""
        return self.intervals(point, window).bands()

    def intervals(self, point: Values, window: Window) -> "Intervals":
        """What they say of a forecast that was made from a window."""
        return Intervals.of(self, point, window.first_step + len(window), window.steps_per_day)

    def with_newer(self, newer: "PastErrors") -> "PastErrors":
        """With the errors of later origins; of too many to compare, some all along the time."""
        late = newer.first_steps > (self.first_steps[-1] if len(self) else -1)
        added = newer.leads(self.errors_kw.shape[1])
        rows = _spread(np.arange(len(self) + np.count_nonzero(late)), MOST_ERRORS // self.errors_kw.shape[1])
        return PastErrors(
            np.concatenate([self.first_steps, added.first_steps[late]])[rows],
            np.concatenate([self.points_kw, added.points_kw[late]])[rows],
            np.concatenate([self.errors_kw, added.errors_kw[late]])[rows],
        )

    def leads(self, count: int) -> "PastErrors":
        """With so many leads: less, or the last one's again where a clock change adds a step."""
        lead = np.minimum(np.arange(count), self.errors_kw.shape[1] - 1)
        return PastErrors(self.first_steps, self.points_kw[:, lead], self.errors_kw[:, lead])


def bands(
    past_errors: Values,
    point: Values,
    window: Window,
    points: Values | None = None,
    first_steps: Positions | None = None,
) -> Bands:
    """The 80 and 95 % intervals of a forecast.

    Args:
        past_errors: Truth less forecast at earlier origins, oldest first, NaN unknown, shape (k, h).
        point: The forecast, in kW, shape (h,).
        window: What it was made from.
        points: What was forecast at the earlier origins, shape (k, h); None: as now.
        first_steps: Their first steps on the local clock, shape (k,); None: one horizon or day apart.
    """
    origin = window.first_step + len(window)
    if first_steps is None:
        apart = max(len(point), window.steps_per_day)
        first_steps = origin - apart * np.arange(len(past_errors), 0, -1, dtype=np.int64)
    said = np.broadcast_to(point, past_errors.shape) if points is None else points
    return PastErrors(first_steps, said, past_errors).bands(point, window)


@dataclass(frozen=True)
class Intervals:
    """What the errors of the past say of a forecast.

    Attributes:
        point: The forecast, in kW, shape (h,).
        near: The errors; None where none is known.
        weights: What they count at each step, shape (h, n).
        levels: The levels whose intervals would have held the nominal shares of late.
    """

    point: Values
    near: Nearness | None
    weights: Values
    levels: tuple[float, ...]

    @classmethod
    def of(cls, past: PastErrors, point: Values, origin: int, steps_per_day: int) -> "Intervals":
        """Around a forecast whose first step on the local clock is `origin`."""
        past = past.leads(len(point))
        if np.isnan(past.errors_kw).all():
            return cls(point, None, np.zeros((len(point), 0)), SHARES)
        near = Nearness(past.first_steps, past.points_kw, past.errors_kw, steps_per_day)
        weights = near.weights(origin, point) * near.recency(origin, _HALF_LIFE)
        return cls(point, near, weights, _levels(near, past, origin))

    def bands(self) -> Bands:
        """The 80 and 95 % intervals, around the forecast and not below zero."""
        shares = np.array([(1 + side * share) / 2 for share in SHARES for side in (-1, 1)])
        ends = self.at(np.repeat(shares[:, None], len(self.point), axis=1))
        low_80, low_95 = (np.clip(each, 0, self.point) for each in ends[::2])
        high_80, high_95 = (np.maximum(each, self.point) for each in ends[1::2])
        return Bands(low_80, high_80, np.minimum(low_95, low_80), np.maximum(high_95, high_80))

    def at(self, shares: Values) -> Values:
        """The load below which it stays with some probabilities, in kW.

        Args:
            shares: 0 to 1, shape (m, h).

        Returns:
            Shape (m, h).
        """
        if self.near is None:
            # Without any error, the load is somewhere between nothing and twice as much.
            return np.maximum(2 * self.point * shares, 0.0)
        sides = 2 * shares - 1
        held = np.interp(np.abs(sides), (0.0, *SHARES, 1.0), (0.0, *self.levels, 1.0))
        loads: Values = self.point + self.near.errors_at(self.weights, (1 + np.sign(sides) * held) / 2)
        return loads


def _levels(near: Nearness, past: PastErrors, origin: int) -> tuple[float, ...]:
    """The levels whose intervals would have held the nominal shares of late."""
    ages = (origin - past.first_steps) / near.period
    rows = _spread(np.flatnonzero(ages <= _LOOKED_BACK), _MOST_PAIRS // (near.points * len(near.errors)))
    # Origins that overlap tell the same: all of a period weigh as one.
    alike = max(len(rows) / (np.ptp(ages[rows]) + 1), 1.0) if len(rows) else 1.0
    held, counts = [_NOMINAL], [np.full(len(_NOMINAL), _PRIOR * near.points / len(_NOMINAL))]
    for row in rows.tolist():
        held.append(near.levels_that_hold(row, _HALF_LIFE))
        counts.append(np.full(len(held[-1]), 0.5 ** (ages[row] / _HALF_LIFE_OF_LEVELS) / alike))
    levels, weights = np.concatenate(held), np.concatenate(counts)
    order = np.argsort(levels)
    summed = np.cumsum(weights[order])
    shares = np.array(SHARES) + np.array(_SHORTFALLS) / (np.ptp(ages) + 1)
    wanted = np.minimum(shares, _HIGHEST_LEVEL) * summed[-1]
    found = levels[order][np.searchsorted(summed, wanted)]
    return tuple(np.minimum(found, _HIGHEST_LEVEL).tolist())


def _spread(rows: Positions, most: int) -> Positions:
    """No more than so many of them, evenly spread."""
    if len(rows) <= max(most, 1):
        return rows
    return rows[np.unique(np.linspace(0, len(rows) - 1, max(most, 1)).astype(np.int64))]
