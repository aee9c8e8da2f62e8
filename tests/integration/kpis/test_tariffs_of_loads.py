"""What a load that nobody measured costs equals what the KPIs say once it was measured."""

import random
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from enms.database import kpis
from enms.science.tariffs import Prices, demand_charges, energy_cost, prices_of
from enms.services.factory_tariffs import tariffs_of

QUARTER = timedelta(minutes=15)


def priced(plant, factory: UUID, start: datetime, quarters: int, zone: str) -> Prices:
    starts_at = np.arange(quarters, dtype=np.int64) * 900 + int(start.timestamp())
    first, last = (start + k * QUARTER for k in (0, quarters))
    tariffs = tariffs_of(
        plant.connection,
        factory,
        first.astimezone(ZoneInfo(zone)).date(),
        last.astimezone(ZoneInfo(zone)).date(),
    )
    return prices_of(tariffs, starts_at, zone)


def random_tariffs(plant, factory: UUID, dice: random.Random) -> None:
    for number in range(6):
        hours = dice.choice([None, (20, 8), (dice.randint(0, 11), dice.randint(12, 23)), (22, 22)])
        valid_from = date(2025, 12, 1) + timedelta(days=dice.randint(0, 200))
        plant.tariff(
            factory,
            f"tariff {number}",
            dice.randint(500, 6000) / 10_000,
            hours,
            days=dice.choice([None, sorted(dice.sample(range(7), 4)), [6, 0]]),
            valid=(valid_from, dice.choice([None, valid_from + timedelta(days=90)])),
            per_kw=dice.choice([None, dice.randint(100, 2000) / 100]),
        )


@pytest.mark.parametrize(
    ("seed", "zone"),
    [(0, "Europe/Berlin"), (3, "Australia/Lord_Howe")],
)
def test_a_year_of_random_loads(plant, seed: int, zone: str) -> None:
    dice = random.Random(seed)
    factory = plant.factory(zone)
    random_tariffs(plant, factory, dice)
    start = datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    quarters = 365 * 96
    # Round figures, so that both sides add the same numbers.
    power_kw = np.array([dice.randint(0, 800) / 4 for _ in range(quarters)])
    machine = plant.machine(factory, seconds=900, rated_kw=200)
    plant.load(machine, start, power_kw.tolist(), step=QUARTER)
    prices = priced(plant, factory, start, quarters, zone)

    cost = kpis.energy_cost(plant.connection, machine, start, start + quarters * QUARTER)
    assert energy_cost(power_kw, prices) == pytest.approx(sum(band.cost for band in cost.bands), abs=0.005)
    by_name: dict[str, float] = {}
    for name, kw in zip(prices.names, power_kw.tolist(), strict=True):
        by_name[name] = by_name.get(name, 0.0) + kw / 4
    in_sql: dict[str, float] = {}
    for band in cost.bands:
        in_sql[band.tariff] = in_sql.get(band.tariff, 0.0) + band.energy_kwh
    assert by_name == pytest.approx(in_sql)
    charges = [each for each in demand_charges(power_kw, prices) if each.cost]
    assert [each.cost for each in charges] == pytest.approx(
        [each.cost for each in cost.demand_charges], abs=0.005
    )
    assert sum(each.cost for each in charges) == pytest.approx(cost.demand_charge or 0, abs=0.005)


def test_without_tariffs_the_default_rates_serve_and_demand_is_free(plant) -> None:
    factory = plant.factory("Europe/Berlin")
    # The night of 29 March has eleven of its hours.
    start = datetime(2026, 3, 28, 23, tzinfo=UTC)
    prices = priced(plant, factory, start, 92, "Europe/Berlin")
    power_kw = np.ones(92)
    assert energy_cost(power_kw, prices) == pytest.approx(12 * 0.20 + 11 * 0.10)
    assert [each.cost for each in demand_charges(power_kw, prices)] == [0.0]


def test_the_demand_charge_is_that_of_the_tariff_whose_hour_the_peak_is(plant) -> None:
    factory = plant.factory("Europe/Berlin")
    plant.tariff(factory, "day", 0.3, (8, 20), per_kw=10)
    plant.tariff(factory, "night", 0.1, (20, 8), per_kw=4)
    start = datetime(2026, 1, 30, 23, tzinfo=UTC)  # midnight before the last day of January
    prices = priced(plant, factory, start, 2 * 96, "Europe/Berlin")
    power_kw = np.ones(2 * 96)
    power_kw[[4, 96 + 40]] = 5.0, 7.0
    january, february = demand_charges(power_kw, prices)
    assert (january.peak_kw, january.cost, january.place) == (5.0, 20.0, 4)
    assert (february.peak_kw, february.cost, february.place) == (7.0, 70.0, 136)
