"""The forms that a baseline can have, as recipes: from observations to terms."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from enms.science.baseline.drivers import COOLING_DEGREES, HEATING_DEGREES
from enms.science.baseline.fit import covariances
from enms.science.baseline.knots import best_knots
from enms.science.baseline.names import Form as Form
from enms.science.baseline.names import Interval
from enms.science.baseline.observations import LEAST_PER_LEVEL, Observations
from enms.science.baseline.terms import (
    Hinge,
    Indicators,
    Numeric,
    Segments,
    Term,
    column_spans,
    design_matrix,
)
from enms.science.baseline.validation import Recipe
from enms.science.diagnostics.least_squares import CollinearColumnsError, solve

type Shape = Literal["heating", "cooling", "one knot", "two knots"]

DEGREES = (HEATING_DEGREES, COOLING_DEGREES)
SHAPES: tuple[Shape, ...] = ("heating", "cooling", "one knot", "two knots")
_LEAST_ARM_T = 2.0
_SEGMENTS = 6
_LEAST_PER_SEGMENT = 10


def linear(drivers: Sequence[str], temperature: str) -> Recipe:
    """Energy linear in its drivers; heating and cooling degrees with balance points found by search.

    Args:
        drivers: Numeric drivers, degrees, and categories.
        temperature: The driver that degrees are made of.
    """

    def build(data: Observations) -> list[Term]:
        others = [term_of(name, data) for name in drivers if name not in DEGREES]
        wanted = [name for name in drivers if name in DEGREES]
        return in_order(drivers, [*others, *degree_terms(data, others, wanted, temperature)])

    return build


def change_point(drivers: Sequence[str], temperature: str, shape: Shape | None = None) -> Recipe:
    """A broken line over temperature beside other drivers, which are linear.

    Three parameters (`heating`, `cooling`), four (`one knot`), five (`two knots`).
    Source: Kissock, Haberl & Claridge (2003), Inverse Modeling Toolkit, ASHRAE Transactions 109(2).

    Args:
        drivers: Numeric drivers and categories beside temperature.
        temperature: The driver of the broken line.
        shape: The shape; None takes the one with the least corrected information criterion (Hurvich & Tsai
            1989, Biometrika 76) whose every arm is significant: an arm that says nothing is none.
    """

    def of_shape(data: Observations, others: list[Term], wanted: Shape) -> list[Term]:
        knots = best_knots(
            data.drivers[temperature], data.energy_kwh, design_matrix(others, data),
            below=wanted != "cooling", above=wanted != "heating", same=wanted == "one knot", rising=False,
        )  # fmt: skip
        arms: list[Term] = []
        if knots.below is not None:
            arms.append(Hinge(f"{temperature}_below", temperature, knots.below, is_above=False))
        if knots.above is not None:
            arms.append(Hinge(f"{temperature}_above", temperature, knots.above, is_above=True))
        return [*others, *arms]

    def build(data: Observations) -> list[Term]:
        others = [term_of(name, data) for name in drivers if name not in (*DEGREES, temperature)]
        if shape is not None:
            return of_shape(data, others, shape)
        return min(
            (of_shape(data, others, each) for each in SHAPES), key=lambda terms: _criterion(terms, data)
        )

    return build


def _criterion(terms: Sequence[Term], data: Observations) -> tuple[bool, float]:
    """What is least of the best shape: whether an arm is faint, then AICc."""
    try:
        fit = solve(design_matrix(terms, data), data.energy_kwh)
    except CollinearColumnsError:
        return True, float("inf")
    n, k = fit.observations, fit.parameters + searched_knots(terms)
    if n <= k + 1 or fit.squared_error == 0:
        return n <= k + 1, float("-inf")
    arms = [span.start for term, span in column_spans(terms) if isinstance(term, Hinge)]
    # The standard errors that the verdict uses: what it would reject is not chosen.
    variances = np.diag(covariances(data, terms, fit, n - k)[1])[arms]
    is_faint = bool((fit.coefficients[arms] ** 2 < _LEAST_ARM_T**2 * variances).any())
    return is_faint, float(n * np.log(fit.squared_error / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1))


def time_of_week_temperature(drivers: Sequence[str], temperature: str) -> Recipe:
    """A level for each hour of the week (of daily data: each weekday), a broken line over temperature.

    Six segments of equal width, those with few observations joined to a neighbour.
    Source: Mathieu et al. (2011), IEEE Trans. Smart Grid 2(3), 507-518.
    """

    def build(data: Observations) -> list[Term]:
        week = week_of(data.interval)
        skipped = (*DEGREES, temperature, week, *_parts_of_week(week, drivers, data))
        others = [term_of(name, data) for name in drivers if name not in skipped]
        return [indicators(week, data), Segments(temperature, _segment_knots(data, temperature)), *others]

    return build


def week_of(interval: Interval) -> str:
    """The category that tells the time of the week."""
    return "hour_of_week" if interval == "hour" else "weekday"


def _parts_of_week(week: str, drivers: Sequence[str], data: Observations) -> list[str]:
    """Categories of which the time of the week says all, such as weekday: beside it they say nothing."""
    time = data.categories[week].codes
    parts = []
    for name in drivers:
        category = data.categories.get(name)
        if category is not None and category.hours is None:
            pairs = time * (len(category.levels) + 1) + category.codes
            if len(np.unique(pairs)) == len(np.unique(time)):
                parts.append(name)
    return parts


def term_of(name: str, data: Observations) -> Term:
    """The plain term of a driver or category."""
    return indicators(name, data) if name in data.categories else Numeric(name)


def indicators(name: str, data: Observations) -> Indicators:
    """A category's levels that occur, the most frequent as reference."""
    category = data.categories[name]
    counts = category.occurrences()
    present = [level for level, n in zip(category.levels, counts, strict=True) if n >= LEAST_PER_LEVEL]
    reference = category.levels[int(np.argmax(category.totals()))]
    return Indicators(name, tuple(level for level in present if level != reference), reference)


