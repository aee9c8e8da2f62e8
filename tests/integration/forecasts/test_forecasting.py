"""What is asked of forecasts: the stored one while it holds, else one that is made at once and stored."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from integration.baselines.works import FACTORY, MACHINE
from integration.forecasts.loads import (
    DAY,
    HOUR,
    QUARTER,
    Plant,
    add_machine,
    draw,
    past_days,
    steps,
    this_hour,
    weekly,
)

from enms.artifacts import ModelStore
from enms.database import connection
from enms.errors import ConflictError, InvalidInputError, NotFoundError
from enms.services.forecast_current import ForecastQuestion
from enms.services.forecast_regressors import NewRegressor, receive
from enms.services.forecasting import demand, forecast_models, peak
from enms.services.regressor_checks import NewValue

NEW = UUID("c0000000-0000-4000-8000-00000000000f")
HEAVY = ("scipy", "pandas", "sklearn", "statsmodels", "prophet", "statsforecast")


def ask(
    plant: Plant,
    horizon: str = "24h",
    choice: str = "selected",
    *,
    machine_id: UUID | None = MACHINE,
    factory_id: UUID | None = None,
) -> dict[str, Any]:
    return demand(plant.database, plant.store, question(horizon, choice, machine_id, factory_id))


def question(
    horizon: str = "24h",
    choice: str = "selected",
    machine_id: UUID | None = MACHINE,
    factory_id: UUID | None = None,
) -> ForecastQuestion:
    return ForecastQuestion(machine_id, factory_id, "electrical", horizon, choice)


def issues(plant: Plant) -> list[dict[str, Any]]:
    return plant.rows("SELECT * FROM analytics.forecast_issues ORDER BY id")


def test_the_first_question_makes_a_forecast_and_the_next_ones_read_it(plant: Plant) -> None:
    plant.train(plant.machine(), "24h")
    first, second = ask(plant), ask(plant)

    assert (first["state"], second["state"]) == ("updated", "stored")
    assert second["predictions"] == first["predictions"]
    assert second["forecast_generated_at"] == first["forecast_generated_at"]
    assert (first["machine_id"], first["machine_name"]) == (MACHINE, "Press")
    assert (first["timezone"], first["step_minutes"], first["horizon"]) == ("Europe/Berlin", 60, "24h")
    assert len(first["predictions"]) == 24
    step = first["predictions"][0]
    assert step["timestamp"] == this_hour()
    assert step["timestamp"].utcoffset() == datetime.now(ZoneInfo("Europe/Berlin")).utcoffset()
    assert step["energy_kwh"] == step["predicted_power_kw"]
    assert (
        step["confidence_interval_lower"]
        <= step["lower_80_kw"]
        <= step["predicted_power_kw"]
        <= step["upper_80_kw"]
        <= step["confidence_interval_upper"]
    )
    assert (first["model"]["version"], first["model"]["choice"]) == (1, "selected")
    assert first["model"]["members"]
    assert first["backtest"]["models"] == second["backtest"]["models"]
    assert first["coverage"]["share_of_readings"] == 1
    assert (first["regressors_used"], first["regressors_left_out"]) == ([], [])
    assert len(issues(plant)) == 1


@pytest.mark.parametrize(("horizon", "queries"), [("24h", 1), ("7d", 2)])
def test_what_is_stored_takes_one_query_a_forecast(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, horizon: str, queries: int
) -> None:
    ask(plant, horizon)
    asked: list[str] = []
    rows = connection.rows

    def counted(lent: Any, statement: str, *values: Any) -> Any:
        asked.append(statement)
        return rows(lent, statement, *values)

    monkeypatch.setattr(connection, "rows", counted)
    assert ask(plant, horizon)["state"] == "stored"
    assert len(asked) == queries


def test_a_step_later_the_state_is_brought_up_to_date_without_a_fit(plant: Plant) -> None:
    plant.train(plant.machine(), "24h")
    ask(plant)
    plant.move_back(HOUR)

    again = ask(plant)

    assert (again["state"], again["age_minutes"]) == ("updated", pytest.approx(0, abs=0.2))
    assert again["predictions"][0]["timestamp"] == this_hour()
    assert len(issues(plant)) == 2
    assert len(forecast_models(plant.database, MACHINE, history=True)["models"]) == 1


def test_a_new_model_is_asked_at_once(plant: Plant) -> None:
    plant.train(plant.machine(), "24h")
    ask(plant)
    start, _ = past_days(10)
    draw(plant.works, start - HOUR, start, lambda at: 33)
    plant.train(plant.machine(), "24h")

    answer = ask(plant)

    assert (answer["state"], answer["model"]["version"]) == ("updated", 2)
    # Of one origin the newer model's stays.
    assert [row["model_id"] for row in issues(plant)] == [answer["model"]["id"]]


def test_without_a_model_the_best_that_little_can_tell_is_served(plant: Plant) -> None:
    answer = ask(plant)

    assert answer["state"] == "updated"
    assert answer["model"]["id"] is None
    assert "No model was trained yet" in answer["model"]["reason"]
    assert answer["backtest"]["models"] == []
    assert len(answer["predictions"]) == 24
    assert ask(plant)["state"] == "stored"


def test_hours_of_readings_are_forecast_too(plant: Plant) -> None:
    add_machine(plant.works, NEW, "New")
    draw(plant.works, this_hour() - 5 * HOUR, this_hour(), lambda at: 20.0, machine_id=NEW)

    answer = ask(plant, machine_id=NEW)

    assert answer["predictions"][0]["predicted_power_kw"] == pytest.approx(20, rel=0.3)
    assert answer["coverage"]["days_of_history"] == pytest.approx(5 / 24, abs=0.01)
    assert any("days" in note for note in answer["notes"])


def test_what_is_not_known_of_times_to_come_is_left_out_and_told(plant: Plant) -> None:
    start, _ = past_days(10)
    values = [NewValue(at, at + HOUR, float(at.hour)) for at in steps(start, this_hour() + 5 * HOUR, HOUR)]
    receive(
        plant.database,
        NewRegressor(machine_id=MACHINE, name="orders", kind="schedule", values=values, is_history=True),
    )
    plant.train(plant.machine(), "24h")

    answer = ask(plant)

    assert answer["regressors_used"] == []
    assert answer["regressors_left_out"] == [
        {"name": "orders", "reason": "19 of the 24 steps to come are unknown"}
    ]


def test_a_week_has_the_days_of_the_factory_and_the_peak_of_its_hours(plant: Plant) -> None:
    plant.train(plant.factory(), "7d", "7d-hourly")
    answer = ask(plant, "7d", machine_id=None, factory_id=FACTORY)
    highest = peak(plant.database, plant.store, question("7d", "selected", None, FACTORY), None)

    assert (answer["factory_id"], answer["step_minutes"]) == (FACTORY, 1_440)
    zone = ZoneInfo("Europe/Berlin")
    days = [step["timestamp"] for step in answer["predictions"]]
    today = datetime.now(zone).date()
    assert [day.date() for day in days] == [today + timedelta(days=n) for n in range(7)]
    assert {day.hour for day in days} == {0}
    for step, end in zip(answer["predictions"], [*days[1:], None], strict=True):
        if end is not None:
            hours = (end.astimezone(UTC) - step["timestamp"].astimezone(UTC)) / HOUR
            assert step["energy_kwh"] == pytest.approx(step["predicted_power_kw"] * hours, abs=0.1)
    assert answer["peak_demand_predicted"] == {
        "timestamp": highest["timestamp"],
        "power_kw": highest["power_kw"],
    }


def test_the_peak_and_how_likely_it_passes_a_limit(plant: Plant) -> None:
    plant.train(plant.machine(), "24h")
    foretold = ask(plant)
    by_month = peak(plant.database, plant.store, question(), None)
    certain = peak(plant.database, plant.store, question(), 0.5)
    never = peak(plant.database, plant.store, question(), 1_000)

    assert foretold["peak_demand_predicted"] == {
        "timestamp": by_month["timestamp"],
        "power_kw": by_month["power_kw"],
    }
    assert by_month["state"] == "stored"
    low, high = by_month["interval_80"]
    lowest, highest = by_month["interval_95"]
    assert lowest <= low <= by_month["power_kw"] <= high <= highest
    assert certain["limit_source"] == "given"
    assert certain["probability_over_limit"] > 0.99
    assert never["limit_kw"] == 1_000
    assert never["probability_over_limit"] < 0.01
    if by_month["peak_so_far_this_month_kw"] is not None:
        month = datetime.now(ZoneInfo("Europe/Berlin")).replace(
            day=1, hour=0, minute=0, second=0, microsecond=0
        )
        start = max(month.astimezone(UTC), past_days(10)[0])
        expected = max(weekly(at) for at in steps(start, datetime.now(UTC), QUARTER))
        assert by_month["peak_so_far_this_month_kw"] == pytest.approx(expected)
        assert by_month["limit_source"] == "peak_so_far_this_month"


def test_this_months_peak_of_a_factory_is_the_highest_coincident_quarter(plant: Plant) -> None:
    found = peak(plant.database, plant.store, question("24h", "selected", None, FACTORY), 5)
    one = peak(plant.database, plant.store, question(), 5)

    if one["peak_so_far_this_month_kw"] is not None:
        assert found["peak_so_far_this_month_kw"] == pytest.approx(1.5 * one["peak_so_far_this_month_kw"])


def test_who_is_long_silent_is_forecast_from_where_the_readings_end(plant: Plant) -> None:
    add_machine(plant.works, NEW, "Old")
    end = this_hour() - 60 * DAY
    draw(plant.works, end - 10 * DAY, end, weekly, machine_id=NEW)
    plant.train(plant.machine(NEW), "24h")

    first, second = ask(plant, machine_id=NEW), ask(plant, machine_id=NEW)

    assert first["predictions"][0]["timestamp"] == end
    assert any("ended 60 days ago" in note for note in first["notes"])
    assert second["state"] == "stored"
    assert peak(plant.database, plant.store, question(machine_id=NEW), None)[
        "peak_so_far_this_month_kw"
    ] == pytest.approx(50)


def test_damaged_bytes_do_not_silence_the_forecast(plant: Plant) -> None:
    plant.train(plant.machine(), "24h")
    plant.rows("UPDATE analytics.forecast_models SET artifact_key = 'forecasts/gone.json'")

    answer = demand(plant.database, ModelStore(plant.store.bucket), question())

    assert (len(answer["predictions"]), answer["model"]["id"]) == (24, None)


def test_what_can_not_be_answered(plant: Plant) -> None:
    add_machine(plant.works, NEW, "New")
    with pytest.raises(InvalidInputError, match="has no reading of electrical energy at all") as refused:
        ask(plant, machine_id=NEW)
    assert refused.value.details["code"] == "no-readings"
    with pytest.raises(InvalidInputError, match="arima is not kept for 24h; there are selected and prophet"):
        ask(plant, choice="arima")
    with pytest.raises(ConflictError, match="prophet of Press for 24h was not trained yet") as missing:
        ask(plant, choice="prophet")
    assert missing.value.details["code"] == "no-forecast-model"
    plant.train(plant.machine(), "24h")
    with pytest.raises(ConflictError, match="prophet of Press for 24h could not be fitted to its history"):
        ask(plant, choice="prophet")
    with pytest.raises(NotFoundError):
        ask(plant, machine_id=FACTORY)
    with pytest.raises(InvalidInputError, match="neither is given"):
        ask(plant, machine_id=None)
    with pytest.raises(InvalidInputError, match="both are given"):
        ask(plant, factory_id=FACTORY)
    with pytest.raises(NotFoundError):
        forecast_models(plant.database, UUID(int=1))


def test_models_of_all_subjects(plant: Plant) -> None:
    plant.train(plant.machine(), "24h")
    plant.train(plant.factory(), "7d", "7d-hourly")

    found = forecast_models(plant.database)

    assert found["count"] == 3
    assert {model["horizon"] for model in found["models"]} == {"24h", "7d", "7d-hourly"}
    week = forecast_models(plant.database, factory_id=FACTORY, horizon="7d")
    assert [model["horizon"] for model in week["models"]] == ["7d", "7d-hourly"]


def test_what_is_stored_is_read_without_numpy(plant: Plant) -> None:
    plant.train(plant.machine(), "24h", "7d", "7d-hourly")
    ask(plant)
    ask(plant, "7d")

    assert loaded_by(plant, MACHINE, "stored", ("numpy", *HEAVY)) == "[]"


def test_what_is_made_at_a_request_needs_no_heavy_library(plant: Plant) -> None:
    # Enough for a model, which nobody has trained.
    add_machine(plant.works, NEW, "New")
    _, end = past_days(20)
    draw(plant.works, end - 20 * DAY, end, weekly, machine_id=NEW)

    assert loaded_by(plant, NEW, "updated", HEAVY) == "[]"


def loaded_by(plant: Plant, machine_id: UUID, state: str, libraries: tuple[str, ...]) -> str:
    """Which libraries a process loads that answers for a day and a week, out of the given state."""
    script = f"""
import sys
from uuid import UUID
from enms.artifacts import ModelStore
from enms.database.connection import Database
from enms.services import forecasting
database = Database(lambda: {plant.database._url()!r})
for horizon in ("24h", "7d"):
    asked = forecasting.ForecastQuestion(UUID({str(machine_id)!r}), None, "electrical", horizon, "selected")
    assert forecasting.demand(database, ModelStore("none"), asked)["state"] == {state!r}
    assert forecasting.peak(database, ModelStore("none"), asked, None)["state"] == "stored"
print([name for name in {libraries!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
