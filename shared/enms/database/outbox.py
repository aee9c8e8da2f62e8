"""Events of anomalies that wait to be published: written with what happened, marked once they are out."""

from collections.abc import Sequence

from enms.database.connection import Connection, Row, rows

_KEPT_DAYS = 30


def claim(connection: Connection, limit: int) -> list[Row]:
    """Takes the oldest that weren't sent and that nobody else takes, until the transaction's end.

    Args:
        connection: In a transaction; mark them with `mark_sent` before it ends.
        limit: How many at most.

    Returns:
        Rows of id, anomaly_id, event, payload, created_at, in their order.
    """
    return rows(
        connection,
        """
        SELECT id, anomaly_id, event, payload, created_at FROM analytics.anomaly_outbox
        WHERE sent_at IS NULL ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
        """,
        (limit,),
    )


def mark_sent(connection: Connection, ids: Sequence[int]) -> None:
    """Notes that they are out; what has been for a month is forgotten."""
    rows(
        connection,
        "DELETE FROM analytics.anomaly_outbox WHERE sent_at < now() - make_interval(days => %s)",
        (_KEPT_DAYS,),
    )
    rows(
        connection,
        "UPDATE analytics.anomaly_outbox SET sent_at = clock_timestamp() WHERE id = ANY (%s)",
        (list(ids),),
    )
