"""How two series go together."""

import numpy as np

from enms.science.arrays import Values

_LEAST_PAIRS = 3


def correlation(one: Values, other: Values) -> float | None:
    """Pearson's correlation where both are known; None where one is constant or there are too few pairs."""
    known = np.isfinite(one) & np.isfinite(other)
    one, other = one[known], other[known]
    # By the range: the standard deviation of a constant is not always zero.
    if len(one) < _LEAST_PAIRS or np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return float(np.corrcoef(one, other)[0, 1])
