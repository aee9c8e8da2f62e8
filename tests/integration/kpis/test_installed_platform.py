"""What shipped KPI functions get wrong on an installed platform, and our figures there, against paper."""

import math
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

import psycopg2
import pytest

COMPRESSOR = "c0000000-0000-4000-8000-000000000001"
HVAC = "c0000000-0000-4000-8000-000000000002"
PRESS = "c0000000-0000-4000-8000-000000000003"
PLANT_NORTH = "11111111-1111-4111-8111-111111111111"
START = datetime(2026, 3, 27, tzinfo=UTC)
END = START + timedelta(hours=24)
DAY = (COMPRESSOR, START, END)
MINUTE = timedelta(minutes=1)
BERLIN_WINTER = timedelta(hours=1)
BERLIN_SUMMER = timedelta(hours=2)
CLOCKS_CHANGE = datetime(2026, 3, 29, 1, tzinfo=UTC)


def power(time: datetime) -> float:
    """The compressor's power as the platform's script makes it, kW."""
    wave = 15 * math.sin(time.timestamp() / 86400 * 2 * math.pi)
    exact = Decimal(str(30 + 8 + wave + time.minute % 7))
    return float(exact.quantize(Decimal("0.001"), ROUND_HALF_UP))


def energy(time: datetime) -> float:
    """What one reading holds, kWh (six decimals in the table)."""
    return round(power(time) / 60, 6)


def minutes(start: datetime, end: datetime) -> list[datetime]:
    return [start + i * MINUTE for i in range(int((end - start) / MINUTE))]


TRUE_KWH = sum(energy(time) for time in minutes(START, END))
TRUE_PEAK, TRUE_PEAK_AT = max(
    (
        (sum(4 * energy(first + i * MINUTE) for i in range(15)), first)
        for first in minutes(START, END - 14 * MINUTE)
    ),
    key=lambda window: round(window[0], 6),
)


def local_hour(time: datetime) -> int:
    """The hour that clocks in Hamburg show."""
    return (time + (BERLIN_SUMMER if time >= CLOCKS_CHANGE else BERLIN_WINTER)).hour


def true_cost(start: datetime, end: datetime) -> float:
    return sum(energy(time) * (0.20 if 8 <= local_hour(time) < 20 else 0.10) for time in minutes(start, end))


def one(plant, function: str, *arguments: object) -> dict[str, object]:
    """The single row of a contract function; decimals as floats."""
    marks = ", ".join(["%s"] * len(arguments))
    with plant.connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {function}({marks})", arguments)
        (row,) = cursor.fetchall()
        names = [column.name for column in cursor.description]
    return {
        name: float(value) if isinstance(value, Decimal) else value
        for name, value in zip(names, row, strict=True)
    }


@pytest.mark.parametrize("function", ["calculate_peak_demand", "calculate_load_factor"])
def test_shipped_peak_and_load_factor_fail_outright(shipped, function: str) -> None:
    with pytest.raises(psycopg2.errors.AmbiguousColumn):
        one(shipped, function, *DAY)


def test_our_peak_is_the_largest_15_minute_average(adopted) -> None:
    figures = one(adopted, "calculate_peak_demand", *DAY)
    assert figures["peak_demand_kw"] == pytest.approx(TRUE_PEAK, abs=1e-6)
    assert figures["peak_time"] == TRUE_PEAK_AT
    assert figures["avg_power_kw"] == pytest.approx(TRUE_KWH / 24)


def test_our_load_factor_is_average_over_that_peak(adopted) -> None:
    figures = one(adopted, "calculate_load_factor", *DAY)
    assert figures["load_factor"] == pytest.approx(TRUE_KWH / 24 / TRUE_PEAK)
    assert figures["max_power_kw"] == pytest.approx(TRUE_PEAK, abs=1e-6)


def test_shipped_peak_is_instantaneous(shipped) -> None:
    highest = max(power(time) for time in minutes(START, END + 60 * MINUTE))
    assert highest > TRUE_PEAK + 2
    assert one(shipped, "calculate_all_kpis", *DAY)["peak_demand_kw"] == pytest.approx(highest)


def test_combined_peak_and_load_factor_are_ours(adopted) -> None:
    figures = one(adopted, "calculate_all_kpis", *DAY)
    assert figures["peak_demand_kw"] == pytest.approx(TRUE_PEAK, abs=1e-6)
    assert figures["load_factor"] == pytest.approx(TRUE_KWH / 24 / TRUE_PEAK)


