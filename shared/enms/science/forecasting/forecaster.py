"""What serves a subject at a horizon: trained once, asked often without being fitted again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from enms.science.arrays import Positions, Values
from enms.science.forecasting.cleaning import Cleaned, cleaned
from enms.science.forecasting.clock import Clocked, local_steps, on_local_clock
from enms.science.forecasting.conformal import Intervals, PastErrors
from enms.science.forecasting.days_off import DaysOff
from enms.science.forecasting.forecast import Forecast, LiveErrors, Peak
from enms.science.forecasting.horizons import HORIZONS, Horizon
from enms.science.forecasting.members import Members
from enms.science.forecasting.paths import QuarterFactors, paths, peak_of
from enms.science.forecasting.peaks import with_likely_peaks
from enms.science.forecasting.planned_stops import taken_off
from enms.science.forecasting.pool import candidates_of
from enms.science.forecasting.proof import errors_of, least_days, prove
from enms.science.forecasting.selected import SELECTED
from enms.science.forecasting.selection import Choice
from enms.science.forecasting.series import LoadSeries
from enms.science.forecasting.serving import Serving
from enms.science.forecasting.short_history import FEW_DAYS, errors_of_few_days, what_is_missing
from enms.science.forecasting.table import BacktestRow
from enms.science.forecasting.window import Window

DOCUMENT_VERSION = 1
# Models that people ask for by name, kept beside what was chosen.
_KEPT = {"1h": ("arima",), "24h": ("prophet",), "7d": ("prophet",)}
# Candidates up to this cost need no heavy library.
_CHEAP = 2


@dataclass(frozen=True)
class Forecaster:
    """A subject's forecasts at a horizon.

    Attributes:
        horizon: What is forecast.
        table: The backtest; empty with too little history for one.
        servings: What answers, by choice.
        members: The models.
        quarters: How far quarter hours top the mean of their step.
        regressors_used: Names.
        regressors_left_out: Why not, by name.
        origins: How many origins the backtest had.
        scale_kw: The scale of MASE at its end; None where nothing tells it.
        notes: What a reader should know of it, in plain words.
    """

    horizon: Horizon
    table: tuple[BacktestRow, ...]
    servings: Mapping[str, Serving]
    members: Members
    quarters: QuarterFactors
    regressors_used: tuple[str, ...]
    regressors_left_out: Mapping[str, str]
    origins: int
    scale_kw: float | None
    notes: tuple[str, ...]

    @property
    def chosen(self) -> tuple[str, ...]:
        """Names of the members of what serves."""
        return self.servings[SELECTED].choice.members

    @property
    def reason(self) -> str:
        """Why these, in plain words."""
        return self.servings[SELECTED].choice.reason

    @property
    def choices(self) -> tuple[str, ...]:
        """What may be asked for: `selected`, and models kept beside it."""
        return tuple(self.servings)

    def forecast(
        self, series: LoadSeries, choice: str = SELECTED, live: LiveErrors | None = None
    ) -> Forecast:
        """Forecasts from where a series ends; nothing is fitted.

        Args:
            series: The past up to the last closed step, and the steps to come.
            choice: One of `choices`.
            live: How the choice's recent issues fared: its intervals adapt to them.

        Raises:
            KeyError: There is no such choice.
            UnfitError: The series has no reading (`no-readings`).
        """
        serving = self.servings[choice]
        clocked = on_local_clock(series)
        whole = clocked.window
        learned = learned_from(whole, self.horizon)
        point, notes = self.members.point(serving.choice, learned.window, self.regressors_used)
        point, off_notes = DaysOff.of(whole).applied(point, whole)
        point, stop_notes = taken_off(point, clocked.stopped_share)
        past = serving.past if live is None else serving.past.with_newer(_on_clock(live, series))
        intervals = past.intervals(point, whole)
        around = intervals.bands()
        drawn = self._paths(intervals, past, whole)[:, clocked.places]
        steps = whole.first_step + len(whole) + clocked.places
        drawn = drawn * self.quarters.of_steps(steps, series.step_seconds, len(drawn))
        places = clocked.places
        quantiles, step = peak_of(drawn, point[places])
        return Forecast(
            starts_at=series.future_starts_at,
            power_kw=point[places],
            lower_80_kw=around.lower_80_kw[places],
            upper_80_kw=around.upper_80_kw[places],
            lower_95_kw=around.lower_95_kw[places],
            upper_95_kw=around.upper_95_kw[places],
            peak=Peak(int(series.future_starts_at[step]), float(quantiles[49]), quantiles),
            notes=(*self.notes, *learned.notes, *notes, *off_notes, *stop_notes),
        )

    def _paths(self, intervals: Intervals, past: PastErrors, window: Window) -> Values:
        origin, period = window.first_step + len(window), max(self.horizon.points, window.steps_per_day)
        return with_likely_peaks(paths(intervals), past, intervals.point, origin, period)

    def to_document(self) -> dict[str, Any]:
        """As JSON has it. Without the times that fits took: the same past gives the same document."""
        return {
            "version": DOCUMENT_VERSION,
            "horizon": self.horizon.name,
            "table": [each.as_dict() | {"fit_s": None, "predict_s": None} for each in self.table],
            "servings": {name: each.as_dict() for name, each in self.servings.items()},
            "members": self.members.as_dict(),
            "quarters": self.quarters.document(),
            "regressors_used": list(self.regressors_used),
            "regressors_left_out": dict(self.regressors_left_out),
            "origins": self.origins,
            "scale_kw": self.scale_kw,
            "notes": list(self.notes),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Of a document.

        Raises:
            ValueError: It is of another version.
        """
        if document["version"] != DOCUMENT_VERSION:
            raise ValueError(f"The document's version is {document['version']}, not {DOCUMENT_VERSION}.")
        horizon = HORIZONS[document["horizon"]]
        return cls(
            horizon=horizon,
            table=tuple(BacktestRow.from_dict(each) for each in document["table"]),
            servings={name: Serving.from_dict(each) for name, each in document["servings"].items()},
            members=Members.from_dict(document["members"], (*candidates_of(horizon), FEW_DAYS)),
            quarters=QuarterFactors.from_document(document["quarters"]),
            regressors_used=tuple(document["regressors_used"]),
            regressors_left_out=document["regressors_left_out"],
            origins=document["origins"],
            scale_kw=document["scale_kw"],
            notes=tuple(document["notes"]),
        )


