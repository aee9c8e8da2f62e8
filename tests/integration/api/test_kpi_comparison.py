"""Machines of a factory beside each other: the figures of `kpi/all`, and those of the period before."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
import pytest
from integration.api.conftest import BOILER, FACTORY, PRESS, PUBLIC, UNKNOWN, Client, client_of

from enms.web.models import KpiComparison

ROUTE = "/api/v1/kpi/comparison"
FAN = "a0000000-0000-4000-8000-000000000003"  # 12 kW in the last of the three days
SPARE = "a0000000-0000-4000-8000-000000000004"  # no readings
EMPTY_FACTORY = "f0000000-0000-4000-8000-000000000002"
SPRING_DAY = {"start": "2026-03-29", "end": "2026-03-29"}
_MORE = f"""
INSERT INTO factories (id, name, timezone) VALUES ('{EMPTY_FACTORY}', 'Shed', 'Europe/Berlin');
INSERT INTO machines (id, factory_id, name, type, rated_power_kw, data_interval_seconds) VALUES
    ('{FAN}', '{FACTORY}', 'Fan', 'hvac', 20, 60), ('{SPARE}', '{FACTORY}', 'Spare', 'motor', 20, 60);
INSERT INTO energy_readings (time, machine_id, power_kw, energy_kwh)
SELECT t, '{FAN}', 12, 0.2
FROM generate_series(timestamptz '2026-03-28 23:00Z', '2026-03-29 21:59Z', '1 minute') t;
"""


@pytest.fixture(scope="module")
def client(site_url: str) -> Iterator[Client]:
    """The factory with two more machines."""
    with psycopg2.connect(site_url) as site, site.cursor() as rows:
        rows.execute(_MORE)
    site.close()
    client = client_of(site_url)
    yield client
    client.app.state.database.close()


def _comparison(client: Client, **asked: Any) -> Any:
    response = client.get(ROUTE, **({"factory_id": FACTORY} | asked))
    assert response.status_code == 200, response.text
    KpiComparison.model_validate_json(response.text)
    return response.json()


def _all(client: Client, machine_id: str, period: dict[str, str], energy_type: str) -> dict[str, Any]:
    """What `kpi/all` tells of a machine, in the names of the comparison."""
    found = client.get("/api/v1/kpi/all", machine_id=machine_id, energy_type=energy_type, **period).json()
    kpis = found["kpis"]
    return {
        "energy_kwh": found["total_energy_kwh"],
        "production_units": found["total_production_units"],
        "sec_kwh_per_unit": kpis["sec"]["value"],
        "peak_demand_kw": kpis["peak_demand"]["value"],
        "load_factor": kpis["load_factor"]["value"],
        "total_cost": kpis["energy_cost"]["value"],
        "currency": kpis["energy_cost"]["unit"],
        "total_co2_kg": kpis["carbon_intensity"]["value"],
        "coverage": found["coverage"],
    }


@pytest.mark.parametrize("energy_type", ["electrical", "natural_gas"])
@pytest.mark.parametrize(
    ("period", "previous"),
    [
        # Clocks go forward on the 29th.
        (SPRING_DAY, {"start": "2026-03-28", "end": "2026-03-28"}),
        ({"start": "2026-03-28", "end": "2026-03-29"}, {"start": "2026-03-26", "end": "2026-03-27"}),
        (
            {"start": "2026-03-29T00:00:00+01:00", "end": "2026-03-29T12:20:00+02:00"},
            {"start": "2026-03-28T00:00:00+01:00", "end": "2026-03-28T12:20:00+01:00"},
        ),
        (
            {"start": "2026-03-28T20:00:00+01:00", "end": "2026-03-29T04:00:00+02:00"},
            {"start": "2026-03-26T20:00:00+01:00", "end": "2026-03-27T04:00:00+01:00"},
        ),
    ],
)
def test_figures_are_those_of_kpi_all(
    client: Client, period: dict[str, str], previous: dict[str, str], energy_type: str
) -> None:
    answer = _comparison(client, energy_type=energy_type, **period)
    assert [each["machine_name"] for each in answer["machines"]] == ["Fan", "Press", "Spare"]
    for each in answer["machines"]:
        now = _all(client, each["machine_id"], period, energy_type)
        then = _all(client, each["machine_id"], previous, energy_type)
        assert {name: each[name] for name in now} == now
        of_before = {
            name.removeprefix("previous_"): each[name] for name in each if name.startswith("previous_")
        }
        assert of_before == {name: then[name] for name in of_before}


def test_the_period_before_is_that_of_history(client: Client) -> None:
    period = {"start": "2026-03-28", "end": "2026-03-29"}
    press = _comparison(client, **period)["machines"][1]
    days = client.get("/api/v1/kpi/history", machine_id=PRESS, **period).json()["history"]
    assert press["previous_energy_kwh"] == pytest.approx(sum(day["previous_energy_kwh"] or 0 for day in days))
    answer = _comparison(client, **SPRING_DAY)
    assert (answer["time_period"]["hours"], answer["previous_period"]["hours"]) == (23, 24)
    assert answer["previous_period"]["end"] == answer["time_period"]["start"]


def test_shares_are_of_all_that_the_factory_used(client: Client) -> None:
    answer = _comparison(client, **SPRING_DAY)
    fan, press, spare = answer["machines"]
    whole = client.get("/api/v1/kpi/all", factory_id=FACTORY, **SPRING_DAY).json()["total_energy_kwh"]
    assert answer["total_energy_kwh"] == whole == pytest.approx(23 * 72.5)
    assert (fan["share_of_energy"], press["share_of_energy"]) == pytest.approx((12 / 72.5, 60.5 / 72.5))
    assert spare["share_of_energy"] is spare["energy_kwh"] is spare["previous_energy_kwh"] is None
    assert (spare["production_units"], spare["coverage"]) == (0, 0)
    # The boiler is out of service: it isn't listed, and what it used that day counts.
    day = _comparison(client, start="2026-03-27T00:00:00Z", end="2026-03-28T00:00:00Z")
    assert BOILER not in [each["machine_id"] for each in day["machines"]]
    assert day["machines"][1]["share_of_energy"] == pytest.approx(60.5 * 24 / (60.5 * 24 + 30.5 * 12))


def test_pages(client: Client) -> None:
    answer = _comparison(client, limit=1, offset=1, **SPRING_DAY)
    assert [each["machine_name"] for each in answer["machines"]] == ["Press"]
    assert (answer["total_count"], answer["limit"], answer["offset"]) == (3, 1, 1)
    assert answer["machines"] == _comparison(client, **SPRING_DAY)["machines"][1:2]
    beyond = _comparison(client, offset=9, **SPRING_DAY)
    assert (beyond["machines"], beyond["total_count"]) == ([], 3)
    empty = _comparison(client, factory_id=EMPTY_FACTORY, **SPRING_DAY)
    assert (empty["machines"], empty["total_count"], empty["total_energy_kwh"]) == ([], 0, None)


def test_a_period_that_goes_on_counts_up_to_now(client: Client, site_url: str) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    start, end = now - timedelta(hours=2), now + timedelta(hours=22)
    reading = (
        f"INSERT INTO energy_readings (time, machine_id, power_kw, energy_kwh) VALUES (%s, '{SPARE}', 6, 6)"
    )
    with psycopg2.connect(site_url) as site, site.cursor() as rows:
        rows.execute(reading, (now - timedelta(hours=1),))
    site.close()
    answer = _comparison(client, start=start.isoformat(), end=end.isoformat())
    assert answer["time_period"]["hours"] == 24
    spare = answer["machines"][2]
    assert (spare["energy_kwh"], spare["share_of_energy"]) == (6, 1)
    assert spare["previous_energy_kwh"] is None


@pytest.mark.parametrize(
    ("changed", "status", "parameter"),
    [
        ({"factory_id": UNKNOWN}, 404, "factory_id"),
        ({"factory_id": PRESS}, 404, "factory_id"),
        ({"factory_id": None}, 422, "factory_id"),
        ({"factory_id": "one"}, 422, "factory_id"),
        ({"start": None}, 422, "start"),
        ({"end": "2026-03-27"}, 422, "end"),
        ({"start": "2026-03-28T00:00:00"}, 422, "start"),
        ({"start": "2124-01-01", "end": "2124-01-02"}, 422, "start"),
        ({"start": "2024-01-01"}, 422, "end"),
        ({"energy_type": ""}, 422, "energy_type"),
        ({"limit": "501"}, 422, "limit"),
        ({"offset": "-1"}, 422, "offset"),
        ({"machine_id": PRESS}, 422, "machine_id"),
    ],
)
def test_bad_input_is_refused_by_name(
    client: Client, changed: dict[str, str | None], status: int, parameter: str
) -> None:
    asked = {"factory_id": FACTORY, **SPRING_DAY} | changed
    answer = client.request(
        "GET", f"{PUBLIC}{ROUTE}", params={name: value for name, value in asked.items() if value is not None}
    )
    assert (answer.status_code, answer.json()["parameter"]) == (status, parameter)
