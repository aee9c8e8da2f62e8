"""From observations to a judged baseline: drivers, form, fit, test out of time, verdict."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from enms.science.arrays import Values
from enms.science.baseline.drivers import OUTDOOR_TEMPERATURE
from enms.science.baseline.fit import Fit, describe, refuse_too_many, solve_named
from enms.science.baseline.forms import (
    DEGREES,
    Form,
    change_point,
    linear,
    searched_knots,
    time_of_week_temperature,
    week_of,
)
from enms.science.baseline.names import Model
from enms.science.baseline.observations import Observations
from enms.science.baseline.refusals import Judged, Quality, without_faults, without_rare_levels
from enms.science.baseline.refusals import judge as judge_intervals
from enms.science.baseline.selection import LEAST_KNOWN_SHARE, Selection, select_drivers
from enms.science.baseline.terms import Term, design_matrix
from enms.science.baseline.uncertainty import coefficient_covariance
from enms.science.baseline.validation import BLOCKS, OutOfTime, Recipe, out_of_time
from enms.science.baseline.verdict import Limits, Verdict, judge
from enms.science.diagnostics.error_model import ErrorModel, estimate_errors
from enms.science.diagnostics.least_squares import LeastSquares
from enms.science.problems import UnfitError


@dataclass(frozen=True)
class Request:
    """What kind of baseline is wanted.

    Attributes:
        drivers: Names of numeric drivers, degrees and categories; None: choose among `candidates`.
        candidates: What automatic selection may take.
        model: The form; `auto` takes another than linear only where it wins out of time.
        temperature: The driver that degrees and broken lines are made of.
        blocks: How many blocks are held out in turn.
    """

    drivers: tuple[str, ...] | None
    candidates: tuple[str, ...] = ()
    model: Model = "linear"
    temperature: str = OUTDOOR_TEMPERATURE
    blocks: int = BLOCKS


@dataclass(frozen=True)
class Contender:
    """A form that was tried.

    Attributes:
        form: Its name.
        detail: Its shape or drivers.
        recipe: How its terms come about.
        attempt: What came of it; why it can't be fitted, where it can't.
    """

    form: Form
    detail: str
    recipe: Recipe
    attempt: "Attempt | UnfitError"


@dataclass(frozen=True)
class Attempt:
    """A form that was fitted.

    Attributes:
        terms: Its terms.
        solution: Their coefficients.
        tested: How it did out of time.
    """

    terms: tuple[Term, ...]
    solution: LeastSquares
    tested: OutOfTime


@dataclass(frozen=True)
class Built:
    """A baseline with all that was found on the way.

    Attributes:
        data: The observations that it was fitted to.
        judged: Which intervals of the period were refused, and why.
        form: Its form.
        recipe: How its terms come about.
        fit: The fit.
        tested: How the form does out of time.
        verdict: The judgement.
        contenders: All forms that were tried.
        selection: How the drivers were chosen; None where they were given.
        errors: How its errors remember each other.
        covariance: Of intercept and coefficients, by those errors.
    """

    data: Observations
    judged: Judged
    form: Form
    recipe: Recipe
    fit: Fit
    tested: OutOfTime
    verdict: Verdict
    contenders: tuple[Contender, ...]
    selection: Selection | None
    errors: ErrorModel
    covariance: Values


@dataclass(frozen=True)
class RefusalRules:
    """Which intervals are left out.

    Attributes:
        least_coverage: Share of an interval that must have readings.
        most_maintenance: Share of an interval that may be maintenance.
    """

    least_coverage: float = 0.9
    most_maintenance: float = 0.25


def build(
    data: Observations, quality: Quality, request: Request, limits: Limits, rules: RefusalRules
) -> Built:
    """Builds a baseline.

    Args:
        data: All intervals of the period, on their grid.
        quality: How they were measured.
        request: What is wanted.
        limits: What it has to keep to.
        rules: Which intervals are left out.

    Raises:
        UnfitError: No baseline can be fitted to this; the message says why and what to do.
    """
    sound = without_faults(data)
    _require_temperature(data, request)
    selection = None
    drivers = request.drivers
    if drivers is None:
        measured = judge_intervals(data, quality, [], **vars(rules))
        _refuse_empty(measured, data)
        selection = select_drivers(sound.take(measured.usable), request.candidates, request.temperature)
        drivers = selection.drivers
    judged = judge_intervals(data, quality, _needed(drivers, data, request), **vars(rules))
    judged = without_rare_levels(judged, data, _categories(drivers, data, request))
    _refuse_empty(judged, data)
    usable = sound.take(judged.usable)
    contenders = _contenders(usable, drivers, request)
    winner, won = _winner(contenders, limits)
    fit = describe(usable, won.terms, won.solution, searched_knots(won.terms))
    errors = estimate_errors(usable.positions, fit.solution.residuals, fit.solution.design, usable.interval)
    return Built(
        data=usable,
        judged=judged,
        form=winner.form,
        recipe=winner.recipe,
        fit=fit,
        tested=won.tested,
        verdict=judge(usable, fit, won.tested, limits),
        contenders=contenders,
        selection=selection,
        errors=errors,
        covariance=coefficient_covariance(usable.positions, fit.solution.design, errors),
    )


def _needed(drivers: Sequence[str], data: Observations, request: Request) -> list[str]:
    """The series that rows must have: degrees and broken lines are made of temperature."""
    named = [request.temperature if name in DEGREES else name for name in drivers]
    if request.model in ("change_point", "time_of_week_temperature"):
        named.append(request.temperature)
    elif request.model == "auto" and _is_known(data, request.temperature):
        # A few hours without it shall not keep the other forms from being tried.
        named.append(request.temperature)
    return list(dict.fromkeys(named))


def _is_known(data: Observations, name: str) -> bool:
    return name in data.drivers and bool(data.knows([name]).mean() >= LEAST_KNOWN_SHARE)


def _categories(drivers: Sequence[str], data: Observations, request: Request) -> list[str]:
    """Those that the model is sure to have: `auto` gives up no hours for a form that may lose."""
    by_week = request.model == "time_of_week_temperature"
    named = [*drivers, week_of(data.interval)] if by_week else [*drivers]
    return [name for name in dict.fromkeys(named) if name in data.categories]


def _require_temperature(data: Observations, request: Request) -> None:
    if request.model in ("linear", "auto"):
        return
    values = data.drivers.get(request.temperature)
    if values is None or not np.isfinite(values).any():
        raise UnfitError(
            "no-temperature",
            f"A model of the form {request.model} needs {request.temperature}, which isn't recorded in this "
            "period.",
            parameter="model",
            given=request.model,
            allowed="linear",
        )


def _refuse_empty(judged: Judged, data: Observations) -> None:
    if judged.usable.any():
        return
    reasons = "; ".join(f"{each.count} × {each.text}" for each in judged.refusals)
    raise UnfitError(
        "no-samples",
        f"None of the {len(data)} {data.interval}s of the period can be used: {reasons or 'it has none'}.",
        parameter="start_date",
        given=len(data),
        allowed="a period with readings of energy and of every driver",
    )


def _contenders(data: Observations, drivers: Sequence[str], request: Request) -> tuple[Contender, ...]:
    temperature = request.temperature
    tried: list[tuple[Form, str, Recipe]] = []
    has_temperature = temperature in data.drivers and bool(np.isfinite(data.drivers[temperature]).all())
    week = data.categories.get(week_of(data.interval))
    has_week = week is not None and not week.is_rare().any()
    if not drivers and (request.model == "linear" or (request.model == "auto" and not has_temperature)):
        raise UnfitError(
            "no-driver",
            "None of the candidates explains the energy in time that the model hasn't seen.",
            parameter="drivers",
            given=list(request.candidates),
            allowed="drivers that the energy follows",
        )
    if request.model in ("linear", "auto") and drivers:
        tried.append(("linear", ", ".join(drivers), linear(drivers, temperature)))
    if request.model in ("change_point", "auto") and has_temperature:
        tried.append(("change_point", "three to five parameters", change_point(drivers, temperature)))
    if request.model in ("time_of_week_temperature", "auto") and has_temperature and has_week:
        towt = time_of_week_temperature(drivers, temperature)
        tried.append(("time_of_week_temperature", "six segments", towt))
    return tuple(Contender(*each, _attempt(data, each[2], request.blocks)) for each in tried)


def _attempt(data: Observations, recipe: Recipe, blocks: int) -> Attempt | UnfitError:
    try:
        terms = tuple(recipe(data))
        design = design_matrix(terms, data)
        refuse_too_many(len(data), design.shape[1] + searched_knots(terms), data.interval)
        solution = solve_named(design, data.energy_kwh, terms)
    except UnfitError as error:
        return error
    return Attempt(terms, solution, out_of_time(data, recipe, blocks))


def _winner(contenders: Sequence[Contender], limits: Limits) -> tuple[Contender, Attempt]:
    """The form with the least error out of time; a linear one stays unless that is better by the margin."""
    fitted = [(each, each.attempt) for each in contenders if isinstance(each.attempt, Attempt)]
    if not fitted:
        raise next(each.attempt for each in contenders if isinstance(each.attempt, UnfitError))
    best = min(fitted, key=lambda pair: _error_percent(pair[1]))
    plain = next((pair for pair in fitted if pair[0].form == "linear"), None)
    margin = 1 - limits.challenger_margin_percent / 100
    if plain and _error_percent(best[1]) > _error_percent(plain[1]) * margin:
        return plain
    return best


def _error_percent(attempt: Attempt) -> float:
    # A model that leaves intervals unpredicted has no error to compare there.
    missing = attempt.tested.unpredicted / len(attempt.tested.predicted_kwh)
    return attempt.tested.goodness.cv_rmse_percent * (1 + missing)
