"""Readings from files into PostgreSQL."""

import csv
import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from enms.database import imports as database_imports
from enms.database.connection import Database
from enms.errors import ConflictError, InvalidInputError, NotFoundError
from enms.services import import_files, registry
from enms.services.imports import ImportRequest, ImportSummary, import_file

type Import = Callable[..., ImportSummary]
FIRST = datetime(2024, 6, 3, tzinfo=UTC)


@pytest.fixture
def database(database_url: str) -> Database:
    database = Database(lambda: database_url, statement_timeout_seconds=0)
    registry.add_factory(database, "Works", "Europe/Berlin")
    registry.add_machine(database, "Press", "Works", "motor", 100)
    return database


@pytest.fixture
def load(database: Database, tmp_path: Path) -> Import:
    """Imports a text or a file, as energy in kWh of the machine Press unless told otherwise."""

    def _load(content: str | bytes | Path, **options: Any) -> ImportSummary:
        path = content if isinstance(content, Path) else tmp_path / "readings.csv"
        if isinstance(content, str):
            path.write_text(content)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        given = {"fact": "energy", "machine": "Press", "time_column": "t"} | options
        if given["fact"] == "energy":
            given.setdefault("value_column", "v")
        return import_file(database, ImportRequest(path=path, **given))

    return _load


def _table(values: list[float], minutes: int = 15, first: datetime = FIRST) -> str:
    lines = [
        f"{first + i * timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ},{value}"
        for i, value in enumerate(values)
    ]
    return "\n".join(["t,v", *lines]) + "\n"


def _stored(database: Database, columns: str = "power_kw, energy_kwh") -> list[tuple[Any, ...]]:
    rows = database.rows(f"SELECT time, {columns} FROM energy_readings ORDER BY time")
    return [(row.pop("time").strftime("%H:%M"), *row.values()) for row in rows]


def test_power_and_energy_are_both_stored_at_the_start(load: Import, database: Database) -> None:
    summary = load(_table([10, 12]), stamp="end")
    assert _stored(database) == [("23:45", 40, 10), ("00:00", 48, 12)]
    assert (summary.rows_read, summary.new, summary.replaced, summary.gaps) == (2, 2, 0, 0)
    assert summary.interval_seconds == 900
    assert summary.first_at == FIRST - timedelta(minutes=15)
    assert summary.end_at == FIRST + timedelta(minutes=15)


@pytest.mark.parametrize(
    ("unit", "power_kw"),
    [("kW", 8.0), ("W", 0.008), ("MW", 8000.0), ("kWh", 32.0), ("Wh", 0.032), ("MWh", 32000.0)],
)
def test_units(load: Import, database: Database, unit: str, power_kw: float) -> None:
    load(_table([8]), unit=unit, interval="15min")
    assert _stored(database) == [("00:00", power_kw, power_kw / 4)]


def test_the_first_import_sets_an_interval_that_was_left_open(load: Import, database: Database) -> None:
    wanted = "SELECT data_interval_seconds AS s, metadata::text AS m FROM machines"
    assert database.row(wanted) == {"s": 10, "m": '{"interval_given": false}'}
    load(_table([1, 2, 3]))
    assert database.row(wanted) == {"s": 900, "m": "{}"}
    load(_table([1, 2, 3], minutes=1))
    assert database.row(wanted) == {"s": 900, "m": "{}"}


def test_a_given_interval_stays(load: Import, database: Database) -> None:
    registry.add_machine(database, "Pump", "Works", "pump", 5, interval_seconds=30)
    load(_table([1, 2, 3]), machine="Pump")
    row = database.row("SELECT data_interval_seconds AS s FROM machines WHERE name = 'Pump'")
    assert row == {"s": 30}


def test_twice_replaces(load: Import, database: Database) -> None:
    load(_table([1, 2, 3]))
    summary = load(_table([1, 2, 4, 5]))
    assert (summary.new, summary.replaced) == (1, 3)
    assert [row[2] for row in _stored(database)] == [1, 2, 4, 5]
    assert _aggregated(database) == 12


def _aggregated(database: Database) -> float:
    row = database.row("SELECT coalesce(sum(energy_kwh), 0) AS kwh FROM analytics.energy_1hour")
    assert row
    return row["kwh"]