def test_shipped_period_is_closed_at_both_ends(shipped) -> None:
    figures = one(shipped, "calculate_sec", *DAY)
    one_hour_more = sum(energy(time) for time in minutes(START, END + 60 * MINUTE))
    assert figures["total_energy_kwh"] == pytest.approx(one_hour_more)
    assert figures["total_production_units"] == 25 * 600


def test_our_period_is_half_open(adopted) -> None:
    figures = one(adopted, "calculate_sec", *DAY)
    assert figures["total_energy_kwh"] == pytest.approx(TRUE_KWH)
    assert figures["total_production_units"] == 14_400
    assert figures["sec_kwh_per_unit"] == pytest.approx(TRUE_KWH / 14_400)


def test_shipped_night_falls_to_a_default_rate_and_hours_are_utc(shipped) -> None:
    closed = [*minutes(START, END), END]
    by_utc = sum(energy(time) * (0.20 if 8 <= time.hour < 20 else 0.15) for time in closed)
    figures = one(shipped, "calculate_energy_cost", *DAY)
    assert figures["total_cost"] == pytest.approx(by_utc)
    assert abs(by_utc - true_cost(START, END)) > 5


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (START, END),
        (datetime(2026, 3, 28, 18, tzinfo=UTC), datetime(2026, 3, 29, 20, tzinfo=UTC)),  # clocks change
        (datetime(2026, 3, 27, 6, 40, tzinfo=UTC), datetime(2026, 3, 27, 19, 5, tzinfo=UTC)),
    ],
)
def test_our_cost_is_by_hamburgs_clock(adopted, start: datetime, end: datetime) -> None:
    figures = one(adopted, "calculate_energy_cost", COMPRESSOR, start, end)
    assert figures["total_cost"] == pytest.approx(true_cost(start, end))
    assert figures["currency"] == "USD"


def test_shipped_combined_figures_differ_from_the_single_ones(shipped) -> None:
    shipped.rows("INSERT INTO energy_tariffs (factory_id, name, rate_per_kwh, valid_from)"
                 " VALUES ('22222222-2222-4222-8222-222222222222', 'west', 0.60, '2024-01-01')")  # fmt: skip
    figures = one(shipped, "calculate_all_kpis", *DAY)
    assert figures["total_cost"] == pytest.approx(figures["total_energy_kwh"] * (0.20 + 0.10 + 0.60) / 3)
    assert figures["total_cost"] != pytest.approx(
        one(shipped, "calculate_energy_cost", *DAY)["total_cost"], rel=0.1
    )
    # The newest factor of any region is the EU's.
    assert figures["total_co2_kg"] == pytest.approx(figures["total_energy_kwh"] * 0.22)
    single = one(shipped, "calculate_carbon_intensity", *DAY)
    assert single["emission_factor"] == 0.45
    assert figures["total_production_units"] is None


def test_our_combined_figures_are_the_single_ones(adopted) -> None:
    adopted.rows("INSERT INTO energy_tariffs (factory_id, name, rate_per_kwh, valid_from)"
                 " VALUES ('22222222-2222-4222-8222-222222222222', 'west', 0.60, '2024-01-01')")  # fmt: skip
    figures = one(adopted, "calculate_all_kpis", *DAY)
    assert figures["total_cost"] == pytest.approx(true_cost(START, END))
    assert figures["total_co2_kg"] == pytest.approx(TRUE_KWH * 0.45)
    assert figures["total_production_units"] == 14_400
    for function in ("sec", "peak_demand", "load_factor", "energy_cost", "carbon_intensity"):
        for name, value in one(adopted, f"calculate_{function}", *DAY).items():
            if name in figures:
                assert figures[name] == value, name
    eu = one(adopted, "calculate_carbon_intensity", *DAY, "EU")
    assert eu["total_co2_kg"] == pytest.approx(TRUE_KWH * 0.22)


def lose_six_hours_of_energy(plant) -> None:
    plant.rows(
        "DELETE FROM energy_readings WHERE machine_id = %s AND time >= %s AND time < %s",
        COMPRESSOR, START + timedelta(hours=6), START + timedelta(hours=12),
    )  # fmt: skip


def test_shipped_sec_loses_production_in_hours_without_a_reading(shipped) -> None:
    lose_six_hours_of_energy(shipped)
    assert one(shipped, "calculate_sec", *DAY)["total_production_units"] == 19 * 600


def test_our_sec_counts_all_production(adopted) -> None:
    lose_six_hours_of_energy(adopted)
    assert one(adopted, "calculate_sec", *DAY)["total_production_units"] == 24 * 600


