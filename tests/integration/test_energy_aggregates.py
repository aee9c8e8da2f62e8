"""Energy aggregates equal what the raw rows say, computed here once more in exact arithmetic."""

import random
from bisect import bisect_left, bisect_right
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise

import psycopg2
import pytest

MACHINE = "c0000000-0000-4000-8000-000000000001"
OTHER_MACHINE = "c0000000-0000-4000-8000-000000000002"
ORIGIN = datetime(2026, 3, 28, tzinfo=UTC)
QUARTER = 900
COLUMNS = (
    "bucket, energy_kwh, spread_kwh, readings, refused, spread_readings, estimated, covered_seconds, "
    "min_power_kw, max_power_kw, billing_kw, best_window_kw, best_window_at, is_flat"
)


@pytest.fixture
def connection(database_url):
    connection = psycopg2.connect(database_url)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO factories (name) VALUES ('Plant') RETURNING id")
        factory = cursor.fetchone()[0]
        cursor.executemany(
            "INSERT INTO machines (id, factory_id, name, type, rated_power_kw, data_interval_seconds)"
            " VALUES (%s, %s, %s, 'motor', 60, 60)",
            [(MACHINE, factory, "one"), (OTHER_MACHINE, factory, "two")],
        )
    connection.commit()
    yield connection
    connection.close()


@dataclass(frozen=True)
class Row:
    """A raw reading; `at` in seconds from ORIGIN."""

    at: int
    power: Decimal
    energy: Decimal
    estimated: bool = False


@dataclass(frozen=True)
class Judged:
    """What became of an accepted reading."""

    row: Row
    is_spread: bool
    starts: Fraction
    ends: Fraction
    covered_until: int


def judge(rows, interval, rated, carrier):
    """The rules in their own words: (refused rows, judged rows)."""
    refused, accepted = [], []
    former = None
    for row in rows:
        again = (
            former is not None
            and not row.power.is_nan()
            and (row.power, row.energy) == (former.power, former.energy)
            and row.power > 0
            and 2 * (row.at - former.at) * row.power < 3600 * row.energy
        )
        bad = row.energy.is_nan() or row.power.is_nan() or row.energy < 0
        (refused if bad or again else accepted).append(row)
        former = row
    return refused, [_judge_accepted(accepted, i, interval, rated, carrier) for i in range(len(accepted))]


def _judge_accepted(rows, i, interval, rated, carrier):
    row = rows[i]
    gap = {
        k: rows[i + k + 1].at - rows[i + k].at if i + k >= 0 and i + k + 1 < len(rows) else None
        for k in (-2, -1, 0, 1)
    }
    before, after = gap[-1], gap[0]
    spacing = max(interval, least(gap[-2], after) or 0)
    is_spread = False
    if before is not None and before > 3 * spacing:
        hours = Fraction(spacing, 3600)
        much = Fraction(row.energy) > 3 * Fraction(row.power) * hours
        possible = True
        if carrier == "electrical":
            much = much or Fraction(row.energy) > Fraction(3, 2) * rated * hours
            possible = Fraction(row.energy) <= Fraction(3, 2) * rated * Fraction(before, 3600)
        is_spread = bool(much and possible)
    if before is None and after is None:
        stands_for, rhythm = interval, interval
    elif before is None:
        stands_for, rhythm = min(after, max(interval, gap[1] or 0)), least(after, gap[1])
    elif after is None:
        stands_for, rhythm = min(before, max(interval, gap[-2] or 0)), least(before, gap[-2])
    else:
        stands_for, rhythm = min(after, 2 * before), min(before, after)
    own = interval if carrier == "electrical" else max(interval, rhythm)
    covered = row.at + (own if after is None else min(after, 3 * own))
    if is_spread:
        return Judged(row, True, Fraction(row.at - before + spacing), Fraction(row.at + spacing), covered)
    return Judged(row, False, Fraction(row.at), Fraction(row.at + stands_for), covered)


def least(*values):
    return min((value for value in values if value is not None), default=None)


