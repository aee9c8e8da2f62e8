"""Events posted to a webhook: signed so that receivers can check them, and again where they were refused."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from enms.errors import InvalidInputError, UnavailableError
from enms.services import anomaly_webhook
from enms.services.anomaly_webhook import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVENT = json.dumps({"id": "98b8fd2e-97f1-40d9-8aa0-0e6034426caa", "detail": {"summary": "Grüße"}})


@dataclass
class Receiver:
    """A webhook and what it got."""

    url: str = ""
    status: int = 204
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def webhook(self, secret: str = SECRET) -> Webhook:
        """Where it is."""
        return Webhook(self.url, secret, "http://127.0.0.1/queue")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on this machine."""
    received = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(received.status)
            self.send_header("Location", received.url)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keeps quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        received.url = f"http://127.0.0.1:{server.server_port}/hook"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield received
        server.shutdown()
        thread.join()


def test_signs_as_the_specification_does() -> None:
    # The example of the specification's reference libraries.
    made = anomaly_webhook.signature(
        SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_posts_the_event_as_it_is_with_what_a_receiver_checks(receiver: Receiver) -> None:
    anomaly_webhook.post(receiver.webhook(), EVENT)
    ((headers, body),) = receiver.requests
    assert body == EVENT.encode()
    assert (headers["content-type"], headers["webhook-id"]) == (
        "application/json",
        "98b8fd2e-97f1-40d9-8aa0-0e6034426caa",
    )
    assert headers["webhook-signature"] == anomaly_webhook.signature(
        SECRET, headers["webhook-id"], int(headers["webhook-timestamp"]), body
    )


@pytest.mark.parametrize("status", [307, 400, 503])
def test_what_isnt_taken_is_refused_and_redirects_arent_followed(receiver: Receiver, status: int) -> None:
    receiver.status = status
    with pytest.raises(UnavailableError, match=f"answered {status}"):
        anomaly_webhook.post(receiver.webhook(), EVENT)
    assert len(receiver.requests) == 1


def test_a_receiver_that_isnt_there_is_told_without_the_secret() -> None:
    webhook = Webhook("http://127.0.0.1:9/hook", SECRET, "")
    with pytest.raises(UnavailableError, match="could not be reached") as raised:
        anomaly_webhook.post(webhook, EVENT)
    assert SECRET not in str(raised.value) + repr(webhook)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_no base64"])
def test_nothing_is_posted_unsigned(receiver: Receiver, secret: str) -> None:
    with pytest.raises(InvalidInputError, match="secret"):
        anomaly_webhook.post(receiver.webhook(secret), EVENT)
    assert receiver.requests == []


def test_a_refused_message_comes_again_after_a_pause(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.status = 503
    hidden: list[Any] = []
    monkeypatch.setattr("enms.services.queues.hide", lambda *given: hidden.append(given))
    message = {"body": EVENT, "receiptHandle": "handle", "attributes": {"ApproximateReceiveCount": "3"}}
    assert not anomaly_webhook.hand_on(receiver.webhook(), message)
    assert hidden == [("http://127.0.0.1/queue", "handle", 120)]


def test_pauses_grow_to_an_hour() -> None:
    assert [anomaly_webhook.pause_seconds(attempt) for attempt in (1, 2, 3, 7, 8, 1000)] == [
        30, 60, 120, 1920, 3600, 3600,
    ]  # fmt: skip
