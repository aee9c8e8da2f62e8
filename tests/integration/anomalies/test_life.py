"""From open to resolved: who did what, when, and what they said."""

import json
from uuid import uuid4

import pytest
from integration.anomalies.looks import odd
from pydantic import TypeAdapter

from enms.database import outbox
from enms.errors import ConflictError, NotFoundError
from enms.services import anomaly_life, anomaly_lists
from enms.services.anomaly_events import AnomalyEventDetail


@pytest.fixture
def anomaly(looks):
    return looks.one(odd(8, 11))


def history(looks, anomaly):
    told = anomaly_lists.history(looks.database, anomaly["id"])
    assert told["anomaly_id"] == anomaly["id"]
    return [(line["event"], line["actor"], line["note"]) for line in told["history"]]


def test_acknowledged_then_fixed(looks, anomaly):
    seen = anomaly_life.acknowledge(looks.database, anomaly["id"], "anna", "on my way")
    assert (seen["state"], seen["acknowledged_by"], seen["is_resolved"]) == ("acknowledged", "anna", False)
    assert seen["acknowledged_at"] == seen["updated_at"] > anomaly["updated_at"]

    done = anomaly_life.resolve(looks.database, anomaly["id"], "bert", "hose changed", "fixed")

    assert (done["state"], done["resolved_by"], done["resolution_notes"]) == (
        "resolved",
        "bert",
        "hose changed",
    )
    assert (done["is_resolved"], done["acknowledged_by"]) == (True, "anna")
    assert history(looks, anomaly) == [
        ("opened", "detection", "10 % more than expected."),
        ("acknowledged", "anna", "on my way"),
        ("resolved", "bert", "hose changed"),
    ]
    (row,) = looks.stored()
    assert (row["is_resolved"], row["resolved_at"]) == (True, done["resolved_at"])


@pytest.mark.parametrize(
    ("outcome", "state"), [("fixed", "resolved"), ("false_alarm", "false_alarm"), ("expected", "expected")]
)
def test_resolving_twice_is_a_conflict_that_tells_by_whom_and_when(looks, anomaly, outcome, state):
    done = anomaly_life.resolve(looks.database, anomaly["id"], "anna", None, outcome)
    assert (done["state"], done["is_resolved"]) == (state, True)
    events = looks.events()

    for change in (
        lambda: anomaly_life.resolve(looks.database, anomaly["id"], "bert", None, "fixed"),
        lambda: anomaly_life.acknowledge(looks.database, anomaly["id"], "bert", None),
    ):
        with pytest.raises(ConflictError, match=r"^anna closed this anomaly on 20.* UTC as") as refused:
            change()
        assert refused.value.details["actor"] == "anna"
        assert refused.value.details["at"] == done["resolved_at"].isoformat()
        assert refused.value.details["state"] == state

    assert looks.events() == events
    assert looks.stored()[0]["resolved_by"] == "anna"


def test_acknowledging_twice_is_as_once(looks, anomaly):
    first = anomaly_life.acknowledge(looks.database, anomaly["id"], "anna", None)
    events = looks.events()
    assert anomaly_life.acknowledge(looks.database, anomaly["id"], "bert", None) == first
    assert looks.events() == events


def test_an_acknowledged_one_is_still_extended_and_gets_worse(looks, anomaly):
    anomaly_life.acknowledge(looks.database, anomaly["id"], "anna", None)
    grown = looks.one(odd(8, 14, severity="critical"))
    assert (grown["id"], grown["state"], grown["severity"]) == (anomaly["id"], "acknowledged", "critical")


def test_a_false_alarm_tells_what_was_learned(looks, anomaly):
    anomaly_life.resolve(looks.database, anomaly["id"], "anna", None, "false_alarm")
    last = anomaly_lists.history(looks.database, anomaly["id"])["history"][-1]
    assert last["detail"] == {
        "outcome": "false_alarm",
        "learned": "up to 12 % more, at most 5 h long, begun from 06:00 to 13:00, on weekdays",
    }


