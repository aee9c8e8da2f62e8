"""A quantity that stands still: a sensor that hangs rather than a machine that is steady."""

import numpy as np

from enms.science.arrays import Positions, Values

_LEAST_SECONDS = 6 * 3_600
# Longer than so many times what has ever been seen.
_TIMES_LONGEST = 3
_SAME = 1e-9


def still_for(values: Values) -> Positions:
    """For how many intervals the quantity has been the same, up to each; 0 where it is unknown."""
    known = np.isfinite(values)
    moves = np.ones(len(values), dtype=bool)
    moves[1:] = ~(np.abs(np.diff(values)) <= _SAME * np.abs(values[1:]))
    places = np.arange(len(values))
    since = np.maximum.accumulate(np.where(moves, places, 0))
    found: Positions = np.where(known, places - since + 1, 0)
    return found


def longest_usual(still: Positions, step_seconds: int) -> int:
    """From how many intervals on a standstill is none of the machine's own, as earlier ones tell."""
    longest = int(still.max(initial=0))
    return max(_TIMES_LONGEST * longest, _LEAST_SECONDS // step_seconds)
