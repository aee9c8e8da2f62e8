"""The horizon's highest quarter hour, from forecast paths.

A path takes, at every step, the quantile that the error of an origin of the past had among its peers: what
belongs together in time stays together, while each step's own distribution is that of its interval (Clark
et al. 2004, The Schaake shuffle).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from enms.science.arrays import Positions, Values
from enms.science.forecasting.clock import local_steps
from enms.science.forecasting.conformal import Intervals
from enms.science.forecasting.nearness import Nearness
from enms.science.forecasting.series import LoadSeries

_SHARES = np.arange(1, 100) / 100
# Each origin's path is drawn so often, with other quarter hours inside its steps.
_DRAWS = 8
_LEAST_ORIGINS, _MOST_ORIGINS = 4, 40
_FEW_PATHS = 20
_FACTORS = 10
# Steps with less than this share of the highest power tell nothing of how far a quarter hour may top them.
_TELLING_SHARE = 0.3
_LEAST_STEPS = 20
_SEED = 7
_MIDDLE = 0.5


def paths(intervals: Intervals) -> Values:
    """Forecast paths in kW, shape (paths, h)."""
    steps = len(intervals.point)
    places = _places(intervals.near, steps) if intervals.near else np.zeros((0, steps))
    if len(places) < _LEAST_ORIGINS:
        # Nothing tells how hours belong together: all of a path lies equally high.
        places = np.repeat((np.arange(_FEW_PATHS) + 0.5)[:, None] / _FEW_PATHS, steps, axis=1)
    drawn = np.random.default_rng(_SEED).random((_DRAWS, *places.shape))
    shares = np.concatenate([np.clip(places + (each - 0.5) / len(places), 0, 1) for each in drawn])
    return np.maximum(intervals.at(shares), 0.0)


def peak_of(paths_kw: Values, point: Values) -> tuple[Values, int]:
    """The highest value of some paths.

    Args:
        paths_kw: Shape (paths, h).
        point: The forecast around which they lie, shape (h,).

    Returns:
        Quantiles at 1 to 99 %, shape (99,), and the step that most have it in. What is as likely passed as
        not at one step is so by the peak at least: from the middle up no quantile lies below the forecast's.
    """
    most: Positions = paths_kw.argmax(axis=1)
    step = int(np.bincount(most, minlength=paths_kw.shape[1]).argmax())
    least_kw = np.where(_SHARES >= _MIDDLE, point.max(), 0.0)
    return np.maximum(np.quantile(paths_kw.max(axis=1), _SHARES), least_kw), step


def _places(near: Nearness, steps: int) -> Values:
    """Each error's place among those of alike steps, 0 to 1, of the latest origins whose truth has come."""
    rows = [near.share_below(row) for row in near.latest_known(_MOST_ORIGINS)]
    return np.array(rows).reshape(len(rows), steps)


@dataclass(frozen=True)
class QuarterFactors:
    """How far the highest quarter hour of a step tops its mean.

    Attributes:
        factors: By time of day (daily steps: by weekday), at equally likely places, shape (places, 10); a
            single 1 where steps are quarter hours.
    """

    factors: Values

    @classmethod
    def of(cls, series: LoadSeries) -> "QuarterFactors":
        """Learned from a past that tells quarter hours; all 1 where it doesn't."""
        if series.quarter_peak_kw is None:
            return cls(np.ones((1, 1)))
        power_kw, quarter_kw = series.power_kw, series.quarter_peak_kw
        known = ~np.isnan(power_kw) & ~np.isnan(quarter_kw) & ~series.is_flagged
        known &= np.nan_to_num(power_kw) > _TELLING_SHARE * np.max(power_kw[known], initial=0.0)
        if np.count_nonzero(known) < _LEAST_STEPS:
            return cls(np.ones((1, 1)))
        factor = np.maximum(quarter_kw[known] / power_kw[known], 1.0)
        places = _place(local_steps(series.starts_at, series)[known], series.step_seconds)
        shares = (np.arange(_FACTORS) + 0.5) / _FACTORS
        everywhere = np.quantile(factor, shares)
        rows = [
            np.quantile(factor[places == place], shares)
            if (places == place).sum() >= _LEAST_STEPS
            else everywhere
            for place in range(_place_count(series.step_seconds))
        ]
        return cls(np.array(rows))

    def of_steps(self, steps: Positions, step_seconds: int, count: int) -> Values:
        """Factors of some paths at steps of the local clock, shape (count, h)."""
        if self.factors.size == 1:
            return np.full((count, len(steps)), self.factors[0, 0])
        drawn = np.random.default_rng(_SEED).integers(self.factors.shape[1], size=(count, len(steps)))
        found: Values = self.factors[_place(steps, step_seconds), drawn]
        return found

    def document(self) -> list[list[float]]:
        """As JSON has it."""
        return [[float(f"{each:.4g}") for each in row] for row in self.factors.tolist()]

    @classmethod
    def from_document(cls, document: Sequence[Sequence[float]]) -> "QuarterFactors":
        """Of a document."""
        return cls(np.array(document, dtype=np.float64))


def _place_count(step_seconds: int) -> int:
    return 7 if step_seconds == 86_400 else 86_400 // step_seconds


def _place(steps: Positions, step_seconds: int) -> Positions:
    place: Positions = steps % _place_count(step_seconds)
    return place
