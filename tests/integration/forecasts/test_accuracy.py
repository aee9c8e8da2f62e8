"""How good forecasts were: what the database counts is what the science would, whole, by lead and by week."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from integration.baselines.works import FACTORY, MACHINE, Works
from integration.forecasts.issued import Issue, Issued, series, table

from enms.database import forecast_accuracy as counted
from enms.database.connection import Database
from enms.errors import InvalidInputError
from enms.science.arrays import Values
from enms.science.forecasting import metrics
from enms.services.forecast_accuracy import Live, Promised, accuracy, is_degraded
from enms.services.forecast_subjects import find_subject

HOUR = timedelta(hours=1)
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
ZONE = ZoneInfo("Europe/Berlin")
POINTS = 24
LEAST_KW = 6.0  # a tenth of what the machine is rated for


def told(database: Database, horizon: str = "24h", **more: Any) -> dict[str, Any]:
    """What is told of the machine."""
    return accuracy(database, find_subject(database, MACHINE, None), horizon, **more)


class Told:
    """Forecasts of the machine, one an hour, with the truth of all but the last day."""

    def __init__(self, hours: int, seed: int = 1) -> None:
        self.first = NOW - hours * HOUR
        total = hours + POINTS
        self.load = series(seed, total)
        self.load[5] = np.nan
        self.naive = series(seed + 1, total)
        self.naive[7] = np.nan
        noise = np.random.default_rng(seed + 2).normal(0, 4, (hours, POINTS))
        self.power = (
            np.array([np.nan_to_num(self.load[n : n + POINTS], nan=50.0) for n in range(hours)]) + noise
        )
        self.actual = np.array(
            [
                self.load[n : n + POINTS] if n + POINTS <= hours else np.full(POINTS, np.nan)
                for n in range(hours)
            ]
        )
        self.naive_kw = np.array([self.naive[n : n + POINTS] for n in range(hours)])

    def store(self, issued: Issued, model_id: UUID | None = None) -> None:
        for n, power in enumerate(self.power):
            starts = [self.first + (n + lead) * HOUR for lead in range(POINTS)]
            came = self.actual[n]
            issued.add(
                Issue(starts, power, None if np.isnan(came).all() else came, self.naive_kw[n]), model_id
            )

    def starts(self) -> list[list[datetime]]:
        return [[self.first + (n + lead) * HOUR for lead in range(POINTS)] for n in range(len(self.power))]


def expected(power: Values, actual: Values, naive: Values) -> dict[str, float]:
    """The same figures by the science's own words, for a scale of 10 kW and bands of 5 and 10 kW."""
    errors, off = power - actual, naive - actual
    both = ~np.isnan(errors) & ~np.isnan(off)
    return {
        "mase": metrics.mase(errors.ravel(), 10.0),
        "ratio_to_naive": float(np.abs(errors[both]).sum() / np.abs(off[both]).sum()),
        "mape_percent": metrics.mape_percent(actual.ravel(), power.ravel(), LEAST_KW),
        "bias_kw": metrics.bias_kw(actual, power),
        "coverage_80": metrics.coverage(actual, power - 5, power + 5),
        "coverage_95": metrics.coverage(actual, power - 10, power + 10),
    }


def test_figures_are_those_of_the_science(database: Database, works: Works) -> None:
    made = Told(15 * 24)
    made.store(Issued(works))
    answer = told(database)
    whole = expected(made.power, made.actual, made.naive_kw)
    assert (answer["issues"], answer["scored"]) == (360, 337)
    for name, value in whole.items():
        assert answer[name] == pytest.approx(value, rel=1e-3), name
    assert answer["skill_percent"] == pytest.approx(100 * (1 - whole["ratio_to_naive"]), abs=0.06)

    assert [row["lead"] for row in answer["by_lead"]] == list(range(1, 25))
    for row in answer["by_lead"]:
        place = slice(row["lead"] - 1, row["lead"])
        of_lead = expected(made.power[:, place], made.actual[:, place], made.naive_kw[:, place])
        for name, value in of_lead.items():
            assert row[name] == pytest.approx(value, rel=1e-3), (row["lead"], name)

    local = np.array([[at.astimezone(ZONE).date() for at in each] for each in made.starts()])
    mondays = np.array([[day - timedelta(days=day.weekday()) for day in each] for each in local])
    assert [row["week"] for row in answer["by_week"]] == sorted({str(day) for day in mondays.ravel()})
    for row in answer["by_week"]:
        is_inside = mondays == date.fromisoformat(row["week"])
        if not row["scored"]:
            continue
        of_week = expected(
            *(np.where(is_inside, each, np.nan) for each in (made.power, made.actual, made.naive_kw))
        )
        for name, value in of_week.items():
            assert row[name] == pytest.approx(value, rel=1e-3), (row["week"], name)


