"""Runs of flagged intervals."""

import numpy as np

from enms.science.arrays import Flags

type Run = tuple[int, int]


def runs_of(flags: Flags, join: int = 0) -> list[Run]:
    """Half-open runs of flagged intervals; at most `join` unflagged ones in between don't part them."""
    places = np.flatnonzero(flags)
    if not len(places):
        return []
    cuts = np.flatnonzero(np.diff(places) > join + 1)
    starts = places[np.concatenate([[0], cuts + 1])]
    ends = places[np.concatenate([cuts, [len(places) - 1]])] + 1
    return list(zip(starts.tolist(), ends.tolist(), strict=True))
