"""The time stamps of a file: texts to instants and to what the clock on the wall showed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from enms.errors import InvalidInputError
from enms.science.arrays import Positions

_FIRST_YEAR, _END_YEAR = 1970, 2100
_DAYS = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%d/%m/%y", "%m/%d/%y")
_TIMES = (" %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", "")
_USUAL_FORMATS = tuple(day + time for day in _DAYS for time in _TIMES)


@dataclass(frozen=True)
class Stamps:
    """When the rows of a file were taken.

    Attributes:
        rows: The rows that have a stamp.
        instants: Seconds since 1970 of each of them; as if in UTC where the file tells no offset.
        offsets: What the clock on the wall was ahead by, in seconds; zeros where the file tells no offset.
        has_offset: Whether it does.
    """

    rows: Positions
    instants: Positions
    offsets: Positions
    has_offset: bool


def read_stamps(texts: Sequence[str], lines: Sequence[int], time_format: str | None) -> Stamps:
    """Reads the texts of a time column; rows without one are left out.

    Args:
        texts: The cells.
        lines: Their lines in the file.
        time_format: A strptime format; None: ISO 8601, else the usual format that fits all of them.

    Raises:
        InvalidInputError: A text can't be read, or may mean several things.
    """
    rows = [row for row, text in enumerate(texts) if text.strip()]
    if not rows:
        raise InvalidInputError("The time column is blank in every row.")
    known = [texts[row].strip() for row in rows]
    moments = _moments(known, [lines[row] for row in rows], time_format)
    has_offset = moments[0].tzinfo is not None
    for moment, row in zip(moments, rows, strict=True):
        if (moment.tzinfo is not None) is not has_offset:
            raise InvalidInputError(
                f"Line {lines[row]}: the time '{texts[row]}' {'lacks' if has_offset else 'tells'} an offset "
                "from UTC, unlike the file's first."
            )
        if not _FIRST_YEAR <= moment.year < _END_YEAR:
            raise InvalidInputError(
                f"Line {lines[row]}: the time '{texts[row]}' isn't in the years {_FIRST_YEAR} to "
                f"{_END_YEAR - 1}."
            )
    offsets = [_offset_seconds(moment) for moment in moments]
    return Stamps(
        np.array(rows, dtype=np.int64), _seconds(moments), np.array(offsets, dtype=np.int64), has_offset
    )


def _moments(texts: Sequence[str], lines: Sequence[int], time_format: str | None) -> list[datetime]:
    read = datetime.fromisoformat if time_format is None else _reader(time_format)
    found = _all_by(read, texts)
    if found is not None:
        return found
    # A file whose first stamp is ISO 8601 has a bad stamp, not another format.
    if time_format is None and _all_by(read, texts[:1]) is None:
        return _by_usual_format(texts)
    wanted = f"in the format '{time_format}'" if time_format else "ISO 8601 (see --time-format)"
    bad = next(i for i, text in enumerate(texts) if _all_by(read, [text]) is None)
    raise InvalidInputError(f"Line {lines[bad]}: the time '{texts[bad]}' isn't {wanted}.")


def _by_usual_format(texts: Sequence[str]) -> list[datetime]:
    fitting = {}
    for usual in _USUAL_FORMATS:
        moments = _all_by(_reader(usual), texts)
        if moments is not None:
            fitting[usual] = moments
    if not fitting:
        raise InvalidInputError(
            f"The time '{texts[0]}' is neither ISO 8601 nor in a usual format that fits every row: "
            "give --time-format."
        )
    # Day and month may be told apart only by which of them makes the steps even.
    evenness = {usual: _evenness(moments) for usual, moments in fitting.items()}
    best = max(evenness, key=lambda usual: evenness[usual])
    if sum(each == evenness[best] for each in evenness.values()) > 1:
        formats = " or ".join(f"'{usual}'" for usual in fitting)
        raise InvalidInputError(f"The time '{texts[0]}' may be {formats}: give --time-format.")
    return fitting[best]


def _all_by(read: Callable[[str], datetime], texts: Sequence[str]) -> list[datetime] | None:
    try:
        return list(map(read, texts))
    except (ValueError, OverflowError):
        return None


def _reader(time_format: str) -> Callable[[str], datetime]:
    return lambda text: datetime.strptime(text, time_format)  # noqa: DTZ007 - %z tells


def _evenness(moments: Sequence[datetime]) -> float:
    """Share of the commonest among the steps from stamp to stamp."""
    steps = np.diff(np.sort(_seconds(moments)))
    if not len(steps):
        return 0.0
    return float(np.unique(steps, return_counts=True)[1].max() / len(steps))


def _seconds(moments: Sequence[datetime]) -> Positions:
    seconds = [round((each if each.tzinfo else each.replace(tzinfo=UTC)).timestamp()) for each in moments]
    return np.array(seconds, dtype=np.int64)


def _offset_seconds(moment: datetime) -> int:
    offset = moment.utcoffset()
    return round(offset.total_seconds()) if offset else 0
