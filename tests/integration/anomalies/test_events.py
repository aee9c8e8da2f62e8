"""Events of anomalies on a real bus: each comes at least once, as its schema says, or waits until it can."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from integration.anomalies.looks import Looks, odd
from integration.local_aws import REGION, LocalAws
from pydantic import TypeAdapter

from enms.database import outbox
from enms.database.connection import Database
from enms.services import anomaly_events, anomaly_life
from enms.services.anomaly_events import AnomalyEventDetail, publish_waiting

BUS = "enms.anomaly"
QUEUE = "anomalies"


@dataclass(frozen=True)
class Bus:
    """A bus whose events all come into a queue."""

    aws: LocalAws
    queue_url: str

    def received(self, count: int) -> list[dict[str, Any]]:
        """The next events."""
        sqs = self.aws.client("sqs")
        found: list[dict[str, Any]] = []
        while len(found) < count:
            answer = sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=10)
            assert answer.get("Messages"), f"{len(found)} of {count} events"
            for message in answer["Messages"]:
                found.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return sorted(found, key=lambda event: int(event["detail"]["event_id"]))

    def is_empty(self) -> bool:
        """Whether nothing lies in the queue."""
        answer = self.aws.client("sqs").receive_message(QueueUrl=self.queue_url, WaitTimeSeconds=1)
        return "Messages" not in answer


@pytest.fixture
def bus(local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch, new_aws_clients: None) -> Iterator[Bus]:
    """The bus of the template, and a rule of somebody who hangs on."""
    for name, value in (
        ("AWS_ENDPOINT_URL", local_aws.aws_url),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ):
        monkeypatch.setenv(name, value)
    events, sqs = local_aws.client("events"), local_aws.client("sqs")
    queue_url = sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.create_event_bus(Name=BUS)
    pattern = json.dumps({"source": [anomaly_events.SOURCE]})
    events.put_rule(Name=QUEUE, EventBusName=BUS, EventPattern=pattern)
    events.put_targets(Rule=QUEUE, EventBusName=BUS, Targets=[{"Id": "queue", "Arn": arn}])
    yield Bus(local_aws, queue_url)
    events.remove_targets(Rule=QUEUE, EventBusName=BUS, Ids=["queue"])
    events.delete_rule(Name=QUEUE, EventBusName=BUS)
    events.delete_event_bus(Name=BUS)
    sqs.delete_queue(QueueUrl=queue_url)


def test_each_opening_worsening_and_resolution_is_an_event(
    bus: Bus, looks: Looks, database: Database
) -> None:
    opened = looks.one(odd(2, 4))
    looks.one(odd(2, 6, severity="critical"))
    anomaly_life.acknowledge(database, opened["id"], "planner", None)
    anomaly_life.resolve(database, opened["id"], "planner", "Hose 3.", "fixed")

    assert publish_waiting(database, BUS) == 3

    events = bus.received(3)
    assert [event["detail-type"] for event in events] == [
        "Anomaly opened",
        "Anomaly worsened",
        "Anomaly resolved",
    ]
    schema = TypeAdapter(AnomalyEventDetail)
    details = [schema.validate_json(json.dumps(event["detail"]), extra="forbid") for event in events]
    assert {detail["anomaly_id"] for detail in details} == {opened["id"]}
    assert [(detail["severity"], detail["state"]) for detail in details] == [
        ("warning", "open"),
        ("critical", "open"),
        ("critical", "resolved"),
    ]
    assert (details[2]["actor"], details[2]["note"]) == ("planner", "Hose 3.")


def test_what_was_published_is_not_published_again(bus: Bus, looks: Looks, database: Database) -> None:
    looks.one(odd(2, 4))
    assert (publish_waiting(database, BUS), publish_waiting(database, BUS)) == (1, 0)
    assert len(bus.received(1)) == 1
    assert bus.is_empty()


def test_more_than_one_call_takes_goes_out_in_several(bus: Bus, looks: Looks, database: Database) -> None:
    looks.find(*(odd(start, start + 2) for start in range(0, 240, 20)))
    assert publish_waiting(database, BUS) == 12
    assert len({event["detail"]["event_id"] for event in bus.received(12)}) == 12


def test_without_a_bus_events_wait(looks: Looks, database: Database) -> None:
    looks.one(odd(2, 4))
    assert publish_waiting(database, None) == 0
    assert _waiting(database) == 1


def test_events_wait_while_the_bus_does_not_answer(
    bus: Bus, looks: Looks, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks.one(odd(2, 4))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert publish_waiting(database, BUS) == 0
    assert _waiting(database) == 1

    anomaly_events._events.cache_clear()
    monkeypatch.setenv("AWS_ENDPOINT_URL", bus.aws.aws_url)

    assert publish_waiting(database, BUS) == 1
    assert len(bus.received(1)) == 1


def _waiting(database: Database) -> int:
    with database.transaction() as connection:
        return len(outbox.claim(connection, 10))
