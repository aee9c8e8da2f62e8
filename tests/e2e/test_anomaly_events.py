"""An event of an anomaly goes all the way: to the topic's subscribers, and signed to the webhook."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from e2e.running_stack import CHECKOUT, Stack
from integration.local_aws import wait_until

from enms.services.anomaly_webhook import signature

EVENT = json.loads((CHECKOUT / "events" / "anomaly-opened.json").read_text())


@dataclass
class Receiver:
    """The webhook: refuses what comes first, and takes what comes then."""

    refused: int = 0
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver(stack: Stack) -> Iterator[Receiver]:
    """A receiver where the stack's settings say."""
    received = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            is_first = received.refused == 0
            if is_first:
                received.refused += 1
            else:
                received.taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(503 if is_first else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keeps quiet."""

    port = urlsplit(stack.settings["ANOMALY_WEBHOOK_URL"]).port
    assert port is not None
    with HTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield received
        server.shutdown()
        thread.join()


def test_an_event_reaches_the_topic_and_the_webhook_that_refused_it_once(
    stack: Stack, receiver: Receiver
) -> None:
    sqs, sns = _aws(stack, "sqs"), _aws(stack, "sns")
    queue_url = sqs.create_queue(QueueName="subscriber")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    (topic,) = [each["TopicArn"] for each in sns.list_topics()["Topics"] if "anomaly" in each["TopicArn"]]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    answer = _aws(stack, "events").put_events(
        Entries=[
            {
                "EventBusName": "enms.anomaly",
                "Source": EVENT["source"],
                "DetailType": EVENT["detail-type"],
                "Detail": json.dumps(EVENT["detail"]),
            }
        ]
    )

    (message,) = sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=20)["Messages"]
    notified = json.loads(json.loads(message["Body"])["Message"])
    assert (notified["id"], notified["detail"]) == (answer["Entries"][0]["EventId"], EVENT["detail"])
    wait_until(lambda: receiver.taken, 120)
    headers, body = receiver.taken[0]
    assert (headers["webhook-id"], json.loads(body)["detail"]) == (notified["id"], EVENT["detail"])
    signed = signature(
        stack.settings["ANOMALY_WEBHOOK_SECRET"], notified["id"], int(headers["webhook-timestamp"]), body
    )
    assert headers["webhook-signature"] == signed


def _aws(stack: Stack, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=f"http://127.0.0.1:{stack.settings['ENMS_AWS_PORT']}",
        region_name="eu-central-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
