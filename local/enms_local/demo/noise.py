"""Noise that is a function of the instant: any stretch, made in any order, gives the same values."""

import hashlib

import numpy as np
import numpy.typing as npt

Minutes = npt.NDArray[np.int64]
"""Minutes since 1970-01-01 00:00 UTC."""
Values = npt.NDArray[np.float64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def uniform(stream: str, seed: int, index: Minutes) -> Values:
    """Evenly distributed over (0, 1): the hash of stream, seed and index (SplitMix64, Steele et al. 2014)."""
    key = np.frombuffer(hashlib.blake2b(f"{stream}/{seed}".encode(), digest_size=8).digest(), np.uint64)
    with np.errstate(over="ignore"):
        state = index.astype(np.uint64) * _GOLDEN + key
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            state = (state ^ (state >> np.uint64(shift))) * np.uint64(factor)
        state ^= state >> np.uint64(31)
    return np.asarray(((state >> np.uint64(11)).astype(np.float64) + 0.5) / (1 << 53))


def normal(stream: str, seed: int, index: Minutes) -> Values:
    """Standard normal (Box-Muller)."""
    radius = np.sqrt(-2 * np.log(uniform(f"{stream}.radius", seed, index)))
    return np.asarray(radius * np.cos(2 * np.pi * uniform(f"{stream}.angle", seed, index)))


def smooth(stream: str, seed: int, minutes: Minutes, knot_minutes: int) -> Values:
    """Standard normal at knots that lie `knot_minutes` apart, and a cosine's slope between them."""
    knot = minutes // knot_minutes
    first, count = int(knot.min()), int(knot.max() - knot.min()) + 2
    at_knots = normal(stream, seed, np.arange(first, first + count, dtype=np.int64))
    share = (1 - np.cos(np.pi * (minutes % knot_minutes) / knot_minutes)) / 2
    return np.asarray(at_knots[knot - first] * (1 - share) + at_knots[knot - first + 1] * share)
