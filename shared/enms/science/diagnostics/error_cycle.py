"""A cycle in a baseline's errors that repeats every day (of hours) or every week (of days).

Such a cycle is something that the baseline misses, not noise: it has no part in the memory of the errors, it
nearly cancels in the total of whole days, but the coefficients that it was fitted with take up some of it and
carry that into a period whose drivers differ (omitted-variable bias).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from enms.science.arrays import Positions, Values
from enms.science.baseline.observations import Interval
from enms.science.diagnostics.grid import on_grid, weighed_products

CYCLE_LENGTH: Mapping[Interval, int] = {"hour": 24, "day": 7}
# A cycle that is none would widen intervals: it has to be all but certain.
_SIGNIFICANCE = 0.001
# Of the observations at a place of the cycle: what less is left of it beside the drivers can't be told.
_NOTHING_LEFT = 1e-8


@dataclass(frozen=True)
class Cycle:
    """What repeats in the errors.

    Attributes:
        profile: Mean error (actual less true baseline) at each place of the cycle, `position % length`; zeros
            where nothing repeats.
        coefficient_bias: What it adds to each coefficient, p values.
    """

    profile: Values
    coefficient_bias: Values

    @property
    def present(self) -> bool:
        """Whether anything repeats."""
        return bool(self.profile.any())

    @property
    def mean_square(self) -> float:
        """Its variance over a whole cycle."""
        return float(np.mean(self.profile**2))


def no_cycle(interval: Interval, parameters: int) -> Cycle:
    """The cycle of errors in which nothing repeats."""
    return Cycle(np.zeros(CYCLE_LENGTH[interval]), np.zeros(parameters))


def without_means(positions: Positions, residuals: Values, length: int) -> Values:
    """Residuals less the mean at their place of the cycle."""
    place = positions % length
    counts = np.maximum(np.bincount(place, minlength=length), 1)
    return residuals - (np.bincount(place, residuals, length) / counts)[place]


def repeats(positions: Positions, residuals: Values, basis: Values, spectrum: Values, length: int) -> bool:
    """Whether residuals have a cycle: Wald's χ² of their sums at each place of it, D'e.

    Their covariance is D'MΓMD under the autoregression alone, M = I - H: what a fit carries over from slow
    errors to drivers with a daily rhythm is no cycle.

    Args:
        positions: n places on the grid.
        residuals: n values.
        basis: n × p orthonormal columns Q that span the design which they are residuals of.
        spectrum: Half spectral density of errors without a cycle, of an even number of frequencies.
        length: Of the cycle.
    """
    from scipy.special import chdtrc

    shared, directions, _ = _apart(positions, basis, length)
    count = directions.shape[1]
    if not count:
        return False
    left = directions[positions % length] - basis @ (shared.T @ directions)
    covariance = weighed_products(on_grid(positions, left), spectrum)
    scores = directions.T @ np.bincount(positions % length, residuals, length)
    statistic = scores @ np.linalg.solve(covariance, scores)
    return bool(chdtrc(count, statistic) < _SIGNIFICANCE)


def estimate_cycle(
    positions: Positions, residuals: Values, basis: Values, root: Values, length: int
) -> Cycle:
    """The cycle, by least squares of target on design and places of the cycle together.

    Args:
        positions: n places on the grid.
        residuals: n residuals of the design X = QR alone.
        basis: Q, n × p.
        root: R, p × p.
        length: Of the cycle.
    """
    shared, directions, sizes = _apart(positions, basis, length)
    scores = directions.T @ np.bincount(positions % length, residuals, length)
    profile: Values = directions @ (scores / sizes)
    bias: Values = np.linalg.solve(root, shared.T @ profile)
    return Cycle(profile, bias)


def without_cycle(positions: Positions, residuals: Values, design: Values, cycle: Cycle) -> Values:
    """Residuals of design and cycle together, from those of the design alone."""
    return residuals - cycle.profile[positions % len(cycle.profile)] + design @ cycle.coefficient_bias


def influence(positions: Positions, design: Values, cycle: Cycle) -> Values:
    """W of β = W'y, n × p: of least squares, with the cycle's places beside the design if there are."""
    basis, root = np.linalg.qr(design)
    weights: Values = np.linalg.solve(root, own_columns(positions, basis, cycle).T).T
    return weights


def own_columns(positions: Positions, basis: Values, cycle: Cycle) -> Values:
    """Q - PQ, n × p: orthonormal columns Q of the design less their projection on what only a cycle explains.

    Without a cycle they are Q itself; with one they are at right angles to what sets its places apart.
    """
    if not cycle.present:
        return basis
    length = len(cycle.profile)
    shared, directions, sizes = _apart(positions, basis, length)
    moved = directions / sizes @ (directions.T @ shared)
    columns: Values = basis - moved[positions % length] + basis @ (shared.T @ moved)
    return columns


def _apart(positions: Positions, basis: Values, length: int) -> tuple[Values, Values, Values]:
    """D'Q, and eigenvectors and values of D'(I - QQ')D, for the indicators D of the places of a cycle.

    Only those that are not 0: shapes of a cycle that no combination of columns has. A design with the hours
    of the day leaves none.
    """
    place = positions % length
    counts = np.bincount(place, minlength=length).astype(np.float64)
    shared = np.stack([np.bincount(place, column, length) for column in basis.T], axis=1)
    sizes, directions = np.linalg.eigh(np.diag(counts) - shared @ shared.T)
    told = sizes > _NOTHING_LEFT * counts.max()
    return shared, directions[:, told], sizes[told]
