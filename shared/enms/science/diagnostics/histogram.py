"""How values spread, in bins of a width that follows from the values."""

from dataclasses import dataclass
from math import ceil

import numpy as np

from enms.science.arrays import Positions, Values

MOST_BINS = 40


@dataclass(frozen=True)
class Histogram:
    """Counts in bins of equal width.

    Attributes:
        edges: Limits of the bins, ascending; one more than there are bins.
        counts: How many values each holds; the last bin holds its upper edge too.
    """

    edges: Values
    counts: Positions


def histogram(values: Values) -> Histogram:
    """The histogram of Freedman and Diaconis' (1981) bin width, Z. Wahrscheinlichkeitstheorie 57.

    Where it would make too many bins, as with a few values far out, they are wider.
    """
    spread = float(np.ptp(values))
    low, high = np.quantile(values, [0.25, 0.75])
    width = 2 * float(high - low) / len(values) ** (1 / 3)
    bins = MOST_BINS if width * MOST_BINS < spread else max(1, ceil(spread / width)) if width else 1
    counts, edges = np.histogram(values, bins)
    return Histogram(edges, counts)