@pytest.mark.parametrize("is_superuser", [True, False])
def test_aggregates_follow_with_and_without_the_fast_way(
    load: Import, database: Database, is_superuser: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_imports, "ROWS_PER_BATCH", 300)
    if not is_superuser:
        monkeypatch.setattr(database_imports.Staging, "_has_fast_way", lambda _: False)
    load(_table([i % 7 + 1.0 for i in range(2000)], minutes=1))
    load(_table([i % 5 + 1.0 for i in range(700)], minutes=1, first=FIRST + timedelta(minutes=1500)))
    kept = "SELECT * FROM analytics.energy_15min ORDER BY bucket"
    before = database.rows(kept)
    database.rows("SELECT analytics.refresh_machine_energy(id) FROM machines")
    assert database.rows(kept) == before
    raw = database.row("SELECT sum(energy_kwh) AS kwh, count(*) AS n FROM energy_readings")
    assert raw == {"kwh": _aggregated(database), "n": 2200}


def test_foreign_triggers_keep_working(load: Import, database: Database) -> None:
    database.rows("""
        CREATE TABLE seen (n int);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO seen VALUES (1);
        RETURN NEW; END';
        CREATE TRIGGER platform AFTER INSERT ON energy_readings FOR EACH ROW EXECUTE FUNCTION note();
    """)
    load(_table([1, 2, 3]))
    assert database.row("SELECT count(*) AS n FROM seen") == {"n": 3}
    assert _aggregated(database) == 6


def test_unordered_and_repeated_rows(load: Import, database: Database) -> None:
    lines = _table([1, 2, 3]).splitlines()
    summary = load(
        "\n".join([lines[0], lines[3], lines[1], lines[2], lines[1].replace(",1", ",9")]) + "\n",
        interval="15min",
    )
    assert (summary.new, summary.duplicates) == (3, 1)
    assert [row[2] for row in _stored(database)] == [9, 2, 3]


def test_gaps_are_told(load: Import) -> None:
    lines = _table([1] * 20).splitlines()
    summary = load("\n".join(lines[:5] + lines[7:10] + lines[11:]) + "\n")
    assert (summary.gaps, summary.gap_seconds) == (2, 2700)
    assert (summary.longest_gap_at, summary.longest_gap_seconds) == (FIRST + timedelta(hours=1), 1800)


def test_negative_increments_are_stored_and_count_nothing(load: Import, database: Database) -> None:
    summary = load(_table([1, -2, 3]))
    assert [row[2] for row in _stored(database)] == [1, -2, 3]
    assert (summary.negative, summary.refused_by_aggregates) == (1, 1)
    assert _aggregated(database) == 4


def test_a_bad_row_stops_all_and_is_named(load: Import, database: Database) -> None:
    with pytest.raises(InvalidInputError, match="line 3: v 'abc' isn't a number; line 4: 3 fields where"):
        load("t,v\n2024-01-01T00:00Z,1\n2024-01-01T00:15Z,abc\n2024-01-01T00:30Z,1,5\n")
    assert _stored(database) == []


def test_skipped_bad_rows_lie_beside_the_file(load: Import, database: Database, tmp_path: Path) -> None:
    summary = load(
        "t,v\n2024-01-01T00:00Z,1\n2024-01-01T00:15Z,inf\nx,2\n2024-01-01T00:45Z,4\n",
        skip_bad=True,
        interval="15min",
    )
    assert (summary.new, summary.refused, summary.rows_read) == (2, 2, 4)
    assert summary.refused_file == tmp_path / "readings.csv.refused.csv"
    with summary.refused_file.open(newline="") as file:
        assert [list(row) for row in csv.reader(file)] == [
            ["t", "v", "refused_line", "refused_because"],
            ["2024-01-01T00:15Z", "inf", "3", "v 'inf' isn't a number"],
            ["x", "2", "4", "the time 'x' isn't ISO 8601 (see --time-format)"],
        ]
    assert [row[2] for row in _stored(database)] == [1, 4]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["readings.csv", "readings.csv.refused.csv"]


