"""Messages of SQS."""

from functools import cache
from typing import Any

from enms.aws import create_client
from enms.observability import logger


def hide(queue_url: str, receipt_handle: str, seconds: int) -> None:
    """Has a message come again after a while; where SQS doesn't answer, after the queue's own time."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        _client().change_message_visibility(
            QueueUrl=queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
        )
    except (BotoCoreError, ClientError):
        logger.exception("message not hidden")


@cache
def _client() -> Any:
    return create_client("sqs")
