"""An installed platform: its anomalies stay as they are, are listed and resolved, and its programs go on."""

from datetime import UTC, datetime
from uuid import UUID

import psycopg2
import pytest
from integration.anomalies.looks import Looks, odd
from integration.baselines.works import Works

from enms.database import detectors, migrate
from enms.database.anomaly_lists import AnomalyFilter
from enms.database.connection import Database
from enms.errors import ConflictError
from enms.services import anomaly_life, anomaly_lists

COMPRESSOR = UUID("c0000000-0000-4000-8000-000000000001")
HVAC = UUID("c0000000-0000-4000-8000-000000000002")
EVERYTHING = AnomalyFilter(since=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def platform(installed_platform_url):
    """With four anomalies more than it came with: rows as its programs write them, resolved and not."""
    connection = psycopg2.connect(installed_platform_url)
    connection.autocommit = True
    works = Works(connection)
    works.rows(
        """INSERT INTO anomalies (machine_id, detected_at, anomaly_type, severity, is_resolved, resolved_at,
               metadata)
           SELECT %s, '2026-03-28 10:00+00', 'spike', 'critical', resolved, CASE WHEN resolved THEN now() END,
                  document
           FROM (VALUES (false, '{"summary": 7, "contributions": "x"}'::jsonb), (true, '{}'), (NULL, NULL),
                        (false, '[1]'))
                v (resolved, document)""",
        (HVAC,),
    )
    yield works
    connection.close()


@pytest.fixture
def adopted(platform, installed_platform_url):
    migrate.apply(platform.connection)
    database = Database(lambda: installed_platform_url)
    yield database
    database.close()


THEIRS = """
    SELECT id, machine_id, detected_at, anomaly_type, severity, metric_name, metric_value, is_resolved,
           resolved_at, resolution_notes, created_at, metadata FROM anomalies WHERE origin IS NULL ORDER BY id
"""


def test_their_rows_stay_as_they_are(platform):
    theirs = THEIRS.replace("WHERE origin IS NULL", "")
    before = platform.rows(theirs)
    migrate.apply(platform.connection)
    assert platform.rows(theirs) == before
    states = platform.rows("SELECT is_resolved, state FROM anomalies")
    assert sorted(states, key=str) == [(False, "open")] * 3 + [(None, "open"), (True, "resolved")]


def test_their_rows_are_listed_and_summed_up(adopted):
    page = anomaly_lists.recent(adopted, EVERYTHING, 2, None)
    rest = anomaly_lists.recent(adopted, EVERYTHING, 50, page["next_cursor"])
    found = [*page["anomalies"], *rest["anomalies"]]

    assert (page["total_count"], len(found)) == (5, 5)
    spike, last = found[0], found[-1]
    assert (spike["anomaly_type"], spike["energy_type"], spike["machine_name"]) == (
        "spike",
        "electrical",
        "HVAC-Main",
    )
    assert (last["severity"], last["metric_value"], last["summary"]) == ("normal", None, None)
    assert (last["contributions"], last["detection_methods"], last["is_lasting"]) == ([], [], False)
    assert [each["is_resolved"] for each in found].count(True) == 1
    assert anomaly_lists.active(adopted, AnomalyFilter(), 50, None)["total_count"] == 4
    summary = anomaly_lists.summary(adopted, HVAC, None, found[-1]["detected_at"], spike["created_at"])
    assert (summary["count"], summary["resolved"], summary["cost"]) == (5, 1, None)


@pytest.mark.parametrize("outcome", ["fixed", "false_alarm", "expected"])
def test_their_rows_are_acknowledged_and_resolved(adopted, platform, outcome):
    for each in anomaly_lists.active(adopted, AnomalyFilter(), 50, None)["anomalies"]:
        anomaly_life.acknowledge(adopted, each["id"], "anna", None)
        done = anomaly_life.resolve(adopted, each["id"], "anna", "seen to", outcome)
        assert done["resolved_by"] == "anna"
        with pytest.raises(ConflictError, match="anna"):
            anomaly_life.resolve(adopted, each["id"], "bert", None, "fixed")
    assert platform.rows("SELECT * FROM v_active_anomalies") == []
    assert platform.rows("SELECT count(*) FROM anomalies WHERE is_resolved") == [(5,)]
    # What they found has no length to learn from.
    assert platform.rows("SELECT * FROM analytics.anomaly_feedback") == []


def test_what_they_resolved_before_is_a_conflict_without_a_name(adopted, platform):
    resolved = platform.one("SELECT id FROM anomalies WHERE is_resolved")
    with pytest.raises(ConflictError, match="another program closed this anomaly on"):
        anomaly_life.resolve(adopted, resolved, "anna", None, "fixed")


def test_ours_lie_beside_theirs_and_never_become_one(adopted, platform):
    looks = Looks(adopted, HVAC)
    before = platform.rows(THEIRS)
    anomaly = looks.one(odd(26 * 24, 27 * 24))
    assert platform.rows(THEIRS) == before
    assert (anomaly["id"],) in platform.rows("SELECT id FROM v_active_anomalies")
    with adopted.connection() as connection:
        excluded = detectors.excluded_periods(
            connection, HVAC, "electrical", anomaly["detected_at"], anomaly["ended_at"]
        )
    assert len(excluded) == 1


def test_their_program_resolves_and_reopens_ours(adopted, platform):
    anomaly = Looks(adopted, COMPRESSOR).one(odd(8, 10))
    platform.rows(
        "UPDATE anomalies SET is_resolved = true, resolution_notes = 'portal' WHERE id = %s", (anomaly["id"],)
    )

    shown = anomaly_lists.one(adopted, anomaly["id"])
    user = platform.one("SELECT session_user::text")
    assert (shown["state"], shown["resolved_by"], shown["resolution_notes"]) == ("resolved", user, "portal")
    assert shown["resolved_at"] is not None
    assert [(e["event"], e["actor"]) for e in shown["history"]] == [
        ("opened", "detection"),
        ("resolved", user),
    ]
    payload = platform.one("SELECT payload FROM analytics.anomaly_outbox WHERE event = 'resolved'")
    assert (payload["state"], payload["actor"], payload["note"]) == ("resolved", user, "portal")
    with pytest.raises(ConflictError, match=user):
        anomaly_life.resolve(adopted, anomaly["id"], "anna", None, "fixed")

    platform.rows("UPDATE anomalies SET is_resolved = false WHERE id = %s", (anomaly["id"],))
    shown = anomaly_lists.one(adopted, anomaly["id"])
    assert (shown["state"], shown["resolved_at"], shown["history"][-1]["event"]) == ("open", None, "reopened")


def test_their_role_needs_no_rights_on_our_schema(adopted, platform):
    platform.rows("CREATE ROLE portal; GRANT ALL ON ALL TABLES IN SCHEMA public TO portal; SET ROLE portal")
    platform.rows(
        "INSERT INTO anomalies (machine_id, detected_at, anomaly_type, severity, is_resolved)"
        " VALUES (%s, now(), 'theirs', 'warning', true), (%s, now(), 'theirs', 'warning', NULL)",
        (HVAC, HVAC),
    )
    platform.rows(
        "UPDATE anomalies SET is_resolved = NOT coalesce(is_resolved, false) WHERE anomaly_type = 'theirs'"
    )
    platform.rows("DELETE FROM anomalies WHERE anomaly_type = 'spike'")
    platform.rows("RESET ROLE; DROP OWNED BY portal; DROP ROLE portal")
    states = platform.rows("SELECT is_resolved, state FROM anomalies WHERE anomaly_type = 'theirs'")
    assert sorted(states) == [(False, "open"), (True, "resolved")]


def test_a_machine_goes_with_all_that_is_known_of_its_anomalies(adopted, platform):
    looks = Looks(adopted, COMPRESSOR)
    anomaly = looks.one(odd(8, 10), watermark=10)
    anomaly_life.resolve(adopted, anomaly["id"], "anna", None, "false_alarm")
    platform.rows(
        "DELETE FROM energy_baselines; DELETE FROM energy_readings; DELETE FROM machines WHERE id = %s",
        (COMPRESSOR,),
    )
    for table in ("history", "outbox", "feedback", "watermarks", "suppressions", "detectors"):
        assert platform.rows(f"SELECT * FROM analytics.anomaly_{table}") == []
