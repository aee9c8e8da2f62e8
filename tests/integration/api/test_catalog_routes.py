"""Health, documentation, factories, machines and series."""

import csv

import psycopg2
import pytest
from integration.api.conftest import BOILER, FACTORY, PRESS, UNKNOWN, Client, client_of
from psycopg2 import sql

from enms.web import models
from enms_local.postgres import PostgresServer

SERIES = f"/api/v1/machines/{PRESS}/series"
DAY = {"start": "2026-03-28T00:00:00Z", "end": "2026-03-29T00:00:00Z"}


@pytest.mark.parametrize("prefix", ["", "/api/analytics"])
def test_health_tells_state_and_version(client: Client, prefix: str) -> None:
    answer = client.get("/health", prefix=prefix)
    assert answer.status_code == 200
    health = models.Health.model_validate_json(answer.text)
    assert (health.status, health.database, health.scheduler, health.models_loaded) == (
        "healthy",
        "connected",
        "enabled",
        0,
    )


def test_health_says_when_the_scheduler_is_off(site_url: str) -> None:
    assert client_of(site_url, scheduler_enabled=False).get("/health").json()["scheduler"] == "disabled"


def test_health_fails_without_a_database_and_recovers_by_itself(
    postgres: PostgresServer, database_url: str
) -> None:
    client = client_of(database_url)
    assert client.get("/health").status_code == 200
    name = sql.Identifier(database_url.split("@/")[1].split("?")[0])
    server = psycopg2.connect(postgres.url())
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name.string]
        )
        answer = client.get("/health")
        assert answer.status_code == 503
        assert answer.json() | {"timestamp": None} == {
            "status": "unhealthy",
            "service": "enms-analytics",
            "version": models_version(client),
            "timestamp": None,
            "database": "disconnected",
            "scheduler": "enabled",
            "models_loaded": None,
        }
        refused = client.get("/api/v1/factories")
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:enms:problem:unavailable")
        cursor.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
    server.close()
    assert client.get("/health").status_code == 200
    client.app.state.database.close()


def models_version(client: Client) -> str:
    """The version that the application states."""
    version: str = client.app.version
    return version


def test_a_database_that_nobody_migrated_says_so(empty_database_url: str) -> None:
    client = client_of(empty_database_url)
    health = client.get("/health")
    assert (health.status_code, health.json()["database"]) == (503, "not migrated")
    refused = client.get("/api/v1/factories")
    assert (refused.status_code, "enms migrate" in refused.json()["detail"]) == (503, True)
    client.app.state.database.close()


def test_a_connection_that_died_is_replaced_unnoticed(postgres: PostgresServer, database_url: str) -> None:
    client = client_of(database_url)
    assert client.get("/api/v1/factories").status_code == 200
    with psycopg2.connect(postgres.url()) as server, server.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'enms-analytics'"
        )
    server.close()
    assert client.get("/api/v1/factories").status_code == 200
    client.app.state.database.close()


def test_the_documentation_is_served_by_us_alone(client: Client) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assert "//" not in page.text.replace("<!doctype", "")
    for asset in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js"):
        assert f"docs/{asset}" in page.text
        assert client.get(f"/docs/{asset}").status_code == 200
    assert client.get("/docs/other.js").status_code == 404
    document = client.get("/openapi.json").json()
    assert "/api/v1/kpi/all" in document["paths"]
    # A viewer that is too old for the document's version says that it can't render it.
    assert document["openapi"].startswith("3.1.")
    assert "oas31" in client.get("/docs/swagger-ui-bundle.js").text


def test_factories(client: Client) -> None:
    answer = models.Factories.model_validate_json(client.get("/api/v1/factories").text)
    assert [(each.name, each.timezone, each.machines) for each in answer.factories] == [
        ("Plant", "Europe/Berlin", 1)
    ]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({}, ["Boiler", "Press"]),
        ({"factory_id": FACTORY}, ["Boiler", "Press"]),
        ({"factory": "Plant"}, ["Boiler", "Press"]),
        ({"factory": "Elsewhere"}, []),
        ({"factory_id": UNKNOWN}, []),
        ({"type": "boiler"}, ["Boiler"]),
        ({"active": "true"}, ["Press"]),
        ({"active": "false"}, ["Boiler"]),
        ({"status": "idle"}, ["Press"]),
        ({"status": "running"}, []),
        ({"limit": "1"}, ["Boiler"]),
        ({"limit": "1", "offset": "1"}, ["Press"]),
        ({"offset": "2"}, []),
    ],
)
def test_machines_are_filtered_and_paged(client: Client, wanted: dict[str, str], names: list[str]) -> None:
    answer = client.get("/api/v1/machines", **wanted)
    assert answer.status_code == 200
    page = models.Machines.model_validate_json(answer.text)
    assert [machine.name for machine in page.machines] == names
    if "limit" in wanted or "offset" in wanted:
        assert page.total_count == 2


