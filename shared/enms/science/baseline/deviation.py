"""What a machine used beside what its baseline expects, with the uncertainty of the difference."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from enms.science.arrays import Flags, Positions, Values
from enms.science.baseline.model import Baseline
from enms.science.baseline.observations import Observations
from enms.science.baseline.uncertainty import (
    Severity,
    TotalError,
    group_errors,
    independent_error,
    interval_std_errors,
    severity,
    total_error,
    z_score,
)


@dataclass(frozen=True)
class Comparison:
    """Actual and expected energy of the intervals that could be judged.

    Attributes:
        baseline: The model.
        data: The intervals.
        design: Their design matrix.
        predicted_kwh: What the baseline expects of each.
        deviation_kwh: Actual - predicted: above zero where more was used.
        std_error_kwh: Of each single deviation.
        is_beyond: Where a numeric driver lies outside its range in training.
        beyond: How far, by driver, for those that do somewhere.
    """

    baseline: Baseline
    data: Observations
    design: Values
    predicted_kwh: Values
    deviation_kwh: Values
    std_error_kwh: Values
    is_beyond: Flags
    beyond: dict[str, Values]


@dataclass(frozen=True)
class Total:
    """The sum over some intervals.

    Attributes:
        intervals: How many.
        actual_kwh: Energy used.
        predicted_kwh: Energy expected.
        error: Of their difference.
    """

    intervals: int
    actual_kwh: float
    predicted_kwh: float
    error: TotalError

    @property
    def deviation_kwh(self) -> float:
        """Actual - predicted."""
        return self.actual_kwh - self.predicted_kwh

    @property
    def deviation_percent(self) -> float | None:
        """Of the expected energy; None where nothing is expected."""
        return 100 * self.deviation_kwh / self.predicted_kwh if self.predicted_kwh else None

    @property
    def z(self) -> float:
        """The deviation in standard errors, as of a normal distribution."""
        return z_score(self.deviation_kwh, self.error)

    @property
    def severity(self) -> Severity:
        """Warning from 2 σ, critical from 3 σ."""
        return severity(self.deviation_kwh, self.error)


def compare(baseline: Baseline, data: Observations) -> Comparison:
    """Holds intervals against a baseline.

    Args:
        baseline: The model.
        data: Complete intervals in the order of time.
    """
    design = baseline.design(data)
    predicted = design @ baseline.coefficients
    distances = baseline.beyond_range(data)
    is_beyond = np.zeros(len(data), dtype=bool)
    for distance in distances.values():
        is_beyond |= distance != 0
    return Comparison(
        baseline=baseline,
        data=data,
        design=design,
        predicted_kwh=predicted,
        deviation_kwh=data.energy_kwh - predicted,
        std_error_kwh=interval_std_errors(baseline.errors, baseline.covariance, design),
        is_beyond=is_beyond,
        beyond={name: distance for name, distance in distances.items() if np.any(distance)},
    )


def total_of(comparison: Comparison, rows: Flags | None = None) -> Total:
    """The sum over all intervals, or over some."""
    data, design, predicted = comparison.data, comparison.design, comparison.predicted_kwh
    if rows is not None:
        data, design, predicted = data.take(rows), design[rows], predicted[rows]
    baseline = comparison.baseline
    error = total_error(baseline.errors, baseline.covariance, data.positions, design)
    return Total(len(data), float(data.energy_kwh.sum()), float(predicted.sum()), error)


def sum_of(totals: Sequence[Total]) -> Total:
    """The sum over several machines, whose errors are taken as independent.

    Args:
        totals: The machines', one at least.
    """
    return Total(
        sum(each.intervals for each in totals),
        sum(each.actual_kwh for each in totals),
        sum(each.predicted_kwh for each in totals),
        independent_error([each.error for each in totals]),
    )


def totals_by(comparison: Comparison, groups: Positions) -> dict[int, Total]:
    """The sum over each group of intervals (days, months), by the group's number.

    Args:
        comparison: The intervals.
        groups: The number of each interval's group.
    """
    baseline = comparison.baseline
    numbers, place = np.unique(groups, return_inverse=True)
    errors = group_errors(
        baseline.errors, baseline.covariance, comparison.data.positions, comparison.design, place
    )
    counts = np.bincount(place)
    actual = np.bincount(place, comparison.data.energy_kwh)
    predicted = np.bincount(place, comparison.predicted_kwh)
    columns = zip(numbers.tolist(), counts.tolist(), actual.tolist(), predicted.tolist(), errors, strict=True)
    return {number: Total(count, used, expected, error) for number, count, used, expected, error in columns}