def test_moves_are_between_forecasts_of_one_step(database: Database, works: Works) -> None:
    issued = Issued(works)
    first = NOW - 48 * HOUR
    flat = np.full(3, 10.0)
    # The second says 12 where the first one said 10 (two steps), the third 9 where that said 12 (one).
    for begin, level in ((0, 10.0), (1, 12.0), (3, 9.0)):
        issued.add(Issue([first + (begin + lead) * HOUR for lead in range(3)], 0 * flat + level, None, flat))
    answer = told(database)
    assert answer["moved_percent"] == pytest.approx(100 * (2 + 2 + 3) / (11 + 11 + 10.5), rel=1e-3)
    # By how far ahead the newer one looks: 12 against 10 twice as its first and second step, 9 as its first.
    assert [row["moved_percent"] for row in answer["by_lead"]] == [
        pytest.approx(100 * 5 / 21.5, rel=1e-3),
        pytest.approx(100 * 2 / 11, rel=1e-3),
        None,
    ]


def test_weeks_are_local_and_days_of_any_length_are_days(database: Database, works: Works) -> None:
    issued = Issued(works, horizon="7d", step=timedelta(days=1))
    # Begins on the Monday before the clocks change.
    days = [datetime(2026, 3, 23 + n, tzinfo=ZONE) for n in range(7)]
    issued.add(Issue(days, np.full(7, 40.0), np.full(7, 44.0), np.full(7, 36.0)))
    answer = told(database, "7d", start=date(2026, 3, 23), end=date(2026, 3, 23))
    assert [(row["week"], row["scored"]) for row in answer["by_week"]] == [("2026-03-23", 1)]
    assert answer["in_words"] == "2026-03-23 to 2026-03-29: 50 % better than the same day last week"
    assert (answer["bias_kw"], answer["coverage_80"]) == (-4, 1)
    assert told(database, "7d", start=date(2026, 3, 24), end=date(2026, 3, 30))["issues"] == 0


def test_nothing_yet_is_an_answer(database: Database, works: Works) -> None:
    answer = told(database)
    assert (answer["machine_id"], answer["machine_name"], answer["timezone"]) == (
        MACHINE,
        "Press",
        "Europe/Berlin",
    )
    assert (answer["issues"], answer["scored"], answer["by_lead"], answer["by_week"]) == (0, 0, [], [])
    assert all(answer[name] is None for name in ("mase", "skill_percent", "coverage_80", "moved_percent"))
    assert answer["in_words"].startswith("nothing can be said yet")
    assert answer["notes"] == ["No forecast was made in this period."]
    assert answer["is_degraded"] is False

    Issued(works).add(Issue([NOW + HOUR], np.array([5.0]), None, np.array([np.nan])))
    answer = told(database, end=NOW + 2 * HOUR)
    assert (answer["issues"], answer["scored"]) == (1, 0)
    assert answer["notes"] == ["Forecasts were made, but of none of them the load is known yet."]
    assert accuracy(database, find_subject(database, None, FACTORY), "24h")["issues"] == 0


def test_without_scale_or_naive_the_rest_is_told(database: Database, works: Works) -> None:
    starts = [NOW - 30 * HOUR + n * HOUR for n in range(3)]
    unknown = np.full(3, np.nan)
    Issued(works, scale_kw=None).add(Issue(starts, np.full(3, 9.0), np.full(3, 10.0), unknown))
    answer = told(database)
    assert (answer["mase"], answer["ratio_to_naive"], answer["skill_percent"]) == (None, None, None)
    assert (answer["bias_kw"], answer["mape_percent"], answer["coverage_95"]) == (-1, 10, 1)
    said = r"last 3[01] hours: the same hour last week isn't known, so there is nothing to hold the forecasts"
    assert re.match(said, answer["in_words"])
    # Below a tenth of the rated power a percentage tells nothing.
    Issued(works, choice="prophet").add(Issue(starts, np.full(3, 2.0), np.full(3, 1.0), unknown))
    assert told(database, choice="prophet")["mape_percent"] is None


