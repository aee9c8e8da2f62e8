"""Times of a plan: quarter hours, and days of the factory's calendar as instants."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil, floor
from zoneinfo import ZoneInfo

import numpy as np

from enms.errors import InvalidInputError
from enms.science.arrays import Positions
from enms.science.baseline.calendar import utc_offsets
from enms.services.periods import Moment, moment_text

QUARTER_SECONDS = 900
QUARTERS_OF_DAY = 96
LONGEST = timedelta(days=8)


@dataclass(frozen=True)
class PlanTimes:
    """The quarter hours of a plan.

    Attributes:
        start: Its start, UTC, on a quarter hour.
        end: Its end.
        zone: The factory's.
    """

    start: datetime
    end: datetime
    zone: ZoneInfo

    @property
    def quarters(self) -> int:
        """How many there are."""
        return int((self.end - self.start).total_seconds()) // QUARTER_SECONDS

    @property
    def starts_at(self) -> Positions:
        """When they begin, seconds since 1970, shape (n,)."""
        return int(self.start.timestamp()) + QUARTER_SECONDS * np.arange(self.quarters, dtype=np.int64)

    def at(self, quarter: int) -> datetime:
        """When a quarter begins, by the factory's clock."""
        return (self.start + timedelta(seconds=QUARTER_SECONDS * quarter)).astimezone(self.zone)

    def quarter_from(self, at: datetime) -> int:
        """The first quarter that begins at or after an instant."""
        return ceil((at - self.start).total_seconds() / QUARTER_SECONDS)

    def quarter_until(self, at: datetime) -> int:
        """The quarter that runs at an instant, or begins there."""
        return floor((at - self.start).total_seconds() / QUARTER_SECONDS)


def plan_times(start: Moment, end: Moment, zone: ZoneInfo) -> PlanTimes:
    """The quarter hours between two moments.

    Raises:
        InvalidInputError: They aren't on quarter hours, or the plan is empty or longer than eight days.
    """
    first, last = instant_of(start, zone), instant_of(end, zone, is_end=True)
    for name, at, given in (("start", first, start), ("end", last, end)):
        if at.timestamp() % QUARTER_SECONDS:
            raise InvalidInputError(
                f"{name}: {moment_text(given)} isn't on a quarter hour, in which plans are made.",
                parameter=name,
                given=moment_text(given),
                allowed="an instant on a quarter hour, or a day",
            )
    if last <= first:
        raise InvalidInputError(
            f"end: {moment_text(end)} does not lie after start {moment_text(start)}.",
            parameter="end",
            given=moment_text(end),
            allowed="after start",
        )
    if last - first > LONGEST:
        raise InvalidInputError(
            f"end: {(last - first) / timedelta(days=1):.1f} days; a plan has {LONGEST.days} at most.",
            parameter="end",
            given=moment_text(end),
            allowed=f"at most {LONGEST.days} days after start",
        )
    return PlanTimes(first, last, zone)


def quarter_of_day(starts_at: Positions, zone: str) -> Positions:
    """The quarter of the local day by its clock, 0 to 95, shape (n,)."""
    local: Positions = starts_at + utc_offsets(starts_at, zone)
    return local // QUARTER_SECONDS % QUARTERS_OF_DAY


def instant_of(moment: Moment, zone: ZoneInfo, *, is_end: bool = False) -> datetime:
    """An instant as it is; of a day of the factory where it begins, or as an end where it is over."""
    if isinstance(moment, datetime):
        return moment.astimezone(UTC)
    day = moment + timedelta(days=int(is_end))
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