class Cumulative:
    """Measured energy up to an instant: piecewise linear."""

    def __init__(self, judged):
        self.pieces = [(j.starts, j.ends, Fraction(j.row.energy)) for j in judged if not j.is_spread]
        self.starts = [piece[0] for piece in self.pieces]
        self.before = [Fraction(0)]
        for piece in self.pieces:
            self.before.append(self.before[-1] + piece[2])

    def __call__(self, at):
        n = bisect_right(self.starts, at)
        if n == 0:
            return Fraction(0)
        starts, ends, energy = self.pieces[n - 1]
        return self.before[n - 1] + energy * min(Fraction(1), (at - starts) / (ends - starts))

    def candidates(self):
        return sorted({s for starts, ends, _ in self.pieces for s in (starts, ends - QUARTER)})


def six(value):
    scaled = Decimal(value.numerator) * 10**12 / Decimal(value.denominator)
    return (scaled / 10**12).quantize(Decimal("0.000001"), ROUND_HALF_UP)


def expected_quarters(rows, interval=60, rated=60, carrier="electrical"):
    """Rows of energy_15min, in COLUMNS, from raw rows in exact arithmetic."""
    refused, judged = judge(rows, interval, rated, carrier)
    cumulative = Cumulative(judged)
    candidates = cumulative.candidates()
    spans = [(j.starts, max(j.ends, Fraction(j.covered_until), Fraction(j.row.at + 1))) for j in judged]
    spans += [(Fraction(row.at), Fraction(row.at + 1)) for row in refused]
    buckets = set()
    for start, end in spans:
        first = int(start // QUARTER) * QUARTER
        buckets.update(range(first - QUARTER, -int(-end // QUARTER) * QUARTER, QUARTER))
    result = []
    for bucket in sorted(buckets):
        end = bucket + QUARTER
        inside = [j for j in judged if bucket <= j.row.at < end]
        measured = [j.row for j in inside if not j.is_spread]
        bad = [row for row in refused if bucket <= row.at < end]
        spread = sum((_share(j, bucket, end) for j in judged if j.is_spread), Decimal(0))
        covered = sum(max(0, min(j.covered_until, end) - max(j.row.at, bucket)) for j in judged)
        billing = six(4 * (cumulative(Fraction(end)) - cumulative(Fraction(bucket))))
        at_edges = [Fraction(bucket), Fraction(end)]
        own = candidates[bisect_left(candidates, bucket) : bisect_right(candidates, end)]
        windows = [(six(4 * (cumulative(s + QUARTER) - cumulative(s))), -s) for s in at_edges + own]
        best, best_at = max(windows)
        if not (inside or bad or spread or covered or billing or best):
            continue
        powers, energies = {row.power for row in measured}, {row.energy for row in measured}
        result.append(
            (
                _instant(bucket), sum((row.energy for row in measured), Decimal(0)) + spread, spread,
                len(inside) + len(bad), len(bad), len(inside) - len(measured),
                sum(j.row.estimated or j.is_spread for j in inside) + sum(row.estimated for row in bad),
                covered, min(powers, default=None), max(powers, default=None), billing, best,
                _instant(-best_at if best else bucket),
                len(measured) >= 4 and len(powers) == len(energies) == 1 and powers != {0},
            )
        )  # fmt: skip
    return result


def _share(judged, start, end):
    length = judged.ends - judged.starts

    def until(at):
        part = max(Fraction(0), min(Fraction(1), (at - judged.starts) / length))
        return six(Fraction(judged.row.energy) * part)

    return until(Fraction(end)) - until(Fraction(start))


def _instant(seconds):
    return ORIGIN + timedelta(microseconds=round(seconds * 1_000_000))


def expected_hours(quarters):
    hours = {}
    for row in quarters:
        hours.setdefault(row[0].replace(minute=0), []).append(row)
    result = []
    for bucket, rows in sorted(hours.items()):
        best = max(rows, key=lambda row: (row[11], -row[12].timestamp()))
        result.append(
            (
                bucket, *(sum(row[i] for row in rows) for i in range(1, 8)),
                least(*(row[8] for row in rows)),
                max((row[9] for row in rows if row[9] is not None), default=None),
                max(row[10] for row in rows), best[11], best[12],
            )
        )  # fmt: skip
    return result


def stored(connection, table, machine=MACHINE, carrier="electrical"):
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM analytics.{table}"
            " WHERE machine_id = %s AND energy_type = %s ORDER BY bucket",
            (machine, carrier),
        )
        return cursor.fetchall()


def raw(connection, machine=MACHINE, carrier="electrical"):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM time - %s)::int, power_kw, energy_kwh, is_estimated"
            " FROM energy_readings WHERE machine_id = %s AND energy_type = %s ORDER BY time",
            (ORIGIN, machine, carrier),
        )
        return [Row(*row) for row in cursor.fetchall()]


def write(connection, rows, machine=MACHINE, carrier="electrical"):
    """One upsert of all rows; of equal keys the last counts."""
    unique = {row.at: row for row in rows}
    values = [
        (ORIGIN + timedelta(seconds=r.at), machine, carrier, r.power, r.energy, r.estimated)
        for r in unique.values()
    ]
    with connection.cursor() as cursor:
        text = b",".join(cursor.mogrify("(%s, %s, %s, %s, %s, %s)", value) for value in values).decode()
        cursor.execute(
            "INSERT INTO energy_readings (time, machine_id, energy_type, power_kw, energy_kwh, is_estimated)"
            f" VALUES {text} ON CONFLICT (machine_id, time, energy_type) DO UPDATE"
            " SET (power_kw, energy_kwh, is_estimated)"
            " = (excluded.power_kw, excluded.energy_kwh, excluded.is_estimated)"
        )
    connection.commit()


def execute(connection, statement, values=()):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
    connection.commit()


def steady(start, count, spacing=60, power="30"):
    power = Decimal(power)
    return [
        Row(start + i * spacing, power + i % 7, round((power + i % 7) * spacing / 3600, 6))
        for i in range(count)
    ]


def assert_exact(connection, carrier="electrical"):
    quarters = expected_quarters(raw(connection, carrier=carrier), carrier=carrier)
    assert stored(connection, "energy_15min", carrier=carrier) == quarters
    # Whether an hour is flat follows from its rows, not from its quarters: a test of its own.
    assert [row[:-1] for row in stored(connection, "energy_1hour", carrier=carrier)] == expected_hours(
        quarters
    )


def random_rows(chance):
    """A piece of history, with whatever meters do."""
    spacing = chance.choice([10, 30, 60, 60, 60, 300, 300, 600, 900, 1800, 3600])
    start = chance.randrange(0, 96) * QUARTER + chance.choice([0, 0, 0, chance.randrange(QUARTER)])
    count = min(chance.choice([1, 2, 5, 40, 150]), 8 * 3600 // spacing)
    rows = []
    for i in range(count):
        power = Decimal(chance.choice([0, 6, 12, 12, 30, 45]))
        at = start + i * spacing + (chance.randrange(spacing // 2) if chance.random() < 0.05 else 0)
        energy = round(power * spacing / 3600, 6)
        luck = chance.random()
        if luck < 0.02:
            energy = -energy
        elif luck < 0.03:
            energy = Decimal("NaN")
        elif luck < 0.06:
            rows.append(Row(at + max(1, spacing // 4), power, energy))
        elif luck < 0.08:
            energy = Decimal(chance.choice([5, 20, 90]))
        if luck > 0.04 or i == 0:
            rows.append(Row(at, power, energy, estimated=luck > 0.97))
    return rows


def random_change(connection, chance, carrier):
    kind = chance.choice(["write", "write", "write", "correct", "delete", "delete some", "move"])
    if kind == "write":
        write(connection, random_rows(chance), carrier=carrier)
        return
    start = ORIGIN + timedelta(seconds=chance.randrange(0, 96) * QUARTER + chance.randrange(QUARTER))
    period = (MACHINE, carrier, start, start + timedelta(minutes=chance.choice([1, 20, 200])))
    where = "WHERE machine_id = %s AND energy_type = %s AND time >= %s AND time < %s"
    if kind == "correct":
        execute(
            connection,
            f"UPDATE energy_readings SET power_kw = 20, energy_kwh = energy_kwh + 1 {where}",
            period,
        )
    elif kind == "delete":
        execute(connection, f"DELETE FROM energy_readings {where}", period)
    elif kind == "delete some":
        execute(
            connection,
            f"DELETE FROM energy_readings {where} AND extract(minute FROM time)::int %% 3 = 1",
            period,
        )
    else:
        later = timedelta(days=3, seconds=chance.randrange(50_000))
        execute(connection, f"UPDATE energy_readings SET time = time + %s {where}", (later, *period))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("carrier", ["electrical", "natural_gas"])
def test_any_sequence_of_changes_leaves_exact_aggregates(connection, seed, carrier):
    chance = random.Random(seed)
    for _ in range(12):
        random_change(connection, chance, carrier)
        assert_exact(connection, carrier)

    before = (
        stored(connection, "energy_15min", carrier=carrier),
        stored(connection, "energy_1hour", carrier=carrier),
    )
    execute(connection, "TRUNCATE analytics.energy_15min, analytics.energy_1hour")
    execute(connection, "SELECT analytics.refresh_machine(%s)", (MACHINE,))
    assert before == (
        stored(connection, "energy_15min", carrier=carrier),
        stored(connection, "energy_1hour", carrier=carrier),
    )


@pytest.mark.parametrize("spacing", [10, 60, 300, 900, 700, 1800])
def test_bulk_load_with_holes_is_exact(connection, spacing):
    rows = steady(0, 26 * 3600 // spacing, spacing)
    hole = range(9 * 3600 + 100, 11 * 3600)
    rows = [row for row in rows if row.at not in hole and row.at != 15 * 3600]
    write(connection, [*rows, Row(17 * 3600 + 1, Decimal(3), Decimal(-1))])

    assert_exact(connection)


def test_statement_that_touches_both_ends_of_the_history_is_exact(connection):
    write(connection, steady(0, 1500))
    write(connection, [*steady(120, 2, power="50"), *steady(23 * 3600, 3, power="55")])

    assert_exact(connection)


def test_another_interval_or_rating_judges_the_history_anew(connection):
    write(connection, [*steady(0, 30), Row(6 * 3600, Decimal(30), Decimal(100)), *steady(6 * 3600 + 60, 30)])
    assert stored(connection, "energy_15min") == expected_quarters(raw(connection))

    execute(connection, "UPDATE machines SET data_interval_seconds = 3600 WHERE id = %s", (MACHINE,))
    assert stored(connection, "energy_15min") == expected_quarters(raw(connection), interval=3600)

    execute(connection, "UPDATE machines SET rated_power_kw = 5 WHERE id = %s", (MACHINE,))
    assert stored(connection, "energy_15min") == expected_quarters(raw(connection), interval=3600, rated=5)


def test_machines_and_carriers_are_kept_apart(connection):
    write(connection, steady(0, 40))
    write(connection, steady(0, 10, spacing=900), carrier="natural_gas")
    write(connection, steady(0, 40, power="9"), machine=OTHER_MACHINE)
    quarters = stored(connection, "energy_15min")

    execute(
        connection,
        "DELETE FROM energy_readings WHERE machine_id = %s OR energy_type = 'natural_gas'",
        (OTHER_MACHINE,),
    )

    assert stored(connection, "energy_15min") == quarters
    assert stored(connection, "energy_15min", machine=OTHER_MACHINE) == []
    assert stored(connection, "energy_1hour", carrier="natural_gas") == []


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM machines",
        "DELETE FROM factories",
        "TRUNCATE energy_readings",
        "DELETE FROM energy_readings",
    ],
)
def test_nothing_is_left_where_the_rows_are_gone(connection, statement):
    write(connection, steady(0, 100))
    execute(connection, statement)

    assert stored(connection, "energy_15min") == stored(connection, "energy_1hour") == []


def test_rolled_back_rows_leave_no_trace(connection):
    write(connection, steady(0, 100))
    before = stored(connection, "energy_15min")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE energy_readings SET energy_kwh = 7")
    connection.rollback()

    assert stored(connection, "energy_15min") == before


def test_catch_up_reading_is_spread_over_its_gap_and_never_a_peak(connection):
    write(connection, [*steady(0, 60), Row(5 * 3600, Decimal(30), Decimal(120)), *steady(5 * 3600 + 60, 60)])
    hours = {row[0].hour: row for row in stored(connection, "energy_1hour") if row[0] >= ORIGIN}

    assert sum(row[2] for row in hours.values()) == 120
    # 120 kWh lie evenly over the 4 h and 1 min that nothing told about.
    assert hours[2][1] == hours[2][2] == pytest.approx(Decimal(120) * 60 / 241, abs=Decimal("0.000002"))
    assert hours[2][7] == 0
    assert hours[5][5] == hours[5][6] == 1
    assert max(row[11] for row in hours.values()) < 40


def test_hour_is_flat_when_each_reading_says_the_same(connection):
    write(connection, [Row(i * 60, Decimal(12), Decimal("0.2")) for i in range(120)])
    query = "SELECT is_flat FROM analytics.energy_1hour WHERE readings > 0 ORDER BY bucket"
    with connection.cursor() as cursor:
        cursor.execute(query)
        assert cursor.fetchall() == [(True,), (True,)]
    write(connection, [Row(61 * 60, Decimal(12), Decimal("0.21"))])
    with connection.cursor() as cursor:
        cursor.execute(query)
        assert cursor.fetchall() == [(True,), (False,)]


def test_two_writers_of_one_bucket_lose_nothing(connection, database_url):
    rows = steady(0, 30)
    with psycopg2.connect(database_url) as second, second.cursor() as waiting, connection.cursor() as cursor:
        statement = (
            "INSERT INTO energy_readings (time, machine_id, power_kw, energy_kwh) VALUES (%s, %s, %s, %s)"
        )
        cursor.execute(statement, (ORIGIN, MACHINE, rows[0].power, rows[0].energy))
        waiting.execute("SET lock_timeout = '50ms'")
        second.commit()
        with pytest.raises(psycopg2.errors.LockNotAvailable):
            waiting.execute(
                statement, (ORIGIN + timedelta(minutes=1), MACHINE, rows[1].power, rows[1].energy)
            )
        second.rollback()
        connection.commit()
        waiting.execute(statement, (ORIGIN + timedelta(minutes=1), MACHINE, rows[1].power, rows[1].energy))
        second.commit()
    second.close()

    assert_exact(connection)


def test_writers_of_several_machines_in_opposite_orders_neither_lose_rows_nor_block_each_other(
    connection, database_url
):
    def write_both(first, machines):
        values = [
            (ORIGIN + timedelta(seconds=row.at), machine, row.power, row.energy)
            for machine in machines
            for row in steady(first, 5, spacing=20)
        ]
        own = psycopg2.connect(database_url)
        with own, own.cursor() as cursor:
            text = b",".join(cursor.mogrify("(%s, %s, %s, %s)", value) for value in values).decode()
            cursor.execute(
                f"INSERT INTO energy_readings (time, machine_id, power_kw, energy_kwh) VALUES {text}"
            )
        own.close()

    orders = [(MACHINE, OTHER_MACHINE), (OTHER_MACHINE, MACHINE)]
    with ThreadPoolExecutor(max_workers=6) as pool:
        list(pool.map(write_both, range(0, 24 * 100, 100), orders * 12))

    assert len(raw(connection)) == len(raw(connection, machine=OTHER_MACHINE)) == 120
    assert_exact(connection)
    assert stored(connection, "energy_15min") == stored(connection, "energy_15min", machine=OTHER_MACHINE)


def test_without_triggers_a_machine_catches_up_when_it_is_read(connection):
    """As on TimescaleDB, whose hypertables carry no such triggers."""
    execute(
        connection,
        "CREATE OR REPLACE FUNCTION analytics.is_hypertable(p_table name) RETURNS boolean LANGUAGE sql"
        " AS 'SELECT true'",
    )
    execute(connection, "ALTER TABLE energy_readings DISABLE TRIGGER USER")
    write(connection, steady(0, 2000))
    assert stored(connection, "energy_15min") == []
    execute(connection, "SELECT analytics.catch_up(%s)", (MACHINE,))
    assert_exact(connection)

    write(connection, [*steady(1500 * 60, 10, power="11"), *steady(2000 * 60, 30)])
    execute(connection, "SELECT analytics.catch_up(%s)", (MACHINE,))
    assert_exact(connection)


def test_reference_knows_its_own_rules():
    """The reference against figures by hand: 16 minutes of 60 kW in hourly rows' company."""
    rows = [Row(i * 60, Decimal(60), Decimal(1)) for i in range(16)]
    quarters = expected_quarters(rows)

    assert [(row[0], row[1], row[10], row[11]) for row in quarters] == [
        (_instant(-900), 0, 0, 60),
        (_instant(0), 15, 60, 60),
        (_instant(900), 1, 4, 4),
    ]
    assert all(first[0] < second[0] for first, second in pairwise(quarters))
