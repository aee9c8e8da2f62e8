"""Events of anomalies on the EventBridge bus: whatever happened is published at least once.

What happens is noted in the outbox in the transaction that makes it happen; here it goes out. A row is marked
once the bus has taken it: what is lost in between goes out again, and receivers know it by its `event_id`.
"""

from datetime import datetime
from functools import cache
from json import dumps
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast
from uuid import UUID

from enms.aws import create_client
from enms.database import outbox
from enms.database.connection import Database, Row
from enms.observability import logger

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

SOURCE = "enms.anomaly"
VERSION: Literal[1] = 1
SCHEMA = f"{SOURCE}.v{VERSION}"
_DETAIL_TYPES = {
    "opened": "Anomaly opened",
    "worsened": "Anomaly worsened",
    "resolved": "Anomaly resolved",
}
# As many as one call of PutEvents takes.
_BATCH = 10
_CONNECT_SECONDS, _READ_SECONDS, _ATTEMPTS = 2.0, 5.0, 3


class AnomalyEventDetail(TypedDict):
    """What an event tells of an anomaly: its `detail`.

    Further names may come within a version; none goes, and none changes its meaning.
    """

    version: Literal[1]
    event_id: str
    event: Literal["opened", "worsened", "resolved"]
    at: datetime
    actor: str
    note: str | None
    anomaly_id: UUID
    machine_id: UUID
    machine_name: str
    factory_id: UUID
    factory_name: str
    energy_type: str
    anomaly_type: str
    severity: Literal["normal", "warning", "critical"]
    state: Literal["open", "acknowledged", "resolved", "false_alarm", "expected"]
    detected_at: datetime
    ended_at: datetime | None
    last_seen_at: datetime | None
    is_lasting: bool
    metric_name: str | None
    metric_unit: str | None
    metric_value: float | None
    expected_value: float | None
    deviation_percent: float | None
    deviation_std_dev: float | None
    confidence_score: float | None
    energy_kwh: float | None
    cost: float | None
    currency: str | None
    summary: str | None


def publish_waiting(database: Database, bus: str | None) -> int:
    """Publishes what waits; what the bus doesn't take waits for the next time.

    Args:
        database: The database.
        bus: Name of the bus; None leaves everything waiting.

    Returns:
        How many events went out.
    """
    if bus is None:
        return 0
    sent = 0
    while True:
        with database.transaction() as connection:
            waiting = outbox.claim(connection, _BATCH)
            taken = _put(bus, waiting) if waiting else []
            outbox.mark_sent(connection, taken)
        sent += len(taken)
        if len(taken) < _BATCH:
            return sent


def _put(bus: str, waiting: list[Row]) -> list[int]:
    """Ids of the rows that the bus took."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer = _events().put_events(Entries=[_entry(bus, row) for row in waiting])
    except (BotoCoreError, ClientError) as error:
        logger.error("events not published", extra={"bus": bus, "reason": str(error)})
        return []
    refused = [each for each in answer["Entries"] if "ErrorCode" in each]
    if refused:
        logger.error("events refused", extra={"bus": bus, "reasons": refused})
    return [
        row["id"] for row, entry in zip(waiting, answer["Entries"], strict=True) if "ErrorCode" not in entry
    ]


def _entry(bus: str, row: Row) -> "PutEventsRequestEntryTypeDef":
    detail: dict[str, Any] = {"version": VERSION, "event_id": str(row["id"]), **row["payload"]}
    return {
        "EventBusName": bus,
        "Source": SOURCE,
        "DetailType": _DETAIL_TYPES[row["event"]],
        "Detail": dumps(detail, ensure_ascii=False, separators=(",", ":")),
        "Time": row["created_at"],
    }


@cache
def _events() -> "EventBridgeClient":
    from botocore.config import Config

    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
    )
    return cast("EventBridgeClient", create_client("events", config))
