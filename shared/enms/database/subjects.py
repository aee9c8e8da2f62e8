"""Machines and factories as what a question is about: name, zone, and days of their calendar."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from enms.database.connection import Database
from enms.errors import NotFoundError

type SubjectKind = Literal["machine", "factory"]


@dataclass(frozen=True)
class Subject:
    """A machine or a factory.

    Attributes:
        id: Its id.
        kind: Which of the two it is.
        name: Its name.
        timezone: Its factory's valid IANA zone, `UTC` where none is set.
        start: The instant at which what was asked for as start begins.
        end: The instant at which what was asked for as end is over.
    """

    id: UUID
    kind: SubjectKind
    name: str
    timezone: str
    start: datetime
    end: datetime


_BELONGS_TO = {
    "machine": "SELECT m.id, m.name, m.factory_id FROM machines m WHERE m.id = %(id)s",
    "factory": "SELECT f.id, f.name, f.id AS factory_id FROM factories f WHERE f.id = %(id)s",
}


def find_subject(
    database: Database, kind: SubjectKind, subject_id: UUID, start: date | datetime, end: date | datetime
) -> Subject:
    """Looks a machine or factory up, and makes days of its calendar instants.

    Raises:
        NotFoundError: There is none with this id.
    """
    row = database.row(
        f"""
        SELECT s.id, s.name, z.timezone,
               analytics.local_midnight(z.timezone, %(start)s) AS start,
               analytics.local_midnight(z.timezone, %(end)s + 1) AS end
        FROM ({_BELONGS_TO[kind]}) s, LATERAL (SELECT analytics.factory_zone(s.factory_id) AS timezone) z
        """,  # noqa: S608 - names of this module
        {"id": subject_id, "start": _day(start), "end": _day(end)},
    )
    if row is None:
        raise not_found(kind, subject_id)
    instants = {name: at for name, at in (("start", start), ("end", end)) if isinstance(at, datetime)}
    return Subject(kind=kind, **(row | instants))


def _day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def not_found(kind: SubjectKind, subject_id: UUID) -> NotFoundError:
    """The error for an id that nothing has."""
    return NotFoundError(
        f"There is no {kind} {subject_id}.",
        parameter=f"{kind}_id",
        given=str(subject_id),
        allowed=f"a {kind}'s id",
    )