def test_shipped_ends_inside_a_bucket_are_rounded_to_whole_hours(shipped) -> None:
    figures = one(shipped, "calculate_sec", COMPRESSOR, START + 30 * MINUTE, START + 150 * MINUTE)
    two_other_hours = sum(energy(time) for time in minutes(START + 60 * MINUTE, START + 180 * MINUTE))
    assert figures["total_energy_kwh"] == pytest.approx(two_other_hours)


def test_our_ends_inside_a_bucket_are_read_from_finer_data(adopted) -> None:
    figures = one(adopted, "calculate_sec", COMPRESSOR, START + 31 * MINUTE, START + 152 * MINUTE)
    kwh = sum(energy(time) for time in minutes(START + 31 * MINUTE, START + 152 * MINUTE))
    assert figures["total_energy_kwh"] == pytest.approx(kwh)


def test_shipped_validity_is_ignored(shipped) -> None:
    shipped.rows("UPDATE energy_tariffs SET valid_to = '2026-03-26' WHERE name = 'day'")
    by_retired_tariff = one(shipped, "calculate_energy_cost", *DAY)["total_cost"]
    shipped.rows("DELETE FROM energy_tariffs WHERE name = 'day'")
    assert by_retired_tariff > one(shipped, "calculate_energy_cost", *DAY)["total_cost"]


def test_our_tariffs_serve_within_their_validity(adopted) -> None:
    adopted.rows("UPDATE energy_tariffs SET valid_to = '2026-03-27', rate_per_kwh = 0.5 WHERE name = 'day'")
    end = END + timedelta(hours=23)  # to the local midnight that ends the 28th
    rates = {
        time: 0.10 if not 8 <= local_hour(time) < 20 else 0.5 if time < END - BERLIN_WINTER else 0.20
        for time in minutes(START, end)
    }
    figures = one(adopted, "calculate_energy_cost", COMPRESSOR, START, end)
    assert figures["total_cost"] == pytest.approx(sum(energy(time) * rate for time, rate in rates.items()))


def test_shipped_energy_adds_carriers_up(shipped) -> None:
    electricity = shipped.rows(
        "SELECT sum(energy_kwh)::float8 FROM energy_readings WHERE machine_id = %s"
        " AND energy_type = 'electrical' AND time >= %s AND time <= %s", HVAC, START, END,
    )[0][0]  # fmt: skip
    total = one(shipped, "calculate_energy_cost", HVAC, START, END)["total_energy_kwh"]
    assert total == pytest.approx(electricity + 97 * 3)


def test_our_contract_functions_mean_electricity(adopted) -> None:
    electricity = adopted.rows(
        "SELECT sum(energy_kwh)::float8 FROM energy_readings WHERE machine_id = %s"
        " AND energy_type = 'electrical' AND time >= %s AND time < %s", HVAC, START, END,
    )[0][0]  # fmt: skip
    for function in ("sec", "energy_cost", "carbon_intensity", "all_kpis"):
        figures = one(adopted, f"calculate_{function}", HVAC, START, END)
        assert figures["total_energy_kwh"] == pytest.approx(electricity)


def test_a_machine_without_production_has_no_sec(adopted) -> None:
    adopted.rows("DELETE FROM production_data")
    figures = one(adopted, "calculate_all_kpis", *DAY)
    assert (figures["sec_kwh_per_unit"], figures["cost_per_unit"], figures["co2_per_unit_kg"]) == (
        None,
        None,
        None,
    )
    assert one(adopted, "calculate_sec", PRESS, START, END)["total_energy_kwh"] is None


def test_views_on_the_functions_still_answer(adopted) -> None:
    assert {name for name, _ in adopted.rows("SELECT * FROM v_today_cost")} == {
        "Compressor-1", "HVAC-Main", "Press-7",
    }  # fmt: skip
    overloads = adopted.rows("SELECT count(*) FROM pg_proc WHERE proname LIKE 'calculate\\_%%'")
    assert overloads == [(6,)]


def test_roles_without_rights_on_our_schema_can_call_the_functions(adopted) -> None:
    adopted.rows("CREATE ROLE dashboards")
    adopted.rows("GRANT SELECT ON ALL TABLES IN SCHEMA public TO dashboards")
    adopted.rows("SET LOCAL ROLE dashboards")
    for function in ("sec", "peak_demand", "load_factor", "energy_cost", "carbon_intensity", "all_kpis"):
        assert one(adopted, f"calculate_{function}", *DAY)["machine_id"] == UUID(COMPRESSOR)