def degree_terms(
    data: Observations, others: Sequence[Term], wanted: Sequence[str], temperature: str
) -> list[Hinge]:
    """Heating and cooling degrees whose balance points explain most, other terms taken into account."""
    if not wanted:
        return []
    knots = best_knots(
        data.drivers[temperature], data.energy_kwh, design_matrix(others, data),
        below=HEATING_DEGREES in wanted, above=COOLING_DEGREES in wanted, same=False, rising=True,
    )  # fmt: skip
    terms = []
    if knots.below is not None:
        terms.append(Hinge(HEATING_DEGREES, temperature, knots.below, is_above=False))
    if knots.above is not None:
        terms.append(Hinge(COOLING_DEGREES, temperature, knots.above, is_above=True))
    return terms


def in_order(names: Sequence[str], terms: Sequence[Term]) -> list[Term]:
    """Terms in the order in which they were asked for."""
    return sorted(terms, key=lambda term: names.index(term.name))


def _segment_knots(data: Observations, temperature: str) -> tuple[float, ...]:
    values = data.drivers[temperature]
    edges = np.linspace(values.min(), values.max(), _SEGMENTS + 1)
    knots = [float(edges[0])]
    for edge in edges[1:-1]:
        inside = (values >= knots[-1]) & (values < edge)
        beyond = values >= edge
        if inside.sum() >= _LEAST_PER_SEGMENT and beyond.sum() >= _LEAST_PER_SEGMENT:
            knots.append(float(edge))
    return (*knots, float(edges[-1]))


def searched_knots(terms: Sequence[Term]) -> int:
    """Knots whose place the data chose: degrees of freedom that no column shows."""
    return len({(term.driver, term.knot) for term in terms if isinstance(term, Hinge)})
