"""A schedule that is followed costs what it said: the KPIs of its readings tell the same, to a cent."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from enms.database import kpis
from enms.database.connection import Database
from enms.errors import InvalidInputError, NotFoundError
from enms.services.forecast_current import ForecastQuestion
from enms.services.load_schedules import optimal_schedule, proposed_schedule

BERLIN = ZoneInfo("Europe/Berlin")
QUARTER = timedelta(minutes=15)
NOBODY = UUID("00000000-0000-0000-0000-0000000000ff")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    # One connection, as a function has it.
    database = Database(lambda: database_url, pool_size=1)
    yield database
    database.close()


def scratch(plant) -> tuple[UUID, list[UUID]]:
    factory = plant.factory("Europe/Berlin")
    plant.tariff(factory, "day", 0.2874, (6, 22), per_kw=11.35)
    plant.tariff(factory, "night", 0.1391, (22, 6), per_kw=11.35)
    return factory, [plant.machine(factory, f"M{k}", seconds=900, rated_kw=200) for k in range(3)]


def jobs(machines: list[UUID]) -> list[dict[str, Any]]:
    return [
        {"id": "melt", "machine_id": machines[0], "power_kw": 83.3, "duration_minutes": 150},
        {"id": "cool", "machine_id": machines[0], "power_kw": 21.7, "duration_minutes": 65,
         "after": ["melt"]},
        {"id": "press", "machine_id": machines[1], "profile_kw": [10.0, 42.5, 42.5, 12.25, 42.5]},
        {"id": "pump", "machine_id": machines[2], "power_kw": 33.1, "duration_minutes": 240,
         "interruptible": True, "min_run_minutes": 30, "allowed_hours": [[20, 8], [12, 14]]},
        {"id": "charge", "machine_id": machines[2], "power_kw": 50.0, "duration_minutes": 90},
    ]  # fmt: skip


def body(factory: UUID, machines: list[UUID], start: datetime, end: datetime, **more: Any) -> dict[str, Any]:
    return {
        "factory_id": factory, "start": start, "end": end, "jobs": jobs(machines), "time_limit_seconds": 5.0,
        "max_parallel": 3, "carbon_price_per_kg": 0.08,
    } | more  # fmt: skip


def follow(plant, machines: list[UUID], answer: dict[str, Any], start: datetime, end: datetime) -> None:
    """Writes the schedule as readings: each job's powers where it runs, zero elsewhere."""
    powers = {machine: dict.fromkeys(_quarters(start, end), 0.0) for machine in machines}
    for job in answer["jobs"]:
        profile = job["profile_kw"] or _profile(job["power_kw"], job["duration_minutes"])
        runs = sorted(run["start"] for run in answer["schedule"] if run["job_id"] == job["id"])
        ends = {run["start"]: run["end"] for run in answer["schedule"] if run["job_id"] == job["id"]}
        places = [at for begin in runs for at in _quarters(begin, ends[begin])]
        assert len(places) == len(profile)
        for at, power_kw in zip(places, profile, strict=True):
            # Of a machine, one job at a time.
            assert powers[job["machine_id"]][at] == 0
            powers[job["machine_id"]][at] = power_kw
    for machine, at_times in powers.items():
        plant.readings(machine, [(at, kw, kw / 4) for at, kw in at_times.items()])


def _quarters(start: datetime, end: datetime) -> list[datetime]:
    # Differences of times of one zone are those of its clock, which may be set in between.
    first = start.astimezone(UTC)
    return [first + k * QUARTER for k in range(round((end.astimezone(UTC) - first) / QUARTER))]


def _profile(power_kw: float, minutes: float) -> list[float]:
    whole, rest = divmod(minutes, 15)
    return [power_kw] * int(whole) + ([power_kw * rest / 15] if rest else [])


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (datetime(2026, 2, 17, tzinfo=BERLIN), 24),
        (datetime(2026, 3, 29, tzinfo=BERLIN), 23),  # an hour is missing
        (datetime(2025, 10, 26, tzinfo=BERLIN), 25),  # an hour comes twice
        (datetime(2026, 1, 31, tzinfo=BERLIN), 48),  # over the end of a month
    ],
)
def test_what_is_followed_costs_what_was_said(plant, database: Database, day: datetime, hours: int) -> None:
    factory, machines = scratch(plant)
    plant.carbon_factor("default", 0.3805)
    start = day.astimezone(UTC)
    end = start + timedelta(hours=hours)
    answer = optimal_schedule(database, body(factory, machines, start, end))
    assert answer["status"] in ("optimal", "feasible")
    follow(plant, machines, answer, start, end)
    cost = kpis.energy_cost(plant.connection, factory, start, end)
    assert answer["cost_then"]["energy"] == pytest.approx(cost.total_cost, abs=0.005)
    assert answer["cost_then"]["demand"] == pytest.approx(cost.demand_charge, abs=0.005)
    carbon = kpis.carbon(plant.connection, factory, start, end)
    assert answer["cost_then"]["carbon"] == pytest.approx(0.08 * (carbon.total_co2_kg or 0), abs=0.005)
    peak = kpis.peak_demand(plant.connection, factory, start, end)
    assert answer["peak_then_kw"] == pytest.approx(peak.billing_peak_kw, abs=0.001)
    melt, cool = (
        next(run for run in answer["schedule"] if run["job_id"] == name) for name in ("melt", "cool")
    )
    assert cool["start"] >= melt["end"]
    for run in answer["schedule"]:
        if run["job_id"] == "pump":
            assert run["end"].astimezone(UTC) - run["start"].astimezone(UTC) >= timedelta(minutes=30)
            inside = [at.astimezone(BERLIN).hour for at in _quarters(run["start"], run["end"])]
            assert all(hour >= 20 or hour < 8 or 12 <= hour < 14 for hour in inside)


