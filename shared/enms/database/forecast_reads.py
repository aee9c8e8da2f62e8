"""What is answered of stored forecasts, by one query each."""

from datetime import datetime
from uuid import UUID

from enms.database.connection import Connection, Database, Row, rows
from enms.database.subjects import SubjectKind


def newest(
    database: Database, kind: SubjectKind, subject_id: UUID, energy_type: str, horizon: str, choice: str
) -> Row | None:
    """A machine or factory with its newest forecast, and what made it; None where there is no such subject.

    Returns:
        A row of `analytics.newest_forecast`: name, timezone (valid), newest_end (of the quarter hours with
            readings), serving_model_id (None without one); of the forecast, None without one, all that is
            answered; and of its model version, trained_at, reason, backtest.
    """
    return database.row(
        "SELECT * FROM analytics.newest_forecast(%s, %s, %s, %s, %s)",
        (kind, subject_id, energy_type, horizon, choice),
    )


def peak_so_far(
    connection: Connection,
    kind: SubjectKind,
    subject_id: UUID,
    energy_type: str,
    start: datetime,
    end: datetime,
) -> tuple[float, datetime] | None:
    """The highest billing interval of a period, as `analytics.billing_peak` has it; None without readings.

    Returns:
        Its mean power, and when it begins.
    """
    members = "m.id = %(id)s" if kind == "machine" else "m.factory_id = %(id)s"
    (found,) = rows(
        connection,
        f"""
        SELECT power_kw, starts_at FROM analytics.billing_peak(
            ARRAY(SELECT m.id FROM machines m WHERE {members} ORDER BY m.id),
            %(energy_type)s, %(start)s, %(end)s)
        """,  # noqa: S608 - names of this module
        {"id": subject_id, "energy_type": energy_type, "start": start, "end": end},
    )
    return None if found["power_kw"] is None else (found["power_kw"], found["starts_at"])
