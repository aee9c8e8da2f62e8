"""What a false alarm teaches: the bounds within which the like of it isn't raised again for its machine."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from enms.database.connection import Row
from enms.services.anomaly_matching import family, length

# What is a fifth larger than what people took for sound is something else.
_LARGER = 1.2
_LONGER = 1.5
_AT_LEAST_LONGER = timedelta(hours=2)
_EARLIER_OR_LATER = timedelta(hours=2)
_LEAST_SHARE = 0.1
_DAY_MINUTES = 1440
_ENERGY = ("energy_kwh", "power_kw")


@dataclass(frozen=True)
class Pattern:
    """Bounds of what is like a false alarm.

    Attributes:
        family: What it is joined with.
        metric: What it was seen in; None for energy and power, which tell the same.
        direction: 1 where there was more than expected, -1 less, 0 unknown.
        max_percent: The largest deviation, without its sign; None where unknown.
        max_sigma: The same in standard errors.
        max_hours: The longest that it lasts.
        from_minute: The earliest minute of the factory's day at which it begins; None: at any.
        minutes: How long after that at most.
        on_weekends: Whether it was on Saturday or Sunday.
        on_weekdays: Whether it was on another day.
        features: What drove it; empty: unknown.
    """

    family: str
    metric: str | None
    direction: int
    max_percent: float | None
    max_sigma: float | None
    max_hours: float
    from_minute: int | None
    minutes: int
    on_weekends: bool
    on_weekdays: bool
    features: tuple[str, ...]

    @classmethod
    def of(cls, anomaly: Row, zone: str) -> Self:
        """What an anomaly teaches that was a false alarm."""
        seen = length(anomaly)
        start, minutes = (
            _local(anomaly["detected_at"], zone),
            (seen + 2 * _EARLIER_OR_LATER) // timedelta(minutes=1),
        )
        weekend = _days(anomaly, zone)
        return cls(
            family(anomaly),
            _metric(anomaly),
            _direction(anomaly),
            _larger(anomaly["deviation_percent"]),
            _larger(anomaly["deviation_std_dev"]),
            max(_LONGER * seen, seen + _AT_LEAST_LONGER) / timedelta(hours=1),
            _minute(start - _EARLIER_OR_LATER) if minutes < _DAY_MINUTES else None,
            minutes,
            True in weekend,
            False in weekend,
            tuple(each["feature"] for each in _contributions(anomaly) if each["share"] >= _LEAST_SHARE),
        )

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """As it was kept."""
        return cls(**{**document, "features": tuple(document["features"])})

    def as_dict(self) -> dict[str, Any]:
        """To be kept."""
        return asdict(self)

    def is_no_smaller_than(self, found: Row) -> bool:
        """Whether what was found isn't larger than the bounds, in percent where both are known so."""
        for bound, name in ((self.max_percent, "deviation_percent"), (self.max_sigma, "deviation_std_dev")):
            if bound is not None and found[name] is not None:
                return bool(abs(found[name]) <= bound)
        return True

    def holds(self, found: Row, zone: str) -> bool:
        """Whether what was found is like it: alike in kind, size, length, cause, and time of day and week."""
        strongest = next((each["feature"] for each in _contributions(found)), None)
        weekend = _days(found, zone)
        return (
            (self.family, self.metric, self.direction) == (family(found), _metric(found), _direction(found))
            and self.is_no_smaller_than(found)
            and length(found) / timedelta(hours=1) <= self.max_hours
            and (not self.features or strongest is None or strongest in self.features)
            and (self.on_weekends or True not in weekend)
            and (self.on_weekdays or False not in weekend)
            and self._begins_in_time(_local(found["detected_at"], zone))
        )

    def words(self) -> str:
        """In words: `up to 18 % more, at most 5 h long, begun from 04:15 to 09:30, on weekdays`."""
        more = {1: " more", -1: " less", 0: ""}[self.direction]
        parts = []
        if self.max_percent is not None:
            parts.append(f"up to {self.max_percent:.3g} %{more}")
        elif self.max_sigma is not None:
            parts.append(f"up to {self.max_sigma:.2g} σ{more}")
        parts.append(f"at most {self.max_hours:.3g} h long")
        if self.from_minute is not None:
            parts.append(
                f"begun from {_clock(self.from_minute)} to {_clock(self.from_minute + self.minutes)}"
            )
        if not self.on_weekends:
            parts.append("on weekdays")
        if not self.on_weekdays:
            parts.append("on weekends")
        return ", ".join(parts)

    def _begins_in_time(self, start: datetime) -> bool:
        return self.from_minute is None or (_minute(start) - self.from_minute) % _DAY_MINUTES <= self.minutes


def moment(at: datetime, zone: str) -> str:
    """An instant by the factory's clock, as people write it: `2026-03-02 06:15`."""
    return f"{_local(at, zone):%Y-%m-%d %H:%M}"


def _contributions(anomaly: Row) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = anomaly["metadata"].get("contributions", [])
    return found


def _metric(anomaly: Row) -> str | None:
    return None if anomaly["metric_name"] in _ENERGY else anomaly["metric_name"]


def _direction(anomaly: Row) -> int:
    distance = anomaly["deviation_percent"] or anomaly["deviation_std_dev"] or 0
    return (distance > 0) - (distance < 0)


def _larger(size: float | None) -> float | None:
    return None if size is None else _LARGER * abs(size)


def _local(at: datetime, zone: str) -> datetime:
    return at.astimezone(ZoneInfo(zone))


def _minute(local: datetime) -> int:
    return local.hour * 60 + local.minute


def _clock(minute: int) -> str:
    return f"{minute % _DAY_MINUTES // 60:02}:{minute % 60:02}"


def _days(anomaly: Row, zone: str) -> set[bool]:
    """For the days that it touches, whether they belong to a weekend."""
    first = _local(anomaly["detected_at"], zone).date()
    last = _local(anomaly["last_seen_at"] - timedelta(microseconds=1), zone).date()
    return {(first + timedelta(days=day)).isoweekday() >= 6 for day in range(min((last - first).days, 6) + 1)}
