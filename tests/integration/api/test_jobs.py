"""The daily KPIs: by rule, by request and by hand; again and again without harm."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg2
import pytest
from integration.api.conftest import FACTORY, PRESS, UNKNOWN, client_of

from enms.database import kpis, watermarks
from enms.database.connection import Database
from enms.errors import InvalidInputError, NotFoundError
from enms.services import daily_kpis, jobs
from enms.web import models
from enms_local.development import load_function

EVENTS = Path(__file__).resolve().parents[3] / "events"
RUN = "/api/analytics/api/v1/jobs/daily-kpis/run"
FIRED = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)


@pytest.fixture
def url(database_url: str) -> str:
    """A database of this test's own with three factories around the world, one of them closed down."""
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(f"""
            INSERT INTO factories (id, name, timezone, is_active) VALUES
                ('{FACTORY}', 'Berlin', 'Europe/Berlin', true),
                (gen_random_uuid(), 'Honolulu', 'Pacific/Honolulu', true),
                (gen_random_uuid(), 'Kiritimati', 'Pacific/Kiritimati', true),
                (gen_random_uuid(), 'Closed', 'UTC', false);
            INSERT INTO machines (id, factory_id, name, type, rated_power_kw, data_interval_seconds)
                VALUES ('{PRESS}', '{FACTORY}', 'Press', 'motor', 90, 60);
            INSERT INTO energy_readings (time, machine_id, power_kw, energy_kwh)
                SELECT t, '{PRESS}', 60 + extract(minute FROM t)::int % 2, 1 FROM generate_series(
                    timestamptz '2026-03-28 23:00Z', '2026-03-29 21:59Z', '1 minute') t;
        """)
    connection.close()
    return database_url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """That database."""
    database = Database(lambda: url)
    yield database
    database.close()


def _daily_rows(database: Database) -> list[dict[str, Any]]:
    return database.rows("""
        SELECT f.name, k.local_day, k.subject_type, k.total_energy_kwh FROM analytics.kpi_daily k
        JOIN factories f ON f.id = k.factory_id ORDER BY f.name, k.local_day, k.subject_type
    """)


def test_a_firing_takes_each_factorys_latest_closed_day(database: Database) -> None:
    run_id = daily_kpis.run_scheduled(database, FIRED)
    run = models.JobRunDetails.model_validate(jobs.run(database, run_id))
    assert (run.state, run.trigger, run.actor, run.scheduled_for) == (
        "succeeded",
        "schedule",
        "service:daily-kpis",
        FIRED,
    )
    assert run.counts == {"factories": 3, "rows": 4, "skipped": 0, "failed": 0}
    now = datetime.now(UTC)
    expected = {
        name: now.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)
        for name, zone in (
            ("Berlin", "Europe/Berlin"),
            ("Honolulu", "Pacific/Honolulu"),
            ("Kiritimati", "Pacific/Kiritimati"),
        )
    }
    assert {row["name"]: row["local_day"] for row in _daily_rows(database)} == expected


def test_a_redelivered_event_changes_nothing(database: Database) -> None:
    first = daily_kpis.run_scheduled(database, FIRED)
    before = jobs.run(database, first)
    assert daily_kpis.run_scheduled(database, FIRED) == first
    assert jobs.run(database, first) == before
    assert jobs.runs(database, None, None, 10, 0)["total_count"] == 1


def test_the_next_firing_skips_what_is_done(database: Database) -> None:
    daily_kpis.run_scheduled(database, FIRED)
    before = _daily_rows(database)
    account = jobs.run(database, daily_kpis.run_scheduled(database, FIRED + timedelta(minutes=1)))
    assert (account["state"], account["counts"]["skipped"], account["counts"]["rows"]) == ("succeeded", 3, 0)
    assert _daily_rows(database) == before


def test_a_run_by_hand_does_a_day_anew(database: Database) -> None:
    for _ in range(2):
        run_id = jobs.request_daily_kpis(database, "command", "local", date(2026, 3, 29))
        daily_kpis.run(database, run_id)
    berlin = [row for row in _daily_rows(database) if row["name"] == "Berlin"]
    assert [(row["subject_type"], row["total_energy_kwh"]) for row in berlin] == [
        ("factory", 1380),
        ("machine", 1380),
    ]


