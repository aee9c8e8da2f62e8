"""Faults that the demo can have, and what each does to the readings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from enms.errors import InvalidInputError
from enms_local.demo.noise import Minutes, Values

KINDS: Mapping[str, tuple[str, str]] = {
    "leak": ("baseload_increase", "a constant load on top, day and night"),
    "standby": ("baseload_increase", "left on: more power while idle"),
    "spike": ("power_spike", "a burst of power"),
    "drop": ("power_drop", "less power than the work needs"),
    "inefficiency": ("efficiency_drop", "more power for the same work"),
    "drift": ("efficiency_drop", "as inefficiency, growing from nothing to its size"),
    "pressure": ("pressure_anomaly", "pressure swings around its set point"),
    "overheating": ("temperature_spike", "the machine runs hot"),
    "stuck": ("sensor_fault", "the meter repeats one value"),
    "gap": ("data_gap", "no readings at all"),
    "outage": ("data_gap", "no readings, then one with the energy of all that were missed"),
}
"""Name → the kind of anomaly that it should be recognised as, and what it is."""

DEFAULT_SIZE = 0.2
_SWING_MINUTES = 7
_BAR_PER_SIZE = 5.0
_KELVIN_PER_SIZE = 100.0


@dataclass(frozen=True)
class Fault:
    """One fault of one machine over [start_at, end_at).

    Attributes:
        kind: A name of `KINDS`.
        start_at: Its first instant.
        end_at: The first instant after it.
        size: Share of the machine's usual load while running (of no meaning to stuck, gap and outage).
    """

    kind: str
    start_at: datetime
    end_at: datetime
    size: float = DEFAULT_SIZE

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InvalidInputError(f"There is no fault '{self.kind}': choose one of {', '.join(KINDS)}.")
        if self.end_at - self.start_at < timedelta(minutes=1):
            raise InvalidInputError("A fault lasts at least a minute: give more --hours.")
        if not 0 < self.size <= 2:
            raise InvalidInputError(
                f"The size {self.size} is not a share of the load: give more than 0, at most 2."
            )

    def covers(self, minutes: Minutes) -> npt.NDArray[np.bool_]:
        """Which of the minutes lie inside."""
        first, end = (at.timestamp() / 60 for at in (self.start_at, self.end_at))
        return np.asarray((minutes >= first) & (minutes < end))

    def change_power(
        self, power_kw: Values, minutes: Minutes, running: npt.NDArray[np.bool_], usual_kw: float
    ) -> None:
        """Changes the power that was really drawn, in place."""
        inside = self.covers(minutes)
        extra_kw = self.size * usual_kw
        if self.kind in ("leak", "spike"):
            power_kw[inside] += extra_kw
        elif self.kind == "standby":
            power_kw[inside & ~running] += extra_kw
        elif self.kind == "drop":
            power_kw[inside] *= max(0.0, 1 - self.size)
        elif self.kind == "inefficiency":
            power_kw[inside & running] *= 1 + self.size
        elif self.kind == "drift":
            first, end = (at.timestamp() / 60 for at in (self.start_at, self.end_at))
            share = (minutes - first) / (end - first)
            power_kw[inside] *= 1 + self.size * share[inside]

    def change_environment(self, pressure_bar: Values, machine_temp_c: Values, minutes: Minutes) -> None:
        """Changes what the machine's sensors show, in place."""
        inside = self.covers(minutes)
        if self.kind == "pressure":
            swing = np.sin(2 * np.pi * minutes[inside] / _SWING_MINUTES)
            pressure_bar[inside] += _BAR_PER_SIZE * self.size * swing
        elif self.kind == "overheating":
            machine_temp_c[inside] += _KELVIN_PER_SIZE * self.size
