"""A factory's tariffs, in the order in which they price an hour."""

from datetime import date
from uuid import UUID

from enms.database.connection import Connection, Row, rows


def ranked(connection: Connection, factory_id: UUID, first_day: date, last_day: date) -> list[Row]:
    """The active tariffs that are valid on some local day of a period, the first by rank first.

    Returns:
        `name`, `rate_per_kwh`, `currency`, `demand_charge_per_kw`, `valid_from`, `valid_to` (itself
        included), `weekdays` (0 = Sunday), `start_hour`, `end_hour`.
    """
    return rows(
        connection,
        """
        SELECT name, rate_per_kwh::float8, currency, demand_charge_per_kw::float8, valid_from, valid_to,
               weekdays, start_hour, end_hour
        FROM analytics.ranked_tariffs(%s, %s, %s) ORDER BY rank
        """,
        (factory_id, first_day, last_day),
    )
