"""What is known of times to come: received whole or not at all, shown, and laid onto a model's steps."""

import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from integration.baselines.works import FACTORY, MACHINE, Works
from integration.forecasts.issued import Issue, Issued

from enms.database.connection import Database
from enms.errors import InvalidInputError, NotFoundError
from enms.science.arrays import Positions
from enms.services import forecast_regressors
from enms.services.forecast_regressors import MOST_NAMES
from enms.services.forecast_subjects import find_subject
from enms.services.regressor_checks import MOST_VALUES, NewRegressor, NewValue

HOUR = timedelta(hours=1)
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
OTHER = UUID("c0000000-0000-4000-8000-000000000002")
ZONE = ZoneInfo("Europe/Berlin")


def hourly(start: datetime, numbers: Iterable[float]) -> list[NewValue]:
    """One value an hour."""
    return [NewValue(start + n * HOUR, start + (n + 1) * HOUR, number) for n, number in enumerate(numbers)]


def post(database: Database, values: Sequence[NewValue], name: str = "outdoor", **told: Any) -> Any:
    """Has values of the machine, or of the factory, received."""
    subject = {} if "factory_id" in told else {"machine_id": MACHINE}
    request = NewRegressor(**{"name": name, "kind": "temperature", "values": values, **subject, **told})
    return forecast_regressors.receive(database, request)


def seen(
    database: Database, starts_at: Positions, step_seconds: int = 3600, *, factory: bool = False
) -> dict[str, list[float]]:
    """What a model of the machine, or of the factory, knows."""
    subject = find_subject(database, None if factory else MACHINE, FACTORY if factory else None)
    with database.connection() as connection:
        found = forecast_regressors.known(connection, subject, starts_at, step_seconds)
    return {name: values.tolist() for name, values in found.items()}


def steps(start: datetime, count: int, seconds: int = 3600) -> Positions:
    """Where equal steps begin."""
    return int(start.timestamp()) + seconds * np.arange(count, dtype=np.int64)


def stored(works: Works) -> list[tuple[Any, ...]]:
    """All that is kept."""
    return works.rows("SELECT name, start_at, end_at, value FROM analytics.forecast_regressors ORDER BY 1, 2")


def test_values_are_received_and_laid_onto_steps(database: Database) -> None:
    answer = post(database, hourly(NOW, [1, 2, 3, 4]), source="weather service")
    assert answer == {
        "name": "outdoor",
        "kind": "temperature",
        "stored": 4,
        "replaced": 0,
        "from": NOW,
        "until": NOW + 4 * HOUR,
    }
    np.testing.assert_array_equal(
        seen(database, steps(NOW - HOUR, 6))["outdoor"], [np.nan, 1, 2, 3, 4, np.nan]
    )
    # Means over time: half an hour of one value and half of the next; half known is unknown.
    half = steps(NOW - HOUR / 2, 6)
    np.testing.assert_array_equal(seen(database, half)["outdoor"], [np.nan, 1.5, 2.5, 3.5, np.nan, np.nan])
    quarters = seen(database, steps(NOW, 8, 900), 900)["outdoor"]
    assert quarters == [1, 1, 1, 1, 2, 2, 2, 2]
    assert seen(database, steps(NOW, 2, 7200), 7200)["outdoor"] == [1.5, 3.5]


def test_means_are_weighted_by_time(database: Database) -> None:
    values = [NewValue(NOW, NOW + HOUR / 4, 8), NewValue(NOW + HOUR / 4, NOW + HOUR, 4)]
    post(database, values)
    assert seen(database, steps(NOW, 1))["outdoor"] == [5]


def test_days_of_23_and_25_hours_are_whole_steps(database: Database) -> None:
    midnights = [
        int(datetime(2026, month, day, tzinfo=ZONE).timestamp())
        for month, first in ((3, 28), (10, 24))
        for day in range(first, first + 3)
    ]
    for first in (datetime(2026, 3, 28, tzinfo=ZONE), datetime(2026, 10, 24, tzinfo=ZONE)):
        begin = first.astimezone(UTC)
        post(database, hourly(begin, range(71 if first.month == 3 else 73)), is_history=True)
    spring = seen(database, np.array(midnights[:3], dtype=np.int64), 86_400)["outdoor"]
    # 24 hours, then 23, then 24.
    assert spring == [np.mean(range(24)), np.mean(range(24, 47)), np.mean(range(47, 71))]
    autumn = seen(database, np.array(midnights[3:], dtype=np.int64), 86_400)["outdoor"]
    assert autumn == [np.mean(range(24)), np.mean(range(24, 49)), np.mean(range(49, 73))]


