"""Where a forecast begins: after the last step that is over. Without numpy: who reads forecasts asks it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_DAY_SECONDS = 86_400
# Who was silent for longer has no present: the forecast begins where the readings end.
LONGEST_SILENCE = timedelta(days=7)


def origin_of(newest_end: datetime | None, until: datetime, step_seconds: int, zone: str) -> datetime:
    """The end of the last step that is over; of a subject that is long silent, of its last one with readings.

    Args:
        newest_end: Where the newest quarter hour with a reading ends; None without any.
        until: The present, or another instant at which the forecast is to be made.
        step_seconds: Length of a step; 86 400 for local days.
        zone: The factory's valid zone.

    Returns:
        The origin, UTC; steps are those of the factory's clock.
    """
    if newest_end is not None and until - newest_end > LONGEST_SILENCE:
        until = newest_end
    local = until.astimezone(ZoneInfo(zone))
    if step_seconds == _DAY_SECONDS:
        # Of a midnight that comes twice, the first.
        return local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC)
    offset = local.utcoffset()
    assert offset is not None
    ahead = int(offset.total_seconds())
    steps = (int(until.timestamp()) + ahead) // step_seconds
    return datetime.fromtimestamp(steps * step_seconds - ahead, UTC)
