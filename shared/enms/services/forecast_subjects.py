"""Whose load is forecast: a machine, or a factory as the sum of its active machines."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from enms.database import forecast_subjects
from enms.database.connection import Connection, Database
from enms.database.subjects import SubjectKind, not_found
from enms.errors import InvalidInputError

ENERGY_TYPE = "electrical"


@dataclass(frozen=True)
class Subject:
    """A machine or a factory.

    Attributes:
        kind: Which of the two it is.
        id: Its id.
        name: Its name.
        factory_id: Its factory's id (a factory's own).
        factory_name: Its factory's name.
        timezone: The factory's valid IANA zone, `UTC` where none is set.
        country: The factory's country as it was entered, None where it wasn't.
        rated_power_kw: What it is built for; of a factory the sum of its machines; None where unknown.
        data_interval_seconds: How often it is expected to report; of a factory the slowest of its machines.
        machine_ids: The machines whose loads are summed: itself, or the factory's active ones.
    """

    kind: SubjectKind
    id: UUID
    name: str
    factory_id: UUID
    factory_name: str
    timezone: str
    country: str | None
    rated_power_kw: float | None
    data_interval_seconds: int
    machine_ids: list[UUID]

    def shown(self) -> dict[str, Any]:
        """How an answer names it."""
        return {f"{self.kind}_id": self.id, f"{self.kind}_name": self.name}


def one_of(machine_id: UUID | None, factory_id: UUID | None) -> tuple[SubjectKind, UUID]:
    """Which of the two is asked about.

    Raises:
        InvalidInputError: Both are, or neither.
    """
    if machine_id is not None and factory_id is None:
        return "machine", machine_id
    if factory_id is not None and machine_id is None:
        return "factory", factory_id
    what = "both are given" if machine_id is not None else "neither is given"
    raise InvalidInputError(
        f"machine_id, factory_id: {what}; a forecast is of a machine or of a factory.",
        parameter="machine_id",
        given=None if machine_id is None else [str(machine_id), str(factory_id)],
        allowed="either machine_id or factory_id",
    )


def find_subject(database: Database, machine_id: UUID | None, factory_id: UUID | None) -> Subject:
    """Looks a machine or a factory up.

    Raises:
        InvalidInputError: Both are asked for, or neither.
        NotFoundError: There is none with this id.
    """
    kind, subject_id = one_of(machine_id, factory_id)
    row = forecast_subjects.find(database, kind, subject_id)
    if row is None:
        raise not_found(kind, subject_id)
    return Subject(**row)


def active_subjects(connection: Connection) -> list[Subject]:
    """All active machines, and the factories that have any."""
    return [Subject(**row) for row in forecast_subjects.active(connection)]
