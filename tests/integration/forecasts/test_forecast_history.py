"""What was measured before a forecast, in its steps: machines and factories, gaps and clock changes."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from integration.baselines.works import FACTORY, MACHINE, Works
from integration.forecasts.loads import (
    DAY,
    HOUR,
    QUARTER,
    SECOND,
    Plant,
    add_machine,
    draw,
    this_hour,
    utc,
    weekly,
)

from enms.database.connection import Database
from enms.services.forecast_history import history
from enms.services.forecast_subjects import find_subject


def past(
    database: Database, horizon: str, machine_id: UUID | None = MACHINE
) -> list[tuple[datetime, float | None]]:
    subject = find_subject(database, machine_id, None if machine_id else FACTORY)
    answer = history(database, subject, horizon, "electrical")
    assert answer["horizon"] == horizon
    return [(step["timestamp"], step["power_kw"]) for step in answer["history"]]


def test_the_closed_steps_of_a_machine_and_of_its_factory(plant: Plant) -> None:
    hours = past(plant.database, "24h")

    assert [at for at, _ in hours] == [this_hour() - HOUR * place for place in range(72, 0, -1)]
    assert [power for _, power in hours] == [weekly(at.astimezone(UTC)) for at, _ in hours]
    assert {at.utcoffset() for at, _ in hours} <= {timedelta(hours=1), timedelta(hours=2)}
    of_factory = past(plant.database, "24h", None)
    assert [power for _, power in of_factory] == pytest.approx(
        [1.5 * weekly(at.astimezone(UTC)) for at, _ in hours]
    )
    quarters = past(plant.database, "1h")
    assert len(quarters) == 48
    assert quarters[1][0] - quarters[0][0] == QUARTER


def test_a_gap_is_unknown(works: Works, database: Database) -> None:
    add_machine(works, MACHINE, "Press")
    end = this_hour()
    draw(works, end - 4 * DAY, end - 10 * HOUR, weekly)
    draw(works, end - 6 * HOUR, end, weekly)

    known = [power is not None for _, power in past(database, "24h")]

    assert known == 62 * [True] + 4 * [False] + 6 * [True]


def test_of_who_is_long_silent_it_ends_with_the_readings_and_days_are_local(
    works: Works, database: Database
) -> None:
    add_machine(works, MACHINE, "Press")
    # In Berlin; the last but one day has 23 hours.
    end = utc(2026, 3, 30, 22)
    draw(works, end - 40 * DAY, end, weekly)

    days = past(database, "7d")

    assert len(days) == 28
    assert [at.isoformat() for at, _ in days[-3:]] == [
        "2026-03-28T00:00:00+01:00", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00",
    ]  # fmt: skip
    assert [power for _, power in days[-3:]] == pytest.approx([10, 10, 30])


def test_without_readings_nothing_is_known(works: Works, database: Database) -> None:
    add_machine(works, SECOND, "Saw")
    assert {power for _, power in past(database, "24h", SECOND)} == {None}


def test_a_factory_without_machines_has_no_past(works: Works, database: Database) -> None:
    empty = UUID("f0000000-0000-4000-8000-00000000000e")
    works.rows("INSERT INTO factories (id, name, timezone) VALUES (%s, 'Empty', 'Europe/Berlin')", (empty,))

    steps = history(database, find_subject(database, None, empty), "24h", "electrical")["history"]

    assert {step["power_kw"] for step in steps} == {None}
