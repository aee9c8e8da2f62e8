"""EventBridge schedules: when a rule fires next."""

import re
from datetime import datetime, timedelta

from enms.errors import InvalidInputError

_CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")


def next_firing(schedule: str, now: datetime, last: datetime | None = None) -> datetime | None:
    """When a rule fires next.

    Args:
        schedule: `cron(…)` or `rate(…)`, as EventBridge writes them; cron is UTC.
        now: The present, UTC.
        last: When it fired last: what a rate counts from.

    Returns:
        The instant; None where it can't be told: a rate that never fired, a rule for certain years.

    Raises:
        InvalidInputError: It is no schedule.
    """
    if match := _RATE.fullmatch(schedule):
        return _after_rate(timedelta(**{f"{match[2]}s": int(match[1])}), now, last)
    if match := _CRON.fullmatch(schedule):
        return _after_cron(match.groups(), now)
    raise InvalidInputError(f"{schedule!r} is no schedule.", given=schedule, allowed="cron(…) or rate(…)")


def _after_rate(rate: timedelta, now: datetime, last: datetime | None) -> datetime | None:
    if last is None:
        return None
    return last + rate * max(1, -((last - now) // rate))


def _after_cron(fields: tuple[str, ...], now: datetime) -> datetime | None:
    # Imported here: it is needed for this answer only.
    from cronsim import CronSim, CronSimError

    minute, hour, day, month, weekday, year = fields
    # EventBridge counts weekdays from Sunday = 1, cron from Sunday = 0.
    weekday = re.sub(r"(?<![#/\d])\d", lambda digit: str(int(digit[0]) - 1), weekday)
    expression = " ".join((minute, hour, day, month, weekday)).replace("?", "*")
    try:
        firings = CronSim(expression, now)
    except CronSimError:
        given = f"cron({' '.join(fields)})"
        raise InvalidInputError(
            f"{given!r} is no schedule.", given=given, allowed="cron(…) or rate(…)"
        ) from None
    return next(firings) if year == "*" else None
