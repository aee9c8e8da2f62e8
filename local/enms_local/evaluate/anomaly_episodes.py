"""Episodes of a file: odd intervals that adjoin, and what each is taken for."""

from dataclasses import dataclass

import numpy as np

from enms.science.anomalies.findings import Kind, Method, Severity
from enms.science.anomalies.runs import Run, runs_of
from enms.science.arrays import Flags, Values
from enms_local.evaluate.anomaly_file import AnomalyFile
from enms_local.evaluate.anomaly_rates import join_intervals
from enms_local.evaluate.anomaly_scores import METHODS, Judged
from enms_local.evaluate.table import words_of

WARNINGS_PER_WEEK = 1.0
CRITICALS_PER_WEEK = 12 / 52
# What hours before did makes no interval odd that is as usual itself, or far less odd than they.
_LEAST_SIGMA = 1.0
_LEAST_OF_MEAN = 0.5
_DAY = 86_400
_TEMPERATURE = frozenset(("temp", "temperature", "degc", "degf", "celsius", "fahrenheit"))
_PRESSURE = frozenset(("pressure", "bar", "mbar", "hpa", "kpa", "mpa", "psi"))


@dataclass(frozen=True)
class FileEpisode:
    """Adjoining odd intervals.

    Attributes:
        run: Half-open, by place.
        kind: What it is taken for.
        severity: By how often something as odd comes of itself.
        method: The detector that saw it most clearly.
        per_week: So often a week.
        value: Mean of the quantity.
        expected_value: Of what was to be expected.
    """

    run: Run
    kind: Kind
    severity: Severity
    method: Method
    per_week: float
    value: float
    expected_value: float


def odd_intervals(judged: Judged) -> Flags:
    """The intervals that pass the budget, and are odd themselves."""
    method = judged.methods
    last_span = len(judged.spans) - 1
    mean = np.take_along_axis(judged.spans, np.minimum(method, last_span)[None], axis=0)[0]
    with np.errstate(invalid="ignore"):
        goes_on = np.sign(mean) * judged.lately > np.maximum(_LEAST_OF_MEAN * np.abs(mean), _LEAST_SIGMA)
        is_span = (method > 0) & (method <= last_span)
        # Nor does a reading that leaves its hour as usual make one.
        is_odd = np.where(is_span, goes_on, np.abs(judged.lately) > _LEAST_SIGMA)
        odd: Flags = (judged.per_week < WARNINGS_PER_WEEK) & (is_odd | (method == METHODS.index("rule")))
    return odd


def episodes_of(file: AnomalyFile, judged: Judged, values: Values, target: str) -> list[FileEpisode]:
    """Joins odd intervals after training.

    Args:
        file: The intervals.
        judged: What the detectors make of them.
        values: The quantity, or what drivers leave of it.
        target: Name of the quantity.
    """
    odd = odd_intervals(judged)
    odd[: file.training] = False
    join = join_intervals(file.step_seconds)
    return [_episode(run, file, judged, values, target) for run in runs_of(odd, join)]


def _episode(run: Run, file: AnomalyFile, judged: Judged, values: Values, target: str) -> FileEpisode:
    rows = slice(*run)
    per_week = np.where(np.isfinite(judged.per_week[rows]), judged.per_week[rows], np.inf)
    peak = run[0] + int(per_week.argmin())
    method = METHODS[judged.methods[peak]]
    above = _mean(values[rows] - judged.expected[rows])
    value = _mean(file.values[rows])
    least = float(per_week.min())
    lasts = (run[1] - run[0]) * file.step_seconds
    return FileEpisode(
        run,
        _kind(method, above, lasts, frozenset(words_of(target))),
        "critical" if least < CRITICALS_PER_WEEK else "warning",
        method,
        least,
        value,
        value - above,
    )


def _kind(method: Method, above: float, lasts_seconds: int, words: frozenset[str]) -> Kind:
    if method == "rule":
        return "sensor_fault"
    if method == "isolation_forest" or not np.isfinite(above):
        return "unusual_pattern"
    if words & _TEMPERATURE:
        return "temperature_spike"
    if words & _PRESSURE:
        return "pressure_anomaly"
    if above < 0:
        return "power_drop"
    return "baseload_increase" if lasts_seconds >= _DAY else "power_spike"


def _mean(values: Values) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
