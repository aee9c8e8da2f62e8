"""Intervals that a baseline must not learn from, and why: the refusal list of the model's record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from enms.science.arrays import Flags, Positions, Values
from enms.science.baseline.drivers import driver
from enms.science.baseline.observations import Interval, Observations

# Repeats of the former value, as a share of all steps, above which a driver is one that rests by nature
# (a set point, a count that is zero at night): nothing can be told from its repeats.
_RESTS_BY_NATURE = 0.05
_FLAT_RUN: Mapping[Interval, int] = {"hour": 6, "day": 3}
_MOST_OF_RATED = 1.5
_MOST_SPREAD = 0.1
_MOST_FLAT = 0.5

# Code, driver, text, and where it strikes.
type _Rule = tuple[str, str | None, str, Flags]


@dataclass(frozen=True)
class Quality:
    """How each interval was measured.

    Attributes:
        covered_share: Share of it with readings, 0 to 1.
        spread_share: Share of its energy that was spread over a gap.
        flat_share: Share of it in which the meter repeated one value.
        maintenance_share: Share of it in maintenance; NaN where no mode was reported.
        rated_power_kw: Of the machine.
        hours: Length of each interval.
    """

    covered_share: Values
    spread_share: Values
    flat_share: Values
    maintenance_share: Values
    rated_power_kw: float
    hours: Values


@dataclass(frozen=True)
class Refusal:
    """Why some intervals are left out.

    Attributes:
        code: For programs.
        driver: Whose value it is about; None for energy and the machine.
        count: How many intervals it is the first reason for.
        text: For people.
    """

    code: str
    driver: str | None
    count: int
    text: str


@dataclass(frozen=True)
class Judged:
    """The verdict on each interval.

    Attributes:
        usable: Which may be learned from.
        reason: Index into `refusals` of the first reason; -1 where usable.
        refusals: The reasons, in the order in which they were asked.
    """

    usable: Flags
    reason: Positions
    refusals: tuple[Refusal, ...]


def judge(
    data: Observations,
    quality: Quality,
    drivers: Sequence[str],
    *,
    least_coverage: float,
    most_maintenance: float,
) -> Judged:
    """Judges every interval by the rules below, the first that strikes counting.

    Args:
        data: All intervals of the period.
        quality: How they were measured.
        drivers: Numeric drivers and categories that the model needs.
        least_coverage: Share of an interval that must have readings.
        most_maintenance: Share of an interval that may be maintenance.
    """
    energy = data.energy_kwh
    with np.errstate(invalid="ignore"):
        most_kwh = _MOST_OF_RATED * quality.rated_power_kw * quality.hours
        rules: list[_Rule] = [
            ("no_energy", None, "no energy was read", ~np.isfinite(energy)),
            ("incomplete", None, f"less than {least_coverage:.0%} of it has readings",
             quality.covered_share < least_coverage),
            ("catch_up", None, f"more than {_MOST_SPREAD:.0%} of its energy was spread over a gap",
             quality.spread_share > _MOST_SPREAD),
            ("flat_meter", None, "the meter repeated one value", quality.flat_share > _MOST_FLAT),
            ("impossible_energy", None,
             f"its energy is below zero or above {_MOST_OF_RATED:g} × rated power",
             (energy < 0) | (energy > most_kwh)),
            ("maintenance", None, f"more than {most_maintenance:.0%} of it was maintenance",
             quality.maintenance_share > most_maintenance),
        ]  # fmt: skip
        for name in drivers:
            rules += _driver_rules(data, name)
    reason = np.full(len(data), -1, dtype=np.int64)
    refusals: list[Refusal] = []
    for code, about, text, strikes in rules:
        new = strikes & (reason < 0)
        if count := int(new.sum()):
            reason[new] = len(refusals)
            refusals.append(Refusal(code, about, count, text))
    return Judged(reason < 0, reason, tuple(refusals))


def without_faults(data: Observations) -> Observations:
    """The same with driver values that the rules refuse taken as unknown, so that no choice rests on them.

    Args:
        data: All intervals of the period.
    """
    drivers = {}
    with np.errstate(invalid="ignore"):
        for name, values in data.drivers.items():
            faulty = np.any([strikes for *_, strikes in _driver_rules(data, name)], axis=0)
            drivers[name] = np.where(faulty, np.nan, values)
    return replace(data, drivers=drivers)


def without_rare_levels(judged: Judged, data: Observations, categories: Sequence[str]) -> Judged:
    """Refuses what a model can't learn from beside: intervals whose level of a category occurs once only."""
    reason, refusals = judged.reason.copy(), list(judged.refusals)
    # Twice: what one category takes may leave another's level alone.
    for name in [*categories, *categories]:
        usable = np.flatnonzero(reason < 0)
        rare = usable[data.categories[name].take(usable).is_rare()]
        if count := len(rare):
            reason[rare] = len(refusals)
            refusals.append(Refusal("rare_level", name, count, f"its level of {name} occurs only once"))
    return Judged(reason < 0, reason, tuple(refusals))


def _driver_rules(data: Observations, name: str) -> list[_Rule]:
    if name in data.categories:
        return [("missing_driver", name, f"{name} isn't known", data.categories[name].codes < 0)]
    values = data.drivers[name]
    known = driver(name)
    impossible = np.isinf(values) | (values < known.low) | (values > known.high)
    rules: list[_Rule] = [
        ("missing_driver", name, f"{name} wasn't recorded", np.isnan(values)),
        ("impossible_driver", name, f"{name} has a value that can't be", impossible),
    ]
    if not known.rests:
        flat = flat_lines(values, _FLAT_RUN[data.interval])
        rules.append(("flat_driver", name, f"{name} repeats one value though it never rests otherwise", flat))
    return rules


def flat_lines(values: Values, run: int) -> Flags:
    """Where a value that otherwise keeps changing is the same for `run` intervals or more.

    The first interval of such a run may be sound and stays. Runs of zero are rest, not a fault.
    """
    flat = np.zeros(len(values), dtype=bool)
    if len(values) < 2:
        return flat
    repeats = np.concatenate([[False], (values[1:] == values[:-1]) & (values[1:] != 0)])
    edges = np.diff(repeats.astype(np.int8), prepend=0, append=0)
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    is_long = ends - starts >= run - 1
    # Judged by the steps outside long runs: a sensor that is stuck for weeks doesn't become a set point.
    steps = int(np.isfinite(np.diff(values)).sum()) - int((ends - starts)[is_long].sum())
    if steps <= 0 or int((ends - starts)[~is_long].sum()) > _RESTS_BY_NATURE * steps:
        return flat
    for start, end in zip(starts[is_long].tolist(), ends[is_long].tolist(), strict=True):
        flat[start:end] = True
    return flat
