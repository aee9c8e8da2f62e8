"""`enms evaluate forecast` on made-up files: figures, clock changes, and what is refused."""

import csv
import json
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from enms.science.forecasting.candidates.persistence import Persistence
from enms.science.forecasting.candidates.profile_regression import ProfileRegression
from enms.science.forecasting.candidates.seasonal import LAST_WEEK, YESTERDAY
from enms.science.forecasting.horizons import NEXT_WEEK as WEEK
from enms.science.forecasting.pool import candidates_of
from enms_local.cli import create_app, describe, exit_code
from enms_local.evaluate import forecasts

DAYS = 70
HOURS = 24 * DAYS
START = datetime(2021, 1, 4, tzinfo=UTC)
NAMED = ("--time-column", "ts", "--value-column", "power_kw")
LOAD = (*NAMED, "--unit", "kW", "--interval", "1h")
NEXT_DAY = (*LOAD, "--horizon", "24h", "--origins", "2")
NEXT_WEEK = (*LOAD, "--horizon", "7d", "--origins", "2")
SCORES = {"mase", "mape", "mae", "coverage_80", "coverage_95", "fit_s", "predict_s"}

Write = Callable[..., Path]


def power_of(hours: int) -> np.ndarray:
    """Two shifts on working days, with noise."""
    hour = np.arange(hours)
    works = (hour // 24 % 7 < 5) & (hour % 24 >= 6) & (hour % 24 < 22)
    return 20 + 60 * works + np.random.default_rng(7).normal(0, 2, hours)


def power_by_clock(local: Sequence[datetime]) -> list[float]:
    """The same at each hour of the day, and each day 1 kW more: what yesterday's forecast is off by."""
    return [100 + 50 * math.sin(2 * math.pi * each.hour / 24) + each.toordinal() % 1000 for each in local]


@pytest.fixture(autouse=True)
def few_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested here is a file's way to the models: those that are quick stand for all."""
    quick = (YESTERDAY, LAST_WEEK, Persistence(), ProfileRegression())
    monkeypatch.setattr(forecasts, "candidates_of", lambda horizon: quick[horizon.steps_per_day == 1 :])


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes hours of load, or other columns, to a file."""

    def to_file(rows: Sequence[int] | None = None, **others: Sequence[Any]) -> Path:
        found: dict[str, Sequence[Any]] = {
            "ts": [f"{START + timedelta(hours=n):%Y-%m-%d %H:%M}" for n in range(HOURS)],
            "power_kw": power_of(HOURS).round(3),
            **others,
        }
        path = tmp_path / "file.csv"
        length = min(len(each) for each in found.values())
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(found)
            writer.writerows(
                [values[n] for values in found.values()] for n in (range(length) if rows is None else rows)
            )
        return path

    return to_file


def run(path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(create_app(), ["evaluate", "forecast", str(path), *arguments])


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


def test_figures_of_the_next_week(write: Write) -> None:
    path = write()
    found = evaluated(path, *NEXT_WEEK)

    assert (found["horizon"], found["origins"], found["step_minutes"]) == ("7d", 2, 1440)
    assert found["origin_times"] == ["2021-03-01T00:00:00", "2021-03-08T00:00:00"]
    assert set(found["selected"]) == {*SCORES, "chosen"}
    assert all(set(scores) == SCORES for scores in found["models"].values())
    assert len(found["selected"]["chosen"]) == 2
    days = power_of(HOURS).reshape(-1, 24).mean(axis=1)
    errors = np.array([np.abs(days[at : at + 7] - days[at - 7 : at]).mean() for at in (56, 63)])
    scales = np.array([np.abs(days[7:at] - days[: at - 7]).mean() for at in (56, 63)])
    naive = found["models"]["seasonal naive (week)"]
    assert naive["mae"] == pytest.approx(errors.mean(), rel=1e-3)
    assert naive["mase"] == pytest.approx((errors / scales).mean(), rel=1e-3)
    assert found["selected"]["mase"] < 1


def test_energy_of_finer_rows_is_power_of_steps(write: Write) -> None:
    quarters = 4 * HOURS
    stamps = [f"{START + timedelta(minutes=15 * n):%Y-%m-%d %H:%M}" for n in range(quarters)]
    energy = np.repeat(power_of(HOURS), 4) / 4
    by_energy = evaluated(
        write(ts=stamps, power_kw=energy), *NAMED, "--unit", "kWh", "--interval", "15min", "--horizon", "7d",
        "--origins", "2",
    )  # fmt: skip
    megawatts = evaluated(write(power_kw=power_of(HOURS) / 1000), *NEXT_WEEK, "--unit", "MW")
    plain = evaluated(write(power_kw=power_of(HOURS)), *NEXT_WEEK)
    for other in (by_energy, megawatts):
        assert other["selected"]["mae"] == pytest.approx(plain["selected"]["mae"], rel=1e-4)


def test_rows_across_two_steps_count_in_both(write: Write) -> None:
    tens = 6 * 24 * 20
    stamps = [f"{START + timedelta(minutes=10 * n):%Y-%m-%d %H:%M}" for n in range(tens)]
    power = np.arange(tens, dtype=float)
    found = evaluated(
        write(ts=stamps, power_kw=power), *NAMED, "--unit", "kW", "--interval", "10min", "--horizon", "1h",
        "--origins", "1",
    )  # fmt: skip
    # Quarter hours hold 0 0 1, 1 2 2, 3 3 4 … by five minutes: their means rise by 4/3 and 5/3 in turn.
    assert found["models"]["persistence"]["mae"] == pytest.approx((5 / 3 + 3 + 14 / 3 + 6) / 4)
    assert found["models"]["seasonal naive (day)"]["mae"] == pytest.approx(144)


def test_what_comes_later_changes_nothing(write: Write) -> None:
    whole = power_of(HOURS)
    changed = whole.copy()
    changed[24 * 63 :] += 500
    at = ("--last-origin", "2021-03-01")
    expected, found = (evaluated(write(power_kw=each), *NEXT_WEEK, *at) for each in (whole, changed))
    for name in expected["models"]:
        assert found["models"][name]["mase"] == expected["models"][name]["mase"]
    assert found["selected"]["chosen"] == expected["selected"]["chosen"]


def test_clock_changes_of_hour_ending_stamps(write: Write) -> None:
    """A load by the clock on the wall is as regular as it is where days are seen by that clock."""
    zone = ZoneInfo("US/Eastern")
    begin = datetime(2021, 9, 6, 4, tzinfo=UTC)
    starts = [begin + timedelta(hours=n) for n in range(24 * 84 + 1)]
    local = [each.astimezone(zone) for each in starts]
    # As utilities stamp hours: the local start and an hour.
    stamps = [f"{each.replace(tzinfo=None) + timedelta(hours=1):%Y-%m-%d %H:%M}" for each in local]
    power = power_by_clock(local)
    assert len(stamps) > len(set(stamps))
    path = write(ts=stamps, power_kw=power)
    arguments = (
        *LOAD, "--horizon", "24h", "--origins", "3", "--last-origin", "2021-11-08", "--stamp", "end",
    )  # fmt: skip
    for zone_option in (("--timezone", "US/Eastern"), ()):
        found = evaluated(path, *arguments, *zone_option)
        assert found["origin_times"][1] == "2021-11-07T00:00:00"
        assert found["models"]["seasonal naive (day)"]["mae"] == pytest.approx(1)
    assert any("time of another" in warning for warning in found["warnings"])


def test_the_missing_hour_is_filled(write: Write) -> None:
    zone = ZoneInfo("Europe/Berlin")
    begin = datetime(2021, 1, 31, 23, tzinfo=UTC)
    local = [(begin + timedelta(hours=n)).astimezone(zone) for n in range(24 * 70)]
    power = power_by_clock(local)
    path = write(ts=[each.isoformat() for each in local], power_kw=power)
    found = evaluated(
        path, *LOAD, "--horizon", "24h", "--origins", "2", "--last-origin", "2021-03-29T00:00+02:00",
        "--timezone", "Europe/Berlin",
    )  # fmt: skip
    assert found["origin_times"] == ["2021-03-28T00:00:00", "2021-03-29T00:00:00"]
    assert found["models"]["seasonal naive (day)"]["mae"] == pytest.approx((46 + 18.5) / 47)
    # The hour that wasn't is not judged, and filled by the median of four weeks: 17.5 kW lower.
    assert found["warnings"] == []


def test_stamps_that_look_like_ends(write: Write) -> None:
    ends = [f"{START + timedelta(hours=n + 1):%Y-%m-%d %H:%M}" for n in range(HOURS)]
    by_look = evaluated(write(ts=ends), *NEXT_WEEK)
    assert by_look == evaluated(write(ts=ends), *NEXT_WEEK, "--stamp", "end") | {
        name: by_look[name] for name in ("models", "selected")
    }
    assert by_look["origin_times"] == evaluated(write(), *NEXT_WEEK)["origin_times"]


def test_gaps_are_neither_filled_with_truth_nor_judged(write: Write) -> None:
    power: list[Any] = power_of(HOURS).tolist()
    for hour in range(24 * 64, 24 * 65):
        power[hour] = ""
    found = evaluated(write(power_kw=power), *NEXT_WEEK)
    assert any("are unknown" in warning for warning in found["warnings"])
    days = power_of(HOURS).reshape(-1, 24).mean(axis=1)
    off = np.abs(days[56:] - days[49:63])
    judged = np.delete(off, 8)
    assert found["models"]["seasonal naive (week)"]["mae"] == pytest.approx(judged.mean(), rel=1e-3)


def test_a_regressor_that_is_known_ahead(write: Write) -> None:
    orders = np.random.default_rng(1).uniform(0, 1, DAYS).repeat(24)
    path = write(power_kw=power_of(HOURS) + 200 * orders, orders=orders, steady=np.ones(HOURS))
    plain = evaluated(path, *NEXT_WEEK)
    found = evaluated(path, *NEXT_WEEK, "--regressor", "orders", "--regressor", "steady")
    assert found["regressors_used"] == ["orders"]
    assert found["regressors_left_out"][0]["name"] == "steady"
    name = "regression on weeks"
    if plain["models"][name]["mae"] is not None:
        assert found["models"][name]["mae"] < 0.8 * plain["models"][name]["mae"]


def test_an_origin_without_its_whole_truth_moves_back(write: Write) -> None:
    found = evaluated(write(), *NEXT_WEEK, "--last-origin", "2021-03-10")
    assert found["origin_times"][-1] == "2021-03-08T00:00:00"
    assert "the last origin is 2021-03-08" in found["warnings"][0]
    assert "Origins are nearer" in evaluated(write(), *NEXT_WEEK, "--origin-every", "1d")["warnings"][0]


def test_all_candidates_compete(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecasts, "candidates_of", candidates_of)
    found = evaluated(write(), *LOAD, "--horizon", "7d", "--origins", "1", "--training-days", "40")
    assert list(found["models"]) == [each.name for each in candidates_of(WEEK)]
    assert "it needs 63 days" in found["refusals"]["regression on weeks"]
    assert found["models"]["regression on weeks"]["mase"] is None


def test_a_table_for_people(write: Write) -> None:
    result = run(write(), *NEXT_WEEK)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("7 steps of 1440 min at 2 origins")
    assert {"selected", "seasonal naive (week)"} <= {line.split("  ")[0] for line in lines}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--horizon", "48h"), "there are 1h, 24h, 7d"),
        (("--horizon", "1h"), "can't tell steps of 15 min"),
        (("--horizon", "1h", "--step", "1d"), "can't be cut"),
        (("--step", "20min"), "there are 15min, 1h and 1d"),
        (("--unit", "W"), "there are kW, kWh, MW"),
        (("--interval", "15min"), "rows are 1 h apart"),
        (("--interval", "0h"), "give a length"),
        (("--origins", "80"), "at most"),
        (("--origin-every", "90min"), "multiple of the step"),
        (("--last-origin", "yesterday"), "no instant"),
        (("--last-origin", "2021-03-01T00:30"), "start of a step"),
        (("--last-origin", "2022-01-01"), "the file goes from"),
        (("--last-origin", "2021-03-01T00:00+01:00"), "--timezone"),
        (("--timezone", "Mars/Olympus"), "no IANA time zone"),
        (("--training-days", "0"), "at least 1"),
        (("--country", "Utopia"), "holidays aren't known"),
        (("--value-column", "ts"), "both the time and the load"),
        (("--value-column", "other"), "has no column 'other'"),
        (("--regressor", "power_kw"), "besides"),
    ],
)
def test_what_is_asked_wrongly_is_refused(write: Write, arguments: tuple[str, ...], says: str) -> None:
    assert says in refused(write(), *NEXT_DAY, *arguments)


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"power_kw": ["5"] * HOURS}, "nothing to forecast"),
        ({"power_kw": [""] * HOURS}, "no number"),
        ({"power_kw": ["1"] * (HOURS - 1) + ["much"]}, "isn't a number"),
        ({"ts": ["noon"] * HOURS}, "neither ISO 8601"),
        ({"power_kw": ["1", "2"] * 20}, "so at most 0 are possible"),
        ({"power_kw": ["1", "2"] * 5}, "some past before it are needed"),
    ],
)
def test_files_without_a_load_are_refused(write: Write, columns: dict[str, list[str]], says: str) -> None:
    assert says in refused(write(**columns), *NEXT_DAY)


def test_a_stamp_far_off_is_refused(write: Write) -> None:
    stamps = [f"{START + timedelta(hours=n):%Y-%m-%d %H:%M}" for n in range(HOURS)]
    stamps[-1] = "2022-12-31 00:00"
    assert "nothing to judge by" in refused(write(ts=stamps), *NEXT_DAY)
    stamps[-1] = "2022-12-28 12:00"
    stamps[-2] = "2022-12-31 00:00"
    assert "too little is known" in refused(write(ts=stamps), *NEXT_DAY, "--origins", "3")
    tens = [f"{START + timedelta(minutes=10 * n):%Y-%m-%d %H:%M}" for n in range(HOURS)]
    tens[-1] = "2099-12-31 00:00"
    quarters = (*NAMED, "--unit", "kW", "--interval", "10min", "--horizon", "1h", "--origins", "1")
    assert "mend the stamps" in refused(write(ts=tens), *quarters)
