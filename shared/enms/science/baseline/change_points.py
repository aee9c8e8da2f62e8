"""Where the deviation from a baseline changed for good: its cumulative sum, and a tested rule for bends."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from enms.science.arrays import Positions, Values

# Few simulations show what is clearly noise; the others are made for what may not be.
_SIMULATIONS = (99, 3999)
_CLEARLY_NOISE = 0.1
_SEED = 0
# Shorter stretches, in least lengths of a state, hold no change that could be told from memory.
_LEAST_STATES = 3
# Of the autocorrelation of what two fitted means leave over: on 4 000 series of 60, 90 and 180 days for every
# autocorrelation ρ from 0 to 0.8 it is ρ (1 - 7.5/n) - 4.2/n on average, the choice of the best day included.
_MEMORY_OFFSET, _MEMORY_SHRINKAGE = 4.2, 7.5
# Noise that remembers longer than its first lag says shows that at the second.
_MEMORY_LAGS = (1, 2)
_LONGEST_MEMORY = 0.95
# How many standard errors more memory than estimated the simulated noise has.
_CAUTION = 1.0
# Single days further than this from those around them, in standard deviations, count as that far only.
_OUTLIER = 4.0
_NEIGHBOURS = 7
_MAD_TO_STD = 1.4826
# Values that differ by less than this share of them are equal.
_ROUNDING = 1e-9
_ROUNDS = 5
_LEAST_SHARE_OF_DAY = 0.75


@dataclass(frozen=True)
class LastingChange:
    """A day from which on the deviation has another mean.

    Attributes:
        index: Of the first day of the new state.
        size_kwh_per_day: Mean after it less mean before it, single outlying days curbed.
        p_value: How often noise without a change would bend as much.
        before_kwh_per_day: Mean from the change before this one (or the start) to this one.
        after_kwh_per_day: Mean from this one to the next change (or the end).
    """

    index: int
    size_kwh_per_day: float
    p_value: float
    before_kwh_per_day: float
    after_kwh_per_day: float


def cusum(deviations: Values) -> Values:
    """Cumulative sum of daily deviations; a day that couldn't be judged adds nothing."""
    sums: Values = np.cumsum(np.where(np.isfinite(deviations), deviations, 0.0))
    return sums


def daily_sums(days: Positions, values: Values, whole: Values) -> Values:
    """Sum of each day, NaN where less than three quarters of it is there.

    What a day lacks is taken to be like the rest of it.

    Args:
        days: The day of each value, counted from the first.
        values: What is summed.
        whole: Of each day, how many values make it whole.
    """
    counts = np.bincount(days, minlength=len(whole))
    with np.errstate(divide="ignore", invalid="ignore"):
        sums: Values = np.bincount(days, values, len(whole)) * whole / counts
    sums[counts < _LEAST_SHARE_OF_DAY * whole] = np.nan
    return sums


def lasting_changes(
    deviations: Values, *, significance: float = 0.01, min_days: int = 7
) -> list[LastingChange]:
    """Days on which the mean of daily deviations changed for good.

    Each stretch is split where the two means differ most, by the largest Wald statistic over all days
    (Andrews 1993, Tests for parameter instability and structural change with unknown change point,
    Econometrica 61), and so are the parts (binary segmentation). Then each change is sought anew between its
    neighbours (repartition, Bai 1997, Estimating multiple breaks one at a time, Econometric Theory 13), and
    what isn't significant there is dropped.

    Errors of days remember each other, and noise with memory drifts. So the variance of a mean is the
    long-run one of a first-order autoregression around both means, its memory the larger of those that the
    first two lags tell, and the probability comes from simulated noise of that memory, which goes through
    the same steps. It is always the same noise: equal deviations give equal answers.

    A deviation that is large throughout has no change inside; one outlying day makes none either.

    Args:
        deviations: Actual less predicted energy of consecutive days, kWh; NaN where one couldn't be judged.
        significance: Largest probability that noise alone makes one test find a change, 0.001 to 0.1.
        min_days: The least length of a state that counts as lasting.
    """
    judged = np.flatnonzero(np.isfinite(deviations))
    values = _curbed(deviations[judged])
    search = _Search(values, significance, min_days)
    cuts = search.repartitioned(search.segmented(0, len(values)))
    if not cuts:
        return []
    edges = [0, *cuts, len(values)]
    means = [float(values[start:end].mean()) for start, end in pairwise(edges)]
    return [
        LastingChange(int(judged[cut]), after - before, cuts[cut], before, after)
        for cut, (before, after) in zip(cuts, pairwise(means), strict=True)
    ]


