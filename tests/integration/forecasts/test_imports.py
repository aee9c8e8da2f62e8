"""`enms import schedule|weather`: files of what is known of times to come, wholly or not at all."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from integration.baselines.works import FACTORY, Works
from typer.testing import CliRunner

from enms.database.connection import Database
from enms.errors import EnmsError, InvalidInputError, NotFoundError
from enms.services.forecast_imports import RegressorFile, import_regressor
from enms_local.cli import create_app

HOUR = timedelta(hours=1)
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a test's file lies."""
    return tmp_path / "forecast.csv"


def taken(database: Database, file: Path, text: str, **told: Any) -> dict[str, Any]:
    """Has a file of the machine's temperature in the past imported."""
    file.write_text(text)
    asked: dict[str, Any] = {
        "machine": "Press",
        "name": "outdoor_temp_c",
        "kind": "temperature",
        "time_column": "time",
        "value_column": "value",
        "is_history": True,
    }
    return import_regressor(database, RegressorFile(path=file, **{**asked, **told}))


def rows(*lines: str, header: str = "time,value") -> str:
    """A file of some lines."""
    return "\n".join([header, *lines]) + "\n"


def stored(works: Works) -> list[tuple[str, str, float]]:
    """What is kept: start and end in UTC, and the value."""
    found = works.rows("SELECT start_at, end_at, value FROM analytics.forecast_regressors ORDER BY start_at")
    return [(f"{start:%m-%d %H:%M}", f"{end:%m-%d %H:%M}", value) for start, end, value in found]


def test_a_forecast_is_imported_once_or_twice(database: Database, works: Works, file: Path) -> None:
    text = rows(*(f"{TODAY + n * HOUR:%Y-%m-%dT%H:%MZ},{n}" for n in range(48)))
    answer = taken(database, file, text, is_history=False)
    assert answer == {
        "machine": "Press",
        "rows_read": 48,
        "missing_hour_rows": 0,
        "name": "outdoor_temp_c",
        "kind": "temperature",
        "stored": 48,
        "replaced": 0,
        "from": TODAY,
        "until": TODAY + 48 * HOUR,
    }
    before = stored(works)
    assert taken(database, file, text, is_history=False)["replaced"] == 48
    assert stored(works) == before
    assert works.one("SELECT DISTINCT source FROM analytics.forecast_regressors") == "forecast.csv"


def test_local_stamps_are_the_factorys_or_of_the_zone_that_is_told(
    database: Database, works: Works, file: Path
) -> None:
    text = rows("2026-01-05 00:00,1", "2026-01-05 06:00,2")
    taken(database, file, text)
    assert stored(works) == [("01-04 23:00", "01-05 05:00", 1), ("01-05 05:00", "01-05 11:00", 2)]
    taken(database, file, text, timezone="Asia/Seoul", machine=None, factory=str(FACTORY), name="seoul")
    (span,) = works.rows(
        "SELECT min(start_at), max(end_at) FROM analytics.forecast_regressors WHERE machine_id IS NULL"
    )
    assert span == (datetime(2026, 1, 4, 15, tzinfo=UTC), datetime(2026, 1, 5, 3, tzinfo=UTC))


def test_stamps_may_be_ends_formatted_and_backwards(database: Database, works: Works, file: Path) -> None:
    text = rows("05.01.2026 03:00;2,5", "05.01.2026 02:00;1,5", header="time;value")
    taken(database, file, text, stamp="end", time_format="%d.%m.%Y %H:%M", decimal_comma=True)
    assert stored(works) == [("01-05 00:00", "01-05 01:00", 1.5), ("01-05 01:00", "01-05 02:00", 2.5)]


def test_days_of_23_and_25_hours_are_days(database: Database, works: Works, file: Path) -> None:
    taken(database, file, rows("2026-03-28,1", "2026-03-29,2", "2026-03-30,3"))
    taken(database, file, rows("2026-10-25,4"), interval="1d")
    assert stored(works) == [
        ("03-27 23:00", "03-28 23:00", 1),
        ("03-28 23:00", "03-29 22:00", 2),
        ("03-29 22:00", "03-30 22:00", 3),
        ("10-24 22:00", "10-25 23:00", 4),
    ]


