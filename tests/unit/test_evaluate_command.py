"""`enms evaluate baseline` on made-up files: what is found, what is told, and what is refused."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from enms_local.cli import create_app, describe, exit_code

DAYS = 120
TRAIN_AND_TEST = ("--train", "2021-01-01", "2021-03-15", "--test", "2021-03-16", "2021-04-30")
TIMED = ("--time-column", "ts", "--target", "energy_kwh")
NAMED = (*TIMED, *TRAIN_AND_TEST)
BERLIN = ZoneInfo("Europe/Berlin")

Columns = dict[str, Sequence[Any]]
Write = Callable[..., Path]


@pytest.fixture
def columns() -> Columns:
    """120 days of hours: energy = 20 + 2 x + 0.5 temp_c + 8 (product b) + noise."""
    random = np.random.default_rng(7)
    count = 24 * DAYS
    hour = np.arange(count)
    x = random.uniform(0, 100, count)
    temperature = 12 + 8 * np.sin(2 * np.pi * hour / 700) + random.normal(size=count)
    product = random.choice(["a", "b", "c"], count, p=[0.6, 0.3, 0.1])
    energy = 20 + 2 * x + 0.5 * temperature + 8 * (product == "b") + random.normal(0, 3, count)
    start = datetime(2021, 1, 1, tzinfo=UTC)
    return {
        "ts": [f"{start + timedelta(hours=n):%Y-%m-%d %H:%M}" for n in range(count)],
        "energy_kwh": energy.round(4),
        "x": x.round(4),
        "double_x": 2 * x.round(4),
        "temp_c": temperature.round(3),
        "product": product,
        "constant": ["7"] * count,
        "blank": [""] * count,
        "batch": [f"b{n}" for n in range(count)],
        "almost": energy * 1.1 + random.normal(0, 0.05, count),
    }


@pytest.fixture
def write(tmp_path: Path, columns: Columns) -> Write:
    """Writes these columns, or others, to a file."""

    def to_file(order: Sequence[int] | None = None, **others: Sequence[Any]) -> Path:
        found: Mapping[str, Sequence[Any]] = columns | others
        path = tmp_path / "file.csv"
        rows = list(zip(*found.values(), strict=True))
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(found)
            writer.writerows(rows if order is None else [rows[n] for n in order])
        return path

    return to_file


def run(path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(create_app(), ["evaluate", "baseline", str(path), *arguments])


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


DRIVERS = ("--driver", "x", "--driver", "temp_c", "--driver", "product")


def test_coefficients_figures_and_savings(write: Write, columns: Columns) -> None:
    found = evaluated(write(), *NAMED, *DRIVERS)

    model = found["model"]
    assert model["kind"] == "linear"
    assert model["intercept"] == pytest.approx(20, abs=1)
    assert model["coefficients"] == {
        "x": pytest.approx(2, abs=0.01),
        "temp_c": pytest.approx(0.5, abs=0.05),
        "product[b]": pytest.approx(8, abs=0.5),
        "product[c]": pytest.approx(0, abs=0.7),
    }
    assert found["train"]["n"] == 24 * 74
    assert found["test"]["n"] == 24 * 46
    assert found["train"]["nmbe_percent"] == pytest.approx(0, abs=1e-9)
    for figures in (found["train"], found["test"]):
        assert figures["r2"] > 0.99
        assert figures["cv_rmse_percent"] == pytest.approx(100 * 3 / 128, rel=0.1)
    savings = found["savings"]
    actual = np.asarray(columns["energy_kwh"], dtype=float)[-24 * 46 :].sum()
    assert savings["percent"] == pytest.approx(100 * savings["kwh"] / (actual + savings["kwh"]))
    assert savings["uncertainty_percent"] == pytest.approx(
        100 * savings["uncertainty_kwh"] / abs(savings["kwh"])
    )
    assert savings["confidence"] == 90
    assert savings["significant"] is (abs(savings["kwh"]) > savings["uncertainty_kwh"])
    assert [each["columns"] for each in model["term_tests"] if each["term"] == "product"] == [2]
    assert found["verdict"]["status"] in ("valid", "caution", "rejected")
    assert {"code", "measured", "limit", "text", "severity"} <= found["verdict"]["reasons"][0].keys()


def test_the_order_of_rows_and_repeated_rows_change_nothing(write: Write) -> None:
    expected = evaluated(write(), *NAMED, *DRIVERS)
    order = np.random.default_rng(1).permutation(24 * DAYS).tolist()
    found = evaluated(write([*order, order[0]]), *NAMED, *DRIVERS)
    assert found["rows"].pop("repeated_stamps") == 1
    assert expected["rows"].pop("repeated_stamps") == 0
    assert found == expected


@pytest.mark.parametrize("has_offset", [True, False])
def test_clock_changes(write: Write, columns: Columns, has_offset: bool) -> None:
    moments = [datetime(2021, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(24 * DAYS)]
    local = [each.astimezone(BERLIN) for each in moments]
    texts = [(each if has_offset else each.replace(tzinfo=None)).isoformat() for each in local]
    for interval, count in (("1h", 24 * 46 - 1), ("1d", 46)):
        found = evaluated(write(ts=texts), *NAMED, "--driver", "x", "--interval", interval)
        assert found["test"]["n"] == count


def test_missing_values_are_left_out_and_counted(write: Write, columns: Columns) -> None:
    energy = [
        {0: "", 1: "NaN", 2: "inf"}.get(n % 100, value) for n, value in enumerate(columns["energy_kwh"])
    ]
    found = evaluated(write(energy_kwh=energy), *NAMED, "--driver", "x")
    assert found["train"]["n"] + found["refused"]["train"][0]["count"] == 24 * 74
    assert found["refused"]["train"][0]["code"] == "no_energy"


def test_a_day_with_a_few_hours_missing_is_no_smaller(write: Write, columns: Columns) -> None:
    hours = np.arange(24 * DAYS)
    some = [n for n in hours.tolist() if not (n % 240 in (5, 6) or n % 720 in (100, 101, 102))]
    found = evaluated(write(some), *NAMED, "--driver", "x", "--interval", "1d")
    # Days that lack three hours have less than 90 % of their rows.
    assert found["refused"]["train"] == [
        {"code": "incomplete", "driver": None, "count": 3, "text": "less than 90% of it has readings"}
    ]
    whole = evaluated(write(), *NAMED, "--driver", "x", "--interval", "1d")
    # Energy of a day is 24 times the mean, whose coefficient of x is 2.
    assert found["model"]["coefficients"]["x"] == pytest.approx(48, abs=5)
    assert abs(found["test"]["nmbe_percent"] - whole["test"]["nmbe_percent"]) < 0.3


def test_power_is_averaged_and_its_savings_are_energy(write: Write, columns: Columns) -> None:
    power = [value / 1000 for value in columns["energy_kwh"]]
    path = write(load_mw=power)
    timed = ("--time-column", "ts", *TRAIN_AND_TEST, "--driver", "x")
    energy = evaluated(path, *timed, "--target", "energy_kwh", "--interval", "1d")
    found = evaluated(path, *timed, "--target", "load_mw", "--interval", "1d")
    assert found["target"] == {"name": "load_mw", "kind": "power", "unit": "MW"}
    assert found["savings"]["kwh"] == pytest.approx(energy["savings"]["kwh"])
    assert found["savings"]["uncertainty_kwh"] == pytest.approx(energy["savings"]["uncertainty_kwh"])
    assert found["train"]["rmse"] == pytest.approx(energy["train"]["rmse"] / 24_000)
    told = evaluated(path, *timed, "--target", "energy_kwh", "--interval", "1d", "--target-kind", "power")
    assert told["target"]["unit"] == "kW"
    assert told["train"]["rmse"] == pytest.approx(energy["train"]["rmse"] / 24)


def test_texts_of_finer_rows_are_hours_of_each_level(write: Write) -> None:
    found = evaluated(write(), *NAMED, "--driver", "x", "--driver", "product", "--interval", "1d")
    assert found["model"]["coefficients"]["product[b]"] == pytest.approx(8, abs=4)
    [test] = [each for each in found["model"]["term_tests"] if each["term"] == "product"]
    assert test["columns"] == 2
    assert [each["code"] for each in found["verdict"]["reasons"]].count("p_value:product") == 1


def test_calendar_terms(write: Write) -> None:
    found = evaluated(write(), *NAMED, "--driver", "x", "--driver", "weekday")
    assert [each["columns"] for each in found["model"]["term_tests"]] == [1, 6]
    hourly = evaluated(write(), *TIMED, "--driver", "hour_of_week", "--driver", "x", "--folds", "3")
    assert [each["columns"] for each in hourly["model"]["term_tests"]] == [167, 1]


def test_temperature_alone_is_the_driver(write: Write) -> None:
    found = evaluated(write(), *NAMED, "--temperature-column", "temp_c", "--temperature-unit", "F")
    assert list(found["model"]["coefficients"]) == ["temp_c"]
    assert found["temperature_unit"] == "F"


def test_change_points_tell_their_unit(write: Write, columns: Columns) -> None:
    temperature = np.asarray(columns["temp_c"], dtype=float)
    energy = (
        50 + 3 * np.maximum(10 - temperature, 0) + np.random.default_rng(2).normal(0, 1, len(temperature))
    )
    path = write(energy_kwh=energy, temp_f=columns["temp_c"])
    found = evaluated(path, *NAMED, "--temperature-column", "temp_f", "--model", "change_point")
    knot = found["model"]["knots"]["temp_f_below"]
    assert knot == {"at": pytest.approx(10, abs=0.3), "unit": "°F"}
    assert (
        "counted from"
        in run(path, *NAMED, "--temperature-column", "temp_f", "--model", "change_point").stdout
    )


def test_auto_chooses_drivers_and_form(write: Write) -> None:
    found = evaluated(write(), *NAMED, "--auto", "--temperature-column", "temp_c")
    assert found["model"]["kind"] == "linear"
    terms = {each["term"] for each in found["model"]["coefficient_details"]}
    assert terms == {"x", "temp_c", "product"} or terms == {"double_x", "temp_c", "product"}
    assert {each["form"] for each in found["contenders"]} == {
        "linear", "change_point", "time_of_week_temperature",
    }  # fmt: skip
    reasons = {each["driver"]: each["code"] for each in [*found["not_tried"], *found["selection"]["dropped"]]}
    assert reasons["constant"] == "constant"
    assert reasons["blank"] == "missing"
    assert reasons["batch"] == "too_many_levels"
    assert reasons["almost"] == "leak"


def test_auto_takes_no_meter_for_a_cause_unless_it_is_named(write: Write, columns: Columns) -> None:
    other = [value * 0.7 + n % 50 for n, value in enumerate(columns["energy_kwh"])]
    path = write(hall_kwh=other)
    found = evaluated(path, *NAMED, "--auto")
    assert [each["driver"] for each in found["not_tried"] if each["code"] == "not_a_cause"] == ["hall_kwh"]
    named = evaluated(path, *NAMED, "--auto", "--candidate", "hall_kwh")
    assert "hall_kwh" in named["model"]["coefficients"]


def test_rows_as_they_stand(write: Write) -> None:
    path = write()
    found = evaluated(path, "--target", "energy_kwh", *DRIVERS)
    assert found["train"]["n"] == found["test"]["n"] == 24 * DAYS
    assert len(found["folds"]) == 10
    assert found["savings"] is None
    assert found["rows"] is None
    assert found["test"]["rmse"] == pytest.approx(3, rel=0.1)
    assert len(evaluated(path, "--target", "energy_kwh", *DRIVERS, "--folds", "4")["folds"]) == 4


def test_folds_are_those_of_the_textbook(write: Write, columns: Columns) -> None:
    found = evaluated(write(), "--target", "energy_kwh", "--driver", "x", "--folds", "7")
    x, y = (np.asarray(columns[name], dtype=float) for name in ("x", "energy_kwh"))
    design = np.column_stack([np.ones(len(x)), x])
    errors = []
    for rows in np.array_split(np.arange(len(x)), 7):
        others = np.setdiff1d(np.arange(len(x)), rows)
        errors.append(y[rows] - design[rows] @ np.linalg.lstsq(design[others], y[others], rcond=None)[0])
    pooled = np.concatenate(errors)
    assert found["test"]["rmse"] == pytest.approx(np.sqrt((pooled**2).mean()), rel=1e-9)
    assert found["test"]["r2"] == pytest.approx(1 - (pooled**2).sum() / ((y - y.mean()) ** 2).sum(), rel=1e-9)


def test_drivers_are_chosen_anew_in_each_fold(write: Write) -> None:
    candidates = ("--candidate", "x", "--candidate", "temp_c", "--candidate", "constant")
    found = evaluated(write(), "--target", "energy_kwh", "--auto", *candidates, "--folds", "3")
    assert [fold["terms"] for fold in found["folds"]] == [["x", "temp_c"]] * 3
    assert sum(fold["n"] for fold in found["folds"]) == found["test"]["n"]


def test_what_the_reader_should_mind(write: Write, columns: Columns) -> None:
    result = run(write(), *NAMED, "--driver", "almost")
    assert result.exit_code == 0
    assert "almost goes with energy_kwh all but exactly" in result.stderr
    x = np.asarray(columns["x"], dtype=float).copy()
    x[-24:] += 500
    beyond = run(write(x=x), *NAMED, "--driver", "x")
    assert "x lies outside its range in training" in beyond.stderr
    overlapping = ("--train", "2021-01-01", "2021-03-15", "--test", "2021-03-15", "2021-04-30")
    assert "overlaps" in run(write(), *TIMED, *overlapping, "--driver", "x").stderr


def test_levels_that_training_lacks_are_left_out_of_the_test(write: Write, columns: Columns) -> None:
    product = list(columns["product"])
    product[-5:] = ["new"] * 5
    found = evaluated(write(product=product), *NAMED, *DRIVERS)
    assert found["refused"]["test_unpredicted"] == 5
    assert found["test"]["n"] == 24 * 46 - 5


def test_the_table_for_people(write: Write) -> None:
    text = run(write(), *NAMED, *DRIVERS).stdout
    for part in (
        "by a linear model",
        "COEFFICIENT",
        "product[b]",
        "train",
        "test",
        "Savings over the test",
        "Verdict:",
    ):
        assert part in text
    auto = run(write(), *NAMED, "--auto", "--temperature-column", "temp_c").stdout
    for part in ("Tried: time of week temperature", "Not a driver: constant has the same value throughout."):
        assert part in auto


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--driver", "nope"), "has no column 'nope'; it has x, double_x, temp_c, product"),
        (("--driver", "energy_kwh"), "can't be a driver of it"),
        (("--driver", "ts"), "holds the time stamps"),
        (("--driver", "constant"), "constant is the same in every hour of the training period"),
        (("--driver", "blank"), "blank is blank in every hour of the training period"),
        (("--driver", "batch"), "2880 different texts"),
        (("--driver", "x", "--driver", "double_x"), "double_x is fully determined by x"),
        (("--driver", "heating_degrees"), "--temperature-column"),
        (("--driver", "x", "--auto"), "give one of the two"),
        (("--driver", "x", "--candidate", "temp_c"), "add --auto"),
        ((), "Which drivers?"),
        (("--auto", "--candidate", "nope"), "has no column 'nope'"),
        (("--auto", "--candidate", "energy_kwh"), "can't be a driver of it"),
        (("--auto", "--candidate", "constant"), "constant has the same value throughout"),
        (("--auto", "--candidate", "almost"), "no driver to choose from. almost goes with energy_kwh"),
        (("--driver", "x", "--model", "change_point"), "needs --temperature-column"),
        (("--temperature-column", "product"), "holds texts such as 'a'"),
        (("--driver", "hour_of_week", "--interval", "1d"), "hour_of_week needs hours"),
        (("--driver", "x", "--folds", "3"), "--folds and --test"),
        (("--driver", "weekday", "--driver", "working_day"), "fully determined by"),
    ],
)
def test_refused(write: Write, arguments: tuple[str, ...], sentence: str) -> None:
    assert sentence in refused(write(), *NAMED, *arguments)


@pytest.mark.parametrize(
    ("periods", "sentence"),
    [
        (("--train", "2030-01-01", "2030-02-01", "--test", "2021-04-01", "2021-04-30"),
         "training period 2030-01-01 to 2030-02-01 holds no hour with energy; the file goes from "
         "2021-01-01 00:00 to 2021-05-01 00:00"),
        (("--train", "2021-01-01", "2021-02-01", "--test", "2020-04-01", "2020-04-30"), "test period"),
        (("--train", "2021-02-01", "2021-01-01", "--test", "2021-04-01", "2021-04-30"), "ends before"),
        (("--train", "NaN", "2021-01-01", "--test", "2021-04-01", "2021-04-30"), "'NaN' of the training"),
        (("--train", "2021-01-01T00:00Z", "2021-02-01T00:00Z", "--test", "2021-04-01", "2021-04-30"),
         "tells an offset from UTC and the file's stamps don't"),
        (("--train", "2021-01-01T00:00Z", "2021-02-01", "--test", "2021-04-01", "2021-04-30"), "or none"),
        (("--train", "2021-01-01", "2021-02-01"), "go together"),
        (("--train", "2021-01-01", "2021-01-01", "--test", "2021-04-01", "2021-04-30"), "2 more days"),
    ],
)  # fmt: skip
def test_periods_that_are_refused(write: Write, periods: tuple[str, ...], sentence: str) -> None:
    drivers = ("--driver", "x", "--driver", "temp_c", "--driver", "product")
    assert sentence in refused(write(), *TIMED, *periods, *drivers)


def test_instants_are_half_open(write: Write) -> None:
    periods = ("--train", "2021-01-01T00:00", "2021-02-01T06:00", "--test", "2021-03-01", "2021-03-01")
    found = evaluated(write(), *TIMED, *periods, "--driver", "x")
    assert found["train"]["n"] == 31 * 24 + 6
    assert found["test"]["n"] == 24


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--target", "energy_kwh", "--driver", "weekday"), "needs the rows' time"),
        (("--target", "energy_kwh", "--driver", "x", "--folds", "1"), "at least 2"),
        (("--target", "energy_kwh", "--driver", "x", "--folds", "5000"), "more folds than rows"),
        (("--target", "energy_kwh", "--driver", "x", *TRAIN_AND_TEST), "need --time-column"),
        (("--target", "energy_kwh", "--temperature-column", "temp_c", "--model", "time_of_week_temperature"),
         "needs --time-column"),
        (("--target", "blank", "--driver", "x"), "blank holds no number"),
        (("--target", "product", "--driver", "x"), "isn't a number"),
        (("--target", "nope", "--driver", "x"), "has no column 'nope'"),
        (("--target", "energy_kwh", "--time-column", "nope", "--driver", "x"), "has no column 'nope'"),
        (("--target", "energy_kwh", "--time-column", "product", "--driver", "x"), "neither ISO 8601"),
        (("--target", "ts", "--time-column", "ts", "--driver", "x"), "both the time and the target"),
    ],
)  # fmt: skip
def test_more_that_is_refused(write: Write, arguments: tuple[str, ...], sentence: str) -> None:
    assert sentence in refused(write(), *arguments)


def test_no_such_file(tmp_path: Path) -> None:
    assert "There is no file" in refused(tmp_path / "none.csv", "--target", "a", "--driver", "b")
