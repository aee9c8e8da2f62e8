"""What `enms evaluate anomalies` is asked."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from enms.errors import InvalidInputError

_UNIT_SECONDS = {"s": 1, "min": 60, "m": 60, "h": 3_600, "d": 86_400}
_DAY_SECONDS = 86_400


@dataclass(frozen=True)
class AnomalyQuestion:
    """A file whose later part is to be judged by its earlier.

    Attributes:
        path: The file.
        time_column: Column of the stamps.
        target: Column of the quantity.
        train_until: Instant up to which the quantity is taken to be as usual; the rest is judged.
        drivers: Columns that explain it.
        interval: What is judged: `15min`, `1h`; None: the distance of the file's rows.
        label_column: Column that is 1 where something was wrong, else 0.
        time_format: A strptime format; None: ISO 8601, or a usual one that fits all stamps.
        delimiter: None: what the header has most of.
        encoding: Of the text.
    """

    path: Path
    time_column: str
    target: str
    train_until: str
    drivers: tuple[str, ...] = ()
    interval: str | None = None
    label_column: str | None = None
    time_format: str | None = None
    delimiter: str | None = None
    encoding: str = "utf-8"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        labels = (self.label_column,) if self.label_column else ()
        return (self.time_column, self.target, *self.drivers, *labels)

    def until(self, *, has_offset: bool) -> int:
        """The end of training, seconds since 1970; as if in UTC where the file tells no offset.

        Raises:
            InvalidInputError: It can't be read, or tells an offset that the file doesn't, or the other way.
        """
        try:
            moment = datetime.fromisoformat(self.train_until)
        except ValueError as error:
            raise InvalidInputError(
                f"--train-until is '{self.train_until}', which is no instant (2026-03-01T06:00)."
            ) from error
        if (moment.tzinfo is not None) is not has_offset:
            wants = "with its offset from UTC" if has_offset else "as the file's clock showed it"
            raise InvalidInputError(
                f"--train-until is '{self.train_until}' and the file's stamps "
                f"{'tell' if has_offset else 'tell no'} offset from UTC: give the time {wants}."
            )
        return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())

    def interval_seconds(self, rows_seconds: int) -> int:
        """Length of an interval.

        Args:
            rows_seconds: Distance of the file's rows.

        Raises:
            InvalidInputError: It can't be read, is over a day, or no multiple of the rows' distance.
        """
        if self.interval is None:
            return rows_seconds
        match = re.fullmatch(r"(\d+)\s*(s|min|m|h|d)", self.interval.strip())
        seconds = int(match[1]) * _UNIT_SECONDS[match[2]] if match else 0
        if not 0 < seconds <= _DAY_SECONDS:
            raise InvalidInputError(
                f"--interval is '{self.interval}': give a length up to a day, such as 15min or 1h."
            )
        if seconds % rows_seconds:
            raise InvalidInputError(
                f"--interval is '{self.interval}' and the file's rows are {duration(rows_seconds)} apart: an "
                "interval is a multiple of that."
            )
        return seconds


def duration(seconds: int) -> str:
    """A length of time as text."""
    for unit in ("d", "h", "min"):
        if seconds >= _UNIT_SECONDS[unit]:
            return f"{seconds / _UNIT_SECONDS[unit]:.4g} {unit}"
    return f"{seconds} s"
