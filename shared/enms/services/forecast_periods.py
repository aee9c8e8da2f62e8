"""Periods of questions about forecasts, which may reach into the future."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from enms.errors import InvalidInputError
from enms.services.periods import LONGEST, Moment, moment_text


def instant(moment: Moment, zone: ZoneInfo, *, is_end: bool = False) -> datetime:
    """An instant in UTC; of a day its first, or the one that ends it.

    Of a midnight that comes twice the first is taken; where clocks skip it, the day begins when they jump.
    """
    if isinstance(moment, datetime):
        return moment.astimezone(UTC)
    day: date = moment + timedelta(days=1) if is_end else moment
    return datetime.combine(day, time(), zone).astimezone(UTC)


def checked(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Both ends of a period in UTC.

    Raises:
        InvalidInputError: It is empty, or longer than 400 days.
    """
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if not timedelta() < end - start <= LONGEST:
        raise InvalidInputError(
            f"end: {moment_text(end)} does not lie within {LONGEST.days} days after start "
            f"{moment_text(start)}.",
            parameter="end",
            given=moment_text(end),
            allowed=f"after {moment_text(start)}, at most {LONGEST.days} days",
        )
    return start, end
