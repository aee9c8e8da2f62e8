"""Trained once, asked often: what serves, what it says, and what it is stored as."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from unit.science.forecasting.loads import load, usual, with_unknown
from unit.science.forecasting.rule import competing

from enms.science.forecasting.candidates.weekly_median import WeeklyMedian
from enms.science.forecasting.forecast import LiveErrors
from enms.science.forecasting.forecaster import Forecaster, train
from enms.science.forecasting.horizons import NEXT_DAY, NEXT_HOUR, NEXT_WEEK, Horizon
from enms.science.forecasting.series import LoadSeries

ORIGIN = "2026-02-10"
# Where the proof isn't what is tested.
QUICK = replace(NEXT_DAY, proof_days=8)


@pytest.fixture(scope="module")
def series() -> LoadSeries:
    return load(NEXT_DAY, ORIGIN, days=38)


@pytest.fixture(scope="module")
def trained(series: LoadSeries) -> Forecaster:
    return train(series, NEXT_DAY, cheap=True)


def test_it_beats_the_naive_and_says_so_in_its_table() -> None:
    trained = train(load(NEXT_DAY, ORIGIN, days=60), NEXT_DAY, cheap=True)
    rows = {each.name: each for each in trained.table}
    assert {"seasonal naive (day)", "seasonal naive (week)", "selected"} <= set(rows)
    assert min(each.ratio_to_naive or 9 for each in trained.table if "naive" in each.name) == 1.0
    selected = rows["selected"]
    assert selected.ratio_to_naive is not None
    assert selected.ratio_to_naive < 0.95
    assert selected.coverage_80 is not None
    assert 0.7 < selected.coverage_80 < 0.92
    assert {each.name for each in trained.table if each.is_chosen} == {"selected", *trained.chosen}
    assert trained.reason
    assert (trained.origins, trained.choices) == (28, ("selected",))


def test_it_forecasts_the_plant(trained: Forecaster, series: LoadSeries) -> None:
    made = trained.forecast(series)
    truth = usual(made.starts_at, NEXT_DAY, series.zone)
    assert np.abs(made.power_kw - truth).max() < 6
    assert np.mean((made.lower_95_kw <= truth) & (truth <= made.upper_95_kw)) > 0.9
    assert made.lower_80_kw.min() >= 0
    assert made.notes == ()
    at = int(np.flatnonzero(made.starts_at == made.peak.at)[0])
    assert truth[at] == 120.0
    assert made.peak.power_kw == made.peak.quantiles_kw[49] > made.power_kw.max()


def test_a_document_is_small_json_and_says_the_same(trained: Forecaster, series: LoadSeries) -> None:
    text = json.dumps(trained.to_document(), allow_nan=False)
    assert len(text) < 300_000
    again = Forecaster.from_document(json.loads(text))
    assert again.forecast(series).power_kw.tolist() == pytest.approx(
        trained.forecast(series).power_kw.tolist()
    )
    assert json.dumps(again.to_document(), allow_nan=False) == text


def test_the_same_past_gives_the_same_document(trained: Forecaster, series: LoadSeries) -> None:
    again = train(series, NEXT_DAY, cheap=True)
    assert json.dumps(again.to_document()) == json.dumps(trained.to_document())


def test_a_document_of_another_version_is_refused(trained: Forecaster) -> None:
    with pytest.raises(ValueError, match="version is 99"):
        Forecaster.from_document(trained.to_document() | {"version": 99})


@pytest.mark.parametrize(
    ("zone", "origins"),
    [
        ("Europe/Berlin", ("2026-03-29", "2026-03-30", "2026-10-25", "2026-10-26 13:00")),
        ("America/New_York", ("2026-03-08", "2026-03-09", "2026-11-01", "2026-11-02 13:00")),
    ],
)
def test_the_profile_keeps_to_the_local_clock_when_it_is_changed(
    trained: Forecaster, zone: str, origins: tuple[str, ...]
) -> None:
    for origin in origins:
        series = load(NEXT_DAY, origin, days=56, zone=zone, noise_kw=0.5)
        made = trained.forecast(series)
        assert made.starts_at.tolist() == series.future_starts_at.tolist()
        assert np.abs(made.power_kw - usual(made.starts_at, NEXT_DAY, zone)).max() < 8


def test_the_doubled_hour_gets_the_same_forecast_twice(trained: Forecaster) -> None:
    made = trained.forecast(load(NEXT_DAY, "2026-10-25", days=56))
    assert made.power_kw[2] == made.power_kw[3]
    assert made.upper_95_kw[2] == made.upper_95_kw[3]


def test_reading_it_loads_nothing_heavy(trained: Forecaster, series: LoadSeries) -> None:
    code = """