def test_a_value_beyond_the_column_is_a_bad_row(load: Import) -> None:
    with pytest.raises(InvalidInputError, match="line 2: v '1e8' is too large"):
        load(_table([1]).replace(",1", ",1e8"), unit="kW", interval="1h")


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("", {}, "is empty"),
        ("t,v\n", {}, "header but no rows"),
        ("t,v\n2024-01-01T00:00Z,1\n", {}, "give --interval"),
        ("t,v\n1,1\n", {"value_column": "power"}, "has no column 'power'; it has t, v"),
        ("t,v\n1,1\n", {"unit": "BTU"}, "no unit 'BTU'"),
        ("t,v\n1,1\n", {"interval": "soon"}, "interval is"),
        ("t,v\n1,1\n", {"stamp": "middle"}, "'middle'"),
        ("t,v\n1,1\n", {"timezone": "Europe/Berln"}, "did you mean Europe/Berlin"),
        ("t,v\n1,1\n", {"energy_type": "Gas!"}, "energy type"),
        ("t,v\n1,1\n", {"unit": "kW", "is_counter": True}, "counter counts energy"),
        ("t,v\n1,1\n", {"fact": "production"}, "give --value-column or --column"),
        ("t,v\n1,1\n", {"encoding": "klingon"}, "no text encoding"),
    ],
)
def test_impossible_requests(load: Import, content: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        load(content, **options)


def test_unknown_and_ambiguous_machines(load: Import, database: Database) -> None:
    with pytest.raises(NotFoundError, match="no machine 'Pres'; there are 'Press'"):
        load(_table([1, 2]), machine="Pres")
    registry.add_factory(database, "Other", "UTC")
    registry.add_machine(database, "Press", "Other", "motor", 100)
    with pytest.raises(InvalidInputError, match="'Other', 'Works' each have a machine 'Press'"):
        load(_table([1, 2]))
    with pytest.raises(NotFoundError, match="no factory 'Else'"):
        load(_table([1, 2]), factory="Else")
    assert load(_table([1, 2]), factory="Other").factory == "Other"


def test_a_counter_is_differenced(load: Import, database: Database) -> None:
    #  steady, a restart from zero, on, set back to another count, on
    summary = load(_table([100, 110, 120, 5, 15, 20020, 20030, 10010, 10020]), is_counter=True)
    assert [row[2] for row in _stored(database)] == [10, 10, 5, 10, 20005, 10, 0, 10]
    assert _stored(database, "is_estimated")[6][1]
    assert summary.counter == (1, 1, 0)
    assert _stored(database)[0] == ("00:00", 40, 10)


def test_a_counter_rolls_over_and_single_counts_out_of_line_are_smoothed(
    load: Import, database: Database
) -> None:
    summary = load(_table([99_980, 99_990, 3, 13, 7_000, 33, 43, 1, 63]), is_counter=True)
    assert [row[2] for row in _stored(database)] == [10, 13, 10, 10, 10, 10, 10, 10]
    assert summary.counter == (1, 0, 2)


def test_the_counters_energy_of_an_outage_is_spread(load: Import, database: Database) -> None:
    text = _table([10.0 * i for i in range(60)])
    lines = text.splitlines()
    summary = load("\n".join(lines[:20] + lines[40:]) + "\n", is_counter=True)
    assert (summary.gaps, summary.spread_by_aggregates) == (1, 1)
    row = database.row("SELECT max(best_window_kw) AS kw, sum(energy_kwh) AS kwh FROM analytics.energy_15min")
    assert row == {"kw": 40, "kwh": 590}


def test_another_carrier_is_kept_apart(load: Import, database: Database) -> None:
    load(_table([1, 2]))
    load(_table([5, 6]), energy_type="natural_gas")
    found = database.rows(
        "SELECT energy_type, sum(energy_kwh) AS kwh FROM energy_readings GROUP BY 1 ORDER BY 1"
    )
    assert found == [{"energy_type": "electrical", "kwh": 3}, {"energy_type": "natural_gas", "kwh": 11}]


def test_production_with_drivers_in_two_files(load: Import, database: Database) -> None:
    load(
        "t;n;mode;moist\n2024-01-01 08:00;5;running;12,5\n2024-01-01 08:15;;idle;\n",
        fact="production", value_column="n", decimal_comma=True,
        columns={"operating_mode": "mode", "material_moisture_percent": "moist"},
    )  # fmt: skip
    summary = load("t,w\n2024-01-01 08:00,3\n", fact="production", columns={"width_mm": "w"})
    assert (summary.new, summary.replaced, summary.drivers) == (0, 1, ["width_mm"])
    rows = database.rows(
        "SELECT production_count, operating_mode::text, metadata FROM production_data ORDER BY time"
    )
    assert [tuple(row.values()) for row in rows] == [
        (5, "running", {"material_moisture_percent": 12.5, "width_mm": 3.0}),
        (None, "idle", {}),
    ]


def test_environment_from_gzip_in_the_factorys_zone(load: Import, database: Database) -> None:
    text = "t,temp\n27.10.2024 02:30,8\n27.10.2024 02:30,7\n"
    summary = load(
        gzip.compress(text.encode()),
        fact="environment",
        value_column="temp",
        time_format="%d.%m.%Y %H:%M",
        interval="1h",
    )
    rows = database.rows("SELECT time, outdoor_temp_c FROM environmental_data ORDER BY time")
    assert [(row["time"].hour, row["outdoor_temp_c"]) for row in rows] == [(0, 8), (1, 7)]
    assert (summary.clock_changes, summary.doubled_hour_rows) == (1, 1)


def test_one_import_of_a_machine_at_a_time(load: Import, database: Database) -> None:
    with database.transaction() as connection:
        row = database.row("SELECT id FROM machines")
        assert row
        database_imports.Staging(connection, database_imports.Target("energy", row["id"], ["power_kw"]))
        with pytest.raises(ConflictError, match="Another import"):
            load(_table([1, 2]))


def test_memory_stays_flat(load: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_files, "ROWS_PER_CHUNK", 100)
    sizes: list[int] = []
    original = database_imports.Staging.copy
    monkeypatch.setattr(
        database_imports.Staging,
        "copy",
        lambda self, text: (sizes.append(len(text)), original(self, text))[1],
    )
    load(_table([1.5] * 2000, minutes=1))
    assert len(sizes) == 20
    assert max(sizes) < 100 * 60


def _command(url: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "from enms_local.cli import main; main()", *arguments],
        env=os.environ | {"ENMS_DATABASE_URL": url}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        # Where the tests themselves run in the background, they hand down that SIGINT is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


def test_the_command_prints_json_and_exits_with_2_on_wrong_use(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(_table([1, 2]))
    options = ["--machine", "Press", "--time-column", "t", "--json"]
    with _command(database_url, "import", "energy", str(path), "--value-column", "v", *options) as command:
        answer = json.loads(command.communicate()[0])
    assert (answer["new"], answer["first_at"]) == (2, "2024-06-03 00:00:00+00:00")
    with _command(database_url, "import", "energy", str(path), "--value-column", "w", *options) as command:
        out, err = command.communicate()
    assert (command.returncode, out) == (2, "")
    assert err == f"enms: The file '{path}' has no column 'w'; it has t, v.\n"


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_an_import_that_is_ended_in_the_middle_leaves_nothing(
    database: Database, database_url: str, tmp_path: Path, ending: signal.Signals
) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    options = ["--machine", "Press", "--time-column", "t", "--value-column", "v", "--interval", "1min"]
    with _command(database_url, "import", "energy", str(pipe), *options) as command, pipe.open("w") as out:
        out.write(_table([1.0] * 50_000, minutes=1))
        out.flush()
        command.send_signal(ending)
        assert command.wait() != 0
    assert database.row("SELECT count(*) AS n FROM energy_readings") == {"n": 0}
    assert database.row("SELECT count(*) AS n FROM analytics.energy_15min") == {"n": 0}


def test_steel_equals_pandas(load: Import, database: Database, shared_dir: Path) -> None:
    path = shared_dir / "data" / "steel_15min" / "steel.csv"
    summary = load(
        path, time_column="timestamp", value_column="usage_kwh", stamp="end", timezone="Asia/Seoul"
    )
    assert (summary.new, summary.gaps, summary.duplicates) == (35_040, 0, 0)
    steel = pd.read_csv(path, parse_dates=["timestamp"])
    starts = (steel.timestamp - pd.Timedelta(minutes=15)).dt.tz_localize("Asia/Seoul").dt.tz_convert("UTC")
    expected = steel.usage_kwh.groupby(starts.dt.floor("h")).sum()
    rows = database.rows("SELECT * FROM analytics.energy_1hour WHERE readings > 0 ORDER BY bucket")
    found = pd.Series(
        [row["energy_kwh"] for row in rows], index=pd.to_datetime([row["bucket"] for row in rows], utc=True)
    )
    assert len(found) == len(expected)
    assert (found.to_numpy() - expected.to_numpy()).__abs__().max() < 1e-6
    assert (found.index == expected.index).all()
    assert found.sum() == pytest.approx(959_636.71, abs=1e-6)


@pytest.mark.parametrize(
    ("file", "rows", "gaps", "kwh"),
    [("aep.csv", 31_440, 0, 465_526_538_000), ("pjm_load.csv", 32_896, 4, 979_196_396_000)],
)
def test_hour_ending_loads_keep_every_hour(
    load: Import, database: Database, shared_dir: Path, file: str, rows: int, gaps: int, kwh: int
) -> None:
    summary = load(
        shared_dir / "data" / "pjm_hourly" / file, time_column="timestamp", value_column="load_mw",
        unit="MW", interval="1h",
        stamp="end", timezone="America/New_York",
    )  # fmt: skip
    assert (summary.new, summary.duplicates, summary.missing_hour_rows, summary.gaps) == (rows, 0, 0, gaps)
    assert summary.doubled_hour_rows == (0 if gaps else 3)
    assert _aggregated(database) == kwh


def test_stamps_in_a_missing_hour_are_left_out_and_counted(load: Import, shared_dir: Path) -> None:
    path = shared_dir / "data" / "tetuan_10min" / "tetuan.csv"
    summary = load(
        path, time_column="timestamp", value_column="zone1_kw", unit="kW", timezone="Africa/Casablanca"
    )
    assert (summary.new, summary.missing_hour_rows, summary.gaps) == (52_404, 12, 2)