@pytest.mark.parametrize(
    ("error_kw", "naive", "words"),
    [
        (6.2, "week", "last 3 weeks: 38 % better than the same hour last week"),
        (10.0, "week", "last 3 weeks: as good as the same hour last week"),
        (11.0, "day", "last 3 weeks: 10 % worse than the same hour the day before"),
    ],
)
def test_words(database: Database, works: Works, error_kw: float, naive: str, words: str) -> None:
    issued = Issued(works, backtest=table(naive=naive))
    model_id = issued.model()
    for days in (21, 10, 1):
        start = NOW - timedelta(days=days)
        issued.add(Issue([start], np.array([50 + error_kw]), np.array([50.0]), np.array([60.0])), model_id)
    assert told(database)["in_words"] == words


def test_a_period_that_means_nothing_is_refused(database: Database, works: Works) -> None:
    for period in ({"start": NOW}, {"start": NOW, "end": NOW - HOUR}, {"start": NOW - 500 * 24 * HOUR}):
        with pytest.raises(InvalidInputError) as refused:
            told(database, **period, **({} if "end" in period else {"end": NOW}))
        assert refused.value.details["parameter"] == "end"


def _degraded(works: Works, database: Database, days: int, **made: Any) -> list[str]:
    """The notes about a model whose forecasts of one hour ahead are off by 20 kW, with bands of 5 kW."""
    told_of = {"error_kw": 20.0, "naive_kw": 10.0, **made}
    issued = Issued(works, backtest=table(1.8))
    model_id = issued.model()
    for hour in range(days * 24):
        start = NOW - (hour + 1) * HOUR
        issued.add(
            Issue(
                [start],
                np.array([50 + told_of["error_kw"]]),
                np.array([50.0]),
                np.array([50 + told_of["naive_kw"]]),
                made.get("width_kw", 5.0),
            ),
            model_id,
        )
    answer = told(database)
    notes = [note for note in answer["notes"] if "worse than its proof" in note]
    assert answer["is_degraded"] is bool(notes)
    return notes


def test_a_model_that_loses_to_the_naive_is_degraded(database: Database, works: Works) -> None:
    (note,) = _degraded(works, database, 4)
    assert "200% of those of the seasonal naive" in note


def test_a_model_with_larger_errors_than_promised_is_degraded(database: Database, works: Works) -> None:
    (note,) = _degraded(works, database, 4, error_kw=28.0, naive_kw=30.0)
    assert "its MASE is 2.80, in the backtest it was 1.80" in note


def test_a_band_that_does_not_hold_is_degraded(database: Database, works: Works) -> None:
    (note,) = _degraded(works, database, 4, error_kw=20.0, naive_kw=30.0)
    assert "0% of the loads lay inside the 80 % band" in note


def test_a_sound_model_is_not(database: Database, works: Works) -> None:
    assert _degraded(works, database, 4, error_kw=20.0, naive_kw=30.0, width_kw=25.0) == []


def test_a_new_version_begins_without_a_record(database: Database, works: Works) -> None:
    assert _degraded(works, database, 4)
    Issued(works).model(2)
    assert told(database)["is_degraded"] is False


def test_models_are_judged_at_once(database: Database, works: Works) -> None:
    other = UUID("c0000000-0000-4000-8000-000000000002")
    works.add_machine(other, "Other")
    ids = []
    for machine_id, seed in ((MACHINE, 1), (other, 11)):
        issued = Issued(works, machine_id=machine_id)
        ids.append(issued.model())
        made = Told(5 * 24, seed)
        made.store(issued, ids[-1])
        Issued(works, machine_id=machine_id, choice="prophet").add(
            Issue([NOW - HOUR], np.array([0.0]), np.array([50.0]), np.array([50.0])), ids[-1]
        )
    with database.connection() as connection:
        rows = counted.of_models(connection, ids, NOW - timedelta(days=28))
        assert counted.of_models(connection, ids, NOW) == []
    assert {row["model_id"] for row in rows} == set(ids)
    for row in rows:
        made = Told(5 * 24, 1 if row["model_id"] == ids[0] else 11)
        whole = expected(made.power, made.actual, made.naive_kw)
        assert row["mase"] == pytest.approx(whole["mase"])
        assert row["coverage_80"] == pytest.approx(whole["coverage_80"])
        # One step's load is unknown; the first and the last are 119 hours apart.
        assert (row["steps"], row["days"]) == (5 * 24 - 1, pytest.approx(119 / 24))
        assert is_degraded(Live.of(row), Promised(0.1)) is True
        assert is_degraded(Live.of(row), Promised(None)) is (row["ratio_to_naive"] > 1.05)
