"""How certain a baseline's totals are, with errors that remember each other.

The error of a predicted total is s'(b - β) - Σ ε over the reporting intervals, with s = Σ x. The part of the
coefficients has the covariance W'ΓW of the training errors (`coefficient_covariance`, kept with the model),
and the rest is the sum of the errors' own autocovariances over all pairs of reporting intervals. Both parts
are taken as independent, since the training's design matrix is not at hand any more; what is remembered
across the border of two periods that touch makes the true error a little smaller.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from enms.science.arrays import Positions, Values
from enms.science.diagnostics.distributions import t_quantile
from enms.science.diagnostics.error_cycle import influence
from enms.science.diagnostics.error_model import ErrorModel
from enms.science.diagnostics.grid import both_halves, fft_length, on_grid, span_of, weighed_products

type Severity = Literal["normal", "warning", "critical"]

_WARNING_Z, _CRITICAL_Z = 2.0, 3.0


@dataclass(frozen=True)
class TotalError:
    """The error of a predicted total: `bias` + `std_error` · Student's t.

    Attributes:
        std_error: In the unit of the energy.
        degrees_of_freedom: Of t: how well the errors' variance and memory are known.
        bias: What a cycle in the errors adds to predicted less actual; 0 without one.
    """

    std_error: float
    degrees_of_freedom: float
    bias: float = 0.0

    def half_width(self, confidence: float) -> float:
        """The h for which the error lies within ±h with this probability (0 to 1)."""
        if self.std_error == 0:
            return abs(self.bias)
        reach = self.std_error * t_quantile((1 + confidence) / 2, self.degrees_of_freedom)
        if self.bias == 0:
            return reach
        low, high = 0.0, abs(self.bias) + reach
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (low, middle) if 1 - self.tail(middle) > confidence else (middle, high)
        return high

    def tail(self, size: float) -> float:
        """Probability that the error is larger than this, whatever its sign."""
        from scipy.special import stdtr

        if self.std_error == 0:
            return float(size < abs(self.bias) or size == 0)
        ends = np.array([self.bias - abs(size), -self.bias - abs(size)]) / self.std_error
        return float(stdtr(self.degrees_of_freedom, ends).sum())


def coefficient_covariance(positions: Positions, design: Values, errors: ErrorModel) -> Values:
    """Covariance of the coefficients under the error model, W'ΓW, p × p.

    For independent errors it is σ²(X'X)⁻¹. Where the errors have a cycle, it is that of coefficients fitted
    with the cycle beside them: the uncertainty that remains once the cycle's bias is allowed for.

    Args:
        positions: n places of the training intervals on the grid.
        design: n × p, the intercept included.
        errors: Of the residuals of this design.
    """
    weights = on_grid(positions, influence(positions, design, errors.cycle))
    covariance = weighed_products(weights, errors.spectrum(fft_length(span_of(positions))))
    return (covariance + covariance.T) / 2


def total_error(
    errors: ErrorModel, coefficient_covariance: Values, positions: Positions, design_rows: Values
) -> TotalError:
    """The error of the sum of predictions less actual energy over m intervals.

    Args:
        errors: Of the baseline.
        coefficient_covariance: Of the baseline, p × p.
        positions: m places of the intervals on the grid, ascending, from the same origin as in training.
        design_rows: m × p, their rows of the design matrix.
    """
    groups = np.zeros(len(positions), np.int64)
    return group_errors(errors, coefficient_covariance, positions, design_rows, groups)[0]


def group_errors(
    errors: ErrorModel,
    coefficient_covariance: Values,
    positions: Positions,
    design_rows: Values,
    groups: Positions,
) -> list[TotalError]:
    """The error of each group's total (days, months, inside and outside the range of drivers).

    Args:
        errors: As for `total_error`.
        coefficient_covariance: As for `total_error`.
        positions: As for `total_error`.
        design_rows: As for `total_error`.
        groups: Group of each interval, 0 to the number of groups less 1, each with an interval at least.
    """
    count = int(groups.max()) + 1
    sums = np.stack([np.bincount(groups, column, count) for column in design_rows.T], axis=1)
    by_coefficients = np.einsum("gi,ij,gj->g", sums, coefficient_covariance, sums)
    own, log_variance = _own_errors(errors, positions, groups, count)
    place = positions % len(errors.cycle.profile)
    bias = sums @ errors.cycle.coefficient_bias - np.bincount(groups, errors.cycle.profile[place], count)
    variances = np.maximum(by_coefficients, 0) + own
    freedom = _degrees_of_freedom(log_variance)
    return [
        TotalError(float(np.sqrt(each)), float(free), float(offset))
        for each, free, offset in zip(variances, freedom, bias, strict=True)
    ]


def independent_error(errors: Sequence[TotalError]) -> TotalError:
    """The error of a sum of totals whose errors have nothing to do with each other, as of several machines.

    Variances add up; degrees of freedom are Welch and Satterthwaite's (Satterthwaite 1946, Biometrics 2).

    Args:
        errors: Of the totals, one at least.
    """
    variances = np.array([each.std_error**2 for each in errors])
    freedom = np.array([each.degrees_of_freedom for each in errors])
    variance = float(variances.sum())
    joint = variance**2 / float((variances**2 / freedom).sum()) if variance else float(freedom.min())
    return TotalError(float(np.sqrt(variance)), joint, sum(each.bias for each in errors))


def interval_std_errors(errors: ErrorModel, coefficient_covariance: Values, design_rows: Values) -> Values:
    """Standard error of prediction less actual of each single interval, m values."""
    by_coefficients = np.einsum("mi,ij,mj->m", design_rows, coefficient_covariance, design_rows)
    deviations: Values = np.sqrt(np.maximum(by_coefficients, 0) + errors.marginal_std**2)
    return deviations


def z_score(total_deviation: float, error: TotalError) -> float:
    """The normal quantile that is as improbable as this deviation, with its sign.

    Few degrees of freedom make large deviations more probable than a normal distribution has it: the z of an
    equal tail doesn't cry wolf.
    """
    from scipy.special import ndtri

    improbable = min(max(error.tail(total_deviation), np.finfo(float).tiny), 1.0)
    return float(np.copysign(-ndtri(improbable / 2), total_deviation))


def severity(total_deviation: float, error: TotalError) -> Severity:
    """How unusual a deviation is: from 2 σ on a warning, from 3 σ on critical."""
    size = abs(z_score(total_deviation, error))
    if size >= _CRITICAL_Z:
        return "critical"
    return "warning" if size >= _WARNING_Z else "normal"


def ashrae_fractional_uncertainty(
    *,
    cv_rmse: float,
    observations: int,
    parameters: int,
    lag_one_autocorrelation: float,
    reporting_intervals: int,
    savings_fraction: float,
    confidences: Sequence[float] = (0.68, 0.8, 0.9),
    factor: float = 1.26,
) -> dict[float, float]:
    """Uncertainty of savings as a fraction of them, as ASHRAE Guideline 14, annex B, has it; for comparison.

    U = t · factor · CV / F · √(n/n' · (1 + 2/n') / m), n' = n (1 - ρ)/(1 + ρ): Reddy & Claridge (2000),
    Uncertainty of "measured" energy savings from statistical baseline models, HVAC&R Research 6. It knows the
    drivers of the reporting period only through the factor, and of the errors' memory only one interval's.

    Args:
        cv_rmse: RMSE (n - p in its denominator) ÷ mean energy of the training, a fraction.
        observations: n.
        parameters: p, the intercept included.
        lag_one_autocorrelation: ρ of the residuals.
        reporting_intervals: m.
        savings_fraction: F, savings ÷ predicted energy.
        confidences: Between 0 and 1.
        factor: 1.26, or `sun_baltazar_factor` for daily data.

    Returns:
        The fraction by confidence; infinite where nothing was saved, or n' isn't above 0.
    """
    from scipy.special import stdtrit

    effective = observations * (1 - lag_one_autocorrelation) / (1 + lag_one_autocorrelation)
    if savings_fraction == 0 or effective <= 0 or observations <= parameters:
        return dict.fromkeys(confidences, float("inf"))
    spread = np.sqrt(observations / effective * (1 + 2 / effective) / reporting_intervals)
    unit = factor * cv_rmse * spread / abs(savings_fraction)
    freedom = observations - parameters
    return {each: float(unit * stdtrit(freedom, (1 + each) / 2)) for each in confidences}


def sun_baltazar_factor(months: float) -> float:
    """The factor for daily data in place of 1.26, by the months of the reporting period.

    Sun & Baltazar (2013), Analysis and improvement of the estimation of building energy savings uncertainty,
    ASHRAE Transactions 119.
    """
    return -0.00024 * months**2 + 0.03535 * months + 1.00286


def _own_errors(
    errors: ErrorModel, positions: Positions, groups: Positions, count: int
) -> tuple[Values, Values]:
    """Variance of each group's sum of errors, and the variance of its estimate's logarithm.

    With P(f) the squared transform of a group's indicator, the sum of autocovariances over all its pairs is
    ∫ P(f) S(f) df. Its derivative by φₖ is ∫ P(f) S(f) 2 Re(e^(-2πifk) / A(f)) df with S = σ² / |A|², one
    transform more; the delta method gives the rest.
    """
    first = np.full(count, positions[-1])
    np.minimum.at(first, groups, positions)
    offsets = positions - first[groups]
    length = fft_length(int(offsets.max()) + 1)
    indicators = np.zeros((count, int(offsets.max()) + 1))
    indicators[groups, offsets] = 1
    transforms = np.fft.rfft(indicators, length)
    power = (transforms.real**2 + transforms.imag**2) * errors.spectrum(length)
    variances = power @ both_halves(np.full(power.shape[1], 1 / length))
    order = len(errors.phi)
    freedom = max(errors.observations - errors.parameters - order, 1)
    spread = np.full(count, 2 / freedom)
    if order and errors.sigma:
        by_phi = 2 * np.fft.irfft(power / errors.response(length), length)[:, -1 : -order - 1 : -1]
        relative = by_phi / np.where(variances > 0, variances, 1)[:, None]
        spread += np.einsum("gi,ij,gj->g", relative, errors.phi_covariance, relative)
    return variances, spread


def _degrees_of_freedom(log_variance: Values) -> Values:
    """The k for which the logarithm of χ²(k)/k has this variance, trigamma(k/2), by Newton's method.

    Start and step as of Smyth (2004), Linear models and empirical Bayes methods, appendix.
    """
    from scipy.special import polygamma

    half = 0.5 + 1 / log_variance
    for _ in range(8):
        variance = polygamma(1, half)
        half += variance * (1 - variance / log_variance) / polygamma(2, half)
    freedom: Values = 2 * half
    return freedom
