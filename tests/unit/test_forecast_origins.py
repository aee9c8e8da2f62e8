"""Where a forecast begins."""

from datetime import UTC, datetime, timedelta

import pytest

from enms.services.forecast_origins import origin_of

QUARTER, HOUR, DAY = 900, 3_600, 86_400


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}Z").astimezone(UTC)


@pytest.mark.parametrize(
    ("step", "zone", "now", "origin"),
    [
        (QUARTER, "Europe/Berlin", "2026-05-04T09:44:59", "2026-05-04T09:30:00"),
        (HOUR, "Europe/Berlin", "2026-05-04T09:44:59", "2026-05-04T09:00:00"),
        (HOUR, "Europe/Berlin", "2026-05-04T10:00:00", "2026-05-04T10:00:00"),
        # Hours are those of the factory's clock.
        (HOUR, "Asia/Kolkata", "2026-05-04T09:44:59", "2026-05-04T09:30:00"),
        (QUARTER, "Asia/Kathmandu", "2026-05-04T09:44:59", "2026-05-04T09:30:00"),
        (DAY, "Europe/Berlin", "2026-05-04T21:59:59", "2026-05-03T22:00:00"),
        (DAY, "Europe/Berlin", "2026-05-04T22:00:00", "2026-05-04T22:00:00"),
        # Nights in which clocks change.
        (HOUR, "Europe/Berlin", "2026-10-25T00:30:00", "2026-10-25T00:00:00"),
        (HOUR, "Europe/Berlin", "2026-10-25T01:30:00", "2026-10-25T01:00:00"),
        (DAY, "Europe/Berlin", "2026-10-25T22:59:59", "2026-10-24T22:00:00"),
        (DAY, "Europe/Berlin", "2026-03-29T12:00:00", "2026-03-28T23:00:00"),
        # A midnight that clocks skip, and one that comes twice.
        (DAY, "America/Santiago", "2026-09-06T12:00:00", "2026-09-06T04:00:00"),
        (DAY, "America/Havana", "2026-11-01T20:00:00", "2026-11-01T04:00:00"),
    ],
)
def test_the_last_step_that_is_over(step: int, zone: str, now: str, origin: str) -> None:
    assert origin_of(utc(now), utc(now), step, zone) == utc(origin)


def test_who_is_long_silent_is_forecast_from_its_last_step() -> None:
    now = utc("2026-05-04T09:44:59")

    assert origin_of(now - timedelta(days=7), now, HOUR, "UTC") == utc("2026-05-04T09:00:00")
    assert origin_of(now - timedelta(days=8), now, HOUR, "UTC") == utc("2026-04-26T09:00:00")
    assert origin_of(now - timedelta(days=8), now, DAY, "UTC") == utc("2026-04-26T00:00:00")
    assert origin_of(None, now, HOUR, "UTC") == utc("2026-05-04T09:00:00")
