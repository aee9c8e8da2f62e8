"""Adjustments: kept, found by the period that they bear on, taken back but never gone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg2
import pytest
from integration.baselines.works import MACHINE

from enms.database import adjustments
from enms.database.adjustments import NewAdjustment
from enms.errors import NotFoundError

DAY = timedelta(days=1)
START = datetime(2026, 5, 4, tzinfo=UTC)
LEAK = NewAdjustment(
    machine_id=MACHINE,
    energy_type="electrical",
    start_at=START,
    end_at=START + 2 * DAY,
    kwh_per_hour=1.5,
    reason="second dryer on trial",
    decision="accepted",
    actor="anna",
)


def found(database, *period, **options):
    with database.connection() as connection:
        rows = adjustments.overlapping(connection, MACHINE, "electrical", *period, **options)
    return [row["id"] for row in rows]


def test_those_that_bear_on_a_period_are_found(works, database):
    closed = adjustments.add(database, LEAK)
    lasting = adjustments.add(
        database, replace(LEAK, start_at=START + 5 * DAY, end_at=None, decision="refused")
    )
    adjustments.add(database, replace(LEAK, energy_type="natural_gas"))
    assert {**vars(LEAK), "withdrawn_at": None, "withdrawn_by": None}.items() <= closed.items()

    assert found(database) == [closed["id"], lasting["id"]]
    assert found(database, START - DAY, START) == []
    assert found(database, START - DAY, START + timedelta(seconds=1)) == [closed["id"]]
    assert found(database, START + 2 * DAY, START + 5 * DAY) == []
    assert found(database, START + DAY, START + 90 * DAY) == [closed["id"], lasting["id"]]
    assert found(database, START + 90 * DAY) == [lasting["id"]]


def test_what_is_taken_back_stays_for_the_record(works, database):
    kept = adjustments.add(database, LEAK)

    taken = adjustments.withdraw(database, kept["id"], "bert")
    again = adjustments.withdraw(database, kept["id"], "carla")

    assert taken == again
    assert taken["withdrawn_by"] == "bert"
    assert taken["withdrawn_at"] is not None
    assert found(database) == []
    assert found(database, with_withdrawn=True) == [kept["id"]]


def test_an_unknown_one_cannot_be_taken_back(works, database):
    with pytest.raises(NotFoundError, match="no adjustment"):
        adjustments.withdraw(database, uuid4(), "bert")


@pytest.mark.parametrize(
    "wrong",
    [
        {"end_at": START},
        {"kwh_per_hour": float("nan")},
        {"kwh_per_hour": float("inf")},
        {"decision": "maybe"},
    ],
)
def test_nonsense_is_refused_by_the_database_itself(works, database, wrong):
    with pytest.raises(psycopg2.errors.CheckViolation):
        adjustments.add(database, replace(LEAK, **wrong))
    assert found(database) == []