def test_a_day_that_is_not_over_is_skipped_with_the_reason(database: Database) -> None:
    run_id = jobs.request_daily_kpis(database, "command", "local", datetime.now(UTC).date())
    daily_kpis.run(database, run_id)
    items = jobs.run(database, run_id)["items"]
    honolulu = next(item for item in items if item["detail"]["factory_name"] == "Honolulu")
    assert (honolulu["state"], honolulu["detail"]["reason"]) == ("skipped", "The day is not over there.")


def test_a_day_to_come_is_refused(database: Database) -> None:
    with pytest.raises(InvalidInputError, match="not over yet"):
        jobs.request_daily_kpis(database, "command", "local", datetime.now(UTC).date() + timedelta(days=2))


def test_one_factorys_failure_does_not_hold_up_the_others(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill = kpis.fill_daily

    def fill_all_but_berlin(connection: Any, day: date, factory_ids: Any) -> int:
        if str(factory_ids[0]) == FACTORY:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")
        return fill(connection, day, factory_ids)

    monkeypatch.setattr(kpis, "fill_daily", fill_all_but_berlin)
    account = jobs.run(database, daily_kpis.run_scheduled(database, FIRED))
    assert (account["state"], account["error"]) == ("partial", "1 of 3 factories failed; see the items.")
    failed = next(item for item in account["items"] if item["state"] == "failed")
    assert failed["detail"]["factory_name"] == "Berlin"
    assert "DivisionByZero" in failed["detail"]["reason"]
    assert "SELECT" not in failed["detail"]["reason"]


def test_a_run_that_failed_is_done_by_the_next_delivery(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("enms.database.jobs.factory_days", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            daily_kpis.run_scheduled(database, FIRED)
    assert jobs.runs(database, None, None, 1, 0)["runs"][0]["state"] == "failed"
    account = jobs.run(database, daily_kpis.run_scheduled(database, FIRED))
    assert (account["state"], account["error"]) == ("succeeded", None)


def test_two_deliveries_at_once_do_the_work_once(database: Database) -> None:
    threads = [threading.Thread(target=daily_kpis.run_scheduled, args=(database, FIRED)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    runs = jobs.runs(database, None, None, 10, 0)
    assert (runs["total_count"], runs["runs"][0]["state"], runs["runs"][0]["counts"]["rows"]) == (
        1,
        "succeeded",
        4,
    )


def test_an_unknown_run_is_not_found(database: Database) -> None:
    with pytest.raises(NotFoundError):
        daily_kpis.run(database, UNKNOWN)


def test_the_function_takes_the_rules_event_and_a_run_that_was_asked_for(
    url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENMS_DATABASE_URL", url)
    function = load_function("daily-kpis")
    function._database.cache_clear()

    class Context:
        aws_request_id = "a-request"

    event = json.loads((EVENTS / "daily-kpis.json").read_text())
    assert jobs.run(database, function.handler(event, Context)["run_id"])["trigger"] == "schedule"
    asked = jobs.request_daily_kpis(database, "request", "local", None)
    assert function.handler({"run_id": str(asked)}, Context) == {"run_id": str(asked)}
    assert jobs.run(database, asked)["state"] == "succeeded"
    function._database().close()
    function._database.cache_clear()


def test_a_request_is_accepted_and_tells_where_to_look(url: str) -> None:
    client = client_of(url)
    answer = client.request("POST", RUN, json={"date": "2026-03-29"})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/api/analytics/api/v1/jobs/runs/{answer.json()['run_id']}"
    run = models.JobRunDetails.model_validate_json(client.get(answer.headers["location"], prefix="").text)
    assert (run.state, run.trigger, run.actor) == ("succeeded", "request", "local")
    assert {item.detail["date"] for item in run.items} == {"2026-03-29"}
    client.app.state.database.close()


def test_runs_are_listed_newest_first_and_filtered(url: str) -> None:
    client = client_of(url)
    ids = [client.request("POST", RUN).json()["run_id"] for _ in range(3)]
    page = models.JobRuns.model_validate_json(client.get("/api/v1/jobs/runs", limit=2).text)
    assert (page.total_count, [str(run.id) for run in page.runs]) == (3, ids[:0:-1])
    assert client.get("/api/v1/jobs/runs", state="failed").json()["total_count"] == 0
    client.app.state.database.close()


@pytest.mark.parametrize("path", ["/scheduler/status", "/api/v1/scheduler/status"])
def test_the_schedulers_status_tells_rule_next_and_last_run(url: str, path: str) -> None:
    client = client_of(url)
    client.request("POST", RUN)
    status = models.SchedulerStatus.model_validate_json(client.get(path).text)
    job = status.jobs[0]
    assert (job.job, job.rule, job.enabled) == ("daily-kpis", "cron(30 0 * * ? *)", True)
    assert job.next_run_at is not None
    assert (job.next_run_at > datetime.now(UTC), job.next_run_at.strftime("%H:%M")) == (True, "00:30")
    assert job.last_run is not None
    assert job.last_run.state == "succeeded"
    client.app.state.database.close()


def test_the_schedulers_status_tells_how_far_the_detection_is_behind(url: str, database: Database) -> None:
    client = client_of(url)

    def lag() -> models.JobLag | None:
        status = models.SchedulerStatus.model_validate_json(client.get("/scheduler/status").text)
        job = {each.job: each for each in status.jobs}["detect-anomalies"]
        assert (job.rule, job.next_run_at is not None) == ("cron(5 * * * ? *)", True)
        return job.lag

    never = lag()
    assert never is not None
    assert (never.machines, never.never_done, never.done_until, never.hours) == (1, 1, None, None)
    closed = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with database.transaction() as connection:
        watermarks.advance(connection, UUID(PRESS), "electrical", closed - timedelta(hours=3))
    late = lag()
    assert late is not None
    assert (late.never_done, late.behind, late.done_until) == (0, 1, closed - timedelta(hours=3))
    assert late.hours in (3, 4)  # an hour may close meanwhile
    client.app.state.database.close()


def test_a_detection_is_accepted_and_tells_what_became_of_each_machine(url: str) -> None:
    client = client_of(url, models_bucket="never-asked")
    answer = client.request("POST", "/api/analytics/api/v1/jobs/detect-anomalies/run")
    assert (answer.status_code, answer.json()["job"]) == (202, "detect-anomalies")
    run = models.JobRunDetails.model_validate_json(client.get(answer.headers["location"], prefix="").text)
    (item,) = run.items
    # Its only day lies months back.
    assert (run.state, run.trigger, item.state, item.detail["machine_name"]) == (
        "succeeded",
        "request",
        "skipped",
        "Press",
    )
    client.app.state.database.close()


def test_a_detection_without_models_is_refused_and_nothing_noted(url: str) -> None:
    client = client_of(url)
    answer = client.request("POST", "/api/analytics/api/v1/jobs/detect-anomalies/run")
    assert (answer.status_code, "MODELS_BUCKET" in answer.json()["detail"]) == (503, True)
    assert client.get("/api/v1/jobs/runs").json()["total_count"] == 0
    client.app.state.database.close()


def test_a_disabled_scheduler_has_no_next_run(url: str) -> None:
    status = client_of(url, scheduler_enabled=False).get("/scheduler/status").json()
    assert (status["enabled"], status["jobs"][0]["enabled"], status["jobs"][0]["next_run_at"]) == (
        False,
        False,
        None,
    )


@pytest.mark.parametrize(
    ("body", "parameter"),
    [({"date": "27.03.2026"}, "date"), ({"date": "2124-01-01"}, "date"), ({"day": "2026-03-27"}, "day")],
)
def test_wrong_requests_are_refused_by_name(url: str, body: dict[str, str], parameter: str) -> None:
    answer = client_of(url).request("POST", RUN, json=body)
    assert (answer.status_code, answer.json()["parameter"]) == (422, parameter)


def test_an_unknown_run_or_filter_is_refused(url: str) -> None:
    client = client_of(url)
    assert client.get(f"/api/v1/jobs/runs/{UNKNOWN}").status_code == 404
    assert client.get("/api/v1/jobs/runs/one").json()["parameter"] == "run_id"
    assert client.get("/api/v1/jobs/runs", job="cleaning").json()["parameter"] == "job"
    client.app.state.database.close()
