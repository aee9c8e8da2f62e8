"""KPI routes: names that callers know, right figures, the factory's days, and clear refusals."""

import pytest
from integration.api.conftest import BOILER, FACTORY, PRESS, UNKNOWN, Client
from pydantic import BaseModel

from enms.web import models

KPI = "/api/v1/kpi"
DAY = {"start": "2026-03-28T00:00:00Z", "end": "2026-03-29T00:00:00Z"}
ROUTES: dict[str, type[BaseModel]] = {
    "sec": models.SpecificEnergy,
    "peak-demand": models.PeakDemand,
    "load-factor": models.LoadFactor,
    "energy-cost": models.EnergyCost,
    "carbon": models.Carbon,
    "all": models.AllKpis,
    "history": models.History,
    "profile": models.Profile,
    "duration-curve": models.DurationCurve,
}


@pytest.mark.parametrize(
    "subject", [{"machine_id": PRESS}, {"factory_id": FACTORY}], ids=["machine", "factory"]
)
@pytest.mark.parametrize("route", ROUTES)
def test_every_answer_is_as_documented(client: Client, route: str, subject: dict[str, str]) -> None:
    answer = client.get(f"{KPI}/{route}", **subject, **DAY)
    assert answer.status_code == 200, answer.text
    documented = ROUTES[route].model_validate_json(answer.text)
    assert set(answer.json()) <= set(type(documented).model_fields)
    kind = next(iter(subject)).removesuffix("_id")
    assert (answer.json()[f"{kind}_id"], answer.json()[f"{kind}_name"]) == (
        subject[f"{kind}_id"],
        {"machine": "Press", "factory": "Plant"}[kind],
    )


def test_sec(client: Client) -> None:
    answer = client.get(f"{KPI}/sec", machine_id=PRESS, **DAY).json()
    assert answer["total_energy_kwh"] == pytest.approx(60.5 * 24, abs=1e-3)
    assert answer["total_production_units"] == 14_400
    assert answer["sec_kwh_per_unit"] == pytest.approx(answer["total_energy_kwh"] / 14_400)
    assert answer["time_period_hours"] == 24.0
    assert (answer["coverage"], answer["warnings"], answer["reason"]) == (1.0, [], None)


def test_all_equals_the_single_calls(client: Client) -> None:
    asked = {"machine_id": PRESS, **DAY}
    single = {name: client.get(f"{KPI}/{name}", **asked).json() for name in ROUTES}
    kpis = single["all"]["kpis"]
    assert kpis["sec"] == {"value": single["sec"]["sec_kwh_per_unit"], "unit": "kWh/unit"}
    assert kpis["peak_demand"]["value"] == single["peak-demand"]["peak_demand_kw"]
    assert kpis["peak_demand"]["timestamp"] == single["peak-demand"]["peak_time"]
    assert kpis["load_factor"] == {
        "value": single["load-factor"]["load_factor"],
        "percent": single["load-factor"]["load_factor_percent"],
    }
    assert kpis["energy_cost"]["value"] == single["energy-cost"]["total_cost"]
    assert kpis["energy_cost"]["unit"] == "EUR"
    assert kpis["energy_cost"]["bands"] == single["energy-cost"]["bands"]
    assert kpis["carbon_intensity"]["value"] == single["carbon"]["total_co2_kg"]
    assert single["all"]["time_period"] == {
        "start": "2026-03-28T00:00:00Z",
        "end": "2026-03-29T00:00:00Z",
        "hours": 24.0,
        "timezone": "Europe/Berlin",
    }


