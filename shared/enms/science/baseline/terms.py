"""The terms of a baseline: how drivers become columns of its design matrix."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from enms.science.arrays import Values
from enms.science.baseline.observations import Category, Observations


@dataclass(frozen=True)
class Numeric:
    """A driver as it is.

    Attributes:
        driver: Its name.
    """

    driver: str

    @property
    def name(self) -> str:
        """Of the term."""
        return self.driver

    @property
    def column_names(self) -> tuple[str, ...]:
        """One for each column."""
        return (self.driver,)

    def columns(self, data: Observations) -> Values:
        """Its column, n × 1."""
        return data.drivers[self.driver].reshape(-1, 1)


@dataclass(frozen=True)
class Hinge:
    """How far a driver lies above or below a knot, else 0: degrees, and the slopes of change points.

    Attributes:
        name: Of the term, such as `heating_degrees`.
        driver: The driver, such as `outdoor_temp_c`.
        knot: Balance point or change point, in the driver's unit.
        is_above: Whether it counts above the knot; below it otherwise.
    """

    name: str
    driver: str
    knot: float
    is_above: bool

    @property
    def column_names(self) -> tuple[str, ...]:
        """One for each column."""
        return (self.name,)

    def columns(self, data: Observations) -> Values:
        """Its column, n × 1."""
        return hinge(data.drivers[self.driver], self.knot, is_above=self.is_above)[:, None]


@dataclass(frozen=True)
class Segments:
    """A driver's broken line: one slope for each segment between knots, the outer ones open.

    Attributes:
        driver: The driver.
        knots: Limits of the segments, ascending; one more than there are segments.

    Source: Mathieu et al. (2011), Quantifying changes in building electricity use, IEEE Trans. Smart Grid
    2(3), equation 1.
    """

    driver: str
    knots: tuple[float, ...]

    @property
    def name(self) -> str:
        """Of the term."""
        return f"{self.driver} segments"

    @property
    def column_names(self) -> tuple[str, ...]:
        """One for each column."""
        limits = zip(self.knots, self.knots[1:], strict=False)
        return tuple(f"{self.driver}[{low:.4g}..{high:.4g}]" for low, high in limits)

    def columns(self, data: Observations) -> Values:
        """How much of each segment the driver fills, n × segments."""
        values = data.drivers[self.driver][:, None]
        low, high = np.array(self.knots[:-1]), np.array(self.knots[1:])
        filled: Values = np.clip(values - low, 0, high - low)
        filled[:, 0] += np.minimum(values[:, 0] - low[0], 0)
        filled[:, -1] += np.maximum(values[:, 0] - high[-1], 0)
        return filled


@dataclass(frozen=True)
class Indicators:
    """A category's levels against a reference level: 0 or 1, or hours where an interval has several.

    Attributes:
        category: Its name.
        levels: Those that have a column.
        reference: The level that the intercept stands for.
    """

    category: str
    levels: tuple[str, ...]
    reference: str

    @property
    def name(self) -> str:
        """Of the term."""
        return self.category

    @property
    def column_names(self) -> tuple[str, ...]:
        """One for each column."""
        return tuple(f"{self.category}[{level}]" for level in self.levels)

    def columns(self, data: Observations) -> Values:
        """1 at an interval's level (or its hours), n × levels; NaN where a level is none of the model's."""
        category = data.categories[self.category]
        if category.hours is not None:
            return self._hours(category, category.hours)
        place = {level: i for i, level in enumerate(self.levels)} | {self.reference: len(self.levels)}
        known = np.array([place.get(level, -1) for level in category.levels] + [-1], dtype=np.int64)
        at = known[category.codes]
        columns: Values = (at[:, None] == np.arange(len(self.levels))).astype(np.float64)
        columns[at < 0] = np.nan
        return columns

    def _hours(self, category: Category, hours: Values) -> Values:
        known = {*self.levels, self.reference}
        place = {level: i for i, level in enumerate(category.levels)}
        columns = np.zeros((len(hours), len(self.levels)))
        for i, level in enumerate(self.levels):
            if level in place:
                columns[:, i] = hours[:, place[level]]
        strangers = [i for level, i in place.items() if level not in known]
        columns[(hours[:, strangers] > 0).any(axis=1) | (category.codes < 0)] = np.nan
        return columns


type Term = Numeric | Hinge | Segments | Indicators


def hinge(values: Values, knot: float, *, is_above: bool) -> Values:
    """How far values lie beyond a knot, else 0; unknown stays unknown."""
    return np.maximum(values - knot, 0.0) if is_above else np.maximum(knot - values, 0.0)


def needs(term: Term) -> str:
    """The driver or category that a term is made of."""
    return term.category if isinstance(term, Indicators) else term.driver


def design_matrix(terms: Sequence[Term], data: Observations) -> Values:
    """Intercept and the columns of all terms, n × p; NaN in rows where something isn't known."""
    columns = [np.ones((len(data), 1)), *(term.columns(data) for term in terms)]
    return np.ascontiguousarray(np.hstack(columns))


def column_names(terms: Sequence[Term]) -> tuple[str, ...]:
    """Names of the columns after the intercept."""
    return tuple(name for term in terms for name in term.column_names)


def column_spans(terms: Sequence[Term]) -> list[tuple[Term, slice]]:
    """Each term with its columns in the design matrix, whose first is the intercept."""
    spans, at = [], 1
    for term in terms:
        width = len(term.column_names)
        spans.append((term, slice(at, at + width)))
        at += width
    return spans


def term_as_dict(term: Term) -> dict[str, Any]:
    """For the model's document."""
    return {"kind": type(term).__name__.lower(), **asdict(term)}


def term_from_dict(stored: Mapping[str, Any]) -> Term:
    """What `term_as_dict` made.

    Raises:
        ValueError: It is of no kind that there is.
    """
    match stored:
        case {"kind": "numeric", "driver": driver}:
            return Numeric(driver)
        case {"kind": "hinge", "name": name, "driver": driver, "knot": knot, "is_above": is_above}:
            return Hinge(name, driver, knot, is_above)
        case {"kind": "segments", "driver": driver, "knots": knots}:
            return Segments(driver, tuple(knots))
        case {"kind": "indicators", "category": category, "levels": levels, "reference": reference}:
            return Indicators(category, tuple(levels), reference)
    raise ValueError(f"There is no term of kind {stored.get('kind')!r}.")
