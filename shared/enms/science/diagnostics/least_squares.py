"""Ordinary least squares, and what follows from its decomposition."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from enms.science.arrays import Flags, Values

# Of a column's unit norm: what is left of it after the others, below which it says nothing of its own.
_NOTHING_LEFT = 1e-7
# Of a column's mean: a spread that rounding alone can leave of a constant.
_CONSTANT = 1e-12


class CollinearColumnsError(ValueError):
    """A column is a combination of the others.

    Attributes:
        column: Its index.
        others: Those that it is made of.
    """

    def __init__(self, column: int, others: list[int]) -> None:
        super().__init__(f"column {column} is made of {others}")
        self.column = column
        self.others = others


@dataclass(frozen=True)
class LeastSquares:
    """The solution of min |y - Xβ|.

    Attributes:
        design: X, n × p; the first column is the intercept.
        target: y.
        coefficients: β.
        residuals: y - Xβ.
        root: p × p matrix L with (X'X)⁻¹ = L L'.
        leverages: Diagonal of the hat matrix.
    """

    design: Values
    target: Values
    coefficients: Values
    residuals: Values
    root: Values
    leverages: Values

    @property
    def observations(self) -> int:
        """How many rows there are, n."""
        return len(self.design)

    @property
    def parameters(self) -> int:
        """How many columns there are, p, the intercept included."""
        return int(self.design.shape[1])

    @property
    def degrees_of_freedom(self) -> int:
        """What is left of n, n - p."""
        return self.observations - self.parameters

    @cached_property
    def normal_inverse(self) -> Values:
        """(X'X)⁻¹."""
        return self.root @ self.root.T

    @cached_property
    def squared_error(self) -> float:
        """Sum of squared residuals."""
        return float(self.residuals @ self.residuals)

    @cached_property
    def total_squares(self) -> float:
        """Sum of squares about the mean."""
        centred = self.target - self.target.mean()
        return float(centred @ centred)


def solve(design: Values, target: Values) -> LeastSquares:
    """Solves by QR of the centred and scaled columns, so that units and offsets cost no digits.

    Args:
        design: n × p, the first column all ones, n > p.
        target: n values.

    Raises:
        CollinearColumnsError: A column is constant, or a combination of others.
    """
    n, p = design.shape
    means = design[:, 1:].mean(axis=0)
    centred = design[:, 1:] - means
    norms = np.sqrt(np.einsum("ij,ij->j", centred, centred))
    constant = np.flatnonzero(_are_constant(norms, means, n))
    if constant.size:
        raise CollinearColumnsError(int(constant[0]) + 1, [0])
    q, r = np.linalg.qr(centred / norms)
    _refuse_collinear(r)
    inverse_r = np.linalg.solve(r, np.eye(p - 1)) if p > 1 else np.zeros((0, 0))
    slopes = inverse_r @ (q.T @ (target - target.mean())) / norms
    # In the original columns: (X'X)⁻¹ = L L' with the intercept's row made of the means.
    root = np.zeros((p, p))
    root[1:, 1:] = inverse_r / norms[:, None]
    root[0, 1:] = -means @ root[1:, 1:]
    root[0, 0] = 1 / np.sqrt(n)
    coefficients = np.concatenate([[target.mean() - means @ slopes], slopes])
    residuals = target - target.mean() - centred @ slopes
    leverages = 1 / n + np.einsum("ij,ij->i", q, q)
    return LeastSquares(design, target, coefficients, residuals, root, leverages)


def _are_constant(norms: Values, means: Values, n: int) -> Flags:
    """Which columns vary by no more than rounding; `norms` are those of the centred columns."""
    constant: Flags = norms <= _CONSTANT * np.sqrt(n) * np.abs(means)
    return constant


def _refuse_collinear(r: Values) -> None:
    left = np.abs(np.diag(r))
    worst = np.flatnonzero(left < _NOTHING_LEFT)
    if not worst.size:
        return
    column = int(worst[0])
    shares = np.linalg.lstsq(r[:column, :column], r[:column, column], rcond=None)[0]
    others = np.flatnonzero(np.abs(shares) > 1e-3) + 1
    raise CollinearColumnsError(column + 1, [int(each) for each in others])


def solve_quickly(design: Values, target: Values) -> Values:
    """Coefficients alone, by the normal equations of centred and scaled columns.

    For the many refits of a validation: what the columns can't tell apart is shared out (least norm) instead
    of refused, and a column that is constant in these rows gets zero.
    """
    means = design[:, 1:].mean(axis=0)
    centred = design[:, 1:] - means
    norms = np.sqrt(np.einsum("ij,ij->j", centred, centred))
    constant = _are_constant(norms, means, len(design))
    centred[:, constant], norms[constant] = 0.0, 1.0
    scaled = centred / norms
    average = target.mean()
    inverse = np.linalg.pinv(scaled.T @ scaled, rcond=1e-10, hermitian=True)
    slopes = inverse @ (scaled.T @ (target - average)) / norms
    return np.concatenate([[average - means @ slopes], slopes])
