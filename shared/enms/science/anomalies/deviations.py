"""The deviation from the baseline as a detector: windows of a few hours, and the cumulative sum."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from enms.science.anomalies.series import MachineSeries
from enms.science.anomalies.tracks import Scale, Track, cusum
from enms.science.arrays import Flags, Positions, Values
from enms.science.baseline.deviation import Comparison

_SECONDS = {"hour": 3_600, "day": 86_400}
_WINDOWS: Mapping[str, tuple[int, ...]] = {"hour": (1, 2, 4, 8, 16), "day": (1, 2, 4)}
# Half the shift that the cumulative sum is tuned to: 0.7 of an interval's standard error.
_ALLOWANCE = 0.35


@dataclass(frozen=True)
class Deviations:
    """A machine's intervals held against its baseline.

    Attributes:
        comparison: Those that could be judged.
        starts_at: When they begin, seconds since 1970.
    """

    comparison: Comparison
    starts_at: Positions

    @property
    def seconds(self) -> int:
        """Length of an interval (of days: the usual one)."""
        return _SECONDS[self.comparison.data.interval]


@dataclass(frozen=True)
class DeviationModel:
    """How far a machine's deviations usually scatter.

    Attributes:
        interval: Of the baseline.
        scale: Windows, and the spread of the mean studentised deviation over each.
    """

    interval: str
    scale: Scale

    @property
    def seconds(self) -> int:
        """Length of an interval."""
        return _SECONDS[self.interval]

    def tracks(self, z: Values) -> list[Track]:
        """More and less than expected, by windows and by the cumulative sum.

        Args:
            z: Studentised deviation of each interval.
        """
        found = []
        spread = self.scale.spreads[0]
        for family, sign in (("power_up", 1), ("power_down", -1)):
            scores, alone = self.scale.scores(z, sign)
            sums = cusum(sign * z / spread, _ALLOWANCE)
            found.append(Track(family, "baseline_deviation", "energy_kwh", sign, scores, alone))
            found.append(Track(family, "cusum", "energy_kwh", sign, sums, alone))
        return found

    def as_dict(self) -> dict[str, Any]:
        """For a detector's document."""
        return {"interval": self.interval, "scale": self.scale.as_dict()}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Of a detector's document."""
        return cls(document["interval"], Scale.from_dict(document["scale"]))


def model_of(interval: str, z: Values) -> DeviationModel | None:
    """Scatter of studentised deviations; None where there are none."""
    scale = Scale.of(z, _WINDOWS[interval])
    return DeviationModel(interval, scale) if 1 in scale.windows else None


def on_grid(series: MachineSeries, deviations: Deviations, values: Values) -> tuple[Positions, Values]:
    """Values of judged intervals on a grid without a hole over the series; NaN for the others."""
    step = deviations.seconds
    if deviations.comparison.data.interval == "day":
        # Days of 23 and 25 hours keep no distance: they are their own grid.
        return deviations.starts_at, values
    first = int(series.starts_at[0]) // step * step
    count = -(-(series.end - first) // step)
    grid = first + step * np.arange(count)
    placed = np.full(count, np.nan)
    rows = (deviations.starts_at - first) // step
    inside = (rows >= 0) & (rows < count)
    placed[rows[inside]] = values[inside]
    return grid, placed


def studentised(comparison: Comparison) -> Values:
    """Actual less predicted energy in standard errors of a single interval; NaN beyond the drivers' range."""
    z = comparison.deviation_kwh / np.maximum(comparison.std_error_kwh, 1e-12)
    # What the baseline says of a load or weather that it never saw is nobody's fault.
    return np.where(comparison.is_beyond, np.nan, z)


def studentised_by(comparison: Comparison, learned: Flags) -> Values:
    """The same with coefficients of some intervals only: what the others show is unseen.

    Args:
        comparison: The reference window.
        learned: The intervals that coefficients come from; too few leave the baseline's own.
    """
    design, energy = comparison.design, comparison.data.energy_kwh
    if learned.sum() < 4 * design.shape[1]:
        return studentised(comparison)
    coefficients, *_ = np.linalg.lstsq(design[learned], energy[learned], rcond=None)
    z: Values = (energy - design @ coefficients) / np.maximum(comparison.std_error_kwh, 1e-12)
    return z
