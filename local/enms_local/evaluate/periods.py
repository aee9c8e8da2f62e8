"""Training and test periods of a file: what was written, and the intervals that lie wholly inside."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from enms.errors import InvalidInputError
from enms.science.arrays import Flags
from enms_local.evaluate.data import Data, clock_text
from enms_local.evaluate.grid import SECONDS


@dataclass(frozen=True)
class Period:
    """A half-open period.

    Attributes:
        name: `training` or `test`.
        start: Its first instant, or the clock on the wall then.
        end: The same of the instant after its last.
        text: As it was written.
    """

    name: str
    start: datetime
    end: datetime
    text: str

    def intervals(self, data: Data) -> Flags:
        """The intervals that lie wholly inside.

        Raises:
            InvalidInputError: There is none, or the file tells no offset and the period does.
        """
        length = SECONDS[data.observations.interval]
        assert data.clock is not None
        assert data.starts_at is not None
        first, last = (clock_text(int(at)) for at in (data.clock[0], data.clock[-1] + length))
        bounds = []
        for moment in (self.start, self.end):
            if moment.tzinfo is not None and not data.has_offset:
                raise InvalidInputError(
                    f"The {self.name} period {self.text} tells an offset from UTC and the file's stamps "
                    "don't: give the time as the file's clock showed it."
                )
            starts = data.clock if moment.tzinfo is None else data.starts_at
            bounds.append((starts, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()))
        (starts, start), (ends, end) = bounds
        inside: Flags = (starts >= start) & (ends + length <= end)
        if not (inside & np.isfinite(data.observations.energy_kwh)).any():
            raise InvalidInputError(
                f"The {self.name} period {self.text} holds no {data.observations.interval} with energy; the "
                f"file goes from {first} to {last}."
            )
        return inside


def parse_period(name: str, bounds: tuple[str, str]) -> Period:
    """Reads a period: of days the last one counts wholly.

    Raises:
        InvalidInputError: It is none, or ends before it starts.
    """
    start, end = (_moment(name, text) for text in bounds)
    first = start if isinstance(start, datetime) else _midnight(start)
    last = end if isinstance(end, datetime) else _midnight(end + timedelta(days=1))
    text = " to ".join(bounds)
    if (first.tzinfo is None) is not (last.tzinfo is None):
        raise InvalidInputError(f"The {name} period {text}: give both ends with an offset from UTC, or none.")
    if last <= first:
        raise InvalidInputError(f"The {name} period {text} ends before it starts.")
    return Period(name, first, last, text)


def _moment(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInputError(
            f"'{text}' of the {name} period is neither a day (2026-03-01) nor an instant (2026-03-01T06:00)."
        ) from error


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - by the clock on the wall
