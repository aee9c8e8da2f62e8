"""Whether a newly trained model may take the place of the active one: both on the same recent time."""

from dataclasses import dataclass

import numpy as np

from enms.science.arrays import Flags, Values
from enms.science.baseline.model import Baseline
from enms.science.baseline.observations import INTERVALS_PER_DAY, Observations
from enms.science.baseline.validation import out_of_time

# What lies after the champion's training is new to both; where it is shorter, the last two weeks count.
_LEAST_NEW_DAYS = 5
_RECENT_DAYS = 14


@dataclass(frozen=True)
class Challenge:
    """Both models on the same intervals.

    Attributes:
        intervals: How many there were; none where the challenger can predict none.
        champion_rmse: Of the active model, kWh per interval; None where it can predict none of them.
        challenger_rmse: Of the new one, by fits that hadn't seen the intervals.
    """

    intervals: int
    champion_rmse: float | None
    challenger_rmse: float

    @property
    def is_won(self) -> bool:
        """Whether the challenger is no worse."""
        if not self.intervals:
            return False
        return self.champion_rmse is None or self.challenger_rmse <= self.champion_rmse


def recent_rows(data: Observations, champion_ends_before: int) -> Flags:
    """The intervals that decide.

    Args:
        data: What the challenger was fitted to.
        champion_ends_before: Position of the first interval after the champion's training.
    """
    per_day = INTERVALS_PER_DAY[data.interval]
    new = data.positions >= champion_ends_before
    if new.sum() >= _LEAST_NEW_DAYS * per_day:
        return new
    recent: Flags = data.positions > data.positions[-1] - _RECENT_DAYS * per_day
    return recent


def champion_kwh(champion: Baseline, data: Observations, seen_until: int) -> Values:
    """What the active model expects of each interval, without the advantage of having seen it.

    Intervals of its own training are predicted by its terms fitted to the other blocks, as the challenger's
    are; later ones by the model as it is.

    Args:
        champion: The active model.
        data: The intervals, with its drivers; NaN where one isn't known.
        seen_until: Position of the first interval after its training.
    """
    expected = champion.predict_kwh(data)
    known = np.flatnonzero(np.isfinite(expected))
    seen = data.positions[known] < seen_until
    if seen.any():
        tested = out_of_time(data.take(known), lambda _: champion.terms)
        expected[known[seen]] = tested.predicted_kwh[seen]
    return expected


def challenge(data: Observations, rows: Flags, champion_kwh: Values, challenger_kwh: Values) -> Challenge:
    """Compares predictions of both.

    Args:
        data: What the challenger was fitted to.
        rows: The intervals that decide.
        champion_kwh: The champion's predictions; NaN where it can't.
        challenger_kwh: The challenger's predictions out of time; NaN where it can't.
    """
    both = rows & np.isfinite(challenger_kwh) & np.isfinite(champion_kwh)
    if not both.any():
        alone = rows & np.isfinite(challenger_kwh)
        return Challenge(int(alone.sum()), None, _rmse(data.energy_kwh[alone] - challenger_kwh[alone]))
    actual = data.energy_kwh[both]
    return Challenge(
        int(both.sum()), _rmse(actual - champion_kwh[both]), _rmse(actual - challenger_kwh[both])
    )


def _rmse(errors: Values) -> float:
    return float(np.sqrt(np.mean(errors**2))) if errors.size else float("nan")
