"""Posts events to a webhook, signed as the Standard Webhooks specification has it (standardwebhooks.com).

A receiver checks `webhook-signature` over `webhook-id.webhook-timestamp.body`, refuses old timestamps, and
passes over an id that it has seen: an event comes at least once.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from enms.errors import EnmsError, InvalidInputError, UnavailableError
from enms.observability import logger
from enms.secrets import read_secret
from enms.services import queues
from enms.settings import AnomalyWebhookSettings

TIMEOUT_SECONDS = 8.0
_FIRST_PAUSE_SECONDS = 30
_LONGEST_PAUSE_SECONDS = 3600
_PREFIX = "whsec_"


class _NoRedirects(HTTPRedirectHandler):
    """A redirect is a refusal: what is signed for one address isn't handed to another."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follows none."""
        return


_open: Callable[..., Any] = build_opener(_NoRedirects).open


@dataclass(frozen=True)
class Webhook:
    """Where events go.

    Attributes:
        url: The receiver.
        secret: What they are signed with; after `whsec_` base64, else the text itself.
        queue_url: The queue that they come from.
    """

    url: str
    secret: str = field(repr=False)
    queue_url: str


def webhook_of(settings: AnomalyWebhookSettings) -> Webhook:
    """The webhook that the settings name.

    Raises:
        UnavailableError: Its secret could not be read.
    """
    secret = read_secret(settings.anomaly_webhook_secret_name)["key"]
    return Webhook(settings.anomaly_webhook_url, secret, settings.anomaly_webhook_queue)


def hand_on(webhook: Webhook, message: Mapping[str, Any]) -> bool:
    """Posts the event of a queue's message; one that is refused comes again after a pause.

    Args:
        webhook: Where to.
        message: As Lambda gives it: body, receiptHandle, attributes.

    Returns:
        Whether it was taken.
    """
    try:
        post(webhook, message["body"])
    except EnmsError as error:
        attempt = int(message["attributes"]["ApproximateReceiveCount"])
        pause = pause_seconds(attempt)
        logger.warning("event refused", extra={"why": error.message, "attempt": attempt, "pause": pause})
        queues.hide(webhook.queue_url, message["receiptHandle"], pause)
        return False
    return True


def post(webhook: Webhook, event: str) -> None:
    """Posts one event of EventBridge as it is.

    Args:
        webhook: Where to.
        event: The event, JSON.

    Raises:
        InvalidInputError: The secret is empty or no base64.
        UnavailableError: The receiver isn't there, or didn't answer with 2xx in time.
    """
    body = event.encode()
    event_id, at = str(json.loads(event)["id"]), int(datetime.now(UTC).timestamp())
    request = Request(  # noqa: S310 - an operator's own setting, https by the template's pattern
        webhook.url,
        data=body,
        method="POST",
        headers={
            "content-type": "application/json",
            "user-agent": "enms-analytics",
            "webhook-id": event_id,
            "webhook-timestamp": str(at),
            "webhook-signature": signature(webhook.secret, event_id, at, body),
        },
    )
    try:
        with _open(request, timeout=TIMEOUT_SECONDS):
            pass
    except HTTPError as error:
        raise UnavailableError(f"The webhook answered {error.code} to event {event_id}.") from error
    except (URLError, OSError) as error:
        raise UnavailableError(f"The webhook could not be reached for event {event_id}: {error}.") from error


def signature(secret: str, event_id: str, at: int, body: bytes) -> str:
    """The header's value: version and base64 of the HMAC-SHA256.

    Args:
        secret: See `Webhook`.
        event_id: Id of the event.
        at: When it is posted, seconds since 1970.
        body: What is posted.

    Raises:
        InvalidInputError: The secret is empty or no base64.
    """
    signed = b".".join((event_id.encode(), str(at).encode(), body))
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def pause_seconds(attempt: int) -> int:
    """How long to wait after a refused attempt, counted from 1: half a minute, doubled up to an hour."""
    doublings = min(attempt - 1, _LONGEST_PAUSE_SECONDS.bit_length())
    return min(_FIRST_PAUSE_SECONDS << doublings, _LONGEST_PAUSE_SECONDS)


def _key(secret: str) -> bytes:
    try:
        encoded = secret.startswith(_PREFIX)
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True) if encoded else secret.encode()
    except binascii.Error:
        key = b""
    if not key:
        raise InvalidInputError("The webhook's secret is empty, or no base64 after whsec_.")
    return key
