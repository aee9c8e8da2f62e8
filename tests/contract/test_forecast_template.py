"""What the template makes for forecasts: rules that jobs are known by, and time for fits."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from enms.services.forecast_jobs import FORECAST_JOBS, job_of_rule
from enms.services.jobs import JOBS
from enms.settings import SchedulerSettings

CHECKOUT = Path(__file__).resolve().parents[2]


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as plain values."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: {suffix: getattr(node, "value", None)})
TEMPLATE = yaml.load((CHECKOUT / "template.yaml").read_text(), _Loader)
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
MAKE: dict[str, Any] = RESOURCES["MakeForecastsFunction"]["Properties"]
TRAIN: dict[str, Any] = RESOURCES["TrainForecastsFunction"]["Properties"]
RULES = [event["Properties"] for event in MAKE["Events"].values()]


def test_each_job_has_its_rule() -> None:
    assert {job_of_rule(rule["Name"]["Sub"]) for rule in RULES} == set(FORECAST_JOBS)
    assert set(FORECAST_JOBS) <= set(JOBS)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["Name"]["Sub"])
def test_a_rule_fires_when_the_scheduler_says(rule: dict[str, Any]) -> None:
    default = TEMPLATE["Parameters"][rule["Schedule"]["Ref"]]["Default"]
    assert JOBS[job_of_rule(rule["Name"]["Sub"])].schedule(SchedulerSettings()) == default


@pytest.mark.parametrize("job", FORECAST_JOBS)
def test_the_sample_event_is_the_rules(job: str) -> None:
    event = json.loads((CHECKOUT / "events" / f"{job}.json").read_text())
    assert job_of_rule(event["resources"][0]) == job
    minute = int(event["time"][14:16])
    assert str(minute) in JOBS[job].schedule(SchedulerSettings()).split("(")[1].split()[0].split(",")


def test_another_rule_is_no_job_of_forecasts() -> None:
    with pytest.raises(LookupError, match="detect-anomalies is no rule"):
        job_of_rule("arn:aws:events:eu-central-1:123456789012:rule/enms-analytics-detect-anomalies")


def test_all_jobs_may_run_at_once_each_with_a_connection_besides_its_lock() -> None:
    assert MAKE["ReservedConcurrentExecutions"] >= len(FORECAST_JOBS)
    assert int(MAKE["Environment"]["Variables"]["DATABASE_POOL_SIZE"]) >= 2


def test_fits_have_time_and_a_step_waits_for_them() -> None:
    text = (CHECKOUT / "statemachines" / "retrain-baselines.asl.json").read_text()
    states = json.loads(text)["States"]
    inner = states["ChooseForecasts"]["ItemProcessor"]["States"]
    for state in (inner["ChooseForecast"], states["ChooseFactoryForecast"]):
        assert state["TimeoutSeconds"] > TRAIN["Timeout"] >= 600
        (caught,) = state["Catch"]
        assert caught["ErrorEquals"] == ["States.ALL"]


def test_a_week_trains_no_more_at_once_than_its_function_may() -> None:
    assert TRAIN["ReservedConcurrentExecutions"] == {"Ref": "RetrainConcurrency"}


def test_heavy_packages_are_in_the_image_that_fits_only() -> None:
    stages = {
        name: RESOURCES[name]["Metadata"]["DockerBuildTarget"]
        for name in (
            "ForecastFunction",
            "ForecastScheduleFunction",
            "MakeForecastsFunction",
            "TrainForecastsFunction",
        )
    }
    assert stages == {
        "ForecastFunction": "numeric",
        "ForecastScheduleFunction": "solver",
        "MakeForecastsFunction": "numeric",
        "TrainForecastsFunction": "prophet",
    }


def test_a_request_hands_trainings_over() -> None:
    variables = RESOURCES["ForecastFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["TRAIN_FORECASTS_FUNCTION"] == {"Ref": "TrainForecastsFunction"}
    assert "Timeout" not in RESOURCES["ForecastFunction"]["Properties"]
