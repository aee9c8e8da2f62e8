"""What sensors show beside what they show at the same load, weather and time of day."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from enms.science.anomalies.load import CAUSES, robust_fit
from enms.science.anomalies.series import MachineSeries
from enms.science.anomalies.tracks import Scale, Track
from enms.science.arrays import Flags, Values

SETPOINTS = {"pressure_bar": "pressure_setpoint_bar"}
# The hall's and the outdoor air are nobody's fault.
_SURROUNDINGS = (*CAUSES, "indoor_temp_c", "indoor_humidity_percent")
_OUTDOOR = "outdoor_temp_c"
_WINDOWS_SECONDS = (900, 3600, 10_800)
_LEAST_KNOWN = 0.8


@dataclass(frozen=True)
class SensorModel:
    """One sensor's expected value, linear in load, weather and time of day.

    Attributes:
        name: The sensor.
        needs: Which of the optional columns it uses.
        coefficients: One a column.
        scale: Spread of what is left over.
        spread_level: Usual standard deviation inside an interval; None where readings are too few.
        spread_scale: Spread of that around its usual value.
    """

    name: str
    needs: tuple[str, ...]
    coefficients: Values
    scale: Scale
    spread_level: float | None
    spread_scale: Scale | None

    def expected(self, series: MachineSeries, expected_kw: Values) -> Values:
        """What the sensor should show; NaN where a cause isn't known."""
        expected: Values = _design(series, expected_kw, self.needs) @ self.coefficients
        return expected + _setpoint(self.name, series)

    def tracks(self, series: MachineSeries, expected_kw: Values) -> list[Track]:
        """Too high, too low, and too restless."""
        residuals = series.sensors[self.name] - self.expected(series, expected_kw)
        family = f"sensor:{self.name}"
        found = [
            Track(family, "sensor", self.name, sign, *self.scale.scores(residuals, sign)) for sign in (1, -1)
        ]
        if self.spread_scale and self.spread_level is not None and self.name in series.sensor_spread:
            restless = series.sensor_spread[self.name] - self.spread_level
            scores, alone = self.spread_scale.scores(restless, 1)
            found.append(Track(family, "sensor", f"{self.name}_variation", 1, scores, alone))
        return found

    def as_dict(self) -> dict[str, Any]:
        """For a detector's document."""
        return {
            "name": self.name,
            "needs": list(self.needs),
            "coefficients": self.coefficients.tolist(),
            "scale": self.scale.as_dict(),
            "spread_level": self.spread_level,
            "spread_scale": self.spread_scale and self.spread_scale.as_dict(),
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Of a detector's document."""
        spread = document["spread_scale"]
        return cls(
            document["name"],
            tuple(document["needs"]),
            np.array(document["coefficients"]),
            Scale.from_dict(document["scale"]),
            document["spread_level"],
            Scale.from_dict(spread) if spread else None,
        )


def fit_sensors(series: MachineSeries, expected_kw: Values, rows: Flags) -> list[SensorModel]:
    """Models of all sensors that show what the machine does.

    Args:
        series: The machine.
        expected_kw: Power at each interval's load.
        rows: The intervals to learn from.
    """
    models = [_fit(name, series, expected_kw, rows) for name in series.sensors if name not in _SURROUNDINGS]
    return [model for model in models if model is not None]


def _fit(name: str, series: MachineSeries, expected_kw: Values, rows: Flags) -> SensorModel | None:
    target = series.sensors[name] - _setpoint(name, series)
    optional = {"running_share": series.running_share, _OUTDOOR: series.sensors.get(_OUTDOOR)}
    needs = tuple(
        each
        for each, column in optional.items()
        if column is not None and np.isfinite(column[rows]).mean() >= _LEAST_KNOWN and np.nanstd(column[rows])
    )
    design = _design(series, expected_kw, needs)
    used = rows & np.isfinite(target) & np.isfinite(design).all(axis=1)
    if used.sum() < 20 * design.shape[1] or not np.std(target[used]):
        return None
    coefficients = robust_fit(design[used], target[used])
    windows = sorted({max(1, seconds // series.step_seconds) for seconds in _WINDOWS_SECONDS})
    residuals = np.where(used, target - design @ coefficients, np.nan)
    scale = Scale.of(residuals, windows)
    if 1 not in scale.windows:
        return None
    spread_level, spread_scale = None, None
    inside = series.sensor_spread.get(name)
    if inside is not None and np.isfinite(inside[used]).mean() >= _LEAST_KNOWN:
        spread_level = float(np.nanmedian(inside[used]))
        spread_scale = Scale.of(np.where(used, inside - spread_level, np.nan), windows)
        if 1 not in spread_scale.windows:
            spread_level, spread_scale = None, None
    return SensorModel(name, needs, coefficients, scale, spread_level, spread_scale)


def _setpoint(name: str, series: MachineSeries) -> Values | float:
    return series.sensors.get(SETPOINTS.get(name, ""), 0.0)


def _design(series: MachineSeries, expected_kw: Values, needs: tuple[str, ...]) -> Values:
    unknown = np.full(len(series), np.nan)
    found = {"running_share": series.running_share, _OUTDOOR: series.sensors.get(_OUTDOOR, unknown)}
    columns = [np.ones(len(series)), expected_kw, *(found[name] for name in needs)]
    return np.concatenate([np.stack(columns, axis=1), series.time_of_day], axis=1)
