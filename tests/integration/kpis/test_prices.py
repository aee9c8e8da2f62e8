"""Cost and emissions by the factory's calendar: zones, clock changes, weekdays, validity, ranks, defaults."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from enms.database import kpis

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)


def bands(cost: kpis.EnergyCost) -> dict[str, float]:
    """Energy per tariff."""
    return {band.tariff: pytest.approx(band.energy_kwh, abs=1e-6) for band in cost.bands}


def a_kilowatt(plant, factory: UUID, start: datetime, hours: float, *, minutes: int = 15) -> UUID:
    """A machine that draws 1 kW for some hours: a kWh is an hour."""
    machine = plant.machine(factory, seconds=60 * minutes, rated_kw=10)
    count = round(hours * 60 / minutes)
    plant.load(machine, start.astimezone(UTC), [1.0] * count, step=timedelta(minutes=minutes))
    return machine


def local_day(day: date, zone: ZoneInfo = BERLIN) -> tuple[datetime, datetime]:
    """A local day's two instants."""
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    following = day + timedelta(days=1)
    return start.astimezone(UTC), datetime(
        following.year, following.month, following.day, tzinfo=zone
    ).astimezone(UTC)


def test_without_tariffs_the_default_rates_serve_by_the_factorys_clock(plant) -> None:
    factory = plant.factory()
    start, end = local_day(date(2026, 1, 12))
    machine = a_kilowatt(plant, factory, start, 24)
    cost = kpis.energy_cost(plant.connection, machine, start, end)
    assert bands(cost) == {"default peak": 12, "default off-peak": 12}
    assert cost.total_cost == pytest.approx(12 * 0.20 + 12 * 0.10)
    assert (cost.currency, cost.avg_rate_per_kwh) == ("USD", pytest.approx(0.15))
    assert "default_tariff" in cost.warnings
    assert cost.demand_charge is None
    # 07:00 to 09:00 in Berlin.
    morning = kpis.energy_cost(plant.connection, machine, start + 7 * HOUR, start + 9 * HOUR)
    assert bands(morning) == {"default peak": 1, "default off-peak": 1}


@pytest.mark.parametrize(
    ("day", "night_hours"),
    [
        (date(2026, 1, 12), 12),
        (date(2026, 3, 29), 11),  # clocks skip 02:00 to 03:00
        (date(2026, 10, 25), 13),  # clocks repeat it
    ],
)
def test_a_window_past_midnight_on_days_when_clocks_change(plant, day: date, night_hours: int) -> None:
    factory = plant.factory()
    plant.tariff(factory, "day", 0.30, (8, 20))
    plant.tariff(factory, "night", 0.20, (20, 8))
    start, end = local_day(day)
    machine = a_kilowatt(plant, factory, start - 24 * HOUR, 96)
    cost = kpis.energy_cost(plant.connection, machine, start, end)
    assert bands(cost) == {"day": 12, "night": night_hours}
    assert cost.total_cost == pytest.approx(12 * 0.30 + night_hours * 0.20)
    assert cost.total_energy_kwh == pytest.approx(12 + night_hours)
    assert cost.currency == "EUR"
    assert "default_tariff" not in cost.warnings
    across = kpis.energy_cost(plant.connection, machine, start - 24 * HOUR, end + 24 * HOUR)
    assert bands(across) == {"day": 36, "night": 24 + night_hours}


def test_weekdays_are_those_on_which_the_local_hour_lies(plant) -> None:
    factory = plant.factory()
    # Friday's night reaches into Saturday, whose hours the window doesn't hold.
    plant.tariff(factory, "weekday night", 0.10, (22, 6), days=[1, 2, 3, 4, 5])
    plant.tariff(factory, "rest", 0.30)
    friday, saturday = local_day(date(2026, 1, 16))
    machine = a_kilowatt(plant, factory, friday, 72)
    night = kpis.energy_cost(plant.connection, machine, friday + 22 * HOUR, saturday + 6 * HOUR)
    assert bands(night) == {"weekday night": 2, "rest": 6}
    sunday = kpis.energy_cost(plant.connection, machine, saturday + 24 * HOUR, saturday + 48 * HOUR)
    assert bands(sunday) == {"rest": 24}


