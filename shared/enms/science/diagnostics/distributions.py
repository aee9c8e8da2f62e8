"""Tails and quantiles of Student's t and Fisher's F."""

import numpy as np

from enms.science.arrays import Values


def two_sided_p(t: Values, degrees_of_freedom: float) -> Values:
    """P(|T| ≥ |t|)."""
    from scipy.special import stdtr

    return np.asarray(2 * stdtr(degrees_of_freedom, -np.abs(t)), dtype=np.float64)


def t_quantile(probability: float, degrees_of_freedom: float) -> float:
    """The t that lies above this probability."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees_of_freedom, probability))


def f_tail(f: float, numerator: float, denominator: float) -> float:
    """P(F ≥ f)."""
    from scipy.special import fdtrc

    return float(fdtrc(numerator, denominator, f))