def test_the_hour_that_the_clock_leaves_out_is_left_out(database: Database, works: Works, file: Path) -> None:
    answer = taken(database, file, rows(*(f"2026-03-29 0{hour}:00,{hour}" for hour in range(5))))
    assert (answer["rows_read"], answer["missing_hour_rows"], answer["stored"]) == (5, 1, 4)
    assert [row[2] for row in stored(works)] == [0, 1, 3, 4]
    assert answer["until"] - answer["from"] == 4 * HOUR


@pytest.mark.parametrize("step", [15, 60])
def test_the_doubled_hour_is_two_hours(database: Database, works: Works, file: Path, step: int) -> None:
    hours = [1, 2, 2, 3]
    text = rows(*(f"2026-10-25 0{h}:{m:02},{h}" for h in hours for m in range(0, 60, step)))
    answer = taken(database, file, text)
    assert (answer["stored"], answer["until"] - answer["from"]) == (4 * 60 // step, 4 * HOUR)
    starts = [row[0] for row in stored(works)]
    assert len(set(starts)) == len(starts)


def test_one_row_for_the_doubled_hour_holds_in_both(database: Database, works: Works, file: Path) -> None:
    taken(database, file, rows(*(f"2026-10-25 0{hour}:00,{hour}" for hour in range(1, 4))))
    assert stored(works) == [
        ("10-24 23:00", "10-25 00:00", 1),
        ("10-25 00:00", "10-25 02:00", 2),
        ("10-25 02:00", "10-25 03:00", 3),
    ]


def test_planned_stops_have_ends_of_their_own(database: Database, works: Works, file: Path) -> None:
    text = rows(
        "2026-01-05 06:00,2026-01-05 08:30,1", "2026-01-07 12:00,2026-01-07 14:00,0.5", header="a,b,c"
    )
    answer = taken(
        database, file, text,
        time_column="a", end_column="b", value_column="c", kind="planned_stop", name="stops",
    )  # fmt: skip
    assert (answer["kind"], answer["stored"]) == ("planned_stop", 3)
    assert stored(works) == [
        ("01-05 05:00", "01-05 07:30", 1),
        ("01-05 07:30", "01-07 11:00", 0),
        ("01-07 11:00", "01-07 13:00", 0.5),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (rows("2026-01-05 00:00,1", "2026-01-05 01:00,x"), "line 3: value 'x' isn't a number"),
        (rows("2026-01-05 00:00,1", "2026-01-05 01:00,"), "line 3: value is missing"),
        (rows("2026-01-05 00:00,1", "2026-01-05 01:00,nan"), "line 3: value 'nan' isn't a number"),
        (rows("2026-01-05 00:00,1", "soon,2"), "line 3: the time 'soon' isn't ISO 8601"),
        (rows("2026-01-05 00:00,1", "2026-01-05 01:00,2,3"), "line 3: 3 fields where the header has 2"),
        (rows("2026-01-05 00:00,1", "2026-01-05T01:00Z,2"), "line 3: the time .* tells an offset"),
        (rows(*["soon,1"] * 9), "and 4 more"),
        (rows(*(f"2026-01-05 0{h}:00,1" for h in (0, 1, 2, 5))), "nothing is told from 2026-01-05T02:00:00Z"),
        (rows("2026-01-05 00:00,1", "2026-01-05 01:00,1", "2026-01-05 01:00,2"), "two values hold from"),
        (rows("2026-01-05 00:00,1"), "give --interval"),
        (rows("2026-01-05 00:00,1", "2026-02-05 00:00,1"), "give --interval"),
        (rows(), "a header but no rows"),
        ("", "is empty"),
        (rows("2026-01-05 00:00,1", header="when,value"), "has no column 'time'"),
    ],
)
def test_a_bad_file_changes_nothing(
    database: Database, works: Works, file: Path, text: str, words: str
) -> None:
    taken(database, file, rows("2026-01-04 00:00,1", "2026-01-04 12:00,2"))
    before = stored(works)
    with pytest.raises(InvalidInputError, match=words):
        taken(database, file, text)
    assert stored(works) == before


