"""Intervals of a machine, against what plain Python makes of the raw rows."""

import random
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from uuid import uuid4
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from integration.baselines.works import MACHINE

from enms.database.drivers import machine_context, newest_energy_at, read_intervals
from enms.errors import NotFoundError

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
START = datetime(2026, 5, 4, 6, tzinfo=UTC)
NAN = float("nan")


def read(database, start, end, interval="hour", zone="Europe/Berlin", wanted=None, **options):
    energy_type = options.pop("energy_type", "electrical")
    with database.connection() as connection:
        return read_intervals(connection, MACHINE, energy_type, start, end, interval, zone, wanted, **options)


def assert_same(given, expected):
    np.testing.assert_allclose(given, expected, rtol=1e-12, equal_nan=True)


def local_days(zone, start, end):
    """Local days wholly inside, found by asking each quarter for its date."""
    first = {}
    at = start
    while at <= end:
        first.setdefault(at.astimezone(ZoneInfo(zone)).date(), at)
        at += 15 * MINUTE
    # Whether the first began before `start` shows a quarter earlier.
    if (start - 15 * MINUTE).astimezone(ZoneInfo(zone)).date() == start.astimezone(ZoneInfo(zone)).date():
        del first[min(first)]
    starts = sorted(first.values())
    return list(pairwise(starts))


def fill(works, start, hours, seed):
    """Five-minute rows of all three facts, with holes."""
    rng = random.Random(seed)
    times = [start + n * 5 * MINUTE for n in range(hours * 12) if n % 97 > 5 and rng.random() < 0.95]
    works.add(
        "energy",
        [{"time": t, "power_kw": kw, "energy_kwh": kw / 12} for t in times for kw in [rng.randrange(12, 60)]],
    )
    works.add(
        "production",
        [
            {
                "time": t,
                "production_count": rng.choice([None, 0, 3, 8]),
                "downtime_seconds": rng.randrange(60),
                "speed_percent": rng.choice([None, 40.25, 80]),
                "operating_mode": rng.choice(["running", "idle", "maintenance", "fault", None]),
                "metadata": {"material_moisture_percent": rng.randrange(9) / 4, "weight": rng.randrange(5)},
            }
            for t in times[::2]
        ],
    )
    works.add(
        "environment",
        [
            {
                "time": t,
                "outdoor_temp_c": rng.randrange(-9, 30),
                "cop": rng.choice([None, 3.5, 4]),
                "metadata": {"wind": 2.5},
            }
            for t in times[::3]
        ],
    )


def mean(values):
    values = [float(value) for value in values if value is not None]
    return sum(values) / len(values) if values else NAN


def total(values):
    values = list(values)
    return sum(value or 0 for value in values) if values else NAN


def expected_figures(works, start, end):
    """Figures of one interval."""
    period = "WHERE time >= %s AND time < %s"
    energy = works.rows(f"SELECT energy_kwh, power_kw FROM energy_readings {period}", (start, end))
    production = works.rows(
        "SELECT production_count, downtime_seconds, speed_percent, operating_mode, metadata"
        f" FROM production_data {period}",
        (start, end),
    )
    environment = works.rows(
        f"SELECT outdoor_temp_c, cop, metadata FROM environmental_data {period}", (start, end)
    )
    modes = Counter(row[3] for row in production if row[3])
    return {
        "energy_kwh": total(float(row[0]) for row in energy),
        "running_share": modes["running"] / modes.total() if modes else NAN,
        "maintenance_share": modes["maintenance"] / modes.total() if modes else NAN,
        "production_count": total(row[0] for row in production),
        "downtime_seconds": total(row[1] for row in production),
        "speed_percent": mean(row[2] for row in production),
        "material_moisture_percent": mean(row[4]["material_moisture_percent"] for row in production),
        "production.weight": mean(row[4]["weight"] for row in production),
        "outdoor_temp_c": mean(row[0] for row in environment),
        "cop": mean(row[1] for row in environment),
        "environment.wind": mean(row[2]["wind"] for row in environment),
    }


