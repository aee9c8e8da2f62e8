"""Series with gaps on the regular grid of their intervals, and their Fourier transforms."""

import numpy as np

from enms.science.arrays import Positions, Values

# Zeros behind a series, so that what it remembers has faded before the transform comes round again.
_MEMORY = 512


def fft_length(span: int) -> int:
    """A length that transforms fast and keeps lags up to `span` apart from those that wrap around."""
    least = 2 * span + _MEMORY
    whole = 1 << (least - 1).bit_length()
    # Lengths 5 · 2^k and 3 · 2^k transform as fast, and one of them often lies closer.
    return next(length for length in (whole // 8 * 5, whole // 4 * 3, whole) if length >= least)


def span_of(positions: Positions) -> int:
    """How many places of the grid lie from the first to the last, both counted."""
    return int(positions[-1] - positions[0]) + 1


def on_grid(positions: Positions, values: Values) -> Values:
    """Columns n × p (or n values) as rows p × span of the grid, zero where an interval is missing."""
    columns = values if values.ndim == 2 else values[:, None]
    grid = np.zeros((columns.shape[1], span_of(positions)))
    grid[:, positions - positions[0]] = columns.T
    return grid


def weighed_products(rows: Values, spectrum: Values) -> Values:
    """ZΓZ' for p rows Z on the grid and errors with this spectral density, p × p.

    Args:
        rows: p × span.
        spectrum: At f = 0, 1/length … 1/2 of an even `length` by `fft_length`.
    """
    length = 2 * (len(spectrum) - 1)
    transforms = np.fft.rfft(rows, length)
    weighed = transforms * (both_halves(spectrum) / length)
    products: Values = transforms.real @ weighed.real.T + transforms.imag @ weighed.imag.T
    return products


def both_halves(spectrum: Values) -> Values:
    """Weights of a half spectrum (of an even length) that stand for both of its halves."""
    weights = np.full(len(spectrum), 2.0)
    weights[0] = weights[-1] = 1.0
    both: Values = spectrum * weights
    return both
