"""What `enms evaluate forecast` is asked."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from enms.errors import InvalidInputError
from enms.science.forecasting.horizons import DAY_SECONDS, HOUR_SECONDS, QUARTER_SECONDS, Horizon, in_steps
from enms_local.evaluate.anomaly_question import duration
from enms_local.evaluate.question import StampKind

_UNIT_SECONDS = {"s": 1, "min": 60, "m": 60, "h": HOUR_SECONDS, "d": DAY_SECONDS}
_STEPS = {"1h": QUARTER_SECONDS, "24h": HOUR_SECONDS, "7d": DAY_SECONDS}
# Each origin takes a fit of every candidate.
_MOST_ORIGINS = 1_000
# kW of a value of one, where it is a power.
_KILOWATTS = {"kW": 1.0, "MW": 1_000.0}
UNITS = ("kW", "kWh", "MW")


@dataclass(frozen=True)
class ForecastQuestion:
    """A file whose load is to be forecast at origins of its past, each by what lay before it.

    Attributes:
        path: The file.
        time_column: Column of the stamps.
        value_column: Column of the load.
        unit: `kW`, `kWh` in each row, or `MW`.
        interval: What a row stands for: `15min`, `1h`, `1d` …
        horizon_name: `1h`, `24h` or `7d`.
        origins_wanted: How many.
        step: What is forecast: `15min`, `1h` or `1d`; None: as the horizon has it.
        origin_every: Distance of two origins; None: a horizon, or what the backtest before use has.
        last_origin: ISO 8601; None: the last midnight after which the whole horizon is known.
        zone: IANA zone; None: the file's clock as it stands.
        stamp: Whether stamps tell the start or the end of a row's interval; None: by the look of them.
        regressors: Columns taken as known ahead.
        country: Whose holidays hold, as `holidays` knows it; `none`; None: the zone's, if one is told.
        training_days: Days before an origin that are learned from; None: as the horizon has it.
        time_format: A strptime format; None: ISO 8601, or a usual one that fits all stamps.
        delimiter: None: what the header has most of.
        encoding: Of the text.
    """

    path: Path
    time_column: str
    value_column: str
    unit: str
    interval: str
    horizon_name: str
    origins_wanted: int
    step: str | None = None
    origin_every: str | None = None
    last_origin: str | None = None
    zone: str | None = None
    stamp: StampKind | None = None
    regressors: tuple[str, ...] = ()
    country: str | None = None
    training_days: int | None = None
    time_format: str | None = None
    delimiter: str | None = None
    encoding: str = "utf-8"

    def horizon(self) -> Horizon:
        """What is forecast, and in which steps.

        Raises:
            InvalidInputError: There is no such horizon, or it has no such steps.
        """
        if self.horizon_name not in _STEPS:
            raise InvalidInputError(f"--horizon is '{self.horizon_name}': there are {', '.join(_STEPS)}.")
        step = seconds_of("--step", self.step) if self.step else _STEPS[self.horizon_name]
        if step not in _STEPS.values():
            raise InvalidInputError(f"--step is '{self.step}': there are 15min, 1h and 1d.")
        try:
            return in_steps(self.horizon_name, step)
        except ValueError as error:
            raise InvalidInputError(f"--step is '{self.step}': {error}.") from error

    def interval_seconds(self, step_seconds: int) -> int:
        """What a row stands for.

        Args:
            step_seconds: Length of a step, which rows can't be longer than.

        Raises:
            InvalidInputError: It can't be read, or is longer than a step.
        """
        seconds = seconds_of("--interval", self.interval)
        if seconds > step_seconds:
            raise InvalidInputError(
                f"--interval is {duration(seconds)}: rows of that length can't tell steps of "
                f"{duration(step_seconds)}; give a longer --step or --horizon."
            )
        return seconds

    def origin_every_steps(self, horizon: Horizon) -> int:
        """Distance of two origins in steps.

        Raises:
            InvalidInputError: It can't be read, or is no multiple of a step.
        """
        if self.origin_every is None:
            return max(horizon.points, horizon.origin_every_steps)
        seconds = seconds_of("--origin-every", self.origin_every)
        if seconds % horizon.step_seconds:
            raise InvalidInputError(
                f"--origin-every is '{self.origin_every}': it has to be a multiple of the step, "
                f"{duration(horizon.step_seconds)}."
            )
        return seconds // horizon.step_seconds

    def last_origin_clock(self, zone: ZoneInfo) -> datetime | None:
        """The last origin as the clock on the wall shows it, without an offset; None: not told.

        Raises:
            InvalidInputError: It can't be read.
        """
        if self.last_origin is None:
            return None
        try:
            moment = datetime.fromisoformat(self.last_origin)
        except ValueError as error:
            raise InvalidInputError(
                f"--last-origin is '{self.last_origin}', which is no instant (2026-03-01T06:00)."
            ) from error
        if moment.tzinfo is None:
            return moment
        if self.zone is None:
            raise InvalidInputError(
                f"--last-origin is '{self.last_origin}', which tells an offset from UTC: give the time as "
                "the file's clock showed it, or --timezone."
            )
        return moment.astimezone(zone).replace(tzinfo=None)

    def require_sound(self) -> None:
        """Refuses what no file could answer.

        Raises:
            InvalidInputError: Says what.
        """
        if self.unit not in UNITS:
            raise InvalidInputError(f"--unit is '{self.unit}': there are {', '.join(UNITS)}.")
        if not 1 <= self.origins_wanted <= _MOST_ORIGINS:
            raise InvalidInputError(f"--origins is {self.origins_wanted}: give 1 to {_MOST_ORIGINS:,}.")
        if self.training_days is not None and self.training_days < 1:
            raise InvalidInputError(f"--training-days is {self.training_days}: give at least 1.")
        taken = (self.time_column, self.value_column)
        for name in self.regressors:
            if name in taken:
                raise InvalidInputError(f"{name} can't be a --regressor and the time or the load besides.")
        if self.time_column == self.value_column:
            raise InvalidInputError(f"{self.time_column} can't be both the time and the load.")


def kilowatts(unit: str, interval_seconds: int) -> float:
    """The power in kW that a row's value of one stands for."""
    return HOUR_SECONDS / interval_seconds if unit == "kWh" else _KILOWATTS[unit]


def seconds_of(option: str, text: str) -> int:
    """A length of time such as `15min`, `7d` or `7.25h`.

    Raises:
        InvalidInputError: It can't be read, or is no whole number of seconds above zero.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d)", text.strip())
    seconds = float(match[1]) * _UNIT_SECONDS[match[2]] if match else 0.0
    if not seconds or seconds % 1:
        raise InvalidInputError(f"{option} is '{text}': give a length such as 15min, 1h or 7d.")
    return int(seconds)
