"""When a rule fires next, in EventBridge's notation."""

from datetime import UTC, datetime, timedelta

import pytest

from enms.errors import InvalidInputError
from enms.services.schedules import next_firing

MONDAY = datetime(2026, 3, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("cron(30 0 * * ? *)", datetime(2026, 3, 31, 0, 30, tzinfo=UTC)),
        ("cron(0 2 ? * 1 *)", datetime(2026, 4, 5, 2, tzinfo=UTC)),
        ("cron(0 2 ? * SUN *)", datetime(2026, 4, 5, 2, tzinfo=UTC)),
        ("cron(0 2 ? * 2-3 *)", datetime(2026, 3, 31, 2, tzinfo=UTC)),
        ("cron(5 * * * ? *)", datetime(2026, 3, 30, 12, 5, tzinfo=UTC)),
        ("cron(0 0 1 1 ? 2028)", None),
    ],
)
def test_cron(schedule: str, expected: datetime | None) -> None:
    assert next_firing(schedule, MONDAY) == expected


def test_a_rate_counts_from_the_last_firing() -> None:
    last = MONDAY - timedelta(minutes=12)
    assert next_firing("rate(5 minutes)", MONDAY, last) == MONDAY + timedelta(minutes=3)
    assert next_firing("rate(1 hour)", MONDAY, last) == MONDAY + timedelta(minutes=48)
    assert next_firing("rate(5 minutes)", MONDAY) is None


@pytest.mark.parametrize("schedule", ["", "30 0 * * *", "cron(99 0 * * ? *)", "rate(1 week)"])
def test_what_is_no_schedule_is_refused(schedule: str) -> None:
    with pytest.raises(InvalidInputError):
        next_firing(schedule, MONDAY)