def assert_as_the_raw_rows_say(works, intervals, edges):
    assert intervals.starts_at.tolist() == [int(start.timestamp()) for start, _ in edges]
    assert intervals.seconds.tolist() == [(end - start).total_seconds() for start, end in edges]
    expected = defaultdict(list)
    for start, end in edges:
        for name, value in expected_figures(works, start, end).items():
            expected[name].append(value)
    for name in ("energy_kwh", "running_share", "maintenance_share"):
        assert_same(getattr(intervals, name), expected.pop(name))
    for name, values in expected.items():
        assert_same(intervals.drivers[name], values)
    assert intervals.drivers.keys() - expected.keys() == {"production_count_good", "production_count_bad"}


def test_hours(works, database):
    fill(works, START, 60, 1)
    intervals = read(database, START - 3 * HOUR, START + 57 * HOUR + MINUTE)
    edges = [(START + n * HOUR, START + (n + 1) * HOUR) for n in range(-3, 57)]
    assert_as_the_raw_rows_say(works, intervals, edges)
    assert intervals.interval == "hour"
    assert set(intervals.shift) == {""}
    assert intervals.quarter_power_kw is None


@pytest.mark.parametrize(
    ("zone", "start", "hours_of_days"),
    [
        ("Europe/Berlin", datetime(2026, 3, 27, 23, tzinfo=UTC), [24, 23, 24]),
        ("Europe/Berlin", datetime(2026, 10, 23, 22, tzinfo=UTC), [24, 25, 24]),
        ("Asia/Kolkata", datetime(2026, 3, 27, 11, tzinfo=UTC), [24, 24]),
        ("Asia/Kathmandu", datetime(2026, 3, 27, 18, 15, tzinfo=UTC), [24, 24, 24]),
        ("Australia/Lord_Howe", datetime(2026, 4, 3, 10, tzinfo=UTC), [24, 24.5]),
        ("America/Havana", datetime(2026, 10, 31, 4, tzinfo=UTC), [24, 25]),
        ("America/Asuncion", datetime(2023, 9, 30, 4, tzinfo=UTC), [24, 23, 24]),
    ],
)
def test_days_are_the_factorys(works, database, zone, start, hours_of_days):
    """Of 23 to 25 hours, also where midnight itself is skipped or comes twice."""
    fill(works, start - HOUR, 74, 2)
    end = start + 73 * HOUR
    intervals = read(database, start, end, "day", zone)
    assert_as_the_raw_rows_say(works, intervals, local_days(zone, start, end))
    assert (intervals.seconds / 3600).tolist()[: len(hours_of_days)] == hours_of_days


def test_a_day_that_a_zone_skipped_is_none(works, database):
    """Samoa went from 29 to 31 December 2011."""
    start, end = datetime(2011, 12, 29, 10, tzinfo=UTC), datetime(2012, 1, 1, 10, tzinfo=UTC)
    intervals = read(database, start, end, "day", "Pacific/Apia")
    assert (intervals.seconds / 3600).tolist() == [24, 24, 24]
    assert intervals.starts_at[0] == start.timestamp()


def test_an_interval_that_is_not_whole_inside_is_left_out(works, database):
    assert len(read(database, START + MINUTE, START + 2 * HOUR).starts_at) == 1
    assert len(read(database, START, START + 2 * HOUR - MINUTE).starts_at) == 1
    for interval in ("hour", "day"):
        empty = read(database, START + MINUTE, START + 59 * MINUTE, interval, with_power_quarters=True)
        assert empty.starts_at.size == empty.energy_kwh.size == empty.shift.size == 0
        assert empty.quarter_power_kw.size == 0
        assert empty.drivers == {}


