"""Time stamps of files: texts to instants, local clocks to UTC, ends of intervals to their starts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

import numpy as np
import numpy.typing as npt

from enms.errors import InvalidInputError

type Microseconds = npt.NDArray[np.int64]
type Reasons = dict[int, str]

SECOND = 1_000_000
DAY = 86_400 * SECOND
# Where a row has no instant.
NO_INSTANT = np.iinfo(np.int64).min
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - of wall clocks as well
_FIRST_YEAR, _END_YEAR = 1970, 2100
_EARLIEST = 0
_LATEST = (datetime(_END_YEAR, 1, 1) - EPOCH) // timedelta(microseconds=1)  # noqa: DTZ001
_EPOCH_UNITS = {"epoch": 1.0, "epoch-ms": 1e-3}


@dataclass
class StampParser:
    """Reads the texts of one file's time column.

    Attributes:
        time_format: A strptime format, "epoch" or "epoch-ms"; None for ISO 8601.
        has_offset: Whether the file's stamps tell their offset from UTC; known after the first chunk.
    """

    time_format: str | None = None
    has_offset: bool | None = None

    def parse(self, texts: Sequence[str], reasons: Reasons) -> Microseconds:
        """Microseconds since 1970 of each text, in UTC or on the wall clock.

        Args:
            texts: The stamps.
            reasons: Takes an entry for each stamp that can't be read.

        Returns:
            One value per text; NO_INSTANT where there is a reason.
        """
        read = self._reader()
        try:
            moments: list[datetime | None] = list(map(read, texts))
        except (ValueError, OverflowError, OSError):
            moments = [self._careful(read, text, row, reasons) for row, text in enumerate(texts)]
        if self.has_offset is None:
            first = next((moment for moment in moments if moment is not None), None)
            self.has_offset = first is not None and first.tzinfo is not None
        for row, moment in enumerate(moments):
            if moment is not None and (moment.tzinfo is not None) is not self.has_offset:
                tells = "tells no offset" if self.has_offset else "tells an offset"
                reasons[row] = f"the time '{texts[row]}' {tells} from UTC, unlike the file's first"
                moments[row] = None
        return self._inside_years(self._numbers(moments), texts, reasons)

    def _inside_years(self, stamps: Microseconds, texts: Sequence[str], reasons: Reasons) -> Microseconds:
        is_outside = (stamps != NO_INSTANT) & ((stamps < _EARLIEST) | (stamps >= _LATEST))
        for row in np.flatnonzero(is_outside).tolist():
            reasons[row] = f"the time '{texts[row]}' is not in the years {_FIRST_YEAR} to {_END_YEAR - 1}"
            stamps[row] = NO_INSTANT
        return stamps

    def _reader(self) -> Callable[[str], datetime]:
        layout = self.time_format
        if layout is None:
            return datetime.fromisoformat
        if layout in _EPOCH_UNITS:
            scale = _EPOCH_UNITS[layout]
            return lambda text: datetime.fromtimestamp(float(text) * scale, UTC)
        return lambda text: datetime.strptime(text.strip(), layout)  # noqa: DTZ007 - %z tells

    def _careful(
        self, read: Callable[[str], datetime], text: str, row: int, reasons: Reasons
    ) -> datetime | None:
        if not text.strip():
            reasons[row] = "the time is missing"
            return None
        try:
            return read(text.strip())
        except (ValueError, OverflowError, OSError):
            wanted = (
                f"in the format '{self.time_format}'" if self.time_format else "ISO 8601 (see --time-format)"
            )
            reasons[row] = f"the time '{text}' isn't {wanted}"
            return None

    def _numbers(self, moments: list[datetime | None]) -> Microseconds:
        # Numbers of our own: numpy takes four times as long over the moments themselves.
        wall = None if self.has_offset else UTC
        numbers = [
            NO_INSTANT
            if moment is None
            else round(moment.replace(tzinfo=wall or moment.tzinfo).timestamp() * SECOND)
            for moment in moments
        ]
        return np.array(numbers, dtype=np.int64)


@dataclass
class Clock:
    """Gives the UTC starts of the intervals that a file's stamps tell.

    Near a clock change a local stamp may mean several instants. Of those, the one that continues the file is
    taken: one interval after the row before, else the earliest after it. This reads both habits of stamps at
    an interval's end: its true end (…01:00, 01:00, 02:00 in autumn), and "hour ending", the local start plus
    an hour (…01:00, 02:00, 02:00).

    Attributes:
        zone: Of naive stamps.
        interval: Length of the intervals in microseconds.
        is_end: Whether stamps tell the end.
        direction: 1 where the file goes forward in time, -1 where the newest row comes first.
        previous: Start of the row before, from chunk to chunk.
        previous_stamp: Its stamp.
        doubled: Rows that were placed in the second pass of a doubled hour.
        missing: Rows whose local time doesn't exist; they have no instant.
        change_days: Local days, since 1970, with rows and a change of the clock.
    """

    zone: tzinfo
    interval: int
    is_end: bool
    direction: int = 1
    previous: int | None = None
    previous_stamp: int | None = None
    doubled: int = 0
    missing: int = 0

    def __post_init__(self) -> None:
        self.change_days: set[int] = set()
        self._offsets: dict[int, int | None] = {}

    def starts_of_instants(self, instants: Microseconds) -> Microseconds:
        """Starts, of stamps in UTC."""
        shift = self.interval if self.is_end else 0
        return np.where(instants == NO_INSTANT, NO_INSTANT, instants - shift)

    def starts_of_wall_clock(self, stamps: Microseconds) -> Microseconds:
        """Starts, of stamps on the wall clock in the order of the file; NO_INSTANT where there is none."""
        walls = self.starts_of_instants(stamps)
        days = np.where(walls == NO_INSTANT, 0, walls) // DAY
        end_days = np.where(stamps == NO_INSTANT, 0, stamps) // DAY
        unique_days, index = np.unique(days, return_inverse=True)
        offsets = [self._offset_of_day(int(day)) for day in unique_days]
        is_delicate = np.array([offset is None for offset in offsets])[index]
        if self.is_end:
            ends, end_index = np.unique(end_days, return_inverse=True)
            is_delicate |= np.array([self._offset_of_day(int(day)) is None for day in ends])[end_index]
        starts = walls - np.array([offset or 0 for offset in offsets], dtype=np.int64)[index]
        starts[walls == NO_INSTANT] = NO_INSTANT
        self.change_days.update(
            int(day) for day, offset in zip(unique_days, offsets, strict=True) if offset is None
        )
        is_known = stamps != NO_INSTANT
        for row in np.flatnonzero(is_delicate & is_known).tolist():
            self._look_back(starts[:row], stamps[:row])
            starts[row] = self._continuing(int(stamps[row]))
        self._look_back(starts, stamps)
        return starts

    def _look_back(self, starts: Microseconds, stamps: Microseconds) -> None:
        """Takes note of the last row that has an instant."""
        for row in range(len(starts) - 1, -1, -1):
            if starts[row] != NO_INSTANT:
                self.previous, self.previous_stamp = int(starts[row]), int(stamps[row])
                return

    def _offset_of_day(self, day: int) -> int | None:
        """Offset from UTC during a local day since 1970, in microseconds; None where it changes."""
        if day not in self._offsets:
            midnight = EPOCH + timedelta(days=day)
            # Midnight itself may be doubled or missing.
            seen = {
                self._offset(moment.replace(fold=fold))
                for moment in (midnight, midnight + timedelta(days=1) - timedelta(microseconds=1))
                for fold in (0, 1)
            }
            self._offsets[day] = seen.pop() if len(seen) == 1 else None
        return self._offsets[day]

    def _continuing(self, stamp: int) -> int:
        shift = self.interval if self.is_end else 0
        meanings = set(self._instants(stamp - shift))
        if self.is_end:
            meanings.update(instant - shift for instant in self._instants(stamp))
        if not meanings:
            self.missing += 1
            return NO_INSTANT
        chosen = self._choice(meanings, is_repeated=stamp == self.previous_stamp)
        wall = EPOCH + timedelta(microseconds=stamp - shift)
        if len(meanings) > 1 and chosen > min(meanings) and self._is_doubled(wall):
            self.doubled += 1
        return chosen

    def _choice(self, meanings: set[int], *, is_repeated: bool) -> int:
        before = self.previous
        ordered = sorted(meanings, reverse=self.direction < 0)
        if before is None:
            return ordered[0]
        if before + self.direction * self.interval in meanings:
            return before + self.direction * self.interval
        # The same stamp twice in a row: a row sent again, except where an interval is as long as the
        # doubled hour.
        if is_repeated and before in meanings:
            return before
        return next((one for one in ordered if (one - before) * self.direction > 0), ordered[0])

    def _instants(self, wall: int) -> list[int]:
        """The instants at which a wall clock shows this: two in a doubled hour, none in a missing one."""
        moment = EPOCH + timedelta(microseconds=wall)
        first, second = self._offset(moment), self._offset(moment.replace(fold=1))
        if first < second:
            return []
        return [wall - first] if first == second else [wall - first, wall - second]

    def _is_doubled(self, wall: datetime) -> bool:
        return self._offset(wall) > self._offset(wall.replace(fold=1))

    def _offset(self, wall: datetime) -> int:
        offset = wall.replace(tzinfo=self.zone).utcoffset()
        if offset is None:
            raise InvalidInputError(f"The time zone {self.zone} has no offset from UTC.")
        return offset // timedelta(microseconds=1)


def usual_step(stamps: Microseconds) -> int | None:
    """The most frequent distance between successive stamps, in microseconds; None without any."""
    known = stamps[stamps != NO_INSTANT]
    steps = np.abs(np.diff(known))
    steps = steps[steps > 0]
    if not len(steps):
        return None
    distances, counts = np.unique(steps, return_counts=True)
    return int(distances[np.argmax(counts)])
