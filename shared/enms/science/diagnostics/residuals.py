"""What residuals tell: normality, influence of single intervals, and what the form of the model misses."""

from dataclasses import dataclass

import numpy as np

from enms.science.arrays import Values
from enms.science.diagnostics.least_squares import LeastSquares


@dataclass(frozen=True)
class Normality:
    """Jarque & Bera's (1987) test, International Statistical Review 55.

    Attributes:
        statistic: n/6 (skewness² + (kurtosis - 3)²/4).
        p_value: Of χ² with two degrees of freedom.
        skewness: 0 of a normal distribution.
        kurtosis: 3 of a normal distribution.
    """

    statistic: float
    p_value: float
    skewness: float
    kurtosis: float


def jarque_bera(residuals: Values) -> Normality:
    """Whether residuals look normal; for the record, since intervals don't rest on it with many samples."""
    centred = residuals - residuals.mean()
    squares = centred * centred
    variance = float(squares.mean())
    if variance == 0:
        return Normality(0.0, 1.0, 0.0, 3.0)
    skewness = float((squares * centred).mean()) / variance**1.5
    kurtosis = float((squares * squares).mean()) / variance**2
    statistic = len(residuals) / 6 * (skewness**2 + (kurtosis - 3) ** 2 / 4)
    return Normality(statistic, float(np.exp(-statistic / 2)), skewness, kurtosis)


def cooks_distance(fit: LeastSquares) -> Values:
    """How much each observation moves the coefficients (Cook 1977, Technometrics 19), n values."""
    variance = fit.squared_error / fit.degrees_of_freedom
    if variance == 0:
        return np.zeros(fit.observations)
    free = np.maximum(1 - fit.leverages, 1e-12)
    distance: Values = fit.residuals**2 / (fit.parameters * variance) * fit.leverages / free**2
    return distance


def curvature_share(fit: LeastSquares) -> float:
    """Share of the residuals' variance that the square of the fitted values explains.

    The idea of Ramsey's (1969) RESET: a form that misses a bend leaves it in the residuals.
    """
    if fit.squared_error == 0:
        return 0.0
    fitted = fit.target - fit.residuals
    squared = (fitted - fitted.mean()) ** 2
    own = squared - fit.design @ (fit.root @ (fit.root.T @ (fit.design.T @ squared)))
    left = float(own @ own)
    if left <= 1e-12 * float(squared @ squared):
        return 0.0
    return float(own @ fit.residuals) ** 2 / left / fit.squared_error