def test_days_of_the_factory_are_its_own(database: Database, works: Works) -> None:
    def daily(first: date, count: int) -> list[NewValue]:
        days = [first + timedelta(days=n) for n in range(count)]
        return [NewValue(day, day, float(n)) for n, day in enumerate(days)]

    answer = post(database, daily(date(2026, 3, 28), 3), is_history=True)
    assert answer["from"] == datetime(2026, 3, 27, 23, tzinfo=UTC)
    assert answer["until"] == datetime(2026, 3, 30, 22, tzinfo=UTC)
    assert [end - start for _, start, end, _ in stored(works)] == [24 * HOUR, 23 * HOUR, 24 * HOUR]


def test_the_same_again_changes_nothing(database: Database, works: Works) -> None:
    post(database, hourly(NOW, range(48)))
    before = stored(works)
    assert post(database, hourly(NOW, range(48)))["replaced"] == 48
    assert stored(works) == before


def test_the_newest_stands_for_its_period_and_the_rest_stays(database: Database, works: Works) -> None:
    day = timedelta(days=1)
    post(database, [NewValue(NOW, NOW + day, 10)])
    # In the middle of it: both ends stay as they were.
    assert post(database, hourly(NOW + 6 * HOUR, [1, 2]))["replaced"] == 1
    assert [row[1:] for row in stored(works)] == [
        (NOW, NOW + 6 * HOUR, 10),
        (NOW + 6 * HOUR, NOW + 7 * HOUR, 1),
        (NOW + 7 * HOUR, NOW + 8 * HOUR, 2),
        (NOW + 8 * HOUR, NOW + day, 10),
    ]
    # Over all of it, in other steps.
    assert post(database, [NewValue(NOW - HOUR, NOW + 2 * day, 7)])["replaced"] == 4
    assert [row[1:] for row in stored(works)] == [(NOW - HOUR, NOW + 2 * day, 7)]


