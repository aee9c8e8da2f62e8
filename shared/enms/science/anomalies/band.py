"""What a chart of an episode shows: the quantity, what was expected, and how far it usually scatters."""

from dataclasses import dataclass

import numpy as np

from enms.science.anomalies.detector import Detector
from enms.science.anomalies.deviations import Deviations
from enms.science.anomalies.load import sound_power_kw
from enms.science.anomalies.profile import expected_and_scale
from enms.science.anomalies.series import MachineSeries
from enms.science.arrays import Positions, Values

_SIGMAS = 2.0
_VARIATION = "_variation"


@dataclass(frozen=True)
class Band:
    """A quantity over time; NaN where it isn't known.

    Attributes:
        interval_seconds: Length of an interval.
        starts_at: Start of each, seconds since 1970.
        values: What was measured.
        expected: What was expected; None where nothing tells it.
        low: Expected less two standard deviations; None likewise.
        high: Expected and two standard deviations; None likewise.
    """

    interval_seconds: int
    starts_at: Positions
    values: Values
    expected: Values | None = None
    low: Values | None = None
    high: Values | None = None


def band(
    detector: Detector, series: MachineSeries, deviations: Deviations | None, metric_name: str
) -> Band | None:
    """The chart of a metric; None where the series doesn't have it.

    Args:
        detector: Of the machine.
        series: What is charted, with the detector's `lookback_seconds` before it.
        deviations: The same held against the baseline; None without one.
        metric_name: As an episode names it.
    """
    if metric_name == "energy_kwh":
        return _energy(deviations) if deviations else None
    if metric_name == "power_kw":
        return _power(detector, series)
    if metric_name == "covered_share":
        return Band(series.step_seconds, series.starts_at, series.covered_share)
    return _sensor(detector, series, metric_name)


def _energy(deviations: Deviations) -> Band:
    comparison = deviations.comparison
    return _around(
        deviations.seconds,
        deviations.starts_at,
        comparison.data.energy_kwh,
        comparison.predicted_kwh,
        comparison.std_error_kwh,
    )


def _power(detector: Detector, series: MachineSeries) -> Band:
    models = detector.models
    if models.season and not (models.load and models.load.tells_load):
        clock = (series.starts_at, series.minute_of_day, series.step_seconds)
        usual = expected_and_scale(sound_power_kw(series), *clock, models.season)
        return _around(series.step_seconds, series.starts_at, series.power_kw, usual.value, usual.scale)
    if models.load is None:
        return Band(series.step_seconds, series.starts_at, series.power_kw)
    expected, scatter = models.load.expected_kw(series), models.load.scatter_kw(series)
    return _around(series.step_seconds, series.starts_at, series.power_kw, expected, scatter)


def _sensor(detector: Detector, series: MachineSeries, metric_name: str) -> Band | None:
    is_variation = metric_name.endswith(_VARIATION) and metric_name not in series.sensors
    name = metric_name.removesuffix(_VARIATION) if is_variation else metric_name
    values = (series.sensor_spread if is_variation else series.sensors).get(name)
    if values is None:
        return None
    model = next((each for each in detector.models.sensors if each.name == name), None)
    if model is None:
        return Band(series.step_seconds, series.starts_at, values)
    if is_variation:
        if model.spread_level is None or model.spread_scale is None:
            return Band(series.step_seconds, series.starts_at, values)
        level = np.full(len(series), model.spread_level)
        return _around(series.step_seconds, series.starts_at, values, level, model.spread_scale.spreads[0])
    load = detector.models.load
    expected_kw = load.expected_kw(series) if load else np.full(len(series), np.nan)
    expected = model.expected(series, expected_kw)
    return _around(series.step_seconds, series.starts_at, values, expected, model.scale.spreads[0])


def _around(
    seconds: int, starts_at: Positions, values: Values, expected: Values, spread: Values | float
) -> Band:
    return Band(
        seconds, starts_at, values, expected, expected - _SIGMAS * spread, expected + _SIGMAS * spread
    )
