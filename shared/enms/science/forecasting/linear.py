"""Linear models that don't run away."""

import numpy as np

from enms.science.arrays import Values

# Largest root of an autoregression: beyond it a shock would hardly die out.
_LARGEST_ROOT = 0.999
_TINY = 1e-9
# What a residual may be, as a multiple of the median one, before its row counts less (Huber's weights).
_USUAL_RESIDUALS = 2.0
_ROUNDS = 4


def ridge(table: Values, target: Values, weights: Values, penalty: float) -> Values:
    """Weighted least squares with a penalty on the coefficients, as a share of the columns' mean square.

    Args:
        table: Shape (n, p).
        target: Shape (n,) or (n, k).
        weights: Of the rows, 0 to 1, shape (n,).
        penalty: 0 for none.

    Returns:
        Coefficients, shape (p,) or (p, k).
    """
    weighted = table * weights[:, None]
    squares = table.T @ weighted
    shrunk = squares + np.eye(len(squares)) * (penalty * max(np.trace(squares) / len(squares), 1e-12) + _TINY)
    found: Values = np.linalg.solve(shrunk, weighted.T @ target)
    return found


def robust_ridges(tables: Values, targets: Values, weights: Values, penalty: float) -> Values:
    """Many small ridge regressions at once, in which rows far off count less (Huber 1964, by reweighting).

    Args:
        tables: One regression after the other, shape (h, n, p), in units in which 1 is usual.
        targets: Shape (h, n).
        weights: Of the rows, shape (h, n).
        penalty: For each unit of weight.

    Returns:
        Coefficients, shape (h, p).
    """
    shrinking = (penalty * weights.sum(axis=1) + _TINY)[:, None, None] * np.eye(tables.shape[2])
    counted = weights
    found = np.zeros((len(tables), tables.shape[2]))
    for _ in range(_ROUNDS):
        weighted = (tables * counted[:, :, None]).transpose(0, 2, 1)
        found = np.linalg.solve(weighted @ tables + shrinking, weighted @ targets[:, :, None])[:, :, 0]
        off = np.abs(targets - (tables @ found[:, :, None])[:, :, 0])
        usual = _USUAL_RESIDUALS * np.median(off, axis=1, keepdims=True) + _TINY
        counted = weights * np.minimum(1, usual / np.maximum(off, _TINY))
    return found


def stationary(ar: Values) -> Values:
    """An autoregression's weights, shrunk as far as it takes for shocks to die out.

    Weight k times r^k divides every root of the process by 1 / r.

    Args:
        ar: Weights of the last values, newest first, shape (p,).
    """
    if not len(ar):
        return ar
    companion = np.eye(len(ar), k=-1)
    companion[0] = ar
    largest = np.abs(np.linalg.eigvals(companion)).max()
    return ar if largest <= _LARGEST_ROOT else ar * (_LARGEST_ROOT / largest) ** np.arange(1, len(ar) + 1)
