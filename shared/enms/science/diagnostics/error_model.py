"""How a baseline's errors remember each other: an autoregression, and a cycle that repeats."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from enms.science.arrays import Positions, Values
from enms.science.baseline.observations import Interval
from enms.science.diagnostics.error_cycle import (
    CYCLE_LENGTH,
    Cycle,
    estimate_cycle,
    no_cycle,
    own_columns,
    repeats,
    without_cycle,
    without_means,
)
from enms.science.diagnostics.grid import fft_length, on_grid, span_of

# Two days of hours, or a week where there are enough of them; a week of days and one more.
_ORDERS: Mapping[Interval, tuple[int, int]] = {"hour": (50, 168), "day": (8, 8)}
_LEAST_PER_ORDER, _ENOUGH_PER_ORDER = 10, 40
_CORRECTIONS = 4
# Errors that remember longer than this share of the training can't be told from intercept and drivers.
_LONGEST_MEMORY = 1 / 3
# Added to the variance, as a share: keeps the equations of pure sinusoids solvable.
_RIDGE = 1e-9


@dataclass(frozen=True)
class ErrorModel:
    """Errors e = cycle + u on a regular grid, with u(t) = φ₁ u(t-1) + … + φₖ u(t-k) + N(0, σ²).

    Attributes:
        phi: φ of a stationary process; empty for independent errors.
        sigma: σ, in the unit of the energy.
        observations: Residuals that it was estimated from.
        parameters: Columns of the design matrix that they are residuals of.
        cycle: What repeats every day (of hours) or week (of days).
    """

    phi: Values
    sigma: float
    observations: int
    parameters: int
    cycle: Cycle

    def response(self, length: int) -> npt.NDArray[np.complex128]:
        """1 - Σ φₖ e^(-2πifk) at f = 0, 1/length … 1/2; `length` is larger than the order."""
        return _response(self.phi, length)

    def spectrum(self, length: int) -> Values:
        """Spectral density of u, σ² / |1 - Σ φₖ e^(-2πifk)|², at f = 0, 1/length … 1/2."""
        return _spectrum(self.phi, self.sigma**2, length)

    def autocovariance(self, lags: int) -> Values:
        """Of u at the lags 0 … `lags`."""
        length = fft_length(lags + 1)
        values: Values = np.fft.irfft(self.spectrum(length), length)[: lags + 1]
        return values

    @cached_property
    def marginal_std(self) -> float:
        """Standard deviation of one interval's error, the cycle included."""
        return float(np.sqrt(self.autocovariance(0)[0] + self.cycle.mean_square))

    @cached_property
    def phi_covariance(self) -> Values:
        """Covariance of the estimated φ, σ² Γ⁻¹ / n (Brockwell & Davis 1991, Time Series, theorem 8.1.1)."""
        order = len(self.phi)
        if not order:
            return np.zeros((0, 0))
        inverse = np.linalg.inv(_toeplitz(self.autocovariance(order - 1)))
        covariance: Values = self.sigma**2 / self.observations * inverse
        return covariance

    def as_dict(self) -> dict[str, Any]:
        """For a model's document."""
        return {
            "phi": self.phi.tolist(),
            "sigma": self.sigma,
            "observations": self.observations,
            "parameters": self.parameters,
            "cycle": self.cycle.profile.tolist(),
            "coefficient_bias": self.cycle.coefficient_bias.tolist(),
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Of a model's document."""
        cycle = Cycle(np.array(document["cycle"], float), np.array(document["coefficient_bias"], float))
        return cls(
            np.array(document["phi"], float),
            float(document["sigma"]),
            int(document["observations"]),
            int(document["parameters"]),
            cycle,
        )


def estimate_errors(
    positions: Positions, residuals: Values, design: Values, interval: Interval
) -> ErrorModel:
    """The error model of least-squares residuals.

    The order is the largest that the data bear, not one chosen from them: a chosen order misses what is slow
    and faint, and intervals become too narrow (measured in docs/adr/0005).

    Args:
        positions: Place of each residual on the regular grid, ascending. A cycle is told by their remainder:
            training and reporting have to count from the same origin.
        residuals: n values.
        design: n × p, the intercept included.
        interval: What one observation is.
    """
    n, p = design.shape
    length = CYCLE_LENGTH[interval]
    nothing = no_cycle(interval, p)
    scale = float(np.sqrt(residuals @ residuals / max(n - p, 1)))
    order = _order(n, interval)
    if n <= p or scale == 0 or not order:
        return ErrorModel(np.zeros(0), scale, n, p, nothing)
    # In units of the residuals, so that kWh or MWh make no difference to any decision.
    unit = residuals / scale
    basis, root = np.linalg.qr(design)
    cycle = nothing
    if n >= 2 * length + p:
        noise = _noise_spectrum(positions, without_means(positions, unit, length), order)
        if repeats(positions, unit, basis, noise, length):
            cycle = estimate_cycle(positions, unit, basis, root, length)
            unit = without_cycle(positions, unit, design, cycle)
    phi, variance = _autoregression(positions, unit, basis, order, cycle)
    kept = Cycle(cycle.profile * scale, cycle.coefficient_bias * scale)
    return ErrorModel(phi, float(np.sqrt(variance)) * scale, n, p, kept)


def _order(observations: int, interval: Interval) -> int:
    usual, largest = _ORDERS[interval]
    enough = min(largest, observations // _ENOUGH_PER_ORDER)
    return min(max(usual, enough), observations // _LEAST_PER_ORDER)


def _noise_spectrum(positions: Positions, residuals: Values, order: int) -> Values:
    """Half spectral density of residuals, without care for small biases."""
    length = fft_length(span_of(positions))
    power = np.abs(np.fft.rfft(on_grid(positions, residuals)[0], length)) ** 2
    sums = np.fft.irfft(power, length)[: order + 1]
    phi, variance = _yule_walker(sums / len(residuals)) or (np.zeros(0), 1.0)
    return _spectrum(phi, variance, length)


def _autoregression(
    positions: Positions, residuals: Values, basis: Values, order: int, cycle: Cycle
) -> tuple[Values, float]:
    """φ and σ² by Yule and Walker's equations, freed of the bias that residuals and gaps bring.

    Residuals e = (I - H)ε remember less than the errors ε. With h(f) the squared transforms of orthonormal
    columns that span the fit, summed, E[Σ e(t) e(t+k)] ≈ pairs(k) C(k) - ∫ h(f) S(f) e^(2πifk) df for errors
    with the autocovariance C and the spectral density S: near for columns that are rough, nearer for slow
    ones, and as good as the exact trace in simulation (docs/adr/0005). A supposed C is corrected by what it
    misses of the observed sums, as long as it remains an autocovariance.
    """
    n = len(residuals)
    length = fft_length(span_of(positions))
    series = np.fft.rfft(on_grid(positions, residuals)[0], length)
    present = np.fft.rfft(on_grid(positions, np.ones(n))[0], length)
    lags = slice(order + 1)
    observed = np.fft.irfft(np.abs(series) ** 2, length)[lags]
    pairs = np.fft.irfft(np.abs(present) ** 2, length)[lags].round()
    taken = _taken(positions, basis, cycle, length)
    gamma = observed / n
    fitted = _yule_walker(gamma) or (np.zeros(0), float(gamma[0]))
    for _ in range(_CORRECTIONS):
        phi, variance = fitted
        spectrum = _spectrum(phi, variance, length)
        expected = pairs * np.fft.irfft(spectrum, length)[lags] - np.fft.irfft(taken * spectrum, length)[lags]
        step = (observed - expected) / np.maximum(pairs, 1)
        trials = (gamma + share * step for share in (1.0, 0.5, 0.25))
        better = next(((trial, fit) for trial in trials if (fit := _yule_walker(trial, n))), None)
        if better is None:
            break
        gamma, fitted = better
    return fitted


def _taken(positions: Positions, basis: Values, cycle: Cycle, length: int) -> Values:
    """h(f): what the fit takes out of the errors' spectrum."""
    columns = own_columns(positions, basis, cycle)
    if not cycle.present:
        return _power(positions, columns, length)
    place = positions % len(cycle.profile)
    indicators = (place[:, None] == np.unique(place)).astype(np.float64)
    indicators /= np.sqrt(indicators.sum(axis=0))
    # The constant is among the columns already.
    level = np.full((len(place), 1), len(place) ** -0.5)
    return (
        _power(positions, np.linalg.qr(columns)[0], length)
        + _power(positions, indicators, length)
        - _power(positions, level, length)
    )


def _power(positions: Positions, columns: Values, length: int) -> Values:
    transform = np.fft.rfft(on_grid(positions, columns), length)
    power: Values = (transform.real**2 + transform.imag**2).sum(axis=0)
    return power


def _yule_walker(gamma: Values, observations: int | None = None) -> tuple[Values, float] | None:
    """φ and σ² of an autocovariance; None if it is none, or one that remembers too long for the data."""
    matrix = _toeplitz(gamma)
    matrix[np.diag_indices_from(matrix)] *= 1 + _RIDGE
    try:
        root = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return None
    phi = np.linalg.solve(matrix[:-1, :-1], gamma[1:])
    variance = float(root[-1, -1]) ** 2
    memory = variance / (1 - phi.sum()) ** 2 / gamma[0]
    if observations and memory > _LONGEST_MEMORY * observations:
        return None
    return phi, variance


def _response(phi: Values, length: int) -> npt.NDArray[np.complex128]:
    return np.fft.rfft(np.concatenate([[1.0], -phi]), length)


def _spectrum(phi: Values, variance: float, length: int) -> Values:
    response = _response(phi, length)
    density: Values = variance / (response.real**2 + response.imag**2)
    return density


def _toeplitz(gamma: Values) -> Values:
    """The matrix of the autocovariances at |i - j|."""
    lags = np.arange(len(gamma))
    matrix: Values = gamma[np.abs(lags[:, None] - lags)]
    return matrix
