"""`enms evaluate anomalies` on made-up files: what is found, what is told, and what is refused."""

import csv
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from enms_local.cli import create_app, describe, exit_code

DAYS = 56
HOURS = 24 * DAYS
START = datetime(2021, 1, 4, tzinfo=UTC)
UNTIL = "2021-02-01T00:00"
TRAINING = 24 * 28
SPIKE = slice(24 * 35 + 10, 24 * 35 + 16)
OUTAGE = slice(24 * 45, 24 * 46)
BASIC = ("--time-column", "ts", "--target", "power_kw")
NAMED = (*BASIC, "--train-until", UNTIL)

Columns = dict[str, Sequence[Any]]
Write = Callable[..., Path]


@pytest.fixture
def columns() -> Columns:
    """Eight weeks of hours with working days; a spike of six hours and an outage of a day, both labelled."""
    random = np.random.default_rng(3)
    hour = np.arange(HOURS)
    works = (hour // 24 % 7 < 5) & (hour % 24 >= 6) & (hour % 24 < 18)
    product = random.uniform(0, 50, HOURS)
    power = 20 + 30 * works + random.normal(0, 1, HOURS)
    power[SPIKE] += 25
    power[OUTAGE] = 2 + random.normal(0, 0.2, 24)
    labels = np.zeros(HOURS, dtype=int)
    labels[SPIKE] = labels[OUTAGE] = 1
    return {
        "ts": [f"{START + timedelta(hours=n):%Y-%m-%d %H:%M}" for n in range(HOURS)],
        "power_kw": power.round(4),
        "product": product.round(4),
        "kind": np.where(works, "on", "off"),
        "steady": ["7"] * HOURS,
        "wrong": labels,
    }


@pytest.fixture
def write(tmp_path: Path, columns: Columns) -> Write:
    """Writes these columns, or others, to a file."""

    def to_file(rows: Sequence[int] = range(HOURS), **others: Sequence[Any]) -> Path:
        found = columns | others
        path = tmp_path / "file.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(found)
            writer.writerows([values[n] for values in found.values()] for n in rows)
        return path

    return to_file


def run(path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(create_app(), ["evaluate", "anomalies", str(path), *arguments])


def evaluated(path: Path, *arguments: str) -> dict[str, Any]:
    result = run(path, *arguments, "--json")
    assert result.exit_code == 0, result.exception or result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def refused(path: Path, *arguments: str) -> str:
    """The sentence on stderr; the exit code is 2 and nothing is on stdout."""
    result = run(path, *arguments, "--json")
    assert result.stdout == ""
    assert isinstance(result.exception, Exception), result.output
    assert exit_code(result.exception) == 2, result.exception
    return describe(result.exception)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_episodes_labels_and_scores(write: Write, tmp_path: Path, columns: Columns) -> None:
    out = tmp_path / "scores.csv"
    found = evaluated(write(), *NAMED, "--label-column", "wrong", "--scores", str(out))

    assert found["points"] == HOURS - TRAINING
    labels = found["labels"]
    assert (labels["events_found"], labels["events"], labels["recall"]) == (2, 2, 1)
    assert labels["precision"] == pytest.approx(2 / len(found["episodes"]), abs=0.5)
    assert labels["f1"] == pytest.approx(2 * labels["precision"] / (1 + labels["precision"]))
    assert labels["false_alarms_per_week"] <= 1
    assert labels["area_under_curve"] > 0.9
    by_start = {episode["start"]: episode for episode in found["episodes"]}
    spike = by_start["2021-02-08T10:00:00"]
    assert spike["type"] == "power_spike"
    assert spike["severity"] == "critical"
    assert spike["value"] > spike["expected_value"] + 10
    assert any(
        each["type"] == "power_drop" and each["start"].startswith("2021-02-18") for each in by_start.values()
    )
    rows = rows_of(out)
    assert list(rows[0]) == ["time", "score", "flag"]
    assert [row["time"] for row in rows] == list(columns["ts"])[TRAINING:]
    assert sum(int(row["flag"]) for row in rows) == found["flagged_points"]
    assert float(rows[SPIKE.start - TRAINING]["score"]) > max(float(row["score"]) for row in rows[:48])


def test_a_point_is_judged_by_what_came_before(write: Write, tmp_path: Path) -> None:
    whole, part = tmp_path / "whole.csv", tmp_path / "part.csv"
    evaluated(write(), *NAMED, "--scores", str(whole))
    evaluated(write(range(24 * 40)), *NAMED, "--scores", str(part))
    known = rows_of(part)
    assert [row["score"] for row in rows_of(whole)[: len(known)]] == [row["score"] for row in known]


def test_sound_operation_keeps_the_budget(write: Write) -> None:
    power = 20 + 5 * np.random.default_rng(5).normal(size=HOURS)
    found = evaluated(write(power_kw=power), *NAMED)
    assert len(found["episodes"]) <= (DAYS - 28) / 7
    assert found["labels"] is None
    assert found["seasons"] == ["none"]


def test_what_a_driver_explains_is_no_anomaly(write: Write, columns: Columns) -> None:
    product = np.asarray(columns["product"], dtype=float).copy()
    product[24 * 40 : 24 * 41] = 200
    power = np.asarray(columns["power_kw"]) + 2 * product
    day = "2021-02-13"

    def odd_hours(*drivers: str) -> int:
        found = evaluated(write(power_kw=power, product=product), *NAMED, *drivers)
        return sum(each["start"].startswith(day) for each in found["episodes"])

    assert odd_hours() > 0
    assert odd_hours("--driver", "product", "--driver", "kind") == 0


def test_a_sensor_that_hangs_is_found(write: Write, columns: Columns) -> None:
    power = np.asarray(columns["power_kw"], dtype=float).copy()
    power[24 * 38 + 20 : 24 * 39 + 6] = 20.5
    found = evaluated(write(power_kw=power), *NAMED)
    assert "sensor_fault" in {episode["type"] for episode in found["episodes"]}


def test_finer_rows_are_joined_and_each_row_is_told(write: Write, tmp_path: Path) -> None:
    out = tmp_path / "scores.csv"
    found = evaluated(write(), *NAMED, "--interval", "2h", "--label-column", "wrong", "--scores", str(out))
    assert found["interval_seconds"] == 7200
    assert found["points"] == len(rows_of(out)) == HOURS - TRAINING
    assert found["labels"]["events_found"] == 2


def test_clock_changes_and_gaps_are_no_anomaly(write: Write, columns: Columns) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2021, 3, 1, tzinfo=berlin).astimezone(UTC)
    moments = [(first + timedelta(hours=n)).astimezone(berlin) for n in range(HOURS)]
    random = np.random.default_rng(4)
    works = np.array([moment.weekday() < 5 and 6 <= moment.hour < 18 for moment in moments])
    power = 20 + 30 * works + random.normal(0, 1, HOURS)
    six_hours = set(range(24 * 44 + 8, 24 * 44 + 14))
    path = write(
        [n for n in range(HOURS) if n not in six_hours],
        ts=[moment.isoformat() for moment in moments],
        power_kw=power,
    )
    found = evaluated(path, *BASIC, "--train-until", "2021-03-22T00:00:00+01:00")
    assert not [each for each in found["episodes"] if each["start"].startswith(("2021-03-28", "2021-03-29"))]
    assert not [each for each in found["episodes"] if each["start"].startswith("2021-04-14")]
    assert all(each["start"].endswith("+02:00") for each in found["episodes"])
    assert any("can't be judged" in warning for warning in found["warnings"])


def test_for_people_there_is_a_table(write: Write) -> None:
    result = run(write(), *NAMED, "--label-column", "wrong")
    assert result.exit_code == 0
    assert "2 of 2 events found" in result.stdout
    assert "START" in result.stdout


def test_little_training_is_told(write: Write) -> None:
    result = run(write(), *BASIC, "--train-until", "2021-01-11")
    assert result.exit_code == 0
    assert "Mind: Training holds 7.0 days" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((*BASIC, "--train-until", "2020-01-01"), "No row comes before --train-until 2020-01-01"),
        ((*BASIC, "--train-until", "2022-01-01"), "No row comes after --train-until 2022-01-01"),
        ((*BASIC, "--train-until", "2021-01-05"), "is known for 1 d; at least 2 d are needed"),
        ((*BASIC, "--train-until", "soon"), "--train-until is 'soon', which is no instant"),
        ((*BASIC, "--train-until", "2021-02-01T00:00Z"), "stamps tell no offset from UTC"),
        ((*NAMED, "--driver", "nothing"), "has no column 'nothing'; it has ts, power_kw"),
        ((*NAMED, "--driver", "steady"), "steady is the same in every interval of training"),
        ((*NAMED, "--driver", "power_kw"), "power_kw can't be the target and something else besides"),
        ((*NAMED, "--label-column", "product"), "1 where something was wrong, 0 or blank elsewhere"),
        ((*NAMED, "--label-column", "kind"), "kind is 'off', which isn't a number"),
        ((*NAMED, "--interval", "90min"), "rows are 1 h apart: an interval is a multiple of that"),
        ((*NAMED, "--interval", "15min"), "rows are 1 h apart: an interval is a multiple of that"),
        ((*NAMED, "--interval", "often"), "give a length up to a day, such as 15min or 1h"),
        ((*NAMED, "--interval", "2d"), "give a length up to a day, such as 15min or 1h"),
        ((*NAMED, "--scores", "/nowhere/out.csv"), "can't be written: No such file or directory"),
        (("--time-column", "when", "--target", "power_kw", "--train-until", UNTIL), "has no column 'when'"),
        (("--time-column", "ts", "--target", "kwh", "--train-until", UNTIL), "has no column 'kwh'"),
        (("--time-column", "ts", "--target", "kind", "--train-until", UNTIL), "which isn't a number"),
        (("--time-column", "ts", "--target", "steady", "--train-until", UNTIL), "steady is 7 in every"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_refused(write: Write, arguments: Sequence[str], sentence: str) -> None:
    assert sentence in refused(write(), *arguments)


def test_stamps_that_cannot_be_read_are_refused(write: Write, columns: Columns) -> None:
    stamps = list(columns["ts"])
    stamps[7] = "yesterday"
    assert "Line 9: the time 'yesterday' isn't ISO 8601" in refused(write(ts=stamps), *NAMED)
    assert "rows of one instant only" in refused(write(ts=[stamps[0]] * HOURS), *NAMED)
    stamps[7] = "2099-01-01 00:00"
    assert "intervals of 1 min" in refused(_by_minutes(write, stamps), *NAMED)


def _by_minutes(write: Write, stamps: list[str]) -> Path:
    moments = [f"{START + timedelta(minutes=n):%Y-%m-%d %H:%M}" for n in range(HOURS)]
    return write(ts=[*moments[:-1], stamps[7]])


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.write_text("ts,power_kw\n")
    assert "has no rows under its header" in refused(path, *NAMED)
