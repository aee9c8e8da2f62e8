"""Periods: half-open, at most 400 days, not wholly in the future; refusals name what was given."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from enms.errors import InvalidInputError
from enms.services.periods import BODY, Period, between, check, check_order, of_instants
from enms.web.parameters import parse_moment

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
START = datetime(2026, 3, 27, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-27T00:00:00Z", START),
        ("2026-03-27T01:00:00+01:00", START),
        ("2026-03-27T01:00:00 01:00", START),
        ("2026-03-27T01:00+0100", START),
        ("2026-03-27", date(2026, 3, 27)),
    ],
)
def test_instants_with_offset_and_days_are_read(text: str, moment: date) -> None:
    assert parse_moment("start", text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-27T00:00:00",
        "yesterday",
        "",
        "2026-02-30",
        "27.03.2026",
        "0001-01-01",
        "9999-12-31",
        "2026-03-27T25:00:00Z",
        "1'; --",
    ],
)
def test_other_texts_are_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_moment("end", text)
    assert refused.value.details["parameter"] == "end"
    assert refused.value.details["given"] == text
    assert "2026-03-27T08:00:00Z" in str(refused.value.details["allowed"])


def test_the_customary_last_second_makes_a_day_of_24_hours() -> None:
    assert Period(START, START + timedelta(hours=23, minutes=59, seconds=59)).hours == 24.0


def test_instants_of_any_offset_become_utc() -> None:
    eastern = timezone(timedelta(hours=-5))
    period = of_instants(datetime(2026, 3, 26, 19, tzinfo=eastern), datetime(2026, 3, 27, 19, tzinfo=eastern))
    assert period == Period(START, START + timedelta(days=1))
    assert period.start.tzinfo is UTC


@pytest.mark.parametrize(
    ("start", "end", "parameter"),
    [
        (START, START, "end"),
        (START, START - timedelta(seconds=1), "end"),
        (NOW, NOW + timedelta(hours=1), "start"),
        (START - timedelta(days=400, seconds=1), START, "end"),
    ],
)
def test_periods_that_mean_nothing_are_refused(start: datetime, end: datetime, parameter: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        check(Period(start, end), start, end, NOW)
    assert refused.value.details["parameter"] == parameter
    assert {"given", "allowed"} <= refused.value.details.keys()


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (START - timedelta(days=400), START),
        (START, NOW + timedelta(days=1)),
        (START, START + timedelta(seconds=1)),
    ],
)
def test_the_longest_the_shortest_and_the_unfinished_period_are_allowed(
    start: datetime, end: datetime
) -> None:
    assert check(Period(start, end), start, end, NOW).end == end


def test_a_year_of_days_may_have_an_hour_more_where_clocks_change() -> None:
    days = (date(2024, 11, 1), date(2025, 12, 5))
    start = datetime(2024, 10, 31, 23, tzinfo=UTC)
    assert check(Period(start, start + timedelta(days=400, hours=1)), *days, NOW)


@pytest.mark.parametrize(
    "days", [(date(2026, 3, 28), date(2026, 3, 27)), (date(2024, 1, 1), date(2026, 1, 1))]
)
def test_days_in_the_wrong_order_are_refused_without_a_calendar(days: tuple[date, date]) -> None:
    with pytest.raises(InvalidInputError, match=r"^end: "):
        check_order(*days)


def test_messages_call_the_ends_as_their_caller_does() -> None:
    with pytest.raises(InvalidInputError, match=r"^end_date: .* does not lie after start_date ") as refused:
        check_order(date(2026, 3, 28), date(2026, 3, 27), BODY)
    assert refused.value.details["parameter"] == "end_date"
    with pytest.raises(InvalidInputError, match=r"^start_date: .* wholly in the future"):
        check(Period(NOW, NOW + timedelta(hours=1)), NOW, NOW + timedelta(hours=1), NOW, BODY)


def test_messages_repeat_what_was_asked_not_what_it_became() -> None:
    with pytest.raises(InvalidInputError, match="2020-01-02"):
        between(
            datetime(2020, 1, 3, tzinfo=UTC),
            datetime(2020, 1, 1, tzinfo=UTC),
            date(2020, 1, 2),
            date(2020, 1, 1),
        )
