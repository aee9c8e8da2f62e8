"""Random plants against a second computation, which knows rows and intervals but no buckets."""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from enms.database import kpis

if TYPE_CHECKING:
    from uuid import UUID

WINDOW = 900.0
DAY = datetime(2026, 3, 28, tzinfo=UTC)  # clocks go forward in Europe in the night that follows


@dataclass(frozen=True)
class Row:
    time: datetime
    kw: float
    kwh: float


@dataclass(frozen=True)
class Tariff:
    name: str
    rate: float
    hours: tuple[int, int] | None
    days: list[int] | None
    valid: tuple[date, date | None]

    def holds(self, local: datetime) -> bool:
        first, last = self.valid
        if not first <= local.date() <= (last or date.max):
            return False
        if self.days is not None and local.isoweekday() % 7 not in self.days:
            return False
        if self.hours is None:
            return True
        start, end = self.hours
        return start <= local.hour < end if start < end else local.hour >= start or local.hour < end


def random_rows(dice: random.Random, seconds: int) -> list[Row]:
    """Two days of readings at about the given rhythm, with outages and negative increments among them."""
    rows, time = [], DAY - timedelta(hours=6)
    level = dice.uniform(5, 40)
    while time < DAY + timedelta(hours=42):
        level = min(max(level + dice.uniform(-3, 3), 1), 60)
        kw = round(level, 3)
        kwh = round(kw * seconds / 3600, 6)
        rows.append(Row(time, kw, -kwh if dice.random() < 0.01 else kwh))
        wobble = dice.choice([0, 0, 0, dice.randint(-seconds // 5, seconds // 5)])
        outage = dice.randint(5, 30) * seconds if dice.random() < 0.005 else 0
        time += timedelta(seconds=seconds + wobble + outage)
    return rows


def peak_by_brute_force(machines: list[list[Row]], start: datetime, end: datetime) -> tuple[float, float]:
    """The largest window (kW) and its start (seconds after `start`), every corner tried against every row."""
    since, until, kilowatts = [], [], []
    for rows in machines:
        times = np.array([(row.time - start).total_seconds() for row in rows if row.kwh >= 0])
        energy = np.array([row.kwh for row in rows if row.kwh >= 0])
        gaps = np.diff(times)
        lengths = np.append(np.append(gaps[0], np.minimum(gaps[1:], 2 * gaps[:-1])), gaps[-1])
        since.append(times)
        until.append(times + lengths)
        kilowatts.append(energy * 3600 / lengths)
    starts, ends, power = np.concatenate(since), np.concatenate(until), np.concatenate(kilowatts)
    last = (end - start).total_seconds() - WINDOW
    corners = np.unique(np.concatenate([starts, ends - WINDOW, [0.0, last]]))
    corners = corners[(corners >= 0) & (corners <= last)]
    best = [0.0, 0.0]
    for corner in corners:
        overlap = np.clip(np.minimum(ends, corner + WINDOW) - np.maximum(starts, corner), 0, None)
        average = float((overlap * power).sum() / WINDOW)
        if average > best[0] + 1e-6:
            best = [average, float(corner)]
    return best[0], best[1]


def covered_seconds(rows: list[Row], interval: int, start: datetime, end: datetime) -> float:
    times = [row.time for row in rows if row.kwh >= 0]
    total = 0.0
    for time, following in pairwise(times):
        until = min(following, time + timedelta(seconds=3 * interval), end)
        total += max((until - max(time, start)).total_seconds(), 0)
    return total


@pytest.mark.parametrize("seed", range(8))
def test_random_plants(plant, seed: int) -> None:
    dice = random.Random(seed)
    zone = dice.choice(["Europe/Berlin", "Asia/Kathmandu", "America/New_York"])
    factory = plant.factory(zone)
    tariffs = [
        Tariff(
            f"tariff {i}",
            dice.randint(5, 60) / 100,
            dice.choice([None, (dice.randint(0, 23), dice.randint(0, 23)), (20, 8)]),
            dice.choice([None, sorted(dice.sample(range(7), 4))]),
            (date(2026, 1, 1) + timedelta(days=i), dice.choice([None, date(2026, 3, 28), date(2026, 3, 29)])),
        )
        for i in range(5)
    ]
    for tariff in tariffs:
        if tariff.hours is None or tariff.hours[0] != tariff.hours[1]:
            plant.tariff(
                factory, tariff.name, tariff.rate, tariff.hours, days=tariff.days, valid=tariff.valid
            )
    tariffs = [t for t in tariffs if t.hours is None or t.hours[0] != t.hours[1]]
    tariffs.sort(key=lambda t: (t.hours is not None, t.valid[0]), reverse=True)

    members: dict[UUID, tuple[int, list[Row]]] = {}
    for number in range(3):
        seconds = dice.choice([60, 60, 300, 600, 900, 1800])
        machine = plant.machine(factory, f"M{number}", seconds=seconds)
        members[machine] = (seconds, random_rows(dice, seconds))
        plant.readings(machine, [(row.time, row.kw, row.kwh) for row in members[machine][1]])

    for _ in range(4):
        start = DAY + timedelta(seconds=dice.randint(0, 20 * 3600))
        end = start + timedelta(seconds=dice.randint(1800, 20 * 3600))
        for subject in [*members, factory]:
            chosen = [members[subject]] if subject in members else list(members.values())
            figures = kpis.all_kpis(plant.connection, subject, start, end)
            rows = [row for _, rows in chosen for row in rows if start <= row.time < end]
            accepted = [row for row in rows if row.kwh >= 0]
            assert figures.readings == len(rows)
            assert figures.refused_readings == len(rows) - len(accepted)
            assert figures.total_energy_kwh == pytest.approx(sum(row.kwh for row in accepted), rel=1e-9)
            seconds = sum(covered_seconds(rows, interval, start, end) for interval, rows in chosen)
            assert figures.coverage == pytest.approx(seconds / (end - start).total_seconds() / len(chosen))

            peak, after = peak_by_brute_force([rows for _, rows in chosen], start, end)
            assert figures.peak_demand_kw == pytest.approx(peak, abs=2e-6)
            assert figures.peak_time is not None
            assert (figures.peak_time - start).total_seconds() == pytest.approx(after, abs=1e-3)

            cost: dict[str, float] = {}
            for row in accepted:
                local = row.time.astimezone(ZoneInfo(zone))
                default = "default peak" if 8 <= local.hour < 20 else "default off-peak"
                name = next((t.name for t in tariffs if t.holds(local)), default)
                cost[name] = cost.get(name, 0) + row.kwh
            assert {band.tariff: band.energy_kwh for band in figures.bands} == pytest.approx(cost, rel=1e-9)


def test_coincident_peak_is_not_the_sum_of_peaks(plant) -> None:
    factory = plant.factory()
    early, late = plant.machine(factory, "early"), plant.machine(factory, "late")
    plant.load(early, DAY, [54.0] * 60 + [12.0] * 60)
    plant.load(late, DAY, [12.0] * 45 + [36.0] * 75)
    end = DAY + timedelta(hours=2)
    together = kpis.peak_demand(plant.connection, factory, DAY, end)
    assert (together.peak_demand_kw, together.peak_time) == (90, DAY + timedelta(minutes=45))
    assert (together.billing_peak_kw, together.billing_peak_time) == (90, DAY + timedelta(minutes=45))
    alone = [
        kpis.peak_demand(plant.connection, machine, DAY, end).peak_demand_kw for machine in (early, late)
    ]
    assert alone == [54, 36]
    assert together.avg_power_kw == pytest.approx((54 + 12 + 12 * 0.75 + 36 * 1.25) / 2)


def test_coincident_peak_of_a_long_period_against_brute_force(plant) -> None:
    dice = random.Random(42)
    factory = plant.factory()
    machines = []
    for number in range(4):
        machine = plant.machine(factory, f"M{number}")
        kilowatts = [20 + 10 * dice.random() + (25 if dice.random() < 0.3 else 0) for _ in range(5 * 1440)]
        plant.load(machine, DAY, kilowatts)
        machines.append(
            [Row(DAY + timedelta(minutes=i), kw, round(kw / 60, 6)) for i, kw in enumerate(kilowatts)]
        )
    end = DAY + timedelta(days=5)
    peak, after = peak_by_brute_force(machines, DAY, end)
    figures = kpis.peak_demand(plant.connection, factory, DAY, end)
    assert figures.peak_demand_kw == pytest.approx(peak, abs=2e-6)
    assert figures.peak_time == DAY + timedelta(seconds=after)
    total = np.array([[row.kwh for row in rows] for rows in machines]).sum(axis=0)
    assert figures.billing_peak_kw == pytest.approx(total.reshape(-1, 15).sum(axis=1).max() * 4, abs=1e-5)


def test_machines_that_do_not_meter_the_carrier_are_no_gap(plant) -> None:
    factory = plant.factory()
    metered, _bare = plant.machine(factory, "metered"), plant.machine(factory, "bare")
    plant.load(metered, DAY, [30.0] * 120)
    assert kpis.sec(plant.connection, factory, DAY, DAY + timedelta(hours=2)).coverage == 1
    # One that has readings at other times is missing here; once it is out of service it isn't.
    stopped = plant.machine(factory, "stopped")
    plant.load(stopped, DAY - timedelta(days=3), [30.0] * 60)
    period = (DAY, DAY + timedelta(hours=2))
    assert kpis.sec(plant.connection, factory, *period).coverage == 0.5
    plant.rows("UPDATE machines SET is_active = false WHERE id = %s", str(stopped))
    assert kpis.sec(plant.connection, factory, *period).coverage == 1
