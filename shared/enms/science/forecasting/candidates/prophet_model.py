"""Prophet: a trend with changes of slope, seasons as Fourier terms, and regressors."""

import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from enms.science.arrays import Flags, Values
from enms.science.forecasting.window import Window
from enms.science.problems import UnfitError

if TYPE_CHECKING:
    import pandas as pd
    from prophet import Prophet

_DAY_SECONDS = 86_400
_HOLIDAY = "public holiday"
# Prophet's own 25 are for years; no better for the weeks that are learned from.
_CHANGES_OF_SLOPE = 10
_NUMBERS = ("start_s", "length_s", "slope", "offset", "base_kw", "unit_kw")


@dataclass(frozen=True)
class ProphetModel:
    """Taylor & Letham (2018), Forecasting at scale; fitted by Prophet, read by numpy."""

    name: str = "prophet"
    cost: int = 5
    least_days: float = 14.0
    uses_regressors: bool = True

    def fit(self, window: Window) -> "FittedProphet":
        """Lets Prophet learn from the steps that count."""
        past = len(window)
        counts: Flags = window.weights > 0
        if np.count_nonzero(counts) < self.least_days * window.steps_per_day / 2:
            raise UnfitError("little-history", "Prophet needs a week of steps that count.")
        model = _quiet_prophet()(
            n_changepoints=_CHANGES_OF_SLOPE,
            daily_seasonality=window.steps_per_day > 1,
            weekly_seasonality=True,
            yearly_seasonality=False,
            uncertainty_samples=0,
            # By its peak alone a load that never comes near zero is scaled so badly that fits break off.
            scaling="minmax",
        )
        frame = _frame(window)
        regressors = [
            name for name, values in _regressors(window).items() if np.ptp(values[:past][counts]) > 0
        ]
        for name in regressors:
            model.add_regressor(name)
        with warnings.catch_warnings():
            # Prophet calls pandas in ways that a later pandas won't have.
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", FutureWarning)
            model.fit(frame[:past][counts])
        return FittedProphet.of(model, regressors)

    def load(self, document: Mapping[str, Any]) -> "FittedProphet":
        """The model of a document."""
        fields = dict(document)
        fields |= {name: np.array(document[name]) for name in ("changes_at", "slope_changes")}
        fields["terms"] = {name: np.array(weights) for name, weights in document["terms"].items()}
        return FittedProphet(**fields)


@dataclass(frozen=True)
class FittedProphet:
    """Its parameters, in Prophet's own scales.

    Attributes:
        start_s: When its time begins, on the local clock: seconds since 1970.
        length_s: How long it is until its time is 1.
        slope: Of the trend before any change.
        offset: Of the trend where time begins.
        changes_at: When the slope changes, shape (c,).
        slope_changes: By how much, shape (c,).
        base_kw: What 0 stands for.
        unit_kw: How far 1 is from it.
        terms: Weights of each season's sines and cosines in turn, shape (2 x order,).
        periods_days: Of each season.
        regressors: Of each regressor its mean, spread and weight.
    """

    start_s: float
    length_s: float
    slope: float
    offset: float
    changes_at: Values
    slope_changes: Values
    base_kw: float
    unit_kw: float
    terms: Mapping[str, Values]
    periods_days: Mapping[str, float]
    regressors: Mapping[str, tuple[float, float, float]]

    @classmethod
    def of(cls, model: "Prophet", regressors: list[str]) -> Self:
        """Of a model that Prophet has fitted."""
        # Its own annotations allow for a model that isn't fitted.
        fitted: Any = model
        parameters = {name: np.asarray(values)[0] for name, values in fitted.params.items()}
        columns = fitted.train_component_cols
        weights = {
            name: parameters["beta"][columns[name].to_numpy() == 1]
            for name in (*fitted.seasonalities, *regressors)
        }
        scaling = {name: fitted.extra_regressors[name] for name in regressors}
        return cls(
            start_s=float(fitted.start.timestamp()),
            length_s=float(fitted.t_scale.total_seconds()),
            slope=float(parameters["k"][0]),
            offset=float(parameters["m"][0]),
            changes_at=np.asarray(fitted.changepoints_t, dtype=np.float64),
            slope_changes=parameters["delta"],
            base_kw=float(fitted.y_min),
            unit_kw=float(fitted.y_scale),
            terms={name: weights[name] for name in fitted.seasonalities},
            periods_days={name: float(each["period"]) for name, each in fitted.seasonalities.items()},
            regressors={
                name: (float(each["mu"]), float(each["std"]), float(weights[name][0]))
                for name, each in scaling.items()
            },
        )

    def forecast(self, window: Window) -> Values:
        """Trend, seasons and regressors of the coming steps, shape (h,)."""
        past = len(window)
        seconds = window.steps[past:].astype(np.float64) * window.step_seconds
        time = (seconds - self.start_s) / self.length_s
        since = np.maximum(time[:, None] - self.changes_at, 0)
        total = self.slope * time + self.offset + since @ self.slope_changes
        for name, weights in self.terms.items():
            order = np.arange(1, len(weights) // 2 + 1)
            angles = 2 * np.pi * order * seconds[:, None] / (_DAY_SECONDS * self.periods_days[name])
            total = total + np.sin(angles) @ weights[0::2] + np.cos(angles) @ weights[1::2]
        given = _regressors(window)
        for name, (mean, spread, weight) in self.regressors.items():
            # One that isn't known any more is taken at its mean.
            values = given[name][past:] if name in given else np.full(window.points, mean)
            total = total + weight * (values - mean) / spread
        made: Values = self.base_kw + total * self.unit_kw
        return made

    def document(self) -> dict[str, Any]:
        """Its parameters."""
        return {
            **{name: getattr(self, name) for name in _NUMBERS},
            "changes_at": self.changes_at.tolist(),
            "slope_changes": self.slope_changes.tolist(),
            "terms": {name: values.tolist() for name, values in self.terms.items()},
            "periods_days": dict(self.periods_days),
            "regressors": {name: list(each) for name, each in self.regressors.items()},
        }


def _quiet_prophet() -> type["Prophet"]:
    # Neither that it can't draw nor how long it took is of use to anybody here.
    for name in ("prophet", "prophet.models", "prophet.plot", "cmdstanpy"):
        logging.getLogger(name).disabled = True
    from prophet import Prophet

    return Prophet


def _regressors(window: Window) -> dict[str, Values]:
    """Those of the window, and its holidays as one more; Prophet keeps names such as `trend` for itself."""
    told = {f"told_{name.encode().hex()}": values for name, values in window.regressors.items()}
    return {**told, _HOLIDAY: window.is_holiday.astype(np.float64)}


def _frame(window: Window) -> "pd.DataFrame":
    import pandas as pd

    power_kw = np.concatenate([window.power_kw, np.full(window.points, np.nan)])
    at = pd.to_datetime(window.steps * window.step_seconds, unit="s")
    return pd.DataFrame({"ds": at, "y": power_kw, **_regressors(window)})