@pytest.mark.parametrize(
    ("told", "kind", "words"),
    [
        ({"stamp": "middle"}, InvalidInputError, "start or the end"),
        ({"stamp": "end", "end_column": "time"}, InvalidInputError, "leave --stamp out"),
        ({"machine": None}, InvalidInputError, "--machine, or --factory"),
        ({"machine": "Nobody"}, NotFoundError, "There is no machine 'Nobody'"),
        ({"machine": None, "factory": "Nowhere"}, NotFoundError, "There is no factory 'Nowhere'"),
        ({"timezone": "Berlin"}, InvalidInputError, "Europe/Berlin"),
        ({"interval": "soon"}, InvalidInputError, "The interval is"),
        ({"kind": "mood"}, InvalidInputError, "there is no kind 'mood'"),
        ({"is_history": False}, InvalidInputError, "all of them lie in the past"),
        ({"path": Path("nowhere.csv")}, InvalidInputError, "There is no file"),
    ],
)
def test_what_makes_no_sense_is_refused(
    database: Database, file: Path, told: dict[str, Any], kind: type[EnmsError], words: str
) -> None:
    file.write_text(rows("2026-01-04 00:00,1", "2026-01-04 12:00,2"))
    asked = {
        "path": file, "machine": "Press", "name": "t", "kind": "temperature", "time_column": "time",
        "value_column": "value", "is_history": True,
    }  # fmt: skip
    with pytest.raises(kind, match=words):
        import_regressor(database, RegressorFile(**{**asked, **told}))


def test_years_of_hours_are_one_file(database: Database, works: Works, file: Path) -> None:
    start = TODAY - timedelta(days=1800)
    lines = [f"{start + n * HOUR:%Y-%m-%dT%H:%M:%SZ},{n % 24}" for n in range(43_300)]
    assert taken(database, file, rows(*lines), is_history=False)["stored"] == 43_300


@pytest.fixture
def enms(database_url: str, works: Works, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The command line on the test's database."""
    monkeypatch.setattr("enms_local.cli.database.database_url", lambda: database_url)
    return CliRunner()


def test_the_commands_say_what_they_did(enms: CliRunner, works: Works, tmp_path: Path) -> None:
    weather = tmp_path / "weather.csv.gz"
    text = rows(*(f"{TODAY + n * HOUR:%Y-%m-%dT%H:%MZ},{n}" for n in range(48)))
    weather.write_bytes(gzip.compress(text.encode()))
    columns = ["--time-column", "time", "--value-column", "value"]
    shown = enms.invoke(
        create_app(), ["import", "weather", str(weather), "--factory", str(FACTORY), *columns],
        catch_exceptions=False,
    )  # fmt: skip
    assert shown.output == (
        f"{FACTORY}: outdoor_temp_c (temperature), 48 rows read, 48 values from {TODAY:%Y-%m-%dT%H:%M:%SZ} "
        f"until {TODAY + 48 * HOUR:%Y-%m-%dT%H:%M:%SZ}, 0 former ones replaced.\n"
    )
    stops = tmp_path / "stops.csv"
    stops.write_text(rows("2026-03-29 01:30,1", "2026-03-29 02:00,1", "2026-03-29 03:00,1"))
    told = ["--machine", "Press", *columns, "--kind", "planned_stop", "--history", "--interval", "30min"]
    shown = enms.invoke(
        create_app(), ["import", "schedule", str(stops), *told], catch_exceptions=False
    )  # fmt: skip
    assert "Press: production_schedule (planned_stop), 3 rows read, 2 values" in shown.output
    assert "1 rows left out: their local time doesn't exist" in shown.output
    shown = enms.invoke(
        create_app(), ["import", "schedule", str(stops), *told, "--json"], catch_exceptions=False
    )
    assert json.loads(shown.output)["replaced"] == 2
