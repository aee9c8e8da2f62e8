"""Standard errors and a test for residuals that remember each other."""

import numpy as np

from enms.science.arrays import Positions, Values
from enms.science.diagnostics.least_squares import LeastSquares


def newey_west_lags(observations: int, shortest: int = 0) -> int:
    """How many lags the covariance weighs.

    The rule of thumb floor(4 (n/100)^(2/9)) of Newey & West (1994), Automatic lag selection in covariance
    matrix estimation, Review of Economic Studies 61, but not less than `shortest` (a day, a week).
    """
    rule = int(4 * (observations / 100) ** (2 / 9))
    return min(max(rule, shortest), max(observations - 1, 0))


def newey_west_covariance(fit: LeastSquares, positions: Positions, lags: int) -> Values:
    """Covariance of the coefficients that survives heteroscedasticity and autocorrelation, p × p.

    (X'X)⁻¹ S (X'X)⁻¹ n/(n-p) with Bartlett weights 1 - k/(lags+1), Newey & West (1987), Econometrica 55.
    Lags are distances on the regular grid: where intervals are missing nothing is paired (Parzen 1963).

    Args:
        fit: The solution.
        positions: Place of each observation on the regular grid, ascending.
        lags: The largest distance that counts.
    """
    n, p = fit.design.shape
    scores = fit.design * fit.residuals[:, None]
    grid = scores
    if positions[-1] - positions[0] + 1 != n:
        grid = np.zeros((int(positions[-1] - positions[0]) + 1, p))
        grid[positions - positions[0]] = scores
    middle = grid.T @ grid
    for lag in range(1, lags + 1):
        paired = grid[lag:].T @ grid[:-lag]
        middle += (1 - lag / (lags + 1)) * (paired + paired.T)
    inverse = fit.normal_inverse
    covariance: Values = inverse @ middle @ inverse * (n / (n - p))
    return covariance


def durbin_watson(residuals: Values, positions: Positions) -> float:
    """Durbin & Watson's (1950) statistic: 2 without autocorrelation at one interval, 0 with nothing else.

    Pairs across missing intervals are left out, and the sum is scaled as if they had been there.
    """
    squares = float(residuals @ residuals)
    steps = np.diff(residuals)[np.diff(positions) == 1]
    if not steps.size or squares == 0:
        return 2.0
    return float(steps @ steps) / squares * (len(residuals) - 1) / len(steps)


def lag_one_autocorrelation(residuals: Values, positions: Positions) -> float:
    """Correlation of neighbouring residuals; 0 where there are none."""
    neighbours = np.flatnonzero(np.diff(positions) == 1)
    squares = float(residuals @ residuals)
    if not neighbours.size or squares == 0:
        return 0.0
    products = float(residuals[neighbours] @ residuals[neighbours + 1])
    return products / neighbours.size / (squares / len(residuals))