def test_received_at_once_they_stay_one_stretch(database: Database, works: Works) -> None:
    def send(number: int) -> None:
        start = NOW + (number % 5) * HOUR / 2
        post(database, [NewValue(start + n * HOUR, start + (n + 1) * HOUR, number) for n in range(24)])

    threads = [threading.Thread(target=send, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = stored(works)
    assert all(before[2] == after[1] for before, after in pairwise(found))
    assert (found[0][1], found[-1][2]) == (NOW, NOW + 26 * HOUR)


def test_a_machine_sees_its_own_and_its_factorys_and_its_own_wins(database: Database, works: Works) -> None:
    works.add_machine(OTHER, "Other")
    post(database, hourly(NOW, [1, 1]), "shifts", kind="schedule", factory_id=FACTORY)
    post(database, hourly(NOW, [5, 6]), "weather", factory_id=FACTORY)
    post(database, hourly(NOW, [40]), "shifts", kind="schedule")
    post(database, hourly(NOW, [9, 9]), "theirs", machine_id=OTHER)
    mine = seen(database, steps(NOW, 2))
    assert mine["weather"] == [5, 6]
    # The factory's shifts may be on another scale: they don't fill the gaps of the machine's.
    np.testing.assert_array_equal(mine["shifts"], [40, np.nan])
    assert set(mine) == {"shifts", "weather"}
    assert seen(database, steps(NOW, 2), factory=True) == {"shifts": [1, 1], "weather": [5, 6]}


def stopped(database: Database, starts_at: Positions, *, factory: bool = False) -> list[float] | None:
    """What share of the hourly load of the machine, or of the factory, planned stops take away."""
    subject = find_subject(database, None if factory else MACHINE, FACTORY if factory else None)
    with database.connection() as connection:
        share = forecast_regressors.stopped_share(connection, subject, starts_at, 3600)
    return None if share is None else share.tolist()


def test_between_planned_stops_there_is_none(database: Database, works: Works) -> None:
    stops = [NewValue(NOW + HOUR, NOW + 3 * HOUR, 1), NewValue(NOW + 5 * HOUR, NOW + 5.5 * HOUR, 0.5)]
    assert post(database, stops, "stops", kind="planned_stop")["stored"] == 3
    assert stopped(database, steps(NOW, 8)) == [0, 1, 1, 0, 0, 0.25, 0, 0]
    assert stopped(database, steps(NOW + HOUR / 2, 3)) == [0.5, 1, 0.5]
    # Where nothing is planned, not even a no.
    assert stopped(database, steps(NOW - 90 * 24 * HOUR, 2)) is None
    assert stopped(database, steps(NOW + 3 * HOUR, 2)) is None
    # What a model learns from is something else.
    assert seen(database, steps(NOW, 8)) == {}


def test_a_machine_stops_with_its_factory(database: Database) -> None:
    post(database, [NewValue(NOW, NOW + 2 * HOUR, 0.4)], "stops", kind="planned_stop")
    post(
        database, [NewValue(NOW + HOUR, NOW + 3 * HOUR, 1)], "stops", kind="planned_stop", factory_id=FACTORY
    )
    post(database, [NewValue(NOW, NOW + HOUR, 0.3)], "cleaning", kind="planned_stop")
    assert stopped(database, steps(NOW, 4)) == [0.7, 1, 1, 0]
    assert stopped(database, steps(NOW, 4), factory=True) == [0, 1, 1, 0]


def test_a_machines_stop_takes_its_share_off_the_factorys_load(database: Database, works: Works) -> None:
    works.add_machine(OTHER, "Other")
    for machine_id, power_kw in ((MACHINE, 30.0), (OTHER, 10.0)):
        works.draw(NOW - 48 * HOUR, [power_kw] * 48, step=HOUR, machine_id=machine_id)
        works.draw(NOW - 48 * HOUR, [90.0] * 48, step=HOUR, machine_id=OTHER, energy_type=f"gas {power_kw}")
    post(database, [NewValue(NOW, NOW + 2 * HOUR, 1)], "stops", kind="planned_stop")
    post(database, [NewValue(NOW + HOUR, NOW + 3 * HOUR, 0.5)], "o", kind="planned_stop", machine_id=OTHER)
    assert stopped(database, steps(NOW - HOUR, 5), factory=True) == [0, 0.75, 0.875, 0.125, 0]
    assert stopped(database, steps(NOW - HOUR, 5)) == [0, 1, 1, 0, 0]
    # Whose energy nobody knows takes nothing away.
    works.rows("DELETE FROM energy_readings")
    assert stopped(database, steps(NOW - HOUR, 5), factory=True) == [0] * 5


def test_the_past_of_a_temperature_is_what_was_measured(database: Database, works: Works) -> None:
    def measure(machine_id: UUID, temperatures: Iterable[float], first: datetime) -> None:
        rows = [
            {"time": first + n * HOUR / 2, "outdoor_temp_c": celsius}
            for n, celsius in enumerate(temperatures)
        ]
        works.add("environment", rows, machine_id)

    works.add_machine(OTHER, "Other")
    begin = NOW - 4 * HOUR
    measure(MACHINE, [1, 3, 5, 5, 7, 9], begin)
    post(database, hourly(NOW - HOUR, [20, 21]), factory_id=FACTORY)
    post(database, hourly(NOW - HOUR, [1, 1]), "shifts", kind="schedule")
    found = seen(database, steps(begin - HOUR, 6))
    # What was told stands; the hour that nobody measured stays unknown.
    np.testing.assert_array_equal(found["outdoor"], [np.nan, 2, 5, 8, 20, 21])
    np.testing.assert_array_equal(found["shifts"], [np.nan] * 4 + [1, 1])
    assert seen(database, steps(begin, 13, 900), 900)["outdoor"][:4] == [2, 2, 2, 2]
    # A broken sensor beside two sound ones changes little.
    third = UUID("c0000000-0000-4000-8000-000000000003")
    works.add_machine(third, "Third")
    measure(OTHER, [900, 900], begin)
    measure(third, [3, 3], begin)
    assert seen(database, steps(begin, 4), factory=True)["outdoor"][:2] == [3, 5]
    # Half of two hours is enough of it.
    assert seen(database, steps(begin - HOUR, 3, 7200), 7200)["outdoor"] == [3, 6.5, 20.5]


def test_a_name_is_of_the_kind_that_was_told_last(database: Database, works: Works) -> None:
    post(database, hourly(NOW, [1]), kind="other")
    post(database, hourly(NOW + HOUR, [1]))
    assert works.rows("SELECT DISTINCT kind FROM analytics.forecast_regressors") == [("temperature",)]


def test_past_values_come_with_the_future_or_as_history(database: Database, works: Works) -> None:
    past = hourly(NOW - 48 * HOUR, range(24))
    with pytest.raises(InvalidInputError, match="all of them lie in the past") as refused:
        post(database, past)
    assert refused.value.details["parameter"] == "values"
    assert stored(works) == []
    assert post(database, past, is_history=True)["stored"] == 24
    assert post(database, hourly(NOW - 24 * HOUR, range(48)))["stored"] == 48
    assert not np.isnan(seen(database, steps(NOW - 48 * HOUR, 72))["outdoor"]).any()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "values: there are none"),
        (hourly(NOW, [1, 2]) + hourly(NOW + 3 * HOUR, [3]), "nothing is told from"),
        (hourly(NOW, [1, 2]) + hourly(NOW + HOUR / 2, [3]), "two values hold from"),
        (hourly(NOW, [1, 2]) + hourly(NOW, [3]), "two values hold from"),
        ([NewValue(NOW, NOW, 1)], "has no length"),
        ([NewValue(NOW + HOUR, NOW, 1)], "has no length"),
        (hourly(NOW, [1, float("nan")]), "is no number"),
        (hourly(NOW, [float("-inf")]), "is no number"),
        (hourly(NOW, [0]) * (MOST_VALUES + 1), "40001 values are too many at once"),
    ],
)
def test_what_is_no_stretch_is_refused(
    database: Database, works: Works, values: list[NewValue], words: str
) -> None:
    with pytest.raises(InvalidInputError, match=words) as refused:
        post(database, values)
    assert refused.value.details["parameter"] == "values"
    assert {"given", "allowed"} < set(refused.value.details)
    assert stored(works) == []


