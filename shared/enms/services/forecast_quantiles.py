"""What the quantiles of a stored peak tell, at 1, 2 … 99 %, without numpy."""

from bisect import bisect_right
from collections.abc import Sequence
from math import exp, log


def quantile(quantiles: Sequence[float], share: float) -> float:
    """What lies between them, linearly; the outermost ones beyond."""
    place = min(max(100 * share - 1, 0), len(quantiles) - 1)
    low = min(int(place), len(quantiles) - 2)
    return quantiles[low] + (place - low) * (quantiles[low + 1] - quantiles[low])


def probability_over(quantiles: Sequence[float], limit: float) -> float:
    """The probability that a limit is exceeded: what `science.forecasting.forecast.probability_over` says."""
    if limit >= quantiles[-1]:
        return 0.01 * _fading(limit - quantiles[-1], quantiles[-1] - quantiles[-10])
    if limit < quantiles[0]:
        return 1 - 0.01 * _fading(quantiles[0] - limit, quantiles[9] - quantiles[0])
    # Equal quantiles stand for one value with the mass of all of them: it isn't exceeded by itself.
    place = bisect_right(quantiles, limit)
    low, high = quantiles[place - 1], quantiles[place]
    return 1 - (place + (limit - low) / (high - low)) / 100


def _fading(beyond: float, tenth: float) -> float:
    """What is left of a tail so far out, where its share fell to a tenth over a stretch before."""
    return exp(-log(10) * beyond / tenth) if tenth > 0 else float(beyond == 0)
