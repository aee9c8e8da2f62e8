"""Posts each event of an anomaly to the webhook; what it refuses comes again after a pause."""

from functools import cache
from typing import Any

from enms import observability
from enms.services import anomaly_webhook
from enms.services.anomaly_webhook import Webhook
from enms.settings import AnomalyWebhookSettings


@cache
def _webhook() -> Webhook:
    settings = AnomalyWebhookSettings.from_environment()
    observability.configure(settings)
    return anomaly_webhook.webhook_of(settings)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Posts the events of a batch; each is taken or refused by itself."""
    webhook = _webhook()
    observability.identify(request_id=context.aws_request_id)
    refused = [message for message in event["Records"] if not anomaly_webhook.hand_on(webhook, message)]
    return {"batchItemFailures": [{"itemIdentifier": message["messageId"]} for message in refused]}
