"""The load that forecasts are made of: closed steps of a machine, and of a factory as one."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from integration.baselines.works import FACTORY, MACHINE, Works
from integration.forecasts.loads import DAY, HOUR, QUARTER, SECOND, THIRD, add_machine, draw, utc, weekly

from enms.database.connection import Database
from enms.science.forecasting.horizons import NEXT_DAY, NEXT_HOUR, NEXT_WEEK, Horizon
from enms.science.forecasting.series import LoadSeries
from enms.services.forecast_regressors import NewRegressor, receive
from enms.services.forecast_series import read_series
from enms.services.forecast_subjects import find_subject
from enms.services.regressor_checks import NewValue

START, END = utc(2026, 3, 2), utc(2026, 3, 16)


def read(
    database: Database,
    horizon: Horizon,
    end: datetime,
    *,
    is_factory: bool = False,
    days: int | None = None,
) -> LoadSeries:
    subject = find_subject(database, None if is_factory else MACHINE, FACTORY if is_factory else None)
    with database.connection() as connection:
        return read_series(connection, subject, "electrical", horizon, end, days=days)


def instants(series: LoadSeries) -> list[datetime]:
    return [utc(1970, 1, 1) + timedelta(seconds=int(at)) for at in series.starts_at]


@pytest.fixture
def machine(works: Works) -> Works:
    add_machine(works, MACHINE, "Press")
    return works


def test_quarter_hours_up_to_the_last_that_is_over(machine: Works, database: Database) -> None:
    draw(machine, START, END, weekly)

    series = read(database, NEXT_HOUR, END - timedelta(minutes=40))

    assert instants(series)[0] == START
    assert instants(series)[-1] == END - timedelta(minutes=60)
    assert series.power_kw.tolist() == [weekly(at) for at in instants(series)]
    assert series.future_starts_at.tolist() == [
        (END - timedelta(minutes=45) + n * QUARTER).timestamp() for n in range(4)
    ]
    assert series.quarter_peak_kw is None
    assert (series.zone, series.country, series.rated_power_kw) == ("Europe/Berlin", "DE", 100)


def test_hours_with_their_highest_quarter(machine: Works, database: Database) -> None:
    draw(machine, START, END, lambda at: 40.0 if at.minute == 30 else 20.0)

    series = read(database, NEXT_DAY, END)

    assert len(series.starts_at) == 14 * 24
    assert series.power_kw == pytest.approx(25.0)
    assert series.quarter_peak_kw == pytest.approx(40.0)
    assert len(series.future_starts_at) == 24


@pytest.mark.parametrize("step", [QUARTER, timedelta(minutes=1)], ids=["15 min", "1 min"])
def test_a_gap_is_unknown_and_its_edges_are_what_was_measured(
    works: Works, database: Database, step: timedelta
) -> None:
    add_machine(works, MACHINE, "Press", interval_seconds=int(step.total_seconds()))
    begins, ends = START + DAY - timedelta(minutes=15), START + DAY + timedelta(hours=3, minutes=15)
    draw(works, START, begins, lambda at: 30.0, step=step)
    draw(works, ends, START + 2 * DAY, lambda at: 30.0, step=step)

    series = read(database, NEXT_DAY, START + 2 * DAY)

    assert np.flatnonzero(np.isnan(series.power_kw)).tolist() == [24, 25, 26]
    assert np.nanmin(series.power_kw) == pytest.approx(30.0, rel=0.05)
    assert np.nanmax(series.power_kw) == pytest.approx(30.0)


def test_a_quarter_hour_half_of_which_was_read_is_known(works: Works, database: Database) -> None:
    add_machine(works, MACHINE, "Press", interval_seconds=60)
    draw(works, START, START + timedelta(minutes=54), lambda at: 30.0, step=timedelta(minutes=1))

    series = read(database, NEXT_HOUR, START + HOUR)

    assert series.power_kw == pytest.approx(30.0, rel=0.1)
    assert len(series.power_kw) == 4


def test_energy_that_is_spread_over_an_outage_is_no_measurement(machine: Works, database: Database) -> None:
    draw(machine, START, START + DAY, lambda at: 30.0)
    # What an outage of ten hours used comes in one row.
    caught_up = START + DAY + 10 * HOUR
    machine.add("energy", [{"time": caught_up, "power_kw": 30, "energy_kwh": 300}])
    draw(machine, caught_up + QUARTER, START + 2 * DAY, lambda at: 30.0)

    series = read(database, NEXT_DAY, START + 2 * DAY)

    assert np.flatnonzero(np.isnan(series.power_kw)).tolist() == list(range(24, 34))
    assert series.power_kw[34:] == pytest.approx(30.0)


@pytest.mark.parametrize(
    ("night", "hours"), [(utc(2026, 3, 29), 23), (utc(2026, 10, 25), 25)], ids=["spring", "autumn"]
)
def test_days_are_the_factorys_where_clocks_change(
    machine: Works, database: Database, night: datetime, hours: int
) -> None:
    begins = night.replace(hour=0) - (timedelta(hours=1) if hours == 23 else timedelta(hours=2))
    draw(machine, begins - 3 * DAY, begins + timedelta(hours=hours) + 2 * DAY, lambda at: 24.0)

    series = read(database, NEXT_WEEK, begins + timedelta(hours=hours) + DAY, days=10)

    lengths = np.diff(np.append(series.starts_at, series.future_starts_at)) / 3_600
    assert sorted(set(lengths.tolist())) == sorted({24.0, float(hours)})
    assert lengths[instants(series).index(begins)] == hours
    # Energy by power times the real length of the day.
    assert series.power_kw == pytest.approx(24.0)


def test_hours_of_a_zone_of_half_hours_are_those_of_its_clock(works: Works, database: Database) -> None:
    add_machine(works, MACHINE, "Press")
    works.rows("UPDATE factories SET timezone = 'Asia/Kolkata'")
    draw(works, START, START + 2 * DAY, lambda at: 10.0 if at.minute < 30 else 20.0)

    series = read(database, NEXT_DAY, START + 2 * DAY)

    assert instants(series)[-1] == START + 2 * DAY - timedelta(minutes=90)
    assert series.power_kw[1:] == pytest.approx(15.0)


def test_a_machine_that_reports_each_two_hours(works: Works, database: Database) -> None:
    add_machine(works, MACHINE, "Press", interval_seconds=7_200)
    draw(works, START, END, weekly, step=2 * HOUR)

    series = read(database, NEXT_DAY, END - DAY)

    assert series.power_kw.tolist() == pytest.approx([weekly(at) for at in instants(series)])


@pytest.mark.parametrize("horizon", [NEXT_HOUR, NEXT_DAY], ids=["quarters", "hours"])
@pytest.mark.parametrize("seconds", [420, 600, 1_500])
def test_a_rhythm_that_steps_are_not_made_of(
    works: Works, database: Database, horizon: Horizon, seconds: int
) -> None:
    add_machine(works, MACHINE, "Press", interval_seconds=seconds)
    draw(works, START, END, lambda at: 24.0, step=timedelta(seconds=seconds))

    assert read(database, horizon, END - DAY).power_kw == pytest.approx(24.0, rel=0.01)


def test_readings_that_come_more_slowly_than_was_said(works: Works, database: Database) -> None:
    add_machine(works, MACHINE, "Press", interval_seconds=10)
    draw(works, START, START + DAY, weekly, step=timedelta(seconds=30))

    series = read(database, NEXT_DAY, START + DAY)

    assert series.power_kw.tolist() == pytest.approx([weekly(at) for at in instants(series)])


def test_a_factory_is_the_sum_of_its_active_machines(machine: Works, database: Database) -> None:
    add_machine(machine, SECOND, "Saw")
    add_machine(machine, THIRD, "Scrapped")
    machine.rows("UPDATE machines SET is_active = false WHERE id = %s", (THIRD,))
    draw(machine, START, END, lambda at: 40.0 if at.minute == 0 else 10.0)
    draw(machine, START, END, lambda at: 25.0 if at.minute == 15 else 5.0, machine_id=SECOND)
    draw(machine, START, END, lambda at: 1_000.0, machine_id=THIRD)

    series = read(database, NEXT_DAY, END, is_factory=True)

    assert series.power_kw == pytest.approx(17.5 + 10.0)
    # The two highest quarters don't coincide.
    assert series.quarter_peak_kw == pytest.approx(45.0)
    assert series.rated_power_kw == 200


def test_a_factory_is_unknown_while_a_machine_that_counts_is_silent(
    machine: Works, database: Database
) -> None:
    add_machine(machine, SECOND, "Saw")
    draw(machine, START, END, lambda at: 50.0)
    draw(machine, START, START + 5 * DAY, lambda at: 50.0, machine_id=SECOND)
    draw(machine, START + 6 * DAY, END, lambda at: 50.0, machine_id=SECOND)

    power_kw = read(database, NEXT_DAY, END, is_factory=True).power_kw

    assert np.flatnonzero(np.isnan(power_kw)).tolist() == list(range(5 * 24, 6 * 24))
    assert np.nanmax(power_kw) == pytest.approx(100.0)


def test_a_small_machines_silence_is_made_up_for(machine: Works, database: Database) -> None:
    add_machine(machine, SECOND, "Fan")
    draw(machine, START, END, lambda at: 97.0)
    draw(machine, START, END - DAY, lambda at: 3.0, machine_id=SECOND)

    power_kw = read(database, NEXT_DAY, END, is_factory=True).power_kw

    assert power_kw == pytest.approx(100.0)


def test_a_machine_that_came_or_went_was_no_part_before_and_after(machine: Works, database: Database) -> None:
    add_machine(machine, SECOND, "New")
    add_machine(machine, THIRD, "Gone")
    draw(machine, START, END, lambda at: 50.0)
    draw(machine, START + 7 * DAY, END, lambda at: 50.0, machine_id=SECOND)
    draw(machine, START, START + 5 * DAY, lambda at: 50.0, machine_id=THIRD)

    power_kw = read(database, NEXT_DAY, END, is_factory=True).power_kw

    assert not np.isnan(power_kw).any()
    assert power_kw[[0, 6 * 24, 10 * 24]] == pytest.approx([100.0, 50.0, 100.0])


def test_other_carriers_are_never_added(machine: Works, database: Database) -> None:
    draw(machine, START, END, lambda at: 20.0)
    machine.draw(START, [500.0] * 96, step=QUARTER, energy_type="natural_gas")

    assert read(database, NEXT_DAY, END).power_kw == pytest.approx(20.0)


def test_anomalies_and_planned_stops_are_flagged(machine: Works, database: Database) -> None:
    draw(machine, START, END, weekly)
    add_anomaly(machine, START + 2 * DAY, 3, "power_spike", "open")
    add_anomaly(machine, START + 3 * DAY, 3, "power_spike", "false_alarm")
    add_anomaly(machine, START + 4 * DAY, 3, "sensor_fault", "open")
    add_anomaly(machine, START + 5 * DAY, 24, "baseload_increase", "open", is_lasting=True)
    machine.rows(
        "INSERT INTO analytics.anomaly_suppressions (machine_id, start_at, end_at, reason, actor)"
        " VALUES (%s, %s, %s, 'overhaul', 'anna')",
        (MACHINE, START + 8 * DAY, START + 8 * DAY + 2 * HOUR),
    )

    flagged = np.flatnonzero(read(database, NEXT_DAY, END).is_flagged).tolist()

    assert flagged == [48, 49, 50, 8 * 24, 8 * 24 + 1]


def test_what_is_odd_in_a_small_machine_leaves_the_factory_as_it_is(
    machine: Works, database: Database
) -> None:
    add_machine(machine, SECOND, "Fan")
    draw(machine, START, END, lambda at: 90.0)
    draw(machine, START, END, lambda at: 5.0, machine_id=SECOND)
    add_anomaly(machine, START + DAY, 2, "power_spike", "open", machine_id=SECOND)
    add_anomaly(machine, START + 2 * DAY, 2, "power_spike", "open")

    flagged = np.flatnonzero(read(database, NEXT_DAY, END, is_factory=True).is_flagged).tolist()

    assert flagged == [48, 49]


def test_what_is_known_of_the_past_and_of_times_to_come_is_beside_it(
    machine: Works, database: Database
) -> None:
    draw(machine, START, END, weekly)
    values = [NewValue(START + n * HOUR, START + (n + 1) * HOUR, float(n)) for n in range(15 * 24)]
    given = NewRegressor(machine_id=MACHINE, name="orders", kind="schedule", values=values, is_history=True)
    receive(database, given)

    series = read(database, NEXT_DAY, END, days=7)

    orders = series.regressors["orders"]
    assert len(orders) == len(series.starts_at) + 24
    assert orders.tolist() == [float(n) for n in range(7 * 24, 15 * 24)]


def test_who_is_long_silent_ends_where_the_readings_end(machine: Works, database: Database) -> None:
    draw(machine, START, END, weekly)

    near = read(database, NEXT_DAY, END + 3 * DAY)
    far = read(database, NEXT_DAY, END + 60 * DAY)

    assert near.future_starts_at[0] == (END + 3 * DAY).timestamp()
    assert np.isnan(near.power_kw[-3 * 24 :]).all()
    assert far.future_starts_at[0] == END.timestamp()


def test_without_any_reading_there_is_no_step(machine: Works, database: Database) -> None:
    for is_factory in (False, True):
        series = read(database, NEXT_DAY, END, is_factory=is_factory)
        assert len(series.starts_at) == len(series.power_kw) == len(series.is_flagged) == 0
        assert len(series.future_starts_at) == 24


def add_anomaly(
    works: Works,
    at: datetime,
    hours: int,
    kind: str,
    state: str,
    *,
    is_lasting: bool = False,
    machine_id: object = MACHINE,
) -> None:
    works.rows(
        """
        INSERT INTO anomalies (machine_id, detected_at, ended_at, last_seen_at, anomaly_type, severity,
                               origin, energy_type, state, is_lasting, updated_at)
        VALUES (%s, %s, %s, %s, %s, 'warning', 'enms', 'electrical', %s, %s, now())
        """,
        (machine_id, at, at + hours * HOUR, at + hours * HOUR, kind, state, is_lasting),
    )
