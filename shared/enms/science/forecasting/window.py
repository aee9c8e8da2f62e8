"""What a candidate sees: a stretch of the local clock in equal steps, with nothing unknown.

On this clock every day has its steps once: the doubled hour of autumn is one (the mean of both), the missing
hour of spring is filled as a gap. `clock` makes windows of series, and instants of forecasts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from enms.science.arrays import Flags, Positions, Values

_DAY_SECONDS = 86_400
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday, with 0 = Monday


@dataclass(frozen=True)
class Window:
    """A past of n steps and the h steps after it.

    Attributes:
        step_seconds: Length of a step.
        first_step: Number of the first step since 1970 on the local clock.
        power_kw: Mean power of the past steps, shape (n,); gaps are filled by what is usual at their hour.
        weights: How far each past step is to be learned from, 0 (filled or flagged) to 1, shape (n,).
        points: h, the steps to forecast.
        is_holiday: Public holidays, past and to come, shape (n + h,).
        regressors: Known in every step, each of shape (n + h,).
        rated_power_kw: The most that the machine is built for; None where unknown.
    """

    step_seconds: int
    first_step: int
    power_kw: Values
    weights: Values
    points: int
    is_holiday: Flags
    regressors: Mapping[str, Values] = field(default_factory=dict)
    rated_power_kw: float | None = None

    def __len__(self) -> int:
        return len(self.power_kw)

    @property
    def steps_per_day(self) -> int:
        """Steps of a day: 96, 24 or 1."""
        return _DAY_SECONDS // self.step_seconds

    @property
    def season(self) -> int:
        """Steps of the season by which errors are scaled: a day's, for daily steps a week's."""
        return self.steps_per_day if self.steps_per_day > 1 else 7

    @property
    def week(self) -> int:
        """Steps of a week."""
        return 7 * self.steps_per_day

    @property
    def steps(self) -> Positions:
        """Numbers of all steps on the local clock, past and to come, shape (n + h,)."""
        return np.arange(self.first_step, self.first_step + len(self) + self.points, dtype=np.int64)

    @property
    def step_of_day(self) -> Positions:
        """Place in the day, 0 to `steps_per_day` - 1, shape (n + h,)."""
        place: Positions = self.steps % self.steps_per_day
        return place

    @property
    def weekday(self) -> Positions:
        """0 = Monday, shape (n + h,)."""
        weekday: Positions = (self.steps // self.steps_per_day + _EPOCH_WEEKDAY) % 7
        return weekday

    @property
    def step_of_week(self) -> Positions:
        """Place in the week that begins on Monday, shape (n + h,)."""
        place: Positions = self.weekday * self.steps_per_day + self.step_of_day
        return place

    def until(self, origin: int, points: int | None = None) -> "Window":
        """The window as it was at an origin: the steps before it are the past, those from it on to come.

        Args:
            origin: How many past steps it knows, 1 to n.
            points: How many steps are to be forecast, at most n + h - `origin`; None: as many as here, or as
                are left.
        """
        points = min(self.points, len(self) + self.points - origin) if points is None else points
        return replace(
            self,
            power_kw=self.power_kw[:origin],
            weights=self.weights[:origin],
            points=points,
            is_holiday=self.is_holiday[: origin + points],
            regressors={name: values[: origin + points] for name, values in self.regressors.items()},
        )

    def last(self, steps: int) -> "Window":
        """The window with no more than the last so many steps of the past."""
        dropped = max(len(self) - steps, 0)
        if not dropped:
            return self
        return replace(
            self,
            first_step=self.first_step + dropped,
            power_kw=self.power_kw[dropped:],
            weights=self.weights[dropped:],
            is_holiday=self.is_holiday[dropped:],
            regressors={name: values[dropped:] for name, values in self.regressors.items()},
        )

    def without_regressors(self) -> "Window":
        """The window as it is where nothing but its own past moves the load."""
        return replace(self, regressors={})
