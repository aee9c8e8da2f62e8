"""Periods `[start, end)`: what a caller wrote, made into two instants and checked."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from enms.database.connection import Database
from enms.database.subjects import Subject, SubjectKind, find_subject
from enms.errors import InvalidInputError

LONGEST = timedelta(days=400)
# An instant, or a day of the factory's calendar.
type Moment = datetime | date


class Ends(NamedTuple):
    """What a caller calls the two ends of a period."""

    start: str
    end: str


# In the query of a question, and in the body of a training.
QUESTION = Ends("start", "end")
BODY = Ends("start_date", "end_date")


@dataclass(frozen=True)
class Period:
    """A half-open period.

    Attributes:
        start: First instant, UTC.
        end: The instant after the last, UTC.
    """

    start: datetime
    end: datetime

    @property
    def hours(self) -> float:
        """Its length, rounded to 2 decimals: `T00:00:00Z … T23:59:59Z` is 24.0."""
        return round((self.end - self.start).total_seconds() / 3600, 2)


def in_calendar(
    database: Database, kind: SubjectKind, subject_id: UUID, start: Moment, end: Moment
) -> tuple[Subject, Period]:
    """A machine or factory, and the period with its days made instants of the factory's calendar.

    Raises:
        InvalidInputError: The period means nothing (see `check`).
        NotFoundError: There is no such machine or factory.
    """
    check_order(start, end)
    subject = find_subject(database, kind, subject_id, start, end)
    return subject, between(subject.start, subject.end, start, end)


def of_instants(start: datetime, end: datetime) -> Period:
    """The period between two instants.

    Raises:
        InvalidInputError: It means nothing (see `check`).
    """
    return between(start, end, start, end)


def between(first: datetime, last: datetime, start: Moment, end: Moment, named: Ends = QUESTION) -> Period:
    """The period between two instants, checked; `start` and `end` are what was asked for."""
    return check(Period(first.astimezone(UTC), last.astimezone(UTC)), start, end, datetime.now(UTC), named)


def check_order(start: Moment, end: Moment, named: Ends = QUESTION) -> None:
    """Refuses what no calendar can mend, before anything is asked of the database.

    Raises:
        InvalidInputError: The end day lies before the start day, or the period is far too long.
    """
    # Zones differ from UTC by less than a day: two days of tolerance leave the verdict to `check`.
    first, last = day_of(start), day_of(end)
    if last < first - timedelta(days=2) or (_is_day(start) and _is_day(end) and last < first):
        raise _not_after(start, end, named)
    if last - first > LONGEST + timedelta(days=2):
        raise _too_long(end, named)


def check(period: Period, start: Moment, end: Moment, now: datetime, named: Ends = QUESTION) -> Period:
    """Refuses periods that mean nothing.

    Args:
        period: The instants.
        start: What was asked for as start, for the message.
        end: What was asked for as end.
        now: The present, UTC.
        named: What the caller calls them.

    Raises:
        InvalidInputError: It is empty, wholly in the future, or longer than 400 days.
    """
    if period.end <= period.start:
        raise _not_after(start, end, named)
    if period.start >= now:
        raise InvalidInputError(
            f"{named.start}: the period lies wholly in the future; it is {now:%Y-%m-%dT%H:%M:%SZ} now.",
            parameter=named.start,
            given=moment_text(start),
            allowed=f"before {now:%Y-%m-%dT%H:%M:%SZ}",
        )
    # 400 days of a calendar may have an hour more when clocks change.
    tolerance = timedelta(hours=1) if _is_day(start) and _is_day(end) else timedelta()
    if period.end - period.start > LONGEST + tolerance:
        raise _too_long(end, named)
    return period


def day_of(moment: Moment) -> date:
    """The day of a moment, as it was written."""
    return moment.date() if isinstance(moment, datetime) else moment


def moment_text(moment: Moment) -> str:
    """A moment in ISO 8601; instants in UTC end in `Z`."""
    return moment.isoformat().replace("+00:00", "Z")


def _is_day(moment: Moment) -> bool:
    return not isinstance(moment, datetime)


def _not_after(start: Moment, end: Moment, named: Ends) -> InvalidInputError:
    return InvalidInputError(
        f"{named.end}: {moment_text(end)} does not lie after {named.start} {moment_text(start)}.",
        parameter=named.end,
        given=moment_text(end),
        allowed=f"after {moment_text(start)}",
    )


def _too_long(end: Moment, named: Ends) -> InvalidInputError:
    return InvalidInputError(
        f"{named.end}: the period is longer than {LONGEST.days} days.",
        parameter=named.end,
        given=moment_text(end),
        allowed=f"at most {LONGEST.days} days after {named.start}",
    )
