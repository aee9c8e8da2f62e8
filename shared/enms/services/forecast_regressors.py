"""Regressors of forecasts: what is known of times to come, received, shown, and laid onto a model's steps.

A machine sees its own and its factory's; of two with one name the machine's own stands alone, since the
factory's may be on another scale. The calendar and holidays aren't kept: they can be computed.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

from enms.database import forecast_regressor_steps, forecast_regressors
from enms.database.connection import Connection, Database, Row
from enms.database.forecast_regressor_steps import Steps
from enms.database.forecast_regressors import Regressor
from enms.errors import InvalidInputError
from enms.services import forecast_periods, regressor_checks
from enms.services.anomaly_shapes import Answer
from enms.services.forecast_subjects import ENERGY_TYPE, Subject, find_subject
from enms.services.regressor_checks import MOST_VALUES, NewRegressor

if TYPE_CHECKING:
    from enms.science.arrays import Positions, Values

# Each is fitted: more would make a fit slow, and find what isn't there.
MOST_NAMES = 20
_SHOWN_BEFORE, _SHOWN_AFTER = timedelta(days=7), timedelta(days=14)


def receive(database: Database, given: NewRegressor, at_most: int | None = MOST_VALUES) -> Answer:
    """Keeps values in the place of what was known of their period; twice is as once.

    Forecasts that stand and would be others now are made anew when they are asked for.

    Args:
        database: The database.
        given: What came.
        at_most: How many values may come at once; None: any number.

    Raises:
        InvalidInputError: They can't be taken; nothing was kept.
        NotFoundError: There is no such machine or factory.
    """
    kind = regressor_checks.check_name(given.name, given.kind, given.source)
    subject = find_subject(database, given.machine_id, given.factory_id)
    stretch = regressor_checks.stretch(given.values, kind, ZoneInfo(subject.timezone), at_most)
    regressor_checks.check_future(stretch, datetime.now(UTC), is_history=given.is_history)
    regressor = Regressor(
        factory_id=subject.factory_id,
        machine_id=given.machine_id,
        name=given.name,
        kind=kind,
        source=given.source,
    )
    with forecast_regressors.receiving(database, regressor) as connection:
        _check_names(forecast_regressors.names(connection, regressor) | {given.name}, subject)
        replaced = forecast_regressors.replace(connection, regressor, stretch)
        forecast_regressors.outdate(connection, regressor, stretch[0][0], stretch[-1][1])
    return {
        "name": given.name,
        "kind": kind,
        "stored": len(stretch),
        "replaced": replaced,
        "from": stretch[0][0],
        "until": stretch[-1][1],
    }


def listed(
    database: Database,
    machine_id: UUID | None,
    factory_id: UUID | None,
    start: datetime | None = None,
    end: datetime | None = None,
    name: str | None = None,
) -> Answer:
    """What is known of a subject in a period: from a week ago to in two weeks, unless it is told.

    Raises:
        InvalidInputError: The period means nothing, or has too many values to show.
        NotFoundError: There is no such machine or factory.
    """
    now = datetime.now(UTC)
    start, end = forecast_periods.checked(
        start or (end or now) - _SHOWN_BEFORE, end or max(now, start or now) + _SHOWN_AFTER
    )
    subject = find_subject(database, machine_id, factory_id)
    found = forecast_regressors.listed(database, _seen_by(subject), start, end, name, MOST_VALUES + 1)
    if len(found) > MOST_VALUES:
        raise InvalidInputError(
            f"end: the period has more than {MOST_VALUES} values: ask for a shorter one, or for one name.",
            parameter="end",
            given=end.isoformat(),
            allowed=f"a period with at most {MOST_VALUES} values",
        )
    shown = [_shown(list(rows)) for _, rows in groupby(found, lambda row: (row["machine_id"], row["name"]))]
    return {"count": len(shown), "start": start, "end": end, "regressors": shown}


def known(
    connection: Connection, subject: Subject, starts_at: "Positions", step_seconds: int
) -> "Mapping[str, Values]":
    """What is known in each step of a model, by name; planned stops are told by `stopped_share`.

    Args:
        connection: The database.
        subject: The machine or factory.
        starts_at: When steps begin, without a hole: seconds since 1970 (UTC), shape (n,).
        step_seconds: Length of the last one.

    Returns:
        Mean over the time of each step, shape (n,); NaN where a part of it isn't known. An outdoor
        temperature of the past that nobody told is the one that was measured: a weather forecast of the next
        days is enough.
    """
    # Imported here: receiving and showing need none of it.
    import numpy as np

    found = forecast_regressor_steps.known(
        connection, _steps(subject, starts_at, step_seconds), subject.factory_id
    )
    return {row["name"]: np.array(row["values"], dtype=np.float64) for row in found}


def stopped_share(
    connection: Connection,
    subject: Subject,
    starts_at: "Positions",
    step_seconds: int,
    energy_type: str = ENERGY_TYPE,
) -> "Values | None":
    """What share of the load planned stops take away in each step, 0 to 1, shape (n,); None without any.

    A machine's stop takes away from its factory's load what its share in the energy of the last weeks is.
    """
    import numpy as np

    members = subject.machine_ids if subject.kind == "factory" else []
    steps = _steps(subject, starts_at, step_seconds)
    found = forecast_regressor_steps.stopped_share(connection, steps, members, energy_type)
    return None if found is None else np.array(found, dtype=np.float64)


def _steps(subject: Subject, starts_at: "Positions", step_seconds: int) -> Steps:
    starts = [float(at) for at in starts_at.tolist()]
    return Steps(_seen_by(subject), [*starts, starts[-1] + step_seconds])


def _seen_by(subject: Subject) -> list[UUID]:
    return list(dict.fromkeys((subject.id, subject.factory_id)))


def _check_names(names: set[str], subject: Subject) -> None:
    if len(names) > MOST_NAMES:
        raise InvalidInputError(
            f"name: {subject.name} has {MOST_NAMES} regressors already: use one of their names.",
            parameter="name",
            given=len(names),
            allowed=f"at most {MOST_NAMES} names",
        )


def _shown(rows: Sequence[Row]) -> Answer:
    newest = max(rows, key=lambda row: row["received_at"])
    return {
        "name": newest["name"],
        "kind": newest["kind"],
        "machine_id": newest["machine_id"],
        "source": newest["source"],
        "received_at": newest["received_at"],
        "from": rows[0]["start_at"],
        "until": rows[-1]["end_at"],
        "values": [{"start": row["start_at"], "end": row["end_at"], "value": row["value"]} for row in rows],
    }
