"""What each driver of a machine is like over a period: coverage, range, and how energy goes with it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from enms.science.baseline.drivers import driver
from enms.science.baseline.forms import DEGREES
from enms.science.baseline.observations import Category, Observations
from enms.science.baseline.selection import LEAST_KNOWN_SHARE
from enms.science.diagnostics.correlation import correlation

LEAST_USABLE_COVERAGE = 0.5


@dataclass(frozen=True)
class DriverReport:
    """A driver over a period.

    Attributes:
        name: Its name.
        kind: `numeric`, `degrees` (made of temperature) or `category`.
        unit: Where it is known.
        coverage: Share of the period's intervals in which it is known.
        minimum: Smallest value.
        maximum: Largest value.
        mean: Of the known values.
        correlation: With energy (Pearson); None for categories and constants.
        levels: Of a category, those that occur.
        is_usable: Whether a baseline may have it.
        is_automatic: Whether automatic selection looks at it.
        reason: Why it can't be used, or isn't chosen by itself.
    """

    name: str
    kind: str
    unit: str | None
    coverage: float
    minimum: float | None
    maximum: float | None
    mean: float | None
    correlation: float | None
    levels: tuple[str, ...]
    is_usable: bool
    is_automatic: bool
    reason: str | None


def report(data: Observations, names: Sequence[str], temperature: str) -> list[DriverReport]:
    """Describes drivers.

    Args:
        data: All intervals of the period.
        names: Drivers, degrees and categories.
        temperature: The driver that degrees are made of.
    """
    return [_of(data, name, temperature) for name in names]


def _of(data: Observations, name: str, temperature: str) -> DriverReport:
    if name in data.categories:
        return _of_category(data, name, data.categories[name])
    values = data.drivers[temperature if name in DEGREES else name]
    known = np.isfinite(values)
    coverage = float(known.mean())
    low, high = (float(values[known].min()), float(values[known].max())) if known.any() else (None, None)
    reason = _unusable(coverage, low, high)
    not_chosen = driver(name).not_chosen
    if not_chosen is None and coverage < LEAST_KNOWN_SHARE:
        not_chosen = (
            f"It is known in {coverage:.0%} of the intervals; to be chosen it takes {LEAST_KNOWN_SHARE:.0%}."
        )
    return DriverReport(
        name=name,
        kind="degrees" if name in DEGREES else "numeric",
        unit=driver(name).unit,
        coverage=coverage,
        minimum=low,
        maximum=high,
        mean=float(values[known].mean()) if known.any() else None,
        correlation=correlation(values, data.energy_kwh),
        levels=(),
        is_usable=reason is None,
        is_automatic=reason is None and not_chosen is None,
        reason=reason or not_chosen,
    )


def _of_category(data: Observations, name: str, category: Category) -> DriverReport:
    known = category.codes >= 0
    present = sorted(set(category.codes[known].tolist()))
    reason = "It has one level only in this period." if len(present) < 2 else None
    return DriverReport(
        name, "category", None, float(known.mean()), None, None, None, None,
        tuple(category.levels[code] for code in present), reason is None, reason is None, reason,
    )  # fmt: skip


def _unusable(coverage: float, low: float | None, high: float | None) -> str | None:
    if low is None:
        return "It wasn't recorded in this period."
    if low == high:
        return "It has the same value throughout, so it explains nothing."
    if coverage < LEAST_USABLE_COVERAGE:
        return f"It is known in {coverage:.0%} of the intervals only."
    return None
