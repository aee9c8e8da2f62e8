"""Regression by least absolute deviations: what MASE judges by, and what one odd day doesn't move."""

import numpy as np

from enms.science.arrays import Values
from enms.science.forecasting.linear import ridge

_ROUNDS = 6


def least_deviations(
    table: Values, target: Values, weights: Values, penalty: float, small_error: float
) -> Values:
    """Coefficients by least squares weighted with the inverse of the errors (Schlossmacher 1973).

    Args:
        table: Shape (n, p).
        target: Shape (n,).
        weights: Of the rows, 0 to 1, shape (n,).
        penalty: As `ridge` has it.
        small_error: Errors below this count as squares.

    Returns:
        Coefficients, shape (p,).
    """
    found = ridge(table, target, weights, penalty)
    for _ in range(_ROUNDS):
        off = np.maximum(np.abs(target - table @ found), small_error)
        found = ridge(table, target, weights / off, penalty)
    return found
