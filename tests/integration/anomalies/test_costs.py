"""What an episode costs: its energy at the prices of its own hours."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from integration.anomalies.looks import at, odd
from integration.baselines.works import FACTORY, MACHINE, Works

from enms.database.connection import Database
from enms.database.drivers import machine_context
from enms.science.anomalies.deviations import Deviations
from enms.science.anomalies.findings import Episode
from enms.services.anomaly_costs import Cost, costs_of

DAY, NIGHT = 0.3, 0.2


@pytest.fixture
def priced(works: Works) -> Works:
    """From 6 to 22 a kWh costs more than at night, by the clock of Berlin."""
    for name, rate, first, last in (("day", DAY, 6, 22), ("night", NIGHT, 22, 6)):
        works.rows(
            "INSERT INTO energy_tariffs (factory_id, name, rate_per_kwh, currency, is_time_of_use,"
            " start_hour, end_hour, valid_from) VALUES (%s, %s, %s, 'EUR', true, %s, %s, '2020-01-01')",
            (FACTORY, name, rate, first, last),
        )
    return works


def costs(
    database: Database,
    *episodes: Episode,
    deviations: Deviations | None = None,
    energy_type: str = "electrical",
) -> list[Cost]:
    """What they cost."""
    now = datetime.now(UTC)
    machine = machine_context(database, MACHINE, now - timedelta(days=1), now)
    with database.connection() as connection:
        return costs_of(connection, machine, energy_type, episodes, deviations)


def episode(start: float, end: float, kwh: float | None = 10.0) -> Episode:
    """One from hour to hour of a Monday in Berlin."""
    return odd(start, end, deviation_kwh=kwh).episode


def test_the_prices_are_those_of_its_hours(database: Database, priced: Works) -> None:
    found = costs(database, episode(0, 5), episode(8, 9.5), episode(20, 24), episode(20, 24, -10.0))
    assert [cost.amount for cost in found] == pytest.approx(
        [10 * NIGHT, 10 * DAY, 10 * (DAY + NIGHT) / 2, -10 * (DAY + NIGHT) / 2]
    )
    assert {cost.currency for cost in found} == {"EUR"}


def test_energy_lies_where_the_deviation_from_the_baseline_does(database: Database, priced: Works) -> None:
    hours = np.array([int(at(hour).timestamp()) for hour in (20, 21, 22, 23)])
    # All of what was used more fell into the last hour of the day's price.
    comparison: Any = SimpleNamespace(
        data=SimpleNamespace(interval="hour"), deviation_kwh=np.array([-1.0, 10.0, 0.0, -2.0])
    )
    deviations = Deviations(comparison, hours)
    more, less = costs(database, episode(20, 24), episode(20, 24, -3.0), deviations=deviations)
    assert more.amount == pytest.approx(10 * DAY)
    assert less.amount == pytest.approx(-3 * (DAY + 2 * NIGHT) / 3)


def test_without_energy_or_price_there_is_no_cost(database: Database, priced: Works) -> None:
    assert costs(database, episode(0, 5, None)) == [Cost(None, None)]
    assert costs(database) == []
    assert costs(database, episode(0, 5), energy_type="steam") == [Cost(None, None)]