import json, sys
import numpy as np
from enms.science.forecasting.forecaster import Forecaster
from enms.science.forecasting.series import LoadSeries
told = json.load(sys.stdin)
rows = {name: np.array(told[name]) for name in ("starts_at", "future_starts_at", "power_kw", "is_flagged")}
made = Forecaster.from_document(told["document"]).forecast(LoadSeries(3600, zone="Europe/Berlin", **rows))
assert len(made.power_kw) == 24
heavy = {"pandas", "scipy", "sklearn", "statsmodels", "prophet", "holidays"}
print(sorted(heavy & set(sys.modules)))
"""
    told = {
        "document": trained.to_document(),
        "starts_at": series.starts_at.tolist(),
        "future_starts_at": series.future_starts_at.tolist(),
        "power_kw": series.power_kw.tolist(),
        "is_flagged": series.is_flagged.tolist(),
    }
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, input=json.dumps(told), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_recent_misses_widen_its_intervals(trained: Forecaster, series: LoadSeries) -> None:
    starts_at = series.future_starts_at[0] + 86_400 * np.arange(6)
    points_kw = np.array([usual(each + 3600 * np.arange(24), NEXT_DAY, series.zone) for each in starts_at])
    errors_kw = 25 * np.random.default_rng(8).standard_normal(points_kw.shape)
    live = LiveErrors(starts_at, points_kw, errors_kw)
    later = load(NEXT_DAY, "2026-02-16", days=60)
    before, after = trained.forecast(later), trained.forecast(later, live=live)
    wider = (after.upper_80_kw - after.lower_80_kw) / (before.upper_80_kw - before.lower_80_kw)
    assert wider.mean() > 1.5
    assert after.power_kw.tolist() == before.power_kw.tolist()


def test_an_unknown_choice_is_an_error(trained: Forecaster, series: LoadSeries) -> None:
    with pytest.raises(KeyError):
        trained.forecast(series, "prophet")


def test_a_week_of_shutdown_does_not_poison_the_next(
    monkeypatch: pytest.MonkeyPatch, series: LoadSeries
) -> None:
    competing(monkeypatch)
    # From Monday to Friday of the week before; on Monday the plant is back, ahead is the Tuesday.
    power_kw = series.power_kw.copy()
    power_kw[-8 * 24 : -3 * 24] = 1.0
    shut = replace(series, power_kw=power_kw)
    made = train(shut, QUICK).forecast(shut)
    assert np.abs(made.power_kw - usual(made.starts_at, NEXT_DAY, series.zone)).max() < 12
    assert made.notes[0].startswith("Days on which it stood still are not learned from: 5 (2026-02-02, ")


def test_a_dead_sensor_does_not_stop_the_forecast(trained: Forecaster, series: LoadSeries) -> None:
    made = trained.forecast(with_unknown(series, -48, len(series.power_kw)))
    assert np.abs(made.power_kw - usual(made.starts_at, NEXT_DAY, series.zone)).max() < 8


@pytest.mark.parametrize(("horizon", "days"), [(NEXT_HOUR, 24), (NEXT_WEEK, 98)], ids=["1h", "7d"])
def test_other_horizons_serve_as_well(monkeypatch: pytest.MonkeyPatch, horizon: Horizon, days: int) -> None:
    competing(monkeypatch, WeeklyMedian())
    series = load(horizon, ORIGIN, days=days)
    trained = Forecaster.from_document(train(series, horizon).to_document())
    made = trained.forecast(series)
    assert np.abs(made.power_kw - usual(made.starts_at, horizon, series.zone)).max() < 15
    assert len(made.power_kw) == horizon.points


def test_a_machine_that_stands_still_is_forecast_to_do_so(series: LoadSeries) -> None:
    off = replace(series, power_kw=np.zeros_like(series.power_kw))
    made = train(off, QUICK, cheap=True).forecast(off)
    assert made.power_kw.tolist() == [0.0] * 24
    assert made.peak.power_kw == 0.0
