"""What the group `anomaly` answers: lists by page and as CSV, its life, planned stops, bad input."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg2
import pytest
from integration.api.conftest import BOILER, FACTORY, PRESS, PUBLIC, UNKNOWN, Client, client_of

from enms.web import anomaly_models

BASE = f"{PUBLIC}/api/v1/anomaly"
# Kind, severity, hours ago, cost, machine: the press' dearest lies longest ago.
_FOUND = (
    ("power_spike", "warning", 1, 2.5, PRESS),
    ("baseload_increase", "critical", 3, 40.0, PRESS),
    ("temperature_spike", "warning", 5, None, BOILER),
    ("power_drop", "warning", 30, 75.0, PRESS),
)


@pytest.fixture
def client(database_url: str) -> Iterator[Client]:
    """Four anomalies of two machines, one of them another program's, behind the development application."""
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO factories (id, name, timezone) VALUES ('{FACTORY}', 'Plant', 'Europe/Berlin');
            INSERT INTO machines (id, factory_id, name, type, rated_power_kw) VALUES
                ('{PRESS}', '{FACTORY}', '=Press', 'motor', 90),
                ('{BOILER}', '{FACTORY}', 'Boiler', 'boiler', 60)
            """
        )
        for kind, severity, hours, cost, machine in _FOUND:
            cursor.execute(
                """
                INSERT INTO anomalies (machine_id, detected_at, anomaly_type, severity, cost, currency,
                    energy_kwh, origin, energy_type, last_seen_at, updated_at, metadata)
                SELECT %(machine)s, at, %(kind)s, %(severity)s, %(cost)s, 'EUR', 10, 'enms', 'electrical',
                    at + interval '15 minutes', now(), '{"summary": "Something is wrong."}'
                FROM (SELECT now() - %(hours)s * interval '1 hour' AS at) t
                """,
                {"machine": machine, "kind": kind, "severity": severity, "hours": hours, "cost": cost},
            )
        cursor.execute("UPDATE anomalies SET origin = NULL, metadata = NULL WHERE cost IS NULL")
    connection.close()
    client = client_of(database_url, models_bucket="never-asked")
    yield client
    client.app.state.database.close()


def _call(client: Client, method: str, path: str, body: object = None) -> httpx.Response:
    return client.request(method, f"{BASE}/{path}", json=body)


def _kinds(answer: httpx.Response) -> list[str]:
    page = anomaly_models.Anomalies.model_validate(answer.json())
    return [each.anomaly_type for each in page.anomalies]


def _first(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/v1/anomaly/active").json()["anomalies"][0]
    return found


def test_recent_ones_are_of_the_last_day_unless_a_time_is_named(client: Client) -> None:
    assert _kinds(client.get("/api/v1/anomaly/recent")) == [
        "power_spike",
        "baseload_increase",
        "temperature_spike",
    ]
    since = client.get("/api/v1/anomaly/recent", since="2020-01-01T00:00:00Z")
    assert (since.json()["total_count"], _kinds(since)[-1]) == (4, "power_drop")


@pytest.mark.parametrize(
    ("wanted", "kinds"),
    [
        ({"machine_id": BOILER}, ["temperature_spike"]),
        ({"severity": "critical"}, ["baseload_increase"]),
        ({"anomaly_type": "power_spike"}, ["power_spike"]),
        ({"factory_id": UNKNOWN}, []),
        ({"state": "acknowledged"}, []),
    ],
)
def test_recent_ones_can_be_narrowed(client: Client, wanted: dict[str, str], kinds: list[str]) -> None:
    assert _kinds(client.get("/api/v1/anomaly/recent", **wanted)) == kinds


def test_active_ones_come_by_cost_page_by_page(client: Client) -> None:
    seen: list[str] = []
    cursor: str | None = None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = client.get("/api/v1/anomaly/active", limit=1, **more)
        assert page.json()["total_count"] == 4
        seen += _kinds(page)
        cursor = page.json()["next_cursor"]
        if cursor is None:
            break
    assert seen == ["power_drop", "baseload_increase", "power_spike", "temperature_spike"]


def test_lists_are_csv_for_who_prefers_it(client: Client) -> None:
    answer = client.get("/api/v1/anomaly/active", headers={"accept": "text/csv"}, limit=2)
    assert answer.headers["content-type"].startswith("text/csv")
    assert (answer.headers["vary"], 'rel="next"' in answer.headers["link"]) == ("Accept", True)
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    # A name that a spreadsheet would compute is marked as text.
    assert [(row["anomaly_type"], row["machine_name"], row["cost"]) for row in rows] == [
        ("power_drop", "'=Press", "75.0"),
        ("baseload_increase", "'=Press", "40.0"),
    ]
    following = client.request(
        "GET",
        f"{BASE}/active{answer.headers['link'].partition('>')[0].removeprefix('<')}",
        headers={"accept": "text/csv"},
    )
    assert "link" not in following.headers
    assert [row["anomaly_type"] for row in csv.DictReader(io.StringIO(following.text))] == [
        "power_spike",
        "temperature_spike",
    ]


def test_an_anomaly_is_acknowledged_and_resolved_once(client: Client) -> None:
    found = _first(client)
    taken = _call(client, "PUT", f"{found['id']}/acknowledge", {"notes": "Going there."})
    assert anomaly_models.Anomaly.model_validate(taken.json()).acknowledged_by == "local"
    done = _call(client, "PUT", f"{found['id']}/resolve", {"notes": "Hose 3.", "outcome": "fixed"})
    assert (done.json()["state"], done.json()["is_resolved"]) == ("resolved", True)

    again = _call(client, "PUT", f"{found['id']}/resolve", {"notes": "Me too.", "outcome": "expected"})

    assert again.status_code == 409
    assert "local" in again.json()["detail"]
    history = anomaly_models.AnomalyHistory.model_validate(
        _call(client, "GET", f"{found['id']}/history").json()
    )
    assert [(each.event, each.actor, each.note) for each in history.history] == [
        ("acknowledged", "local", "Going there."),
        ("resolved", "local", "Hose 3."),
    ]
    assert _kinds(client.get("/api/v1/anomaly/active"))[0] == "baseload_increase"


def test_acknowledging_needs_no_body(client: Client) -> None:
    assert client.request("PUT", f"{BASE}/{_first(client)['id']}/acknowledge").status_code == 200


def test_a_summary_counts_by_kind_and_machine(client: Client) -> None:
    _call(client, "PUT", f"{_first(client)['id']}/resolve", {"outcome": "false_alarm"})
    summary = anomaly_models.AnomalySummary.model_validate(client.get("/api/v1/anomaly/summary").json())
    assert (summary.count, summary.open, summary.false_alarms, summary.false_alarm_rate) == (4, 3, 1, 1.0)
    assert {each.machine_name: each.count for each in summary.by_machine} == {"=Press": 3, "Boiler": 1}
    assert {each.anomaly_type for each in summary.by_kind} == {kind for kind, *_ in _FOUND}


def test_planned_stops_are_kept_listed_and_withdrawn(client: Client) -> None:
    asked = {
        "machine_id": PRESS,
        "start": "2026-03-27T06:00:00Z",
        "end": "2026-03-27T14:00:00+01:00",
        "reason": "Overhaul.",
    }
    made = _call(client, "POST", "suppressions", asked)
    assert made.status_code == 201
    stop = anomaly_models.Suppression.model_validate(made.json())
    assert (stop.machine_name, stop.reason, stop.actor) == ("=Press", "Overhaul.", "local")
    at = client.get("/api/v1/anomaly/suppressions", machine_id=PRESS, at="2026-03-27T12:59:59Z").json()
    assert anomaly_models.Suppressions.model_validate(at).total_count == 1
    assert client.get("/api/v1/anomaly/suppressions", at="2026-03-27T13:00:00Z").json()["total_count"] == 0

    gone = _call(client, "DELETE", f"suppressions/{stop.id}")

    assert gone.json()["withdrawn_by"] == "local"
    assert client.get("/api/v1/anomaly/suppressions").json()["total_count"] == 0


@pytest.mark.parametrize(
    ("path", "parameter", "given"),
    [
        ("recent", "severity", {"severity": "grave"}),
        ("recent", "since", {"since": "2026-03-27T00:00:00"}),
        ("recent", "limit", {"limit": "0"}),
        ("recent", "cursor", {"cursor": "bm90aGluZw"}),
        ("recent", "machine", {"machine": PRESS}),
        ("active", "since", {"since": "2026-03-27T00:00:00Z"}),
        ("active", "cursor", {"cursor": "%00"}),
        ("active", "factory_id", {"factory_id": "7"}),
        ("summary", "start", {"start": "yesterday"}),
        ("summary", "end", {"start": "2026-03-02", "end": "2026-03-01"}),
        ("suppressions", "at", {"at": "noon"}),
    ],
)
def test_a_bad_query_is_told_by_its_parameter(
    client: Client, path: str, parameter: str, given: dict[str, str]
) -> None:
    answer = client.get(f"/api/v1/anomaly/{path}", **given)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["parameter"] == parameter


_PERIOD = {"start": "2026-03-27T00:00:00Z", "end": "2026-03-28T00:00:00Z"}
_STOP = {"machine_id": PRESS, **_PERIOD, "reason": "Overhaul."}


@pytest.mark.parametrize(
    ("method", "path", "parameter", "body"),
    [
        ("POST", "detect", "contamination", {"machine_id": PRESS, **_PERIOD, "contamination": 0}),
        ("POST", "detect", "contamination", {"machine_id": PRESS, **_PERIOD, "contamination": 0.51}),
        ("POST", "detect", "contamination", {"machine_id": PRESS, **_PERIOD, "contamination": "NaN"}),
        ("POST", "detect", "budget", {"machine_id": PRESS, **_PERIOD, "budget": "large"}),
        ("POST", "detect", "start", {"machine_id": PRESS, **_PERIOD, "start": "2026-03-27T00:00:00"}),
        ("POST", "detect", "end", {"machine_id": PRESS, "start": _PERIOD["start"]}),
        ("POST", "detect", "treshold", {"machine_id": PRESS, **_PERIOD, "treshold": 3}),
        ("PUT", f"{UNKNOWN}/resolve", "outcome", {"notes": "Done."}),
        ("PUT", f"{UNKNOWN}/resolve", "outcome", {"outcome": "ignored"}),
        ("PUT", f"{UNKNOWN}/acknowledge", "notes", {"notes": "nul \x00"}),
        ("PUT", "7/acknowledge", "anomaly_id", {}),
        ("POST", "suppressions", "reason", {**_STOP, "reason": ""}),
        ("POST", "suppressions", "end", {**_STOP, "end": _PERIOD["start"]}),
        ("POST", "suppressions", "end", {**_STOP, "end": "2028-03-27T00:00:00Z"}),
    ],
)  # fmt: skip
def test_a_bad_body_is_told_by_its_parameter_and_nothing_is_kept(
    client: Client, method: str, path: str, parameter: str, body: dict[str, Any]
) -> None:
    answer = _call(client, method, path, body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["parameter"] == parameter
    assert client.get("/api/v1/anomaly/suppressions").json()["total_count"] == 0


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", UNKNOWN, None),
        ("GET", f"{UNKNOWN}/history", None),
        ("PUT", f"{UNKNOWN}/acknowledge", {}),
        ("PUT", f"{UNKNOWN}/resolve", {"outcome": "fixed"}),
        ("DELETE", f"suppressions/{UNKNOWN}", None),
        ("GET", f"suppressions?machine_id={UNKNOWN}", None),
        ("GET", f"summary?machine_id={UNKNOWN}", None),
        ("POST", "suppressions", {"machine_id": UNKNOWN, **_PERIOD, "reason": "Overhaul."}),
    ],
)
def test_what_isnt_there_is_a_404(client: Client, method: str, path: str, body: object) -> None:
    answer = _call(client, method, path, body)
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:enms:problem:not-found")


def test_detecting_needs_models(database_url: str) -> None:
    client = client_of(database_url)
    answer = _call(client, "POST", "detect", {"machine_id": UNKNOWN, **_PERIOD})
    client.app.state.database.close()
    assert (answer.status_code, "MODELS_BUCKET" in answer.json()["detail"]) == (503, True)