class _Search:
    """Finds changes in a series; remembers what it tested, since the last look repeats most of the first."""

    def __init__(self, values: Values, significance: float, min_days: int) -> None:
        self._values = values
        self._significance = significance
        self._min_days = min_days
        self._tested: dict[tuple[int, int], tuple[int, float] | None] = {}

    def segmented(self, start: int, end: int) -> list[int]:
        """Changes in the stretch [start, end), and in the parts that they make of it."""
        found = self._change(start, end)
        if found is None:
            return []
        return [*self.segmented(start, found[0]), found[0], *self.segmented(found[0], end)]

    def repartitioned(self, cuts: list[int]) -> dict[int, float]:
        """Changes with their probabilities, each found between its neighbours."""
        kept: dict[int, float] = {}
        for _ in range(_ROUNDS):
            kept = {}
            for end in [*cuts[1:], len(self._values)] if cuts else []:
                found = self._change(max(kept, default=0), end)
                if found is not None:
                    kept[found[0]] = found[1]
            if list(kept) == cuts:
                break
            cuts = list(kept)
        return kept

    def _change(self, start: int, end: int) -> tuple[int, float] | None:
        """The strongest change in a stretch with its probability, if that is small enough."""
        if (start, end) not in self._tested:
            found = _strongest(self._values[start:end], self._min_days)
            is_change = found is not None and found[1] <= self._significance
            self._tested[start, end] = (start + found[0], found[1]) if found and is_change else None
        return self._tested[start, end]


def _strongest(values: Values, min_days: int) -> tuple[int, float] | None:
    """First place of the second state, and the probability of such a bend; None for too few days."""
    count = len(values)
    if count < _LEAST_STATES * min_days or np.ptp(values) <= _ROUNDING * np.abs(values).max():
        return None
    statistics, cuts, memories = _bends(values[:, None], min_days)
    memory = float(memories[0])
    memory += _CAUTION * np.sqrt((1 - memory**2) / count)
    memory = min(memory, _LONGEST_MEMORY)
    probability = 1.0
    for simulations in _SIMULATIONS:
        simulated = _bends(_noise(count, memory, simulations), min_days)[0]
        probability = (1 + int((simulated >= statistics[0]).sum())) / (1 + simulations)
        if probability > _CLEARLY_NOISE:
            break
    return int(cuts[0]), probability


def _bends(series: Values, min_days: int) -> tuple[Values, Positions, Values]:
    """Of each column: root of the largest Wald statistic, where it lies, and memory around both means."""
    count, columns = series.shape
    centred = series - series.mean(axis=0)
    places = np.arange(min_days, count - min_days + 1)
    sums = np.cumsum(centred, axis=0)[places - 1]
    sizes = np.abs(sums) / np.sqrt(places * (count - places) / count)[:, None]
    best = sizes.argmax(axis=0)
    column = np.arange(columns)
    cuts, sum_before = places[best], sums[best, column]
    before, after = sum_before / cuts, -sum_before / (count - cuts)
    left = centred - np.where(np.arange(count)[:, None] < cuts, before, after)
    squares = np.einsum("ij,ij->j", left, left)
    memory: Values = np.stack([_memory(left, squares, lag) for lag in _MEMORY_LAGS]).max(axis=0)
    long_run = squares / (count - 2) * (1 + memory) / (1 - memory)
    with np.errstate(divide="ignore"):
        statistics: Values = sizes[best, column] / np.sqrt(long_run)
    return statistics, cuts, memory


def _memory(left: Values, squares: Values, lag: int) -> Values:
    """The ρ of a first-order autoregression by its autocorrelation ρ^lag; 0 for days that alternate."""
    count = len(left)
    products = np.einsum("ij,ij->j", left[lag:], left[:-lag])
    raw = np.divide(products, squares, out=np.zeros(len(squares)), where=squares > 0)
    unbiased = (raw * count + _MEMORY_OFFSET) / (count - _MEMORY_SHRINKAGE)
    memory: Values = np.minimum(np.clip(unbiased, 0, 1) ** (1 / lag), _LONGEST_MEMORY)
    return memory


def _noise(count: int, memory: float, simulations: int) -> Values:
    """Stationary first-order autoregressions as columns, count × simulations."""
    noise = np.random.default_rng(_SEED).standard_normal((count, simulations))
    noise[0] /= np.sqrt(1 - memory**2)
    for day in range(1, count):
        noise[day] += memory * noise[day - 1]
    return noise


def _curbed(values: Values) -> Values:
    """Values, with single days drawn towards the median of the days around them (Hampel's filter)."""
    if len(values) < _NEIGHBOURS:
        return values
    padded = np.pad(values, _NEIGHBOURS // 2, mode="reflect")
    middle = np.median(np.lib.stride_tricks.sliding_window_view(padded, _NEIGHBOURS), axis=1)
    apart = values - middle
    reach = _OUTLIER * _MAD_TO_STD * float(np.median(np.abs(apart)))
    # Where most days equal their neighbours nothing is known of an ordinary distance.
    return middle + np.clip(apart, -reach, reach) if reach > 0 else values