@pytest.mark.parametrize(
    ("wanted", "parameter"),
    [
        ({"type": "robot"}, "type"),
        ({"status": "tired"}, "status"),
        ({"active": "perhaps"}, "active"),
        ({"limit": "0"}, "limit"),
        ({"limit": "9999"}, "limit"),
        ({"offset": "-1"}, "offset"),
        ({"factory_id": "Plant"}, "factory_id"),
        ({"colour": "red"}, "colour"),
        ({"factory": "\x00"}, "factory"),
    ],
)
def test_wrong_filters_are_refused_by_name(client: Client, wanted: dict[str, str], parameter: str) -> None:
    answer = client.get("/api/v1/machines", **wanted)
    assert (answer.status_code, answer.json()["parameter"]) == (422, parameter)
    assert answer.json()["given"] == wanted[parameter]


def test_a_machine_tells_what_is_recorded_of_it(client: Client) -> None:
    answer = client.get(f"/api/v1/machines/{PRESS}")
    press = models.MachineDetails.model_validate_json(answer.text)
    assert press.energy_types == ["electrical"]
    assert press.metadata == {"hall": 3}
    assert {"production.material_moisture_percent", "production.pressure_hold_s"} <= set(press.metrics)
    assert "production.mould" not in press.metrics
    assert client.get(f"/api/v1/machines/{UNKNOWN}").status_code == 404
    assert client.get("/api/v1/machines/one").json()["parameter"] == "machine_id"


@pytest.mark.parametrize(
    ("metric", "total"),
    [("energy_kwh", 60.5 * 24), ("production_count", 14_400)],
)
@pytest.mark.parametrize("interval", ["1min", "15min", "1h", "1d"])
def test_sums_over_buckets_are_the_periods(client: Client, metric: str, total: float, interval: str) -> None:
    answer = client.get(SERIES, metric=metric, interval=interval, **DAY)
    series = models.Series.model_validate_json(answer.text)
    assert sum(series.data["value"]) == pytest.approx(total, abs=0.01)
    assert {len(column) for column in series.data.values()} == {len(series.data["time"])}


@pytest.mark.parametrize("interval", ["5min", "1h"])
def test_power_has_mean_and_extremes(client: Client, interval: str) -> None:
    data = client.get(SERIES, metric="power_kw", interval=interval, **DAY).json()["data"]
    assert data["value"] == pytest.approx([60.5] * len(data["time"]), abs=0.11)
    assert (set(data["min"]), set(data["max"])) == ({60}, {61})


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("material_moisture_percent", 4.5),
        ("production.pressure_hold_s", 12),
        ("production.nowhere", None),
        ("cop", None),
    ],
)
def test_numbers_in_metadata_are_metrics(client: Client, metric: str, value: float | None) -> None:
    data = client.get(SERIES, metric=metric, **DAY).json()["data"]
    assert set(data["value"]) == ({value} if value else set())


def test_days_are_the_factorys(client: Client) -> None:
    asked = {"metric": "energy_kwh", "interval": "1d", "start": "2026-03-28", "end": "2026-03-29"}
    data = client.get(SERIES, **asked).json()["data"]
    assert data["time"] == ["2026-03-27T23:00:00Z", "2026-03-28T23:00:00Z"]
    assert data["value"] == pytest.approx([60.5 * 24, 60.5 * 23], abs=0.01)


@pytest.mark.parametrize("interval", [None, "1min", "1h"])
def test_there_are_never_more_than_2000_points(client: Client, interval: str | None) -> None:
    asked = {"metric": "outdoor_temp_c", "start": "2026-03-27", "end": "2026-03-29"}
    answer = client.get(SERIES, **asked, **({"interval": interval} if interval else {})).json()
    assert 0 < len(answer["data"]["time"]) <= 2000
    assert answer["interval_seconds"] == {None: 300, "1min": 300, "1h": 3600}[interval]


def test_csv_is_given_to_who_accepts_it(client: Client) -> None:
    answer = client.get(SERIES, metric="power_kw", interval="1h", headers={"Accept": "text/csv"}, **DAY)
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(answer.text.splitlines()))
    assert (rows[0]["time"], float(rows[0]["value"]), len(rows)) == ("2026-03-28T00:00:00Z", 60.5, 24)


@pytest.mark.parametrize(
    ("changed", "status", "parameter"),
    [
        ({"metric": "temper"}, 422, "metric"),
        ({"metric": "production."}, 422, "metric"),
        ({"metric": "time; DROP TABLE machines"}, 422, "metric"),
        ({"metric": "production.\x00"}, 422, "metric"),
        ({"energy_type": "\x00"}, 422, "energy_type"),
        ({"interval": "2h"}, 422, "interval"),
        ({"start": "2026-03-29", "end": "2026-03-28"}, 422, "end"),
        ({"start": "2024-03-29"}, 422, "end"),
    ],
)
def test_wrong_series_are_refused_by_name(
    client: Client, changed: dict[str, str], status: int, parameter: str
) -> None:
    answer = client.get(SERIES, **({"metric": "power_kw", **DAY} | changed))
    assert (answer.status_code, answer.json()["parameter"]) == (status, parameter)


def test_an_unknown_machine_has_no_series(client: Client) -> None:
    answer = client.get(f"/api/v1/machines/{UNKNOWN}/series", metric="power_kw", **DAY)
    assert (answer.status_code, answer.json()["given"]) == (404, UNKNOWN)


def test_a_machine_that_is_off_has_an_empty_series(client: Client) -> None:
    answer = client.get(f"/api/v1/machines/{BOILER}/series", metric="power_kw", **DAY).json()
    assert answer["data"] == {"time": [], "value": [], "min": [], "max": [], "readings": []}