def test_demand_costs_more_only_above_the_months_peak_so_far(plant, database: Database) -> None:
    factory, machines = scratch(plant)
    start = datetime(2026, 2, 17, tzinfo=BERLIN).astimezone(UTC)
    plant.readings(machines[0], [(start - timedelta(days=3), 400.0, 100.0)])
    answer = optimal_schedule(
        database, body(factory, machines, start, start + timedelta(days=1), base_load="none")
    )
    assert answer["peak_so_far_this_month_kw"] == pytest.approx(400)
    # Then energy alone decides: all that may runs at night.
    assert answer["cost_then"]["demand"] == pytest.approx(400 * 11.35)
    assert answer["cost_now"]["demand"] == pytest.approx(400 * 11.35)
    month = kpis.energy_cost(plant.connection, factory, start - timedelta(days=16), start)
    assert answer["cost_then"]["demand"] == pytest.approx(month.demand_charge, abs=0.005)


def test_without_readings_the_jobs_are_the_only_load(plant, database: Database) -> None:
    factory, machines = scratch(plant)
    start = datetime(2026, 2, 17, tzinfo=BERLIN).astimezone(UTC)
    answer = optimal_schedule(database, body(factory, machines, start, start + timedelta(days=1)))
    assert any("no readings to forecast from" in note for note in answer["notes"])
    profiles = [
        job["profile_kw"] or _profile(job["power_kw"], job["duration_minutes"]) for job in answer["jobs"]
    ]
    assert sum(answer["load_kw"]["then"]) == pytest.approx(sum(map(sum, profiles)), abs=0.1)


def test_the_usual_week_stands_in_where_no_forecast_reaches(plant, database: Database) -> None:
    factory, machines = scratch(plant)
    start = datetime(2026, 2, 17, tzinfo=BERLIN).astimezone(UTC)
    plant.load(machines[1], start - timedelta(days=14), [60.0] * (14 * 96), step=QUARTER)
    answer = optimal_schedule(database, body(factory, machines, start, start + timedelta(days=1)))
    assert any("four weeks" in note for note in answer["notes"])
    assert min(answer["load_kw"]["then"]) == pytest.approx(60)


def test_a_limit_that_nothing_keeps_says_what_would_do(plant, database: Database) -> None:
    factory, machines = scratch(plant)
    start = datetime(2026, 2, 17, tzinfo=BERLIN).astimezone(UTC)
    answer = optimal_schedule(
        database, body(factory, machines, start, start + timedelta(days=1), site_limit_kw=70)
    )
    assert answer["status"] == "infeasible"
    assert answer["cost_then"] is None
    assert answer["schedule"] == []
    assert {clash["constraint"] for clash in answer["clashes"]} >= {"site_limit_kw"}
    # The largest job alone takes 83.3 kW.
    assert answer["relaxation"]["amount"] == pytest.approx(13.3, abs=0.02)


@pytest.mark.parametrize("hours", [(8, 12), (0, 24)])
def test_tariffs_of_several_currencies_are_refused(plant, database: Database, hours: tuple[int, int]) -> None:
    factory, machines = scratch(plant)
    # On Tuesdays: of some hours, or of all, and then of demand other money than of energy.
    plant.tariff(factory, "tuesday", 0.1, hours, days=[2], currency="CHF")
    start = datetime(2026, 2, 17, tzinfo=BERLIN).astimezone(UTC)
    with pytest.raises(InvalidInputError, match="several currencies"):
        optimal_schedule(database, body(factory, machines, start, start + timedelta(days=1)))