def train(series: LoadSeries, horizon: Horizon, *, cheap: bool = False) -> Forecaster:
    """Proves a horizon's candidates on a subject's past, and fits what serves.

    Args:
        series: Its past, and what is known of the steps to come.
        horizon: What is forecast.
        cheap: Only candidates that need no heavy library.

    Raises:
        UnfitError: There is no reading (`no-readings`).
    """
    clocked = on_local_clock(series)
    window = clocked.window
    if len(window) < least_days(horizon) * window.steps_per_day:
        return _of_short_history(series, clocked, horizon)
    candidates = [each for each in candidates_of(horizon) if not cheap or each.cost <= _CHEAP]
    proof = prove(window, horizon, candidates)
    choices = {SELECTED: proof.choice, **_kept(horizon, proof.trials.forecast_kw)}
    names = {name for each in choices.values() for name in each.members}
    serving = [each for each in candidates if each.name in names]
    return Forecaster(
        horizon=horizon,
        table=proof.table,
        servings={name: Serving(each, errors_of(proof, each, candidates)) for name, each in choices.items()},
        members=Members.fit(serving, learned_from(window, horizon).window, proof),
        quarters=QuarterFactors.of(series),
        regressors_used=tuple(window.regressors),
        regressors_left_out=clocked.left_out,
        origins=len(proof.trials.origins),
        scale_kw=proof.scale_kw,
        notes=(),
    )


def learned_from(window: Window, horizon: Horizon) -> Cleaned:
    """What candidates learn from, and forecast from."""
    return cleaned(window.last(horizon.training_days * window.steps_per_day))


def _kept(horizon: Horizon, forecasts: Mapping[str, Values]) -> dict[str, Choice]:
    """Models that are kept beside what was chosen: those that could be fitted."""
    return {
        name: Choice((name,), (1.0,), "It is kept beside what was chosen.")
        for name in _KEPT.get(horizon.name, ())
        if name in forecasts and not np.isnan(forecasts[name][-1]).any()
    }


def _of_short_history(series: LoadSeries, clocked: Clocked, horizon: Horizon) -> Forecaster:
    missing = what_is_missing(clocked.window, least_days(horizon))
    choice = Choice((FEW_DAYS.name,), (1.0,), missing)
    return Forecaster(
        horizon=horizon,
        table=(),
        servings={SELECTED: Serving(choice, errors_of_few_days(clocked.window, horizon.points))},
        members=Members({FEW_DAYS.name: FEW_DAYS}, {}, {FEW_DAYS.name: FEW_DAYS.least_days}),
        quarters=QuarterFactors.of(series),
        regressors_used=(),
        regressors_left_out=clocked.left_out,
        origins=0,
        scale_kw=None,
        notes=(missing,),
    )


def _on_clock(live: LiveErrors, series: LoadSeries) -> PastErrors:
    first_steps: Positions = local_steps(live.starts_at, series)
    return PastErrors(first_steps, live.points_kw, live.errors_kw)