def test_sunday_is_day_zero(plant) -> None:
    factory = plant.factory()
    plant.tariff(factory, "sunday", 0.05, (0, 24), days=[0])
    plant.tariff(factory, "rest", 0.30)
    saturday, sunday = local_day(date(2026, 1, 17))
    machine = a_kilowatt(plant, factory, saturday, 48)
    cost = kpis.energy_cost(plant.connection, machine, saturday, sunday + 24 * HOUR)
    assert bands(cost) == {"sunday": 24, "rest": 24}


def test_validity_ends_with_its_last_local_day(plant) -> None:
    factory = plant.factory()
    plant.tariff(factory, "old", 0.20, valid=(date(2025, 1, 1), date(2026, 1, 12)))
    plant.tariff(factory, "new", 0.25, valid=(date(2026, 1, 13), None))
    plant.carbon_factor("default", 0.5, (date(2025, 1, 1), date(2026, 1, 12)))
    plant.carbon_factor("default", 0.3, (date(2026, 1, 13), None))
    start, end = local_day(date(2026, 1, 12))
    machine = a_kilowatt(plant, factory, start, 30)
    figures = kpis.all_kpis(plant.connection, machine, start, end + 6 * HOUR)
    assert {band.tariff: band.energy_kwh for band in figures.bands} == {"old": 24, "new": 6}
    assert figures.total_cost == pytest.approx(24 * 0.20 + 6 * 0.25)
    assert figures.total_co2_kg == pytest.approx(24 * 0.5 + 6 * 0.3)
    assert figures.emission_factor == pytest.approx((24 * 0.5 + 6 * 0.3) / 30)
    assert [(share.valid_from, share.energy_kwh) for share in figures.factors] == [
        (date(2025, 1, 1), 24),
        (date(2026, 1, 13), 6),
    ]


def test_time_of_use_before_flat_then_the_latest_then_the_narrower(plant) -> None:
    factory = plant.factory()
    plant.tariff(factory, "flat", 0.30, valid=(date(2026, 1, 1), None))
    plant.tariff(factory, "wide", 0.25, (6, 22))
    plant.tariff(factory, "narrow", 0.20, (10, 12))
    plant.tariff(factory, "newer", 0.15, (11, 14), valid=(date(2025, 6, 1), None))
    plant.rows("UPDATE energy_tariffs SET is_active = true")
    plant.tariff(factory, "retired", 0.01, (0, 24), valid=(date(2026, 1, 10), None))
    plant.rows("UPDATE energy_tariffs SET is_active = false WHERE name = 'retired'")
    start, end = local_day(date(2026, 1, 12))
    machine = a_kilowatt(plant, factory, start, 24)
    cost = kpis.energy_cost(plant.connection, machine, start, end)
    assert bands(cost) == {"newer": 3, "narrow": 1, "wide": 12, "flat": 8}


def test_hours_that_no_tariff_holds_take_the_default_rates_and_say_so(plant) -> None:
    factory = plant.factory()
    plant.tariff(factory, "weekdays", 0.30, (0, 24), days=[1, 2, 3, 4, 5])
    _, saturday = local_day(date(2026, 1, 16))
    machine = a_kilowatt(plant, factory, saturday, 24)
    cost = kpis.energy_cost(plant.connection, machine, saturday, saturday + 24 * HOUR)
    assert bands(cost) == {"default peak": 12, "default off-peak": 12}
    assert {band.currency for band in cost.bands} == {"EUR"}
    assert cost.total_cost == pytest.approx(3.6)
    assert "default_tariff" in cost.warnings


def test_currencies_are_never_added_up(plant) -> None:
    factory = plant.factory()
    plant.tariff(factory, "kuna", 1.5, currency="HRK", valid=(date(2010, 1, 1), date(2026, 1, 12)))
    plant.tariff(factory, "euro", 0.2, currency="EUR", valid=(date(2026, 1, 13), None))
    start, end = local_day(date(2026, 1, 12))
    machine = a_kilowatt(plant, factory, start, 48)
    cost = kpis.energy_cost(plant.connection, machine, start, end + 24 * HOUR)
    assert (cost.total_cost, cost.currency, cost.reason) == (None, None, "several_currencies")
    assert {band.currency: band.cost for band in cost.bands} == {"HRK": 36, "EUR": pytest.approx(4.8)}


