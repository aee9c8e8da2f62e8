"""What a detector makes of every interval: one score a track, comparable by how seldom it comes of itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from enms.science.anomalies.findings import Method
from enms.science.anomalies.rolling import rolling_mean, spread_of
from enms.science.arrays import Values

_CUSUM_CAP, _CUSUM_HIGH, _CUSUM_FALL = 4.0, 8.0, 6.0

type Family = str
"""What belongs together in an episode: `power_up`, `power_down`, `pattern`, or `sensor:<name>`."""


@dataclass(frozen=True)
class Track:
    """A detector's view of one quantity in one direction.

    Attributes:
        family: What its odd intervals are joined with.
        method: The detector.
        metric: What it looks at.
        sign: 1 where more, -1 where less is odd.
        scores: Of each interval, larger where odder; NaN where it couldn't be judged.
        z: Of each interval alone, times `sign`: how far it lies from what is expected, for an episode's ends.
    """

    family: Family
    method: Method
    metric: str
    sign: int
    scores: Values
    z: Values


@dataclass(frozen=True)
class Scale:
    """Windows over which a residual is looked at, and the usual spread of its mean over each.

    Attributes:
        windows: Lengths, in intervals.
        spreads: Standard deviations, in the residual's unit.
    """

    windows: tuple[int, ...]
    spreads: tuple[float, ...]

    @classmethod
    def of(cls, residuals: Values, windows: Sequence[int]) -> Self:
        """What residuals of sound operation show."""
        found = [(window, spread_of(rolling_mean(residuals, window))) for window in windows]
        usable = [(window, spread) for window, spread in found if np.isfinite(spread) and spread > 0]
        return cls(tuple(w for w, _ in usable), tuple(s for _, s in usable))

    def scores(self, residuals: Values, sign: int) -> tuple[Values, Values]:
        """The largest z over the windows that end with each interval, and the z of the interval alone."""
        worst = np.full(len(residuals), np.nan)
        alone = np.full(len(residuals), np.nan)
        for window, spread in zip(self.windows, self.spreads, strict=True):
            z = sign * rolling_mean(residuals, window) / spread
            worst = np.fmax(worst, z)
            if window == 1:
                alone = z
        return worst, alone

    def as_dict(self) -> dict[str, Any]:
        """For a detector's document."""
        return {"windows": list(self.windows), "spreads": list(self.spreads)}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Of a detector's document."""
        return cls(tuple(document["windows"]), tuple(document["spreads"]))


def cusum(z: Values, allowance: float) -> Values:
    """One-sided cumulative sum S(t) = max(0, S(t-1) + z(t) - k) (Page 1954, Biometrika 41).

    One interval counts as 4 σ at most, so that the sum tells of what lasts. A sum that was high and has
    fallen begins anew: what it told of is over.

    Args:
        z: Standardised deviations in the direction of interest; NaN adds nothing and scores NaN.
        allowance: k: half the shift that it is most sensitive to, in standard deviations.
    """
    sums = np.full(len(z), np.nan)
    total = highest = 0.0
    for place, value in enumerate(np.minimum(z, _CUSUM_CAP).tolist()):
        if value != value:
            continue
        total = max(total + value - allowance, 0.0)
        highest = max(highest, total)
        if highest > _CUSUM_HIGH and total < highest - _CUSUM_FALL:
            total = 0.0
        if total == 0.0:
            highest = 0.0
        sums[place] = total
    return sums