FIVE_KW = {"id": "x", "power_kw": 5.0, "duration_minutes": 30}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"duration_minutes": -30}, "'x' has duration_minutes -30"),
        ({"duration_minutes": 3000}, "at most the plan's 24 hours"),
        ({"power_kw": 0.0}, "power_kw 0.0"),
        ({"duration_minutes": None}, "how long power_kw lasts"),
        ({"power_kw": None}, "either power_kw or profile_kw"),
        ({"power_kw": None, "duration_minutes": None, "profile_kw": [1.0, -2.0]}, "profile_kw -2.0"),
        (
            {"duration_minutes": 300, "allowed_hours": [8, 12]},
            "takes 5 h, and its window and allowed hours leave 4 h",
        ),
        ({"allowed_hours": [25, 3]}, "allowed_hours"),
        ({"machine_id": NOBODY}, "machine_id"),
        ({"after": ["y"]}, "comes after 'y'"),
        ({"interruptible": True, "min_run_minutes": -1}, "min_run_minutes -1"),
        ({"deadline": datetime(2026, 2, 16, tzinfo=UTC)}, "has deadline"),
        ({"planned_start": datetime(2026, 2, 19, tzinfo=UTC)}, "has planned_start"),
    ],
)
def test_a_job_that_can_not_be_is_refused_by_name(
    plant, database: Database, changed: dict[str, Any], told: str
) -> None:
    factory, machines = scratch(plant)
    start = datetime(2026, 2, 17, tzinfo=UTC)
    asked = body(factory, machines, start, start + timedelta(days=1)) | {"jobs": [FIVE_KW | changed]}
    with pytest.raises(InvalidInputError, match=told):
        optimal_schedule(database, asked)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"jobs": [FIVE_KW | {"id": a, "after": [b]} for a, b in ("xy", "yx")]}, "'x' and 'y' wait for each"),
        ({"jobs": [FIVE_KW] * 2}, "'x' is given to 2 jobs"),
        ({"jobs": [FIVE_KW | {"id": str(k)} for k in range(201)]}, "201 given"),
        ({"jobs": []}, "0 given"),
        ({"end": datetime(2026, 2, 16, tzinfo=UTC)}, "does not lie after start"),
        ({"end": datetime(2026, 3, 16, tzinfo=UTC)}, "8 at most"),
        ({"start": datetime(2026, 2, 17, 0, 5, tzinfo=UTC)}, "isn't on a quarter hour"),
        ({"solar_kw": [1.0]}, "the plan has 96 quarter hours"),
        ({"site_limit_kw": -5.0}, "site_limit_kw: -5"),
        ({"max_parallel": 0}, "max_parallel: 0"),
        ({"export_price_per_kwh": 0.2}, "above 0.1391, the lowest price"),
        ({"time_limit_seconds": 300.0}, "time_limit_seconds"),
    ],
)
def test_a_plan_that_can_not_be_is_refused(
    plant, database: Database, changed: dict[str, Any], told: str
) -> None:
    factory, machines = scratch(plant)
    start = datetime(2026, 2, 17, tzinfo=UTC)
    with pytest.raises(InvalidInputError, match=told):
        optimal_schedule(database, body(factory, machines, start, start + timedelta(days=1)) | changed)


def test_an_unknown_factory(plant, database: Database) -> None:
    start = datetime(2026, 2, 17, tzinfo=UTC)
    with pytest.raises(NotFoundError):
        optimal_schedule(database, body(NOBODY, [NOBODY] * 3, start, start + timedelta(days=1)))


def test_batches_of_the_past_are_proposed_as_an_assumption(plant, database: Database) -> None:
    factory, machines = scratch(plant)
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    midnight = now.astimezone(BERLIN).replace(hour=0)
    first = midnight.astimezone(UTC) - timedelta(days=21)
    powers = []
    for at in _quarters(first, now):
        local = at.astimezone(BERLIN)
        begin = 8 + local.toordinal() % 5
        powers.append((at, 90.0 if begin <= local.hour < begin + 2 else 10.0))
    plant.readings(machines[0], [(at, kw, kw / 4) for at, kw in powers])
    answer = proposed_schedule(database, ForecastQuestion(None, factory, "electrical", "7d"))
    assert answer["is_assumption"]
    assert answer["notes"][0].startswith("An assumption")
    assert len(answer["jobs"]) >= 5
    for job in answer["jobs"]:
        assert job["machine_id"] == machines[0]
        assert job["power_kw"] == pytest.approx(80)
        assert job["duration_minutes"] == 120
        assert "started between" in job["why"]


def test_nothing_is_proposed_of_nothing(plant, database: Database) -> None:
    factory, _ = scratch(plant)
    answer = proposed_schedule(database, ForecastQuestion(None, factory, "electrical", "7d"))
    assert answer["jobs"] == []
    assert answer["saving"] == 0
    assert "looks movable" in answer["notes"][0]