@pytest.mark.parametrize(
    "zone", ["Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"]
)
def test_zones_whose_clocks_differ_by_quarters(plant, zone: str) -> None:
    factory = plant.factory(zone)
    plant.tariff(factory, "day", 0.30, (8, 20), valid=(date(2026, 1, 1), date(2026, 1, 12)))
    plant.tariff(factory, "night", 0.20, (20, 8))
    start, end = local_day(date(2026, 1, 12), ZoneInfo(zone))
    machine = a_kilowatt(plant, factory, start, 48)
    cost = kpis.energy_cost(plant.connection, machine, start, end + 24 * HOUR)
    assert bands(cost) == {"day": 12, "night": 24, "default peak": 12}
    day = kpis.all_kpis(plant.connection, machine, start, end)
    assert day.total_cost == pytest.approx(12 * 0.30 + 12 * 0.20)
    cells = {(cell.weekday, cell.hour) for cell in kpis.profile(plant.connection, machine, start, end)}
    assert cells == {(1, hour) for hour in range(24)}


def test_lord_howe_gains_half_an_hour(plant) -> None:
    zone = ZoneInfo("Australia/Lord_Howe")
    factory = plant.factory(zone.key)
    plant.tariff(factory, "small hours", 0.1, (1, 2))
    plant.tariff(factory, "rest", 0.2)
    # On 5 April 2026 02:00 becomes 01:30.
    start, end = local_day(date(2026, 4, 5), zone)
    assert end - start == timedelta(hours=24.5)
    machine = a_kilowatt(plant, factory, start, 24.5)
    assert bands(kpis.energy_cost(plant.connection, machine, start, end)) == {"small hours": 1.5, "rest": 23}


def test_days_that_skip_or_repeat_midnight(plant) -> None:
    def hours(zone: str, day: date) -> float:
        ((length,),) = plant.rows(
            "SELECT extract(epoch FROM analytics.local_midnight(%s, %s + 1)"
            " - analytics.local_midnight(%s, %s)) / 3600",
            zone, day, zone, day,
        )  # fmt: skip
        return float(length)

    assert hours("America/Havana", date(2025, 11, 2)) == 25
    assert hours("America/Santiago", date(2025, 9, 7)) == 23
    assert hours("Europe/Berlin", date(2026, 3, 29)) == 23


@pytest.mark.parametrize("zone", [None, "Mars/Olympus"])
def test_without_a_valid_zone_clocks_are_utc_and_a_warning_says_so(plant, zone: str | None) -> None:
    factory = plant.factory(zone)
    start = datetime(2026, 1, 12, tzinfo=UTC)
    machine = a_kilowatt(plant, factory, start, 24)
    cost = kpis.energy_cost(plant.connection, machine, start, start + 8 * HOUR)
    assert bands(cost) == {"default off-peak": 8}
    assert (cost.timezone, "utc_zone" in cost.warnings) == ("UTC", True)


def test_demand_charge_per_calendar_month_beside_the_energy(plant) -> None:
    factory = plant.factory()
    plant.tariff(factory, "grid", 0.2, per_kw=10)
    machine = plant.machine(factory, seconds=900)
    new_month = datetime(2026, 1, 31, 23, tzinfo=UTC)
    quarter = timedelta(minutes=15)
    plant.load(machine, new_month - 4 * HOUR, [10, 40] + [10] * 14 + [20, 10, 10, 30], step=quarter)
    cost = kpis.energy_cost(plant.connection, machine, new_month - 4 * HOUR, new_month + HOUR)
    assert cost.total_cost == pytest.approx((190 + 70) / 4 * 0.2)
    assert cost.demand_charge == pytest.approx(10 * (40 + 30))
    january, february = cost.demand_charges
    assert (january.month, january.billing_peak_kw, january.cost) == (date(2026, 1, 1), 40, 400)
    assert january.billing_peak_time == new_month - 4 * HOUR + quarter
    assert (february.month, february.billing_peak_kw, february.tariff) == (date(2026, 2, 1), 30, "grid")
    # Of a month only what lies in the period counts.
    part = kpis.energy_cost(plant.connection, machine, new_month - 2 * HOUR, new_month + quarter)
    assert [charge.billing_peak_kw for charge in part.demand_charges] == [10, 20]