@pytest.mark.parametrize("interval", ["hour", "day"])
def test_without_any_row_nothing_is_known(works, database, interval):
    intervals = read(
        database, START, START + 72 * HOUR, interval, wanted=["production_count", "production.x"]
    )
    assert np.isnan(intervals.energy_kwh).all()
    assert np.isnan(intervals.running_share).all()
    assert not intervals.covered_share.any()
    assert not intervals.spread_kwh.any()
    assert not intervals.flat_share.any()
    assert list(intervals.drivers) == ["production_count"]
    assert np.isnan(intervals.drivers["production_count"]).all()
    assert read(database, START, START + 72 * HOUR, interval).drivers == {}


def test_how_energy_was_measured(works, database):
    works.draw(START, [30 + n % 3 for n in range(45)])
    works.draw(START + HOUR, [30.0] * 60)
    works.draw(START + 3 * HOUR, [30.0] * 60)
    works.rows(
        "UPDATE energy_readings SET energy_kwh = -1 WHERE time >= %s AND time < %s",
        (START + 3 * HOUR, START + 4 * HOUR),
    )
    intervals = read(database, START, START + 5 * HOUR)
    assert_same(intervals.covered_share[:3], [47 / 60, 1, 0])
    assert intervals.flat_share.tolist() == [0, 1, 0, 0, 0]
    assert np.isnan(intervals.energy_kwh).tolist() == [False, False, True, True, True]
    day = read(database, START - 8 * HOUR, START + 16 * HOUR, "day")
    assert_same(day.flat_share, [1 / 24])
    assert_same(day.energy_kwh, intervals.energy_kwh[:2].sum())


def test_energy_of_an_outage_is_spread(works, database):
    works.draw(START, [60.0 + n % 2 for n in range(60)])
    works.add("energy", [{"time": START + 4 * HOUR, "power_kw": 60, "energy_kwh": 180}])
    works.draw(START + 4 * HOUR + MINUTE, [60.0 + n % 2 for n in range(59)])
    intervals = read(database, START, START + 5 * HOUR)
    assert intervals.spread_kwh[1:4] == pytest.approx(60, abs=1.5)
    assert intervals.spread_kwh[0] == 0
    assert intervals.energy_kwh[2] == pytest.approx(60, abs=1.5)
    assert intervals.covered_share[2] == 0


def test_carriers_are_apart(works, database):
    works.draw(START, [30.0] * 60)
    works.draw(START, [8.0] * 4, step=15 * MINUTE, energy_type="natural_gas")
    assert read(database, START, START + HOUR, energy_type="natural_gas").energy_kwh.tolist() == [8]
    assert read(database, START, START + HOUR, energy_type="steam", wanted=[]).energy_kwh.size == 1


def test_only_what_is_asked_for_is_read_and_unknown_names_are_left_out(works, database):
    fill(works, START, 3, 3)
    names = {
        "speed_percent", "cop", "material_moisture_percent", "production.weight", "environment.wind",
    }  # fmt: skip
    unknown = {
        "production.material_moisture_percent", "environment.weight", "weight", "production.outdoor_temp_c",
        "production.", "production.\0", "%s", "', 1) --", "energy_kwh", "running",
    }  # fmt: skip
    assert read(database, START, START + 3 * HOUR, wanted=names | unknown).drivers.keys() == names
    everything = read(database, START, START + 3 * HOUR).drivers
    for name, values in read(database, START, START + 3 * HOUR, wanted=names).drivers.items():
        assert_same(values, everything[name])


def test_any_text_can_be_a_key(works, database):
    keys = ["größe [m²]", "a.b", "x'; --", "production.x", ""]
    works.add("production", [{"time": START, "metadata": dict.fromkeys(keys, 4)}])
    names = [f"production.{key}" for key in keys]
    assert set(read(database, START, START + HOUR).drivers) >= set(names)
    assert set(read(database, START, START + HOUR, wanted=names).drivers) == set(names)


