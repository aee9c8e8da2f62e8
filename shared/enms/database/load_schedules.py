"""What plans of loads need to know of a factory besides its tariffs."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from enms.database.connection import Connection, rows
from enms.database.packed import matrix

_QUARTER_SECONDS = 900


def machine_names(connection: Connection, factory_id: UUID) -> dict[UUID, str]:
    """The names of a factory's machines, inactive ones too."""
    found = rows(connection, "SELECT id, name FROM machines WHERE factory_id = %s", (factory_id,))
    return {row["id"]: row["name"] for row in found}


def quarter_loads(
    connection: Connection,
    machine_ids: Sequence[UUID],
    energy_type: str,
    start: datetime,
    end: datetime,
) -> NDArray[np.float64]:
    """Mean power of machines in quarter hours, all by one query.

    Args:
        connection: The database.
        machine_ids: The machines.
        energy_type: The carrier.
        start: First instant, on a quarter hour.
        end: The instant after the last, on a quarter hour.

    Returns:
        Shape (machines, quarters), NaN where nothing was measured.
    """
    quarters = int((end - start).total_seconds()) // _QUARTER_SECONDS
    (found,) = rows(
        connection,
        """
        SELECT string_agg(
                   float8send(m.place::float8) || float8send(q.at) || float8send(q.power_kw), ''::bytea
               ) AS packed
        FROM unnest(%(machine_ids)s::uuid[]) WITH ORDINALITY m (id, place)
        CROSS JOIN LATERAL (
            SELECT floor(date_part('epoch', bucket - %(start)s) / 900) AS at, billing_kw::float8 AS power_kw
            FROM analytics.energy_15min
            WHERE machine_id = m.id AND energy_type = %(energy_type)s
              AND bucket >= %(start)s AND bucket < %(end)s AND readings > refused
        ) q
        """,
        {"machine_ids": list(machine_ids), "energy_type": energy_type, "start": start, "end": end},
    )
    loads_kw = np.full((len(machine_ids), quarters), np.nan)
    place, at, power_kw = matrix(found["packed"], 3).T
    loads_kw[place.astype(np.intp) - 1, at.astype(np.intp)] = power_kw
    return loads_kw