def test_the_demand_rate_is_that_of_the_peaks_own_hour(plant) -> None:
    factory = plant.factory("UTC")
    plant.tariff(factory, "day", 0.3, (8, 20), per_kw=12)
    plant.tariff(factory, "night", 0.1, (20, 8), per_kw=3)
    machine = plant.machine(factory, seconds=900)
    start = datetime(2026, 1, 12, tzinfo=UTC)
    plant.load(machine, start, [50.0] * 4 + [20.0] * 92, step=timedelta(minutes=15))
    (charge,) = kpis.energy_cost(plant.connection, machine, start, start + 24 * HOUR).demand_charges
    assert (charge.tariff, charge.cost) == ("night", 150)
    (charge,) = kpis.energy_cost(plant.connection, machine, start + HOUR, start + 24 * HOUR).demand_charges
    assert (charge.tariff, charge.cost) == ("night", 60)


def test_carbon_region_of_the_factory_or_the_default(plant) -> None:
    start, end = local_day(date(2026, 1, 12))
    french = a_kilowatt(plant, plant.factory(name="Lyon", carbon_region="FR"), start, 24)
    nowhere = a_kilowatt(plant, plant.factory(name="Nowhere", carbon_region="XX"), start, 24)
    plain = a_kilowatt(plant, plant.factory(name="Plain"), start, 24)
    carbon = kpis.carbon(plant.connection, plain, start, end)
    assert (carbon.total_co2_kg, carbon.emission_factor) == (pytest.approx(24 * 0.45), 0.45)
    assert "default_factor" in carbon.warnings

    plant.carbon_factor("FR", 0.05)
    plant.carbon_factor("default", 0.4)
    carbon = kpis.carbon(plant.connection, french, start, end)
    assert (carbon.total_co2_kg, carbon.region, carbon.warnings) == (
        pytest.approx(1.2),
        "FR",
        ("flat_hours",),
    )
    carbon = kpis.carbon(plant.connection, nowhere, start, end)
    assert (carbon.total_co2_kg, carbon.region) == (pytest.approx(24 * 0.4), "XX")
    assert "default_region" in carbon.warnings
    assert kpis.carbon(plant.connection, plain, start, end).emission_factor == 0.4

    def contract(*region: str) -> float:
        marks = ", %s" * len(region)
        statement = f"SELECT total_co2_kg FROM calculate_carbon_intensity(%s, %s, %s{marks})"
        return float(plant.rows(statement, str(french), start, end, *region)[0][0])

    assert contract() == pytest.approx(1.2)
    assert contract("FR") == pytest.approx(1.2)
    assert contract("DE") == pytest.approx(9.6)


def test_contract_cost_takes_another_factorys_tariffs_and_clock(plant) -> None:
    here, there = plant.factory(name="Here"), plant.factory("Asia/Kolkata", name="There")
    plant.tariff(there, "all", 7.5, currency="INR", hours=(8, 20))
    start, end = local_day(date(2026, 1, 12))
    machine = a_kilowatt(plant, here, start, 24)
    statement = "SELECT total_cost::float8, currency FROM calculate_energy_cost(%s, %s, %s, %s)"
    assert plant.rows(statement, str(machine), start, end, None) == [(pytest.approx(3.6), "USD")]
    # Of Berlin's day, Kolkata's 08:00 to 20:00 is 12 hours; the rest takes the default rates.
    ((total, currency),) = plant.rows(statement, str(machine), start, end, str(there))
    assert (total, currency) == (pytest.approx(12 * 7.5 + 12 * 0.10), "INR")