@pytest.mark.parametrize(
    ("told", "parameter"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "n" * 101}, "name"),
        ({"kind": "weather"}, "kind"),
        ({"source": "s" * 201}, "source"),
        ({"source": "a\x00b"}, "source"),
        ({"kind": "planned_stop", "values": hourly(NOW, [1.5])}, "values"),
        ({"machine_id": None}, "machine_id"),
        ({"machine_id": MACHINE, "factory_id": FACTORY}, "machine_id"),
    ],
)
def test_what_cant_be_kept_is_refused(
    database: Database, works: Works, told: dict[str, Any], parameter: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        post(database, **{"values": hourly(NOW, [1]), **told})
    assert refused.value.details["parameter"] == parameter
    assert stored(works) == []


def test_an_unknown_subject_is_not_found(database: Database) -> None:
    with pytest.raises(NotFoundError, match="There is no machine"):
        post(database, hourly(NOW, [1]), machine_id=OTHER)
    with pytest.raises(NotFoundError, match="There is no factory"):
        post(database, hourly(NOW, [1]), factory_id=OTHER)


def test_names_are_few(database: Database, works: Works) -> None:
    for number in range(MOST_NAMES):
        post(database, hourly(NOW, [1]), f"line {number}")
    post(database, hourly(NOW, [2]), "line 0")
    with pytest.raises(InvalidInputError, match=f"has {MOST_NAMES} regressors already"):
        post(database, hourly(NOW, [1]), "one more")
    # One that was given up doesn't count.
    works.rows("UPDATE analytics.forecast_regressors SET start_at = start_at - interval '91 days',"
               " end_at = end_at - interval '91 days' WHERE name = 'line 7'")  # fmt: skip
    assert post(database, hourly(NOW, [1]), "one more")["stored"] == 1


def test_a_write_that_breaks_leaves_what_was_there(
    database: Database, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(database, hourly(NOW, range(4)))
    before = stored(works)
    works.rows("ALTER TABLE analytics.forecast_regressors ADD CHECK (value < 100)")
    with pytest.raises(Exception, match="violates check constraint"):
        post(database, hourly(NOW, [1, 2, 3, 100]))
    assert stored(works) == before


def test_what_is_known_is_listed(database: Database) -> None:
    post(database, hourly(NOW, [1, 2]), source="weather service", factory_id=FACTORY)
    post(database, hourly(NOW - 8 * 24 * HOUR, [7]), "shifts", kind="schedule", is_history=True)
    post(database, hourly(NOW, [3]), "shifts", kind="schedule")
    answer = forecast_regressors.listed(database, MACHINE, None)
    assert [each["name"] for each in answer["regressors"]] == ["shifts", "outdoor"]
    mine, factorys = answer["regressors"]
    assert mine["values"] == [{"start": NOW, "end": NOW + HOUR, "value": 3}]
    assert (mine["machine_id"], factorys["machine_id"]) == (MACHINE, None)
    assert (factorys["kind"], factorys["source"]) == ("temperature", "weather service")
    assert (factorys["from"], factorys["until"]) == (NOW, NOW + 2 * HOUR)
    older = forecast_regressors.listed(database, MACHINE, None, NOW - 9 * 24 * HOUR, NOW, "shifts")
    assert [len(each["values"]) for each in older["regressors"]] == [1]
    assert forecast_regressors.listed(database, None, FACTORY)["count"] == 1
    nothing = forecast_regressors.listed(database, None, FACTORY, NOW + 5 * HOUR, NOW + 6 * HOUR)
    assert (nothing["count"], nothing["regressors"]) == (0, [])


def test_a_list_of_no_period_or_of_too_many_values_is_refused(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidInputError, match="end:"):
        forecast_regressors.listed(database, MACHINE, None, NOW, NOW)
    with pytest.raises(InvalidInputError, match="end:"):
        forecast_regressors.listed(database, MACHINE, None, NOW, NOW + 500 * 24 * HOUR)
    post(database, hourly(NOW, range(20)))
    monkeypatch.setattr(forecast_regressors, "MOST_VALUES", 10)
    with pytest.raises(InvalidInputError, match="more than 10 values"):
        forecast_regressors.listed(database, MACHINE, None)


def test_forecasts_that_would_be_others_are_given_up(database: Database, works: Works) -> None:
    def issue(machine_id: UUID, begin: datetime, regressors: str) -> str:
        Issued(works, machine_id=machine_id).add(
            Issue([begin + n * HOUR for n in range(4)], np.full(4, 9.0), None, np.full(4, 9.0))
        )
        name = f"{begin:%H}"
        works.rows(
            "UPDATE analytics.forecast_issues SET regressors = %s, made_by = %s"
            " WHERE machine_id = %s AND origin_at = %s",
            (regressors, name, machine_id, begin),
        )
        return name

    def left(machine_id: UUID = MACHINE) -> list[str]:
        found = works.rows(
            "SELECT made_by FROM analytics.forecast_issues WHERE machine_id = %s ORDER BY origin_at",
            (machine_id,),
        )
        return [name for (name,) in found]

    works.add_machine(OTHER, "Other")
    former, newest = issue(MACHINE, NOW - HOUR, "{outdoor}"), issue(MACHINE, NOW, "{outdoor}")
    theirs = issue(OTHER, NOW, "{}")
    # Of another time, of another name, or what the model of the other machine doesn't look at.
    post(database, hourly(NOW + 4 * HOUR, [1]))
    post(database, hourly(NOW, [1, 2]), "shifts", kind="schedule")
    assert (left(), left(OTHER)) == ([former, newest], [theirs])
    post(database, hourly(NOW, [1, 2]), factory_id=FACTORY)
    assert (left(), left(OTHER)) == ([former], [theirs])
    # A stop changes every forecast, whatever its model looks at; an older one stays for the record.
    newest = issue(MACHINE, NOW, "{}")
    post(database, hourly(NOW + 3 * HOUR, [1]), "stops", kind="planned_stop", machine_id=OTHER)
    assert (left(), left(OTHER)) == ([former, newest], [])