@pytest.mark.parametrize("interval", ["hour", "day"])
def test_what_is_not_a_number_is_no_value(works, database, interval):
    rows = [
        {"time": START + n * MINUTE, "outdoor_temp_c": value}
        for n, value in enumerate(["NaN", 10, 20, "NaN"])
    ]
    works.add("environment", rows)
    works.add("environment", [{"time": START + HOUR, "outdoor_temp_c": "NaN"}])
    start = START - 8 * HOUR if interval == "day" else START
    values = read(database, start, start + 24 * HOUR, interval, wanted=["outdoor_temp_c"]).drivers[
        "outdoor_temp_c"
    ]
    assert values[0] == 15
    assert np.isnan(values[1:]).all()


def test_the_prevailing_shift(works, database):
    names = ["early"] * 30 + ["late"] * 90 + [None] * 60 + ["night", "early", "late"] * 20
    works.add("production", [{"time": START + n * MINUTE, "shift": name} for n, name in enumerate(names)])
    assert read(database, START, START + 5 * HOUR).shift.tolist() == ["early", "late", "", "early", ""]
    assert read(database, START - 8 * HOUR, START + 16 * HOUR, "day").shift.tolist() == ["early"]
    works.rows("DELETE FROM production_data WHERE shift = 'early' AND time > %s", (START + HOUR,))
    assert read(database, START - 8 * HOUR, START + 16 * HOUR, "day").shift.tolist() == ["late"]


def test_power_of_quarters(works, database):
    works.draw(START, [10.0] * 15 + [20.0] * 20)
    # The energy of an outage is no measured power.
    works.add("energy", [{"time": START + 2 * HOUR, "power_kw": 15, "energy_kwh": 21}])
    hours = read(database, START, START + 3 * HOUR, with_power_quarters=True, wanted=[])
    assert_same(hours.quarter_power_kw, [[10, 20, 20, NAN], [NAN] * 4, [NAN] * 4])
    short = datetime(2026, 3, 28, 23, tzinfo=UTC)
    works.draw(short, [7.0] * 24 * 4 * 2, step=15 * MINUTE)
    days = read(database, short, short + 47 * HOUR, "day", with_power_quarters=True, wanted=[])
    assert days.quarter_power_kw.shape == (2, 96)
    assert np.isfinite(days.quarter_power_kw).sum(axis=1).tolist() == [92, 96]


def test_readings_of_a_slower_rhythm_stand_for_all_quarters(works, database):
    works.draw(START, [5.0, 8.0, 8.0, 8.0], step=HOUR)
    quarters = read(database, START, START + 3 * HOUR, with_power_quarters=True, wanted=[]).quarter_power_kw
    assert_same(quarters, [[5] * 4, [8] * 4, [8] * 4])


def test_first_and_newest_reading(works, database):
    works.draw(START, [30.0] * 50)
    works.draw(START - 9 * HOUR, [3.0], energy_type="natural_gas")
    with database.connection() as connection:
        assert newest_energy_at(connection, MACHINE, "electrical") == START + 49 * MINUTE
        assert newest_energy_at(connection, MACHINE, "natural_gas") == START - 9 * HOUR
        assert newest_energy_at(connection, MACHINE, "steam") is None


def test_the_machine_with_its_factory_and_days_of_its_calendar(works, database):
    machine = machine_context(database, MACHINE, date(2026, 3, 29), date(2026, 3, 29))
    assert (machine.name, machine.type, machine.rated_power_kw) == ("Press", "injection_molding", 60)
    assert (machine.timezone, machine.country, machine.data_interval_seconds) == ("Europe/Berlin", "DE", 60)
    assert machine.start == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert machine.end == datetime(2026, 3, 29, 22, tzinfo=UTC)
    instants = machine_context(database, MACHINE, START, START + HOUR)
    assert (instants.start, instants.end) == (START, START + HOUR)

    works.rows("UPDATE factories SET timezone = NULL, metadata = NULL")
    works.rows("UPDATE machines SET data_interval_seconds = NULL, metadata = NULL")
    bare = machine_context(database, MACHINE, START, START)
    assert (bare.timezone, bare.country, bare.data_interval_seconds, bare.metadata) == ("UTC", None, 10, {})
    with pytest.raises(NotFoundError, match="no machine"):
        machine_context(database, uuid4(), START, START)
