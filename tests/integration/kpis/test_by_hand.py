"""Each KPI against figures that a person can work out on paper."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from enms.database import kpis
from enms.errors import NotFoundError

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
# A Monday in winter: Berlin is an hour ahead of UTC.
MONDAY = datetime(2026, 1, 12, tzinfo=UTC)


def at(hour: int, minute: int = 0, *, day: int = 0) -> datetime:
    """An instant of that Monday, or of a day after it."""
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


@pytest.fixture
def machine(plant) -> UUID:
    """A machine that draws 60 kW all Monday (UTC), but 90 kW from 10:07 to 10:22."""
    machine = plant.machine(plant.factory())
    kilowatts = [60.0] * 1440
    kilowatts[607:622] = [90.0] * 15
    plant.load(machine, MONDAY, kilowatts)
    return machine


def test_a_period_is_half_open(plant, machine: UUID) -> None:
    plant.load(machine, at(0, day=1), [60.0] * 60)
    plant.production(machine, [(at(hour), 10) for hour in range(25)])

    sec = kpis.sec(plant.connection, machine, at(0), at(0, day=1))

    assert sec.total_energy_kwh == pytest.approx(24 * 60 + 15 * 30 / 60)
    assert sec.total_production_units == 240
    assert sec.sec_kwh_per_unit == pytest.approx((24 * 60 + 7.5) / 240)
    assert (sec.coverage, sec.readings, sec.warnings) == (1, 1440, ("flat_hours",))


def test_ragged_ends_are_computed_from_the_readings(plant, machine: UUID) -> None:
    sec = kpis.sec(plant.connection, machine, at(9, 58), at(10, 10))
    assert sec.total_energy_kwh == pytest.approx(9 * 1 + 3 * 1.5)
    assert sec.readings == 12
    sec = kpis.sec(plant.connection, machine, at(0, 7), at(23, 31))
    assert sec.total_energy_kwh == pytest.approx((23 * 60 + 24) * 1 + 7.5)
    assert sec.readings == 23 * 60 + 24
    within_a_quarter = kpis.sec(plant.connection, machine, at(10, 5), at(10, 9))
    assert within_a_quarter.total_energy_kwh == pytest.approx(2 * 1 + 2 * 1.5)


def test_production_counts_where_no_energy_was_read(plant, machine: UUID) -> None:
    plant.production(machine, [(at(1), 100), (at(5, day=1), 44), (at(6, 20, day=1), 6)])
    sec = kpis.sec(plant.connection, machine, at(0), at(6, 21, day=1))
    assert sec.total_production_units == 150
    assert sec.sec_kwh_per_unit == pytest.approx(1447.5 / 150)


def test_without_production_there_is_no_sec_but_a_reason(plant, machine: UUID) -> None:
    sec = kpis.sec(plant.connection, machine, at(0), at(1))
    assert (sec.sec_kwh_per_unit, sec.reason, sec.total_energy_kwh) == (None, "no_production", 60)


def test_without_readings_figures_are_unknown_not_zero(plant, machine: UUID) -> None:
    figures = kpis.all_kpis(plant.connection, machine, at(0, day=2), at(0, day=3))
    assert figures.total_energy_kwh is None
    assert figures.total_cost is None
    assert figures.peak_demand_kw is None
    assert (figures.coverage, figures.reason, figures.warnings) == (0, "no_readings", ("low_coverage",))
    assert set(figures.reasons.values()) == {"no_readings"}


def test_rolling_peak_and_billing_peak(plant, machine: UUID) -> None:
    peak = kpis.peak_demand(plant.connection, machine, at(0), at(0, day=1))
    assert (peak.peak_demand_kw, peak.peak_time) == (90, at(10, 7))
    # Of the clock's quarters, 10:00 has 8 minutes at 90 kW and 10:15 has 7.
    assert peak.billing_peak_kw == pytest.approx(60 + 30 * 8 / 15)
    assert peak.billing_peak_time == at(10)
    assert peak.avg_power_kw == pytest.approx(1447.5 / 24)


@pytest.mark.parametrize(
    ("start", "end", "kw", "peak_at"),
    [
        (at(10, 10), at(12), 60 + 30 * 12 / 15, at(10, 10)),  # the window must lie inside: it starts later
        (at(9), at(10, 20), 60 + 30 * 13 / 15, at(10, 5)),  # … or ends sooner
        (at(10, 7), at(10, 22), 90, at(10, 7)),  # exactly one window
        (at(10, 0), at(10, 15), 76, at(10)),
        (at(3), at(5), 60, at(3)),  # a constant load peaks at once
    ],
)
def test_windows_lie_wholly_inside_the_period(
    plant, machine: UUID, start: datetime, end: datetime, kw: float, peak_at: datetime
) -> None:
    peak = kpis.peak_demand(plant.connection, machine, start, end)
    assert peak.peak_demand_kw == pytest.approx(kw)
    assert peak.peak_time == peak_at


def test_a_period_shorter_than_a_window_has_no_peak(plant, machine: UUID) -> None:
    peak = kpis.peak_demand(plant.connection, machine, at(10), at(10, 14))
    assert (peak.peak_demand_kw, peak.billing_peak_kw, peak.reason) == (None, None, "no_window")


def test_load_factor_is_average_over_the_rolling_peak(plant, machine: UUID) -> None:
    figures = kpis.load_factor(plant.connection, machine, at(0), at(0, day=1))
    assert figures.max_power_kw == 90
    assert figures.load_factor == pytest.approx(1447.5 / 24 / 90)
    assert figures.load_factor_percent == pytest.approx(100 * 1447.5 / 24 / 90)


def test_a_machine_at_rest_has_no_load_factor(plant) -> None:
    machine = plant.machine(plant.factory())
    plant.load(machine, MONDAY, [0.0] * 120)
    figures = kpis.load_factor(plant.connection, machine, at(0), at(2))
    assert (figures.max_power_kw, figures.load_factor, figures.reason) == (0, None, "no_load")


@pytest.mark.parametrize("minutes", [10, 15, 30, 60])
def test_slow_meters_do_not_inflate_the_peak(plant, minutes: int) -> None:
    machine = plant.machine(plant.factory(), seconds=60 * minutes)
    kilowatts = [50.0] * (24 * 60 // minutes)
    kilowatts[7] = 80.0
    plant.load(machine, MONDAY, kilowatts, step=timedelta(minutes=minutes))
    peak = kpis.peak_demand(plant.connection, machine, at(0), at(0, day=1))
    assert peak.peak_demand_kw == pytest.approx(80 if minutes >= 15 else (80 * 10 + 50 * 5) / 15)
    assert peak.coverage == 1


def test_gaps_lower_the_coverage_and_are_not_filled(plant) -> None:
    machine = plant.machine(plant.factory())
    plant.load(machine, MONDAY, [60.0] * 600)
    plant.load(machine, at(12), [60.0] * 720)
    figures = kpis.all_kpis(plant.connection, machine, at(0), at(0, day=1))
    # The last reading before the gap stands for three of its minutes.
    assert figures.coverage == pytest.approx((1320 + 2) / 1440)
    assert figures.total_energy_kwh == 1320
    assert figures.avg_power_kw == pytest.approx(55)
    assert "low_coverage" not in figures.warnings
    assert "low_coverage" in kpis.sec(plant.connection, machine, at(9), at(13)).warnings


def test_a_catch_up_reading_is_spread_and_never_a_peak(plant) -> None:
    machine = plant.machine(plant.factory())
    plant.load(machine, MONDAY, [60.0] * 600)
    # Two hours later one row brings what was used meanwhile; then minutes as before.
    plant.readings(machine, [(at(12), 60.0, 121.0)])
    plant.load(machine, at(12, 1), [60.0] * 719)
    figures = kpis.all_kpis(plant.connection, machine, at(0), at(0, day=1))
    assert figures.total_energy_kwh == pytest.approx(1440)
    assert figures.peak_demand_kw == pytest.approx(60)
    assert (figures.spread_readings, figures.estimated_readings) == (1, 1)
    assert figures.spread_kwh == pytest.approx(121)
    assert "spread_readings" in figures.warnings
    # An hour of the outage, and a ragged part of it, have their share.
    assert kpis.sec(plant.connection, machine, at(11), at(12)).total_energy_kwh == pytest.approx(60)
    assert kpis.sec(plant.connection, machine, at(10, 7), at(10, 11)).total_energy_kwh == pytest.approx(4)


def test_refused_rows_count_nothing_but_are_told(plant, machine: UUID) -> None:
    plant.readings(machine, [(at(3, 0) + timedelta(seconds=20), 60.0, -5.0)])
    plant.readings(machine, [(at(4, 0) + timedelta(seconds=5), 60.0, 1.0)])
    figures = kpis.all_kpis(plant.connection, machine, at(0), at(0, day=1))
    assert figures.total_energy_kwh == pytest.approx(1447.5)
    assert (figures.refused_readings, figures.readings) == (2, 1442)
    assert "refused_readings" in figures.warnings


def test_a_period_into_the_future_is_judged_up_to_now(plant) -> None:
    machine = plant.machine(plant.factory())
    now: datetime = plant.rows("SELECT date_trunc('minute', now())")[0][0]
    plant.load(machine, now - 2 * HOUR, [60.0] * 120)
    figures = kpis.all_kpis(plant.connection, machine, now - 2 * HOUR, now + 22 * HOUR)
    assert figures.time_period_hours == 24
    assert figures.elapsed_hours == pytest.approx(2, abs=0.05)
    assert figures.coverage == pytest.approx(1, abs=0.03)
    assert figures.avg_power_kw == pytest.approx(60, rel=0.03)


def test_the_customary_day_to_its_last_second_is_24_hours(plant, machine: UUID) -> None:
    figures = kpis.all_kpis(plant.connection, machine, at(0), at(0, day=1) - timedelta(seconds=1))
    assert figures.time_period_hours == 24.0


def test_combined_call_equals_the_single_ones(plant, machine: UUID) -> None:
    factory = plant.rows("SELECT factory_id FROM machines")[0][0]
    plant.tariff(factory, "day", 0.31, (6, 22), per_kw=9.5)
    plant.carbon_factor("default", 0.4)
    plant.production(machine, [(at(hour), 7) for hour in range(24)])
    for subject in (machine, factory):
        for start, end in ((at(0), at(0, day=1)), (at(1, 7), at(20, 3))):
            call = (plant.connection, subject, start, end)
            figures = kpis.all_kpis(*call)
            singles = (kpis.sec, kpis.peak_demand, kpis.load_factor, kpis.energy_cost, kpis.carbon)
            for single in singles:
                for name, value in vars(single(*call)).items():
                    if name not in ("reason", "warnings", "max_power_kw", "demand_charge", "demand_charges"):
                        assert value == getattr(figures, name), name
            assert kpis.load_factor(*call).max_power_kw == figures.peak_demand_kw
            assert figures.cost_per_unit == pytest.approx(figures.total_cost / figures.total_production_units)


def test_contract_functions_equal_ours(plant, machine: UUID) -> None:
    plant.production(machine, [(at(1), 100)])
    figures = kpis.all_kpis(plant.connection, machine, at(0), at(0, day=1))
    period = (str(machine), at(0), at(0, day=1))
    names = [
        "machine_id", "machine_name", "time_period_hours", "total_energy_kwh", "avg_power_kw",
        "peak_demand_kw",
        "total_production_units", "sec_kwh_per_unit", "load_factor", "load_factor_percent", "total_cost",
        "cost_per_unit", "total_co2_kg", "co2_per_unit_kg",
    ]  # fmt: skip
    row = plant.rows("SELECT * FROM calculate_all_kpis(%s, %s, %s)", *period)[0]
    assert row[:2] == (machine, "M1")
    for name, value in zip(names[2:], row[2:], strict=True):
        assert float(value) == pytest.approx(getattr(figures, name)), name
    peak = plant.rows("SELECT * FROM calculate_peak_demand(%s, %s, %s)", *period)[0]
    assert peak[1:3] == (figures.peak_demand_kw, figures.peak_time)
    factor = plant.rows("SELECT * FROM calculate_load_factor(%s, %s, %s)", *period)[0]
    assert float(factor[4]) == figures.peak_demand_kw
    sec = plant.rows("SELECT * FROM calculate_sec(%s, %s, %s)", *period)[0]
    assert [float(value) for value in sec[1:]] == pytest.approx([14.475, 1447.5, 100, 24])


def test_unknown_subjects(plant) -> None:
    nobody = uuid4()
    for call in (kpis.sec, kpis.peak_demand, kpis.load_factor, kpis.energy_cost, kpis.carbon, kpis.all_kpis):
        with pytest.raises(NotFoundError, match=str(nobody)):
            call(plant.connection, nobody, at(0), at(1))
    row = plant.rows("SELECT * FROM calculate_sec(%s, %s, %s)", str(nobody), at(0), at(1))
    assert row == [(nobody, None, None, None, None)]


def test_another_carrier_is_asked_for_by_name(plant, machine: UUID) -> None:
    plant.carrier("natural_gas", "m3", 0.5, 2.03)
    plant.carrier("heat", "kWh", 0.08, 0.2)
    quarter = timedelta(minutes=15)
    plant.load(machine, MONDAY, [12.0] * 96, step=quarter, energy_type="natural_gas")
    plant.load(machine, MONDAY, [20.0] * 96, step=quarter, energy_type="heat")
    gas = kpis.all_kpis(plant.connection, machine, at(0), at(0, day=1), "natural_gas")
    assert gas.total_energy_kwh == pytest.approx(12 * 24)
    assert (gas.total_cost, gas.total_co2_kg) == (None, None)
    assert (gas.reasons["energy_cost"], gas.reasons["carbon"]) == ("not_kwh", "not_kwh")
    assert gas.peak_demand_kw == pytest.approx(12)
    assert gas.coverage == 1
    heat = kpis.all_kpis(plant.connection, machine, at(0), at(0, day=1), "heat")
    assert heat.total_cost == pytest.approx(480 * 0.08)
    assert heat.total_co2_kg == pytest.approx(480 * 0.2)
    steam = kpis.energy_cost(plant.connection, machine, at(0), at(0, day=1), "steam")
    assert (steam.total_cost, steam.reason) == (None, "no_readings")
    plant.load(machine, MONDAY, [5.0] * 96, step=quarter, energy_type="steam")
    steam = kpis.energy_cost(plant.connection, machine, at(0), at(0, day=1), "steam")
    assert (steam.total_cost, steam.reason) == (None, "no_price")
    electricity = kpis.sec(plant.connection, machine, at(0), at(0, day=1))
    assert electricity.total_energy_kwh == pytest.approx(1447.5)


def test_history_profile_and_duration_curve(plant, machine: UUID) -> None:
    # Local days of Berlin, from 23:00 UTC: Monday's is complete but for its first hour.
    start, end = datetime(2026, 1, 11, 23, tzinfo=UTC), datetime(2026, 1, 13, 23, tzinfo=UTC)
    plant.load(machine, at(0, day=1), [30.0] * 1440)
    days = kpis.history(plant.connection, machine, start, end, "day")
    assert [day.local_date for day in days] == [date(2026, 1, 12), date(2026, 1, 13)]
    assert days[0].energy_kwh == pytest.approx(23 * 60 + 7.5)
    assert days[1].energy_kwh == pytest.approx(60 + 23 * 30)
    assert days[1].peak_demand_kw == 60
    assert (days[0].previous_energy_kwh, days[1].previous_energy_kwh) == (None, None)
    tuesday = kpis.history(plant.connection, machine, days[1].interval_start, end, "day")
    assert tuesday[0].previous_energy_kwh == days[0].energy_kwh
    (month,) = kpis.history(plant.connection, machine, start, end, "month")
    assert (month.local_date, month.interval_start, month.interval_end) == (date(2026, 1, 1), start, end)

    cells = {(cell.weekday, cell.hour): cell for cell in kpis.profile(plant.connection, machine, start, end)}
    assert cells[1, 11].mean_power_kw == pytest.approx(60 + 30 * 15 / 60)
    assert cells[2, 0].mean_power_kw == pytest.approx(60)
    assert cells[2, 1].mean_power_kw == pytest.approx(30)
    assert cells[2, 1].hours == 1

    curve = kpis.duration_curve(plant.connection, machine, start, end, points=50)
    assert len(curve) == 50
    assert curve[0].power_kw == pytest.approx(76)
    assert curve[-1] == (1, 30)
    assert [point.power_kw for point in curve] == sorted((point.power_kw for point in curve), reverse=True)


def test_daily_kpis_of_closed_days_can_be_repeated(plant, machine: UUID) -> None:
    factory = plant.rows("SELECT factory_id FROM machines")[0][0]
    other = plant.machine(factory, "M2")
    assert kpis.fill_daily(plant.connection, date(2026, 1, 12), [factory]) == 3
    plant.load(other, at(8), [15.0] * 60)
    assert kpis.fill_daily(plant.connection, date(2026, 1, 12), [factory]) == 3
    rows = plant.rows("SELECT subject_id, total_energy_kwh::float8, start_at FROM analytics.kpi_daily")
    energy = {subject: kwh for subject, kwh, _ in rows}
    assert energy == {machine: 1387.5, other: 15, factory: 1402.5}
    assert {start for *_, start in rows} == {datetime(2026, 1, 11, 23, tzinfo=UTC)}
    today = plant.rows("SELECT (now() AT TIME ZONE 'Europe/Berlin')::date")[0][0]
    assert kpis.fill_daily(plant.connection, today, [factory]) == 0


def test_aggregates_without_triggers_are_caught_up_when_read(plant) -> None:
    # As on TimescaleDB, whose hypertables carry no such triggers.
    plant.rows("CREATE OR REPLACE FUNCTION analytics.is_hypertable(p_table name) RETURNS boolean"
               " LANGUAGE sql AS 'SELECT true'")  # fmt: skip
    plant.rows("ALTER TABLE energy_readings DISABLE TRIGGER USER")
    factory = plant.factory()
    machine = plant.machine(factory)
    plant.load(machine, MONDAY, [60.0] * 60)
    assert kpis.sec(plant.connection, factory, at(0), at(1)).total_energy_kwh == 60
    plant.load(machine, at(1), [60.0] * 60)
    contract = plant.rows(
        "SELECT total_energy_kwh FROM calculate_sec(%s, %s, %s)", str(machine), at(0), at(2)
    )
    assert contract == [(120,)]