@pytest.mark.parametrize("outcome", ["fixed", "expected"])
def test_only_false_alarms_are_learned_from(looks, anomaly, outcome):
    anomaly_life.resolve(looks.database, anomaly["id"], "anna", None, outcome)
    assert looks.database.rows("SELECT * FROM analytics.anomaly_feedback") == []


def test_what_does_not_exist_is_not_found(looks):
    unknown = uuid4()
    for ask in (
        lambda: anomaly_life.acknowledge(looks.database, unknown, "anna", None),
        lambda: anomaly_life.resolve(looks.database, unknown, "anna", None, "fixed"),
        lambda: anomaly_lists.history(looks.database, unknown),
        lambda: anomaly_lists.one(looks.database, unknown),
    ):
        with pytest.raises(NotFoundError, match=str(unknown)):
            ask()


def test_each_opening_worsening_and_resolution_is_to_be_published(looks, anomaly):
    looks.one(odd(8, 12, severity="critical"))
    anomaly_life.acknowledge(looks.database, anomaly["id"], "anna", None)
    anomaly_life.resolve(looks.database, anomaly["id"], "anna", "hose changed", "fixed")

    with looks.database.transaction() as connection:
        waiting = outbox.claim(connection, 10)

    told = [(e["event"], e["payload"]["severity"], e["payload"]["state"]) for e in waiting]
    assert told == [
        ("opened", "warning", "open"), ("worsened", "critical", "open"), ("resolved", "critical", "resolved"),
    ]  # fmt: skip
    payload = waiting[-1]["payload"]
    assert (payload["event"], payload["actor"], payload["note"]) == ("resolved", "anna", "hose changed")
    assert payload["anomaly_id"] == str(anomaly["id"])
    assert (payload["machine_name"], payload["summary"]) == ("Press", "10 % more than expected.")
    assert (payload["deviation_percent"], payload["cost"], payload["currency"]) == (10, 3, "EUR")


def test_events_are_taken_by_one_publisher_at_a_time_and_wait_until_they_are_out(looks, anomaly):
    looks.one(odd(20, 21, "data_gap"))
    with looks.database.transaction() as one, looks.database.transaction() as other:
        (first,) = outbox.claim(one, 1)
        (second,) = outbox.claim(other, 10)
        assert first["id"] < second["id"]
        outbox.mark_sent(one, [first["id"]])

    # What was claimed and not marked waits for the next publisher.
    with looks.database.transaction() as connection:
        assert [event["id"] for event in outbox.claim(connection, 10)] == [second["id"]]
        outbox.mark_sent(connection, [second["id"]])
    with looks.database.transaction() as connection:
        assert outbox.claim(connection, 10) == []


def test_what_has_been_out_for_a_month_is_forgotten(works, looks, anomaly):
    with looks.database.transaction() as connection:
        outbox.mark_sent(connection, [event["id"] for event in outbox.claim(connection, 10)])
    works.rows("UPDATE analytics.anomaly_outbox SET sent_at = sent_at - interval '31 days'")
    looks.one(odd(20, 21, "data_gap"))
    with looks.database.transaction() as connection:
        outbox.mark_sent(connection, [])
    assert works.rows("SELECT event, sent_at FROM analytics.anomaly_outbox") == [("opened", None)]


def test_what_is_published_has_the_events_schema_for_other_programs_rows_too(works, looks, anomaly):
    works.rows(
        "INSERT INTO anomalies (machine_id, detected_at, anomaly_type, severity)"
        " VALUES (%s, now(), 'x', 'normal')",
        (looks.machine_id,),
    )
    for row in looks.stored():
        anomaly_life.resolve(looks.database, row["id"], "anna", None, "expected")

    with looks.database.transaction() as connection:
        waiting = outbox.claim(connection, 10)

    assert [row["event"] for row in waiting] == ["opened", "resolved", "resolved"]
    for row in waiting:
        detail = {"version": 1, "event_id": str(row["id"]), **row["payload"]}
        assert detail.keys() == AnomalyEventDetail.__annotations__.keys()
        TypeAdapter(AnomalyEventDetail).validate_json(json.dumps(detail))
