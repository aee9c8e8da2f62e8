"""What needs no statistics: a meter or a sensor that stands still, a value that can't be, no data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from enms.science.anomalies.runs import runs_of
from enms.science.anomalies.series import MachineSeries
from enms.science.arrays import Flags, Values
from enms.science.baseline.drivers import driver
from enms.science.baseline.refusals import flat_lines

_WEEK_SECONDS = 7 * 86_400
_GAP_COVERED = 0.1
_LEAST_GAP_SECONDS, _LEAST_FLAT_SECONDS, _LEAST_SENSOR_FLAT_SECONDS = 1_800, 3_600, 6 * 3_600
# Runs a week that a machine may have in sound operation before they are its habit.
_HABIT_PER_WEEK = 0.25
_MOST_OF_RATED = 1.5
_MOSTLY_REFUSED = 0.5
_WIDENED = 3.0


@dataclass(frozen=True)
class Rules:
    """From how many intervals on a run is no habit of the machine.

    Attributes:
        gap: Of intervals without readings.
        flat: Of intervals in which the meter stands still.
        sensors: Sensors that never rest, whose standing still means something.
        ranges: What each sensor has shown, but for a thousandth at either end.
    """

    gap: int
    flat: int
    sensors: tuple[str, ...]
    ranges: Mapping[str, tuple[float, float]]

    def as_dict(self) -> dict[str, Any]:
        """For a detector's document."""
        return asdict(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Of a detector's document."""
        ranges = {name: (low, high) for name, (low, high) in document["ranges"].items()}
        return cls(document["gap"], document["flat"], tuple(document["sensors"]), ranges)


@dataclass(frozen=True)
class Strike:
    """A run of intervals that a rule strikes.

    Attributes:
        kind: `data_gap` or `sensor_fault`.
        metric: What it is about.
        first: Its first interval.
        end: The interval after its last.
    """

    kind: str
    metric: str
    first: int
    end: int


def learn_rules(series: MachineSeries) -> Rules:
    """Which runs a machine is used to."""
    weeks = max(len(series) * series.step_seconds / _WEEK_SECONDS, 1)
    known = [name for name, values in series.sensors.items() if np.isfinite(values).any()]
    flats = {name: flat_lines(series.sensors[name], _sensor_run(series)) for name in known}
    return Rules(
        _least_run(_is_missing(series), _steps(series, _LEAST_GAP_SECONDS), weeks),
        _least_run(series.is_flat, _steps(series, _LEAST_FLAT_SECONDS), weeks),
        tuple(name for name, flat in flats.items() if len(runs_of(flat)) <= _HABIT_PER_WEEK * weeks),
        {name: _range(series.sensors[name]) for name in known},
    )


def strikes(rules: Rules, series: MachineSeries) -> list[Strike]:
    """Where the rules strike, runs of the same kind joined over two intervals."""
    power, rated = series.power_kw, series.rated_power_kw
    with np.errstate(invalid="ignore"):
        impossible = (power > _MOST_OF_RATED * rated) | (power < 0)
    is_refused = (series.refused > 0) & (series.covered_share < _MOSTLY_REFUSED)
    found = [
        *_of("data_gap", "covered_share", _is_missing(series), rules.gap),
        *_of("sensor_fault", "power_kw", series.is_flat, rules.flat),
        *_of("sensor_fault", "power_kw", impossible | is_refused, 2),
    ]
    for name, values in series.sensors.items():
        found += _of("sensor_fault", name, _cannot_be(rules, name, values), 1)
        if name in rules.sensors and not driver(name).rests:
            found += _of("sensor_fault", name, _is_stuck(rules, name, values, _sensor_run(series)), 1)
    return found


def _cannot_be(rules: Rules, name: str, values: Values) -> Flags:
    """Beyond what is possible, or further beyond all that was shown than three times that range."""
    limits = driver(name)
    low, high = rules.ranges.get(name, (0.0, 0.0))
    width = _WIDENED * (high - low) or np.inf
    with np.errstate(invalid="ignore"):
        flags: Flags = (values < max(low - width, limits.low)) | (values > min(high + width, limits.high))
    return flags


def _is_stuck(rules: Rules, name: str, values: Values, run: int) -> Flags:
    """Standing still, and not at an end of its range: humidity rests at 100 % in fog."""
    limits = driver(name)
    low, high = rules.ranges.get(name, (-np.inf, np.inf))
    with np.errstate(invalid="ignore"):
        inside = (values > max(low, limits.low)) & (values < min(high, limits.high))
    flags: Flags = flat_lines(values, run) & inside
    return flags


def _range(values: Values) -> tuple[float, float]:
    # The thousandths may be the jumps of the reference window.
    low, high = np.nanquantile(values, (0.001, 0.999)).tolist()
    return low, high


def _of(kind: str, metric: str, flags: Flags, least: int) -> list[Strike]:
    runs = runs_of(flags, join=2)
    return [Strike(kind, metric, start, end) for start, end in runs if flags[start:end].sum() >= least]


def _least_run(flags: Flags, least: int, weeks: float) -> int:
    lengths = sorted((end - start for start, end in runs_of(flags)), reverse=True)
    usual = [length for length in lengths if length >= least]
    allowed = int(_HABIT_PER_WEEK * weeks)
    return least if len(usual) <= allowed else usual[allowed] + 1


def _is_missing(series: MachineSeries) -> Flags:
    missing: Flags = series.covered_share < _GAP_COVERED
    return missing


def _steps(series: MachineSeries, seconds: int) -> int:
    return max(2, seconds // series.step_seconds)


def _sensor_run(series: MachineSeries) -> int:
    return max(4, _LEAST_SENSOR_FLAT_SECONDS // series.step_seconds)
