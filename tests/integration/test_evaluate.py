"""`enms evaluate baseline` on real buildings and plants: as near as others' tools, and honest about it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from enms_local.cli import create_app

NMECR = (
    "--time-column", "date", "--target", "energy_kwh", "--temperature-column", "temp_f",
    "--temperature-unit", "F", "--train", "2012-03-01", "2013-02-28", "--test", "2014-03-01", "2015-02-28",
)  # fmt: skip
CCPP = ("--target", "power_mw", "--folds", "10")
OTHERS = ("vacuum_cmhg", "pressure_mbar", "humidity_pct")
LATE_YEAR = ("--train", "{year}-01-01", "{year}-09-30", "--test", "{year}-10-01", "{year}-12-31")
STEEL = ("--time-column", "timestamp", "--target", "usage_kwh", "--interval", "1d")
TETUAN = ("--time-column", "timestamp", "--target", "zone1_kw", "--temperature-column", "temp_c")


def evaluated(file: Path, *arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(create_app(), ["evaluate", "baseline", str(file), *arguments, "--json"])
    assert result.exit_code == 0, result.exception or result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def late(year: int) -> list[str]:
    return [each.format(year=year) for each in LATE_YEAR]


@pytest.fixture(scope="session")
def data_dir(shared_dir: Path) -> Path:
    return shared_dir / "data"


@pytest.fixture
def building(data_dir: Path) -> Path:
    return data_dir / "nmecr_commercial" / "commercial_daily.csv"


@pytest.mark.parametrize(
    ("model", "r2", "cv_rmse_percent"), [("linear", 0.6909, 11.44), ("change_point", 0.7197, 10.91)]
)
def test_a_building_by_temperature(building: Path, model: str, r2: float, cv_rmse_percent: float) -> None:
    found = evaluated(building, *NMECR, "--model", model)
    assert found["train"]["n"] == found["test"]["n"] == 365
    assert found["train"]["r2"] == pytest.approx(r2, abs=0.002)
    assert found["train"]["cv_rmse_percent"] == pytest.approx(cv_rmse_percent, abs=0.05)
    assert found["verdict"]["status"] == "rejected"


def test_a_building_by_time_of_week_and_temperature(building: Path) -> None:
    found = evaluated(building, *NMECR, "--model", "time_of_week_temperature")
    assert found["train"]["r2"] >= 0.893
    assert found["train"]["cv_rmse_percent"] <= 6.85
    savings = found["savings"]
    assert savings["kwh"] == pytest.approx(408_142, rel=0.02)
    assert savings["percent"] == pytest.approx(7, abs=0.5)
    assert savings["significant"]
    assert found["verdict"]["status"] != "rejected"


@pytest.mark.parametrize("arguments", [("--model", "auto"), ("--auto",)])
def test_auto_takes_the_form_that_errs_least_out_of_time(building: Path, arguments: tuple[str, ...]) -> None:
    found = evaluated(building, *NMECR, *arguments)
    forms = ("linear", "change_point", "time_of_week_temperature")
    errors = {form: evaluated(building, *NMECR, "--model", form)["test"]["cv_rmse_percent"] for form in forms}
    assert found["model"]["kind"] == min(errors, key=lambda form: errors[form])


def test_a_power_plant_by_four_drivers(data_dir: Path) -> None:
    drivers = [word for name in ("temp_c", *OTHERS) for word in ("--driver", name)]
    found = evaluated(data_dir / "ccpp_hourly" / "ccpp.csv", *CCPP, *drivers)
    assert round(found["test"]["r2"], 4) == 0.9286
    assert round(found["test"]["rmse"], 2) == 4.56
    assert found["target"] == {"name": "power_mw", "kind": "power", "unit": "MW"}


def test_a_power_plant_bends_with_temperature(data_dir: Path) -> None:
    candidates = [word for name in OTHERS for word in ("--candidate", name)]
    found = evaluated(
        data_dir / "ccpp_hourly" / "ccpp.csv", *CCPP, "--auto", "--temperature-column", "temp_c", *candidates
    )
    assert found["model"]["kind"] == "change_point"
    assert found["test"]["rmse"] < 4.5
    assert found["test"]["r2"] > 0.93


def test_feeders_of_a_city(data_dir: Path) -> None:
    found = evaluated(
        data_dir / "tetuan_10min" / "tetuan.csv", *TETUAN, *late(2017), "--model", "time_of_week_temperature"
    )
    assert found["interval"] == "hour"
    assert found["train"]["n"] == 273 * 24
    assert found["train"]["r2"] >= 0.852
    assert found["test"]["r2"] >= 0.70
    assert found["test"]["cv_rmse_percent"] <= 11.5


@pytest.mark.parametrize(
    ("driver", "r2", "cv_rmse_percent"),
    [("weekday", 0.419, 34.6), ("day_of_week", 0.419, 34.6), ("load_type", 0.452, 29.5)],
)
def test_a_steel_works_has_no_baseline_to_rely_on(
    data_dir: Path, driver: str, r2: float, cv_rmse_percent: float
) -> None:
    found = evaluated(data_dir / "steel_15min" / "steel.csv", *STEEL, *late(2018), "--driver", driver)
    assert found["rows"] == {"step_seconds": 900, "stamps_tell": "end", "repeated_stamps": 0}
    assert (found["train"]["n"], found["test"]["n"]) == (273, 92)
    assert round(found["train"]["r2"], 3) >= r2
    assert round(found["test"]["cv_rmse_percent"], 1) <= cv_rmse_percent
    assert found["verdict"]["status"] != "valid"


def test_what_leaks_of_a_steel_works_is_not_taken_by_itself(data_dir: Path) -> None:
    found = evaluated(data_dir / "steel_15min" / "steel.csv", *STEEL, *late(2018), "--auto")
    left_alone = {each["driver"] for each in found["not_tried"]}
    assert {"co2_t", "lag_kvarh"} <= left_alone
    assert not left_alone & {each["term"] for each in found["model"]["coefficient_details"]}
    assert found["verdict"]["status"] != "valid"


def test_a_wall_clock_with_changes(data_dir: Path) -> None:
    file = data_dir / "pjm_hourly" / "pjm_load.csv"
    periods = ("--train", "1999-01-01", "1999-12-31", "--test", "2000-01-01", "2000-12-31")
    target = ("--time-column", "timestamp", "--target", "load_mw")
    found = evaluated(file, *target, *periods, "--driver", "hour_of_week")
    assert found["test"]["r2"] > 0.3
    assert found["train"]["n"] >= 365 * 24 - 2
    daily = evaluated(file, *target, *periods, "--driver", "weekday", "--interval", "1d")
    assert (daily["train"]["n"], daily["test"]["n"]) == (365, 366)