@pytest.mark.parametrize(
    ("start", "end", "resolved", "hours"),
    [
        ("2026-03-28", "2026-03-28", ("2026-03-27T23:00:00Z", "2026-03-28T23:00:00Z"), 24.0),
        ("2026-03-29", "2026-03-29", ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"), 23.0),
        ("2026-03-28", "2026-03-29", ("2026-03-27T23:00:00Z", "2026-03-29T22:00:00Z"), 47.0),
        ("2025-10-26", "2025-10-26", ("2025-10-25T22:00:00Z", "2025-10-26T23:00:00Z"), 25.0),
        ("2026-03-28T00:00:00Z", "2026-03-28", ("2026-03-28T00:00:00Z", "2026-03-28T23:00:00Z"), 23.0),
        ("2026-03-28", "2026-03-28T12:00:00+02:00", ("2026-03-27T23:00:00Z", "2026-03-28T10:00:00Z"), 11.0),
    ],
)
def test_a_plain_date_is_a_day_of_the_factory(
    client: Client, start: str, end: str, resolved: tuple[str, str], hours: float
) -> None:
    period = client.get(f"{KPI}/all", machine_id=PRESS, start=start, end=end).json()["time_period"]
    assert (period["start"], period["end"]) == resolved
    assert period["hours"] == hours


def test_the_short_day_has_23_hours_of_energy(client: Client) -> None:
    answer = client.get(f"{KPI}/sec", machine_id=PRESS, start="2026-03-29", end="2026-03-29").json()
    assert answer["total_energy_kwh"] == pytest.approx(60.5 * 23, abs=1e-3)


def test_the_customary_last_second_says_24_hours(client: Client) -> None:
    answer = client.get(
        f"{KPI}/sec", machine_id=PRESS, start="2026-03-28T00:00:00Z", end="2026-03-28T23:59:59Z"
    ).json()
    assert answer["time_period_hours"] == 24.0


def test_low_coverage_is_told(client: Client) -> None:
    answer = client.get(
        f"{KPI}/sec", machine_id=BOILER, start="2026-03-27T00:00:00Z", end="2026-03-28T00:00:00Z"
    ).json()
    assert answer["coverage"] == pytest.approx(0.5, abs=0.01)
    assert "low_coverage" in [warning["code"] for warning in answer["warnings"]]
    assert (answer["sec_kwh_per_unit"], answer["reason"]["code"]) == (None, "no_production")


def test_the_peak_of_a_factory_is_of_its_summed_load(client: Client) -> None:
    period = {"start": "2026-03-27T00:00:00Z", "end": "2026-03-28T00:00:00Z"}
    peak = client.get(f"{KPI}/peak-demand", factory_id=FACTORY, **period).json()
    assert peak["peak_demand_kw"] == pytest.approx(91.0, abs=0.1)
    assert peak["peak_time"] < "2026-03-27T12:00:00Z"


def test_carriers_are_not_added_up(client: Client) -> None:
    answer = client.get(f"{KPI}/sec", machine_id=PRESS, energy_type="natural_gas", **DAY).json()
    assert (answer["total_energy_kwh"], answer["reason"]["code"]) == (None, "no_readings")


def test_history_gives_each_local_day(client: Client) -> None:
    rows = client.get(f"{KPI}/history", machine_id=PRESS, start="2026-03-28", end="2026-03-29").json()[
        "history"
    ]
    assert [row["local_date"] for row in rows] == ["2026-03-28", "2026-03-29"]
    assert [row["energy_kwh"] for row in rows] == pytest.approx([60.5 * 24, 60.5 * 23], abs=1e-3)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("changed", "status", "parameter"),
    [
        ({"machine_id": UNKNOWN}, 404, "machine_id"),
        ({"machine_id": FACTORY}, 404, "machine_id"),
        ({"machine_id": None, "factory_id": PRESS}, 404, "factory_id"),
        ({"machine_id": UNKNOWN, "start": "2026-03-28", "end": "2026-03-28"}, 404, "machine_id"),
        ({"machine_id": "one"}, 422, "machine_id"),
        ({"machine_id": "1' OR '1'='1"}, 422, "machine_id"),
        ({"machine_id": None}, 422, "machine_id"),
        ({"factory_id": FACTORY}, 422, "machine_id"),
        ({"start": None}, 422, "start"),
        ({"end": "2026-03-28T00:00:00Z"}, 422, "end"),
        ({"end": "2026-03-27"}, 422, "end"),
        ({"start": "2026-03-28T00:00:00"}, 422, "start"),
        ({"start": "2024-01-01"}, 422, "end"),
        ({"start": "2124-01-01", "end": "2124-01-02"}, 422, "start"),
        ({"energy_type": ""}, 422, "energy_type"),
        ({"energy_typ": "natural_gas"}, 422, "energy_typ"),
    ],
)
def test_bad_input_is_refused_by_name(
    client: Client, route: str, changed: dict[str, str | None], status: int, parameter: str
) -> None:
    asked = {
        name: value for name, value in ({"machine_id": PRESS, **DAY} | changed).items() if value is not None
    }
    answer = client.get(f"{KPI}/{route}", **asked)
    problem = answer.json()
    assert answer.status_code == status, problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem["status"], problem["parameter"]) == (status, parameter)
    assert problem["given"] == asked.get(parameter) or parameter == "machine_id"
    assert problem["allowed"]
    assert problem["request_id"] == answer.headers["x-request-id"]
    for word in ("SELECT", "Traceback", "psycopg2", "/enms/"):
        assert word not in answer.text


def test_the_unknown_interval_is_refused_with_those_there_are(client: Client) -> None:
    problem = client.get(f"{KPI}/history", machine_id=PRESS, interval="year", **DAY).json()
    assert (problem["parameter"], problem["given"]) == ("interval", "year")
    assert "'week'" in problem["allowed"]
