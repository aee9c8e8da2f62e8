"""Rolling origins: what each candidate would have said, from what lay before."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from enms.science.arrays import Positions, Values
from enms.science.forecasting.candidate import Candidate, Fitted
from enms.science.forecasting.cleaning import cleaned
from enms.science.forecasting.guards import guarded
from enms.science.forecasting.horizons import Horizon
from enms.science.forecasting.metrics import naive_scale
from enms.science.forecasting.window import Window
from enms.science.problems import UnfitError


@dataclass(frozen=True)
class Trials:
    """Forecasts beside what came.

    Attributes:
        origins: Where they begin, as places in the window's past, ascending, shape (k,).
        actual_kw: What came, NaN where it wasn't measured or isn't to be judged by, shape (k, h).
        forecast_kw: By candidate, rows of NaN where it could not be fitted, shape (k, h).
        scale_kw: Mean absolute error of the seasonal naive in the training window of each origin, shape (k,).
    """

    origins: Positions
    actual_kw: Values
    forecast_kw: Mapping[str, Values]
    scale_kw: Values

    def scaled_errors(self, name: str) -> Values:
        """Absolute errors by the scale of their origin, shape (k, h)."""
        errors: Values = np.abs(self.forecast_kw[name] - self.actual_kw) / self.scale_kw[:, None]
        return errors

    def before(self, origin: int) -> "Trials":
        """Those whose truth had come by an origin: what a choice there may look at."""
        known = self.origins + self.actual_kw.shape[1] <= origin
        return Trials(
            self.origins[known],
            self.actual_kw[known],
            {name: values[known] for name, values in self.forecast_kw.items()},
            self.scale_kw[known],
        )


class Rolling:
    """Candidates at origins of one long window; what was computed once is kept.

    Attributes:
        window: The past, of which every origin sees what lay before it.
        horizon: What is forecast.
        fit_seconds: Time that each candidate's fits took, one entry a fit.
        forecast_seconds: The same for its forecasts.
        refusals: Why a candidate could not be fitted, or ran away: by candidate, the latest.
    """

    def __init__(self, window: Window, horizon: Horizon, fit_every_steps: int = 1) -> None:
        """Begins without any forecast.

        Args:
            window: The whole past.
            horizon: Steps to come and days to learn from.
            fit_every_steps: Candidates are fitted at steps of the local clock that are multiples of this, and
                go on from there with what came since; 1: at every origin.
        """
        self.window = window
        self.horizon = horizon
        self.fit_seconds: dict[str, list[float]] = defaultdict(list)
        self.forecast_seconds: dict[str, list[float]] = defaultdict(list)
        self.refusals: dict[str, str] = {}
        self._fit_every_steps = fit_every_steps
        self._fitted: dict[tuple[str, int], Fitted | None] = {}
        self._training: dict[int, Window] = {}
        self._forecasts: dict[tuple[str, int], Values] = {}

    def trials(self, candidates: Sequence[Candidate], origins: Sequence[int]) -> Trials:
        """Forecasts of all candidates at some origins, ascending places in the window's past."""
        points = self.horizon.points
        places = np.array(origins, dtype=np.int64)
        actual_kw = np.full((len(places), points), np.nan)
        for row, origin in enumerate(origins):
            came = self.window.power_kw[origin : origin + points]
            judged = self.window.weights[origin : origin + points] > 0
            actual_kw[row, : len(came)] = np.where(judged, came, np.nan)
        shape = (len(places), points)
        return Trials(
            places,
            actual_kw,
            {
                each.name: np.array([self.forecast(each, origin) for origin in origins]).reshape(shape)
                for each in candidates
            },
            np.array([self.scale_kw(origin) for origin in origins], dtype=np.float64),
        )

    def forecast(self, candidate: Candidate, origin: int) -> Values:
        """What a candidate says at an origin, inside its limits; NaN where it could not be fitted."""
        key = candidate.name, origin
        if key not in self._forecasts:
            self._forecasts[key] = self._made(candidate, origin)
        return self._forecasts[key]

    def fitted(self, candidate: Candidate, origin: int) -> Fitted | None:
        """The candidate as it is in use at an origin; None where it could not be fitted."""
        key = candidate.name, self._fitted_at(origin)
        if key not in self._fitted:
            self._fitted[key] = self._fit(candidate, key[1])
        return self._fitted[key]

    def training(self, origin: int) -> Window:
        """What candidates learn from at an origin: what lay before it, without what would poison it."""
        if origin not in self._training:
            self._training[origin] = cleaned(self._past(origin)).window
        return self._training[origin]

    def scale_kw(self, origin: int) -> float:
        """The scale of MASE at an origin."""
        past = self._past(origin)
        return naive_scale(past.power_kw, past.season, past.weights > 0)

    def _past(self, origin: int) -> Window:
        return self.window.until(origin, self.horizon.points).last(
            self.horizon.training_days * self.window.steps_per_day
        )

    def _fitted_at(self, origin: int) -> int:
        back = (self.window.first_step + origin) % self._fit_every_steps
        # Right at the start of the window there is nothing to go back to.
        return origin - back if origin - back > 0 else origin

    def _fit(self, candidate: Candidate, origin: int) -> Fitted | None:
        past = self.training(origin)
        if len(past) < candidate.least_days * past.steps_per_day:
            self.refusals[candidate.name] = f"it needs {candidate.least_days:g} days"
            return None
        began = time.perf_counter()
        try:
            return candidate.fit(past)
        except UnfitError as error:
            self.refusals[candidate.name] = error.message
            return None
        finally:
            self.fit_seconds[candidate.name].append(time.perf_counter() - began)

    def _made(self, candidate: Candidate, origin: int) -> Values:
        fitted = self.fitted(candidate, origin)
        if fitted is None:
            return np.full(self.horizon.points, np.nan)
        # The naive ones stay what everybody knows by that name: what has to be beaten isn't helped.
        past = self.training(origin) if candidate.cost else self._past(origin)
        began = time.perf_counter()
        made = guarded(fitted.forecast(past), past)
        self.forecast_seconds[candidate.name].append(time.perf_counter() - began)
        if made.reason is not None:
            self.refusals[candidate.name] = made.reason
        return made.power_kw
