"""Coming public holidays of a subject that stood still on earlier ones."""

from dataclasses import dataclass

import numpy as np

from enms.science.arrays import Values
from enms.science.forecasting.cleaning import STOPPED_SHARE, Days
from enms.science.forecasting.window import Window


@dataclass(frozen=True)
class DaysOff:
    """What a subject draws on holidays.

    Attributes:
        profile_kw: By step of the day; None where earlier holidays were as other days, or there were none.
    """

    profile_kw: Values | None

    @classmethod
    def of(cls, window: Window) -> "DaysOff":
        """Learned from the holidays of a past that fell on days on which work is usual."""
        past, day = len(window), window.steps_per_day
        if not window.is_holiday[past:].any() or not window.is_holiday[:past].any():
            return cls(None)
        days = Days(window)
        holidays = np.unique(days.of_step[window.is_holiday[:past]])
        telling = np.isin(days.numbers, holidays) & days.works
        if not telling.any() or np.median(days.ratio[telling]) >= STOPPED_SHARE:
            return cls(None)
        steps = np.isin(days.of_step, days.numbers[telling]) & (window.weights > 0)
        place = window.step_of_day[:past][steps]
        counts = np.bincount(place, minlength=day)
        sums = np.bincount(place, weights=window.power_kw[steps], minlength=day)
        mean_kw = float(window.power_kw[steps].mean()) if steps.any() else 0.0
        return cls(np.where(counts > 0, sums / np.maximum(counts, 1), mean_kw))

    def applied(self, point: Values, window: Window) -> tuple[Values, list[str]]:
        """A forecast with its holidays as earlier ones were, where that is less; and what to say of it."""
        coming = window.is_holiday[len(window) :]
        if self.profile_kw is None or not coming.any():
            return point, []
        off = np.minimum(self.profile_kw[window.step_of_day[len(window) :]], point)
        return np.where(coming, off, point), [
            "A public holiday is ahead: it is forecast as earlier ones were."
        ]
