"""Fitting a baseline's terms, with all that an auditor asks of the coefficients."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from enms.science.arrays import Values
from enms.science.baseline.observations import Interval, Observations, collect_more
from enms.science.baseline.terms import Hinge, Term, column_names, column_spans, design_matrix, needs
from enms.science.diagnostics.autocorrelation import (
    durbin_watson,
    lag_one_autocorrelation,
    newey_west_covariance,
    newey_west_lags,
)
from enms.science.diagnostics.distributions import f_tail, t_quantile, two_sided_p
from enms.science.diagnostics.goodness import Goodness, goodness
from enms.science.diagnostics.least_squares import CollinearColumnsError, LeastSquares, solve
from enms.science.diagnostics.residuals import Normality, cooks_distance, curvature_share, jarque_bera
from enms.science.problems import UnfitError

CONFIDENCE = 0.95
MOST_INFLUENTIAL = 5
# Errors of factories have a daily and weekly rhythm: the covariance looks back at least that far.
_LEAST_LAGS = {"hour": 24, "day": 7}


@dataclass(frozen=True)
class Coefficient:
    """One column's coefficient.

    Attributes:
        name: Of the column.
        term: Of the term that it belongs to.
        value: kWh per interval and unit of the driver.
        std_error: By Newey and West.
        t_value: value ÷ std_error.
        p_value: Two-sided, of t with n - p degrees of freedom, less one for each knot that was searched.
        low: Lower end of the 95 % interval, by `std_error`.
        high: Its upper end.
        plain_std_error: As if errors were independent and alike.
        plain_t_value: With it.
        plain_p_value: With it.
        vif: Variance inflation factor, 1 ÷ (1 - R² of this column on the others).
        standardised: value · s(column) ÷ s(energy).
        contribution_percent: Its share of the sum of all |standardised|.
    """

    name: str
    term: str
    value: float
    std_error: float
    t_value: float
    p_value: float
    low: float
    high: float
    plain_std_error: float
    plain_t_value: float
    plain_p_value: float
    vif: float
    standardised: float
    contribution_percent: float


@dataclass(frozen=True)
class TermTest:
    """Joint test that all columns of a term are zero (Wald's F by the Newey-West covariance).

    Attributes:
        term: The term.
        columns: How many columns it has.
        f_value: The statistic.
        p_value: Its tail.
    """

    term: str
    columns: int
    f_value: float
    p_value: float


@dataclass(frozen=True)
class Influence:
    """An interval that moves the coefficients much.

    Attributes:
        row: Its place among the observations.
        cooks_distance: How much.
        leverage: Of the hat matrix.
        residual_kwh: Actual - predicted.
    """

    row: int
    cooks_distance: float
    leverage: float
    residual_kwh: float


@dataclass(frozen=True)
class Fit:
    """A fitted baseline.

    Attributes:
        terms: What it is made of.
        intercept: kWh per interval with all columns at zero.
        intercept_std_error: By Newey and West.
        coefficients: Of the columns, in the order of the design matrix.
        term_tests: One for each term.
        goodness: In sample; knots that were searched count as parameters.
        f_value: All coefficients against none.
        f_p_value: Its tail.
        durbin_watson: Of the residuals.
        lag_one: Their autocorrelation at one interval.
        normality: Of the residuals.
        curvature_share: What the form of the model misses.
        newey_west_lags: How far the covariance looks back.
        influential: The intervals with the largest Cook's distance.
        solution: The decomposition.
        ranges: Smallest and largest value of each numeric driver.
    """

    terms: tuple[Term, ...]
    intercept: float
    intercept_std_error: float
    coefficients: tuple[Coefficient, ...]
    term_tests: tuple[TermTest, ...]
    goodness: Goodness
    f_value: float
    f_p_value: float
    durbin_watson: float
    lag_one: float
    normality: Normality
    curvature_share: float
    newey_west_lags: int
    influential: tuple[Influence, ...]
    solution: LeastSquares
    ranges: dict[str, tuple[float, float]]


def fit_terms(data: Observations, terms: Sequence[Term], searched: int = 0) -> Fit:
    """Fits terms by least squares.

    Args:
        data: Complete observations.
        terms: At least one.
        searched: Knots whose place was chosen by the same data; each costs a degree of freedom.

    Raises:
        UnfitError: Drivers are constant or combinations of others, or there are too few observations.
    """
    design = design_matrix(terms, data)
    refuse_too_many(len(data), design.shape[1] + searched, data.interval)
    solution = solve_named(design, data.energy_kwh, terms)
    return describe(data, terms, solution, searched)


def describe(data: Observations, terms: Sequence[Term], solution: LeastSquares, searched: int = 0) -> Fit:
    """All inference from a solution."""
    freedom = max(solution.degrees_of_freedom - searched, 1)
    plain, robust = covariances(data, terms, solution, freedom)
    measures = goodness(data.energy_kwh, data.energy_kwh - solution.residuals, solution.parameters + searched)
    slopes = solution.parameters - 1
    explained = solution.total_squares - solution.squared_error
    mean_square = solution.squared_error / freedom
    f_value = explained / slopes / mean_square if slopes and mean_square > 0 else float("inf")
    return Fit(
        terms=tuple(terms),
        intercept=float(solution.coefficients[0]),
        intercept_std_error=float(np.sqrt(robust[0, 0])),
        coefficients=_coefficients(terms, solution, plain, robust, freedom),
        term_tests=_term_tests(terms, solution, robust, freedom),
        goodness=measures,
        f_value=f_value,
        f_p_value=f_tail(f_value, slopes, freedom),
        durbin_watson=durbin_watson(solution.residuals, data.positions),
        lag_one=lag_one_autocorrelation(solution.residuals, data.positions),
        normality=jarque_bera(solution.residuals),
        curvature_share=curvature_share(solution),
        newey_west_lags=_lags(data),
        influential=_influential(solution),
        solution=solution,
        ranges=_ranges(data, terms),
    )


def solve_named(design: Values, target: Values, terms: Sequence[Term]) -> LeastSquares:
    """Least squares whose refusals name drivers.

    Raises:
        UnfitError: A column is constant, or a combination of others.
    """
    # A category with one level has no column at all.
    for term in terms:
        if not term.column_names:
            raise _constant(term.name)
    try:
        return solve(design, target)
    except CollinearColumnsError as error:
        names = ("intercept", *column_names(terms))
        column, others = names[error.column], [names[each] for each in error.others]
        if others == ["intercept"]:
            raise _constant(column) from error
        raise UnfitError(
            "collinear-drivers",
            f"{column} is fully determined by {' and '.join(others)}: leave one of them out.",
            parameter="drivers",
            given=[column, *others],
            allowed="drivers that don't determine each other",
        ) from error


def _constant(name: str) -> UnfitError:
    return UnfitError(
        "constant-driver",
        f"{name} has the same value in every interval that can be used, so it explains nothing: "
        "leave it out, or choose a period in which it varies.",
        parameter="drivers",
        given=name,
        allowed="drivers that vary within the period",
    )


def refuse_too_many(observations: int, parameters: int, interval: Interval) -> None:
    """Refuses models with more parameters than a tenth of the observations.

    Raises:
        UnfitError: There are.
    """
    if parameters > observations / 10:
        raise UnfitError(
            "too-many-drivers",
            f"{parameters} parameters (intercept included) need {parameters * 10} {interval}s, and "
            f"{observations} can be used: choose fewer drivers, or "
            f"{collect_more(parameters * 10 - observations, interval)}.",
            parameter="drivers",
            given=parameters,
            allowed=f"at most {observations // 10} parameters",
        )


def covariances(
    data: Observations, terms: Sequence[Term], solution: LeastSquares, freedom: int
) -> tuple[Values, Values]:
    """Covariances of the coefficients, plain and by Newey and West; knots are parameters that were estimated.

    Those of nonlinear least squares with the Jacobian in place of X (White & Domowitz 1984, Econometrica 52):
    beside the columns it has the derivative by each knot.

    Args:
        data: What was fitted.
        terms: The terms.
        solution: Their coefficients.
        freedom: Observations less parameters, knots included.
    """
    jacobian = _with_knots(data, terms, solution)
    p = solution.parameters
    plain = jacobian.normal_inverse[:p, :p] * (solution.squared_error / freedom)
    return plain, newey_west_covariance(jacobian, data.positions, _lags(data))[:p, :p]


def _lags(data: Observations) -> int:
    return newey_west_lags(len(data), _LEAST_LAGS[data.interval])


def _with_knots(data: Observations, terms: Sequence[Term], solution: LeastSquares) -> LeastSquares:
    """The solution with the derivative by each knot among its columns, where they can be told apart."""
    by_knot = _knot_derivatives(data, terms, solution.coefficients)
    if by_knot is None:
        return solution
    try:
        widened = solve(np.hstack([solution.design, by_knot]), solution.target)
    except CollinearColumnsError:
        return solution
    return replace(widened, residuals=solution.residuals)


def _knot_derivatives(data: Observations, terms: Sequence[Term], coefficients: Values) -> Values | None:
    """Derivative of the prediction by each knot, n × knots; None without knots."""
    columns: dict[tuple[str, float], Values] = {}
    for term, span in column_spans(terms):
        if isinstance(term, Hinge):
            values, slope = data.drivers[term.driver], coefficients[span.start]
            moved = -slope * (values > term.knot) if term.is_above else slope * (values < term.knot)
            key = (term.driver, term.knot)
            columns[key] = columns.get(key, 0.0) + moved
    return np.stack(list(columns.values()), axis=1) if columns else None


def _coefficients(
    terms: Sequence[Term], fit: LeastSquares, plain: Values, robust: Values, freedom: int
) -> tuple[Coefficient, ...]:
    values = fit.coefficients[1:]
    std_errors, plain_errors = np.sqrt(np.diag(robust)[1:]), np.sqrt(np.diag(plain)[1:])
    with np.errstate(divide="ignore", invalid="ignore"):
        t_values, plain_t = values / std_errors, values / plain_errors
    p_values, plain_p = two_sided_p(t_values, freedom), two_sided_p(plain_t, freedom)
    reach = t_quantile((1 + CONFIDENCE) / 2, freedom) * std_errors
    centred = fit.design[:, 1:] - fit.design[:, 1:].mean(axis=0)
    squares = np.einsum("ij,ij->j", centred, centred)
    vifs = squares * np.diag(fit.normal_inverse)[1:]
    standardised = values * np.sqrt(squares / fit.total_squares) if fit.total_squares else values * 0
    shares = 100 * np.abs(standardised) / (np.abs(standardised).sum() or 1.0)
    owners = [term.name for term in terms for _ in term.column_names]
    columns = (
        values, std_errors, t_values, p_values, values - reach, values + reach, plain_errors, plain_t,
        plain_p, vifs, standardised, shares,
    )  # fmt: skip
    rows = np.stack(columns, axis=1).tolist()
    return tuple(
        Coefficient(name, owner, *row)
        for name, owner, row in zip(column_names(terms), owners, rows, strict=True)
    )


def _term_tests(
    terms: Sequence[Term], fit: LeastSquares, robust: Values, freedom: int
) -> tuple[TermTest, ...]:
    tests = []
    for term, span in column_spans(terms):
        values = fit.coefficients[span]
        statistic = _wald_f(values, robust[span, span])
        tests.append(TermTest(term.name, len(values), statistic, f_tail(statistic, len(values), freedom)))
    return tuple(tests)


def _wald_f(values: Values, covariance: Values) -> float:
    if not np.any(covariance):
        return float("inf")  # errors of nothing: every coefficient is certain
    if len(values) == 1:
        return float(values[0] ** 2 / covariance[0, 0])
    return float(values @ np.linalg.pinv(covariance, hermitian=True) @ values) / len(values)


def _influential(fit: LeastSquares) -> tuple[Influence, ...]:
    distances = cooks_distance(fit)
    largest = np.argsort(-distances, kind="stable")[:MOST_INFLUENTIAL]
    return tuple(
        Influence(int(row), float(distances[row]), float(fit.leverages[row]), float(fit.residuals[row]))
        for row in largest
    )


def _ranges(data: Observations, terms: Sequence[Term]) -> dict[str, tuple[float, float]]:
    names = [needs(term) for term in terms if needs(term) in data.drivers]
    return {
        name: (float(data.drivers[name].min()), float(data.drivers[name].max()))
        for name in dict.fromkeys(names)
    }
