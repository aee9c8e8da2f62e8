"""Which values of a regressor can be taken."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from enms.errors import InvalidInputError
from enms.services.regressor_checks import NewValue, check_future, check_name, stretch

START = datetime(2026, 3, 28, 23, tzinfo=UTC)
HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")


def _hours(*places: int) -> list[NewValue]:
    return [NewValue(START + place * HOUR, START + (place + 1) * HOUR, float(place)) for place in places]


def test_values_come_in_any_order_and_offset() -> None:
    seoul = ZoneInfo("Asia/Seoul")
    values = [NewValue(each.start, each.end, each.value) for each in _hours(2, 0)]
    values.append(NewValue((START + HOUR).astimezone(seoul), (START + 2 * HOUR).astimezone(seoul), 1.0))
    found = stretch(values, "other", BERLIN)
    assert [value for _, _, value in found] == [0, 1, 2]
    assert all(before[1] == after[0] for before, after in pairwise(found))
    assert {at.utcoffset() for start, end, _ in found for at in (start, end)} == {timedelta()}


def test_a_day_is_as_long_as_the_factorys() -> None:
    day = date(2026, 3, 29)
    ((start, end, _),) = stretch([NewValue(day, day, 1)], "schedule", BERLIN)
    assert (start, end - start) == (START, 23 * HOUR)
    ((_, end, _),) = stretch([NewValue(START, day, 1)], "schedule", BERLIN)
    assert end == START + 23 * HOUR


def test_holes_between_planned_stops_are_filled() -> None:
    stops = [*_hours(1, 0), NewValue(START + 4 * HOUR, START + 5 * HOUR, 0.5)]
    found = stretch(stops, "planned_stop", BERLIN)
    assert [(end - start, value) for start, end, value in found] == [
        (HOUR, 0), (HOUR, 1), (2 * HOUR, 0), (HOUR, 0.5),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["schedule", "temperature", "other"])
def test_other_holes_are_refused_with_the_first(kind: str) -> None:
    with pytest.raises(InvalidInputError, match="from 2026-03-29T00:00:00Z to 2026-03-29T03:00:00Z"):
        stretch(_hours(0, 4, 9), check_name("n", kind, None), BERLIN)


def test_the_limit_is_the_callers() -> None:
    assert len(stretch(_hours(0, 1, 2), "other", BERLIN, None)) == 3
    with pytest.raises(InvalidInputError, match="3 values are too many"):
        stretch(_hours(0, 1, 2), "other", BERLIN, 2)


def test_the_last_value_tells_whether_there_is_a_future() -> None:
    values = stretch(_hours(0, 1), "other", BERLIN)
    check_future(values, START + 2 * HOUR - timedelta(seconds=1), is_history=False)
    check_future(values, START + 9 * HOUR, is_history=True)
    with pytest.raises(InvalidInputError, match=r"it is 2026-03-29T01:00:00Z now.*`history`"):
        check_future(values, START + 2 * HOUR, is_history=False)
