"""What a machine draws at the load that it has: the quarter hours' counterpart of a baseline."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from enms.science.anomalies.rolling import spread_of
from enms.science.anomalies.series import MachineSeries
from enms.science.arrays import Flags, Positions, Values

# What the surroundings and the orders set; all else is what the machine makes of it.
CAUSES = (
    "outdoor_temp_c", "outdoor_humidity_percent", "material_moisture_percent", "speed_percent",
    "throughput_units_per_hour", "pressure_setpoint_bar",
)  # fmt: skip
_OUTDOOR, _HEATING_BASE_C, _COOLING_BASE_C = "outdoor_temp_c", 15.0, 18.0
# Of the training's intervals, how many must know a cause for the model to ask for it.
_LEAST_KNOWN = 0.8
_LEAST_COVERED, _MOST_SPREAD, _MOST_MAINTENANCE = 0.5, 0.1, 0.1
_HUBER, _ROUNDS, _SETTLED, _RIDGE = 1.5, 5, 1e-3, 1e-6
_IDLE, _RUNNING = 0.02, 0.98
_LEAST_OF_RATED = 1e-3


@dataclass(frozen=True)
class LoadModel:
    """Power linear in causes, state and time of day, by least squares that outliers can't pull (Huber).

    Attributes:
        causes: Names of the columns before the time of day.
        coefficients: kW per unit of each column, the intercept first.
        spreads_kw: Usual scatter while idle, in between, and running.
    """

    causes: tuple[str, ...]
    coefficients: Values
    spreads_kw: Values

    @property
    def tells_load(self) -> bool:
        """Whether it knows more than the time of day, by which it would be a poorer profile."""
        return bool(self.causes)

    def expected_kw(self, series: MachineSeries) -> Values:
        """Mean power at each interval's load; NaN where a cause isn't known."""
        expected: Values = _design(series, self.causes) @ self.coefficients
        return expected

    def scatter_kw(self, series: MachineSeries) -> Values:
        """Usual scatter of each interval around it."""
        scatter: Values = self.spreads_kw[_state(series)]
        return scatter

    def as_dict(self) -> dict[str, Any]:
        """For a detector's document."""
        return {
            "causes": list(self.causes),
            "coefficients": self.coefficients.tolist(),
            "spreads_kw": self.spreads_kw.tolist(),
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Of a detector's document."""
        return cls(
            tuple(document["causes"]), np.array(document["coefficients"]), np.array(document["spreads_kw"])
        )


def sound_power_kw(series: MachineSeries) -> Values:
    """Power where it was measured: not in gaps, nor spread over one, repeated or in maintenance."""
    known = (series.covered_share >= _LEAST_COVERED) & (series.spread_share <= _MOST_SPREAD)
    with np.errstate(invalid="ignore"):
        in_maintenance = series.maintenance_share > _MOST_MAINTENANCE
    power: Values = np.where(known & ~series.is_flat & ~in_maintenance, series.power_kw, np.nan)
    return power


def fit_load(series: MachineSeries, rows: Flags) -> LoadModel | None:
    """Fits the model to some intervals; None where they don't bear one."""
    causes = tuple(
        name
        for name, values in _causes(series).items()
        if np.isfinite(values[rows]).mean() >= _LEAST_KNOWN and np.nanstd(values[rows]) > 0
    )
    design = _design(series, causes)
    power_kw = sound_power_kw(series)
    used = rows & np.isfinite(power_kw) & np.isfinite(design).all(axis=1)
    if used.sum() < 10 * design.shape[1]:
        return None
    coefficients = robust_fit(design[used], power_kw[used])
    residuals = power_kw - design @ coefficients
    floor = _LEAST_OF_RATED * series.rated_power_kw
    whole = spread_of(residuals[used])
    state = _state(series)
    spreads = [_spread_in(residuals[used & (state == each)], whole) for each in range(3)]
    return LoadModel(causes, coefficients, np.maximum(spreads, floor))


def robust_fit(design: Values, target: Values) -> Values:
    """Least squares, weights falling with the residual (Huber 1964, Annals of Mathematical Statistics 35)."""
    scale = np.sqrt((design**2).mean(axis=0))
    scaled = design / np.where(scale > 0, scale, 1)
    ridge = _RIDGE * len(target) * np.eye(design.shape[1])
    weights = np.ones(len(target))
    solution = np.zeros(design.shape[1])
    for _ in range(_ROUNDS):
        weighted, before = scaled * weights[:, None], solution
        solution = np.linalg.solve(scaled.T @ weighted + ridge, weighted.T @ target)
        if np.abs(solution - before).max() <= _SETTLED * np.abs(solution).max():
            break
        residuals = np.abs(target - scaled @ solution)
        reach = _HUBER * max(spread_of(residuals), 1e-12)
        weights = np.minimum(1, reach / np.maximum(residuals, 1e-12))
    coefficients: Values = solution / np.where(scale > 0, scale, 1)
    return coefficients


def _spread_in(residuals: Values, whole: float) -> float:
    return spread_of(residuals) if len(residuals) >= 30 else whole


def _causes(series: MachineSeries) -> dict[str, Values]:
    found = {
        "running_share": series.running_share,
        "production_per_hour": series.production_count * 3600 / series.step_seconds,
    }
    found |= {name: series.sensors[name] for name in CAUSES if name in series.sensors}
    if _OUTDOOR in found:
        found["heating_degrees"] = (_HEATING_BASE_C - found[_OUTDOOR]).clip(0)
        found["cooling_degrees"] = (found[_OUTDOOR] - _COOLING_BASE_C).clip(0)
    return found


def _design(series: MachineSeries, causes: tuple[str, ...]) -> Values:
    found = _causes(series)
    unknown = np.full(len(series), np.nan)
    columns = [np.ones(len(series)), *(found.get(name, unknown) for name in causes)]
    return np.concatenate([np.stack(columns, axis=1), series.time_of_day], axis=1)


def _state(series: MachineSeries) -> Positions:
    """0 idle, 1 in between (or unknown), 2 running."""
    share = series.running_share
    with np.errstate(invalid="ignore"):
        states: Positions = np.where(share < _IDLE, 0, np.where(share > _RUNNING, 2, 1))
    return states
