"""Rates of hours: times the hours' energy they give the very cost and emissions that the KPIs tell."""

import math
import random
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest
from integration.baselines.works import FACTORY, MACHINE, Works

from enms.database import kpis
from enms.database.drivers import read_intervals
from enms.database.prices import interval_rates

HOUR = timedelta(hours=1)
EVER = (date(2010, 1, 1), None)


def tariff(works, name, rate, hours=None, *, days=None, valid=EVER, currency="EUR", factory=FACTORY):
    start_hour, end_hour = hours or (None, None)
    works.rows(
        "INSERT INTO energy_tariffs (factory_id, name, rate_per_kwh, currency, is_time_of_use, start_hour,"
        " end_hour, applicable_days, demand_charge_per_kw, valid_from, valid_to)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 9, %s, %s)",
        (factory, name, rate, currency, hours is not None, start_hour, end_hour, days, *valid),
    )


def carbon_factor(works, region, kg_per_kwh, valid=EVER):
    works.rows(
        "INSERT INTO carbon_factors (region, emission_factor_kg_co2_per_kwh, valid_from, valid_to)"
        " VALUES (%s, %s, %s, %s)",
        (region, kg_per_kwh, *valid),
    )


def in_region(works, region):
    works.rows("UPDATE factories SET metadata = jsonb_build_object('carbon_region', %s)", (region,))


def rates_and_kpis(
    works, database, zone, start, hours, *, machine_id: UUID = MACHINE, factory_id: UUID = FACTORY
):
    """Random load over some hours: what rates make of its hours, and what the KPIs tell."""
    rng = random.Random(hours)
    end = start + hours * HOUR
    # Alike within an hour, as an hour's rate takes it to be.
    kilowatts = [kw for _ in range(hours) for kw in [rng.randrange(1, 50)] * 4]
    works.draw(start, kilowatts, step=HOUR / 4, machine_id=machine_id)
    with database.connection() as connection:
        read = read_intervals(connection, machine_id, "electrical", start, end, "hour", zone, [])
        rates = interval_rates(connection, factory_id, zone, "electrical", read.starts_at)
        cost = kpis.energy_cost(connection, machine_id, start, end)
        carbon = kpis.carbon(connection, machine_id, start, end)
    assert len(read.energy_kwh) == hours
    return read.energy_kwh, rates, cost, carbon


def assert_alike(energy_kwh, rates, cost, carbon):
    assert math.fsum(energy_kwh * rates.rate_per_kwh) == pytest.approx(cost.total_cost, rel=1e-12)
    assert rates.currency == cost.currency
    assert rates.has_default_rate.any() == ("default_tariff" in cost.warnings)
    assert math.fsum(energy_kwh * rates.kg_co2_per_kwh) == pytest.approx(carbon.total_co2_kg, rel=1e-12)
    assert rates.has_default_factor.any() == ("default_factor" in carbon.warnings)
    assert rates.has_default_region.any() == ("default_region" in carbon.warnings)


@pytest.mark.parametrize(
    "start", [datetime(2026, 3, 27, 5, tzinfo=UTC), datetime(2026, 10, 23, 5, tzinfo=UTC)]
)
def test_as_the_kpis_over_nights_when_clocks_change(works, database, start):
    tariff(works, "day", 0.31, (8, 20), days=[1, 2, 3, 4, 5])
    tariff(works, "night", 0.17, (20, 8))
    tariff(works, "weekend", 0.23, (0, 24), days=[0, 6])
    tariff(works, "summer", 0.29, (6, 22), valid=(date(2026, 3, 29), date(2026, 10, 24)))
    carbon_factor(works, "default", 0.4)
    carbon_factor(works, "DE", 0.36, (date(2026, 3, 29), date(2026, 10, 24)))
    in_region(works, "DE")
    result = rates_and_kpis(works, database, "Europe/Berlin", start, 100)
    assert_alike(*result)
    assert len(set(result[1].rate_per_kwh)) >= 4


