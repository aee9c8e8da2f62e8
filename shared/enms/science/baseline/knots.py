"""Where a broken line breaks: balance points of heating and cooling, change points of energy signatures."""

from dataclasses import dataclass

import numpy as np

from enms.science.arrays import Flags, Values
from enms.science.baseline.terms import hinge

_COARSE = 40
_FINE = 21
_ROUNDS = 2
# Each side of a knot holds at least this share of the observations.
_LEAST_SHARE = 0.025


@dataclass(frozen=True)
class Knots:
    """The places found.

    Attributes:
        below: Knot under which the line slopes; None where only the upper side was wanted.
        above: Knot over which it slopes; None where only the lower side was wanted.
        squared_error: What is left unexplained there.
    """

    below: float | None
    above: float | None
    squared_error: float


def best_knots(
    values: Values, target: Values, base: Values, *, below: bool, above: bool, same: bool, rising: bool
) -> Knots:
    """Searches the knots that leave the least squared error, other columns taken into account.

    A grid over the driver's range, then finer ones around the best. The other columns are projected out
    once (Frisch & Waugh 1933, Econometrica 1), so a pair of knots costs a 2 × 2 system.

    Args:
        values: The driver, n values.
        target: Energy, n values.
        base: The other columns with the intercept, n × p.
        below: Whether there is a slope under the lower knot.
        above: Whether there is a slope over the upper knot.
        same: Whether both are one knot (four parameters); else lower ≤ upper (five).
        rising: Whether energy may only rise with the distance from a knot, as with heating and cooling.
    """
    basis, _ = np.linalg.qr(base)
    left = target - basis @ (basis.T @ target)
    low, high = (float(each) for each in np.quantile(values, [_LEAST_SHARE, 1 - _LEAST_SHARE]))
    grids = [np.linspace(low, high, _COARSE)] * 2
    step = (high - low) / (_COARSE - 1)
    at = (low, high)
    gain = 0.0
    for _ in range(1 + _ROUNDS):
        at, gain = _best_of(values, left, basis, grids, below=below, above=above, same=same, rising=rising)
        grids = [np.clip(np.linspace(knot - step, knot + step, _FINE), low, high) for knot in at]
        step /= (_FINE - 1) / 2
    return Knots(at[0] if below else None, at[1] if above else None, float(left @ left) - gain)


def _best_of(
    values: Values,
    left: Values,
    basis: Values,
    grids: list[Values],
    *,
    below: bool,
    above: bool,
    same: bool,
    rising: bool,
) -> tuple[tuple[float, float], float]:
    lower, upper = grids
    under = _projected(np.stack([hinge(values, knot, is_above=False) for knot in lower], axis=1), basis)
    over = _projected(np.stack([hinge(values, knot, is_above=True) for knot in upper], axis=1), basis)
    if below and above:
        return _best_pair(under, over, left, lower, upper, same=same, rising=rising)
    columns = under if below else over
    products, squares = columns.T @ left, np.einsum("ij,ij->j", columns, columns)
    gains = np.where(
        (squares > 1e-12 * squares.max(initial=0.0)) & _allowed(products, rising=rising),
        products**2 / np.maximum(squares, 1e-300),
        0.0,
    )
    best = int(np.argmax(gains))
    return (float(lower[best]), float(upper[best])), float(gains[best])


def _best_pair(
    under: Values, over: Values, left: Values, lower: Values, upper: Values, *, same: bool, rising: bool
) -> tuple[tuple[float, float], float]:
    a, b = under.T @ left, over.T @ left
    aa = np.einsum("ij,ij->j", under, under)[:, None]
    bb = np.einsum("ij,ij->j", over, over)[None, :]
    ab = under.T @ over
    determinant = aa * bb - ab**2
    apart = determinant > 1e-9 * aa * bb
    safe = np.where(apart, determinant, 1.0)
    slope_under = (bb * a[:, None] - ab * b[None, :]) / safe
    slope_over = (aa * b[None, :] - ab * a[:, None]) / safe
    gains = slope_under * a[:, None] + slope_over * b[None, :]
    fits = apart & _allowed(slope_under, rising=rising) & _allowed(slope_over, rising=rising)
    fits &= np.eye(len(lower), dtype=bool) if same else lower[:, None] <= upper[None, :]
    gains = np.where(fits, gains, 0.0)
    i, j = np.unravel_index(int(np.argmax(gains)), gains.shape)
    return (float(lower[i]), float(upper[j])), float(gains[i, j])


def _projected(columns: Values, basis: Values) -> Values:
    left: Values = columns - basis @ (basis.T @ columns)
    return left


def _allowed(slopes: Values, *, rising: bool) -> Flags:
    return slopes >= 0 if rising else np.ones(slopes.shape, dtype=bool)
