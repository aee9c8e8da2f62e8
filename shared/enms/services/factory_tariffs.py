"""A factory's tariffs as the science takes them."""

from datetime import date
from uuid import UUID

from enms.database.connection import Connection, Row
from enms.database.tariffs import ranked
from enms.science.baseline.calendar import day_of
from enms.science.tariffs import Tariff

_DAYS = 7


def tariffs_of(connection: Connection, factory_id: UUID, first_day: date, last_day: date) -> list[Tariff]:
    """The tariffs that price a period of local days, the first by rank first."""
    return [_tariff(row) for row in ranked(connection, factory_id, first_day, last_day)]


def _tariff(row: Row) -> Tariff:
    valid_to = row["valid_to"]
    return Tariff(
        name=row["name"],
        rate_per_kwh=row["rate_per_kwh"],
        currency=row["currency"],
        demand_charge_per_kw=row["demand_charge_per_kw"],
        first_day=day_of(row["valid_from"]),
        last_day=None if valid_to is None else day_of(valid_to),
        # The tables count from Sunday, the science from Monday.
        weekdays=frozenset((day - 1) % _DAYS for day in row["weekdays"]),
        start_hour=row["start_hour"],
        end_hour=row["end_hour"],
    )