def test_without_anything_configured_the_defaults_hold(works, database):
    energy_kwh, rates, cost, carbon = rates_and_kpis(
        works, database, "Europe/Berlin", datetime(2026, 1, 12, 23, tzinfo=UTC), 24
    )
    assert_alike(energy_kwh, rates, cost, carbon)
    assert rates.rate_per_kwh.tolist() == [0.1] * 8 + [0.2] * 12 + [0.1] * 4
    assert rates.currency == "USD"
    assert rates.has_default_rate.all()
    assert (rates.kg_co2_per_kwh.tolist(), rates.has_default_factor.all()) == ([0.45] * 24, True)


@pytest.mark.parametrize(
    "zone", ["Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"]
)
def test_where_clocks_differ_by_quarters_an_hour_takes_the_mean(works, database, zone):
    factory, machine = uuid4(), uuid4()
    works.add_machine(machine, "Far", factory_id=factory, zone=zone)
    tariff(works, "day", 0.30, (8, 20), factory=factory, valid=(date(2026, 4, 4), None))
    carbon_factor(works, "default", 0.5, (date(2026, 4, 6), None))
    assert_alike(
        *rates_and_kpis(
            works,
            database,
            zone,
            datetime(2026, 4, 3, tzinfo=UTC),
            96,
            machine_id=machine,
            factory_id=factory,
        )
    )


def test_several_currencies_have_no_common_price(works, database):
    tariff(works, "old", 0.3, valid=(date(2020, 1, 1), date(2026, 1, 12)), currency="HRK")
    tariff(works, "new", 0.3, valid=(date(2026, 1, 13), None), currency="EUR")
    _, rates, cost, _ = rates_and_kpis(
        works, database, "Europe/Berlin", datetime(2026, 1, 12, tzinfo=UTC), 48
    )
    assert (rates.rate_per_kwh, rates.currency, rates.price_reason) == (None, None, "several_currencies")
    assert cost.reason == rates.price_reason
    assert rates.kg_co2_per_kwh.tolist() == [0.45] * 48


@pytest.mark.parametrize(
    ("unit", "price", "factor", "reasons"),
    [
        ("kWh", 0.08, 0.2, (None, None)),
        ("m3", 0.5, 2.0, ("not_kwh", "not_kwh")),
        ("kWh", None, 0.2, ("no_price", None)),
        ("kWh", 0.08, None, (None, "no_factor")),
    ],
)
def test_another_carrier_is_priced_by_its_own_source(works: Works, database, unit, price, factor, reasons):
    tariff(works, "electric", 0.3)
    works.rows(
        "INSERT INTO energy_sources (name, unit, cost_per_unit, carbon_factor)"
        " VALUES ('natural_gas', %s, %s, %s)",
        (unit, price, factor),
    )
    start = datetime(2026, 1, 12, tzinfo=UTC)
    works.draw(start, [6.0] * 8, step=HOUR / 4, energy_type="natural_gas")
    starts_at = int(start.timestamp()) + 3600 * np.arange(2)
    with database.connection() as connection:
        rates = interval_rates(connection, FACTORY, "Europe/Berlin", "natural_gas", starts_at)
        cost = kpis.energy_cost(connection, MACHINE, start, start + 2 * HOUR, "natural_gas")
        carbon = kpis.carbon(connection, MACHINE, start, start + 2 * HOUR, "natural_gas")
    assert (rates.price_reason, rates.factor_reason) == reasons
    assert (cost.reason, carbon.reason) == reasons
    if rates.rate_per_kwh is not None:
        assert (rates.rate_per_kwh * 6).sum() == pytest.approx(cost.total_cost)
        assert rates.currency == cost.currency == "EUR"
    if rates.kg_co2_per_kwh is not None:
        assert (rates.kg_co2_per_kwh * 6).sum() == pytest.approx(carbon.total_co2_kg)


def test_a_carrier_that_nobody_entered_has_no_price(works, database):
    with database.connection() as connection:
        rates = interval_rates(connection, FACTORY, "Europe/Berlin", "steam", np.arange(3) * 3600)
    assert (rates.price_reason, rates.factor_reason, rates.currency) == ("no_price", "no_factor", None)


@pytest.mark.parametrize("energy_type", ["electrical", "steam"])
def test_no_hours_have_no_rates(works, database, energy_type):
    with database.connection() as connection:
        rates = interval_rates(connection, FACTORY, "Europe/Berlin", energy_type, np.empty(0, dtype=np.int64))
    assert rates.has_default_rate.shape == (0,)
