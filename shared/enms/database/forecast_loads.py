"""The mean power of a machine, or of several as one load, in closed steps: what forecasts are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from enms.database.connection import Connection, rows
from enms.database.packed import matrix

type FloatArray = NDArray[np.float64]

_QUARTER_SECONDS, _HOUR_SECONDS, _DAY_SECONDS = 900, 3_600, 86_400
# Intervals so short that it doesn't matter where they are cut.
_SHORT_SECONDS = 60
# A step is known when readings stand for more than this share of it: of a day half isn't like the other half.
_LEAST_COVERED, _LEAST_COVERED_OF_DAY = 0.5, 0.8
# A machine that was silent for longer was no part of the sum meanwhile.
_LONGEST_SILENCE_SECONDS = 7 * _DAY_SECONDS
# A sum is known when those that report in it make up this share of what usually does.
_LEAST_PRESENT = 0.95


@dataclass(frozen=True)
class LoadQuestion:
    """Which load is to be read.

    Attributes:
        machine_ids: Whose sum it is.
        energy_type: The carrier.
        edges: Where the steps begin, and where the last one ends: seconds since 1970, shape (n + 1,); on
            quarter hours.
        step_seconds: Their length; 86 400 for days of any length.
        data_interval_seconds: How often the slowest of the machines reports.
    """

    machine_ids: Sequence[UUID]
    energy_type: str
    edges: NDArray[np.int64]
    step_seconds: int
    data_interval_seconds: int

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return len(self.edges) - 1

    @property
    def is_of_hours(self) -> bool:
        """Whether whole rows of hours make the steps; else it takes quarters."""
        is_whole = self.step_seconds >= _HOUR_SECONDS and not (self.edges % _HOUR_SECONDS).any()
        return is_whole and self.fits(_HOUR_SECONDS)

    def fits(self, width: int) -> bool:
        """Whether a row of so many seconds is made of whole intervals of the machines, as good as."""
        return self.data_interval_seconds <= _SHORT_SECONDS or width % self.data_interval_seconds == 0

    def place(self) -> str:
        """SQL: the number of the step that a row's bucket lies in, from 0."""
        if self.step_seconds == _DAY_SECONDS:
            return "width_bucket(date_part('epoch', bucket), %(edges)s::float8[]) - 1"
        return "floor((date_part('epoch', bucket) - %(start)s) / %(step_seconds)s)::int"

    def parameters(self) -> dict[str, Any]:
        """What the statements take."""
        share = _LEAST_COVERED_OF_DAY if self.step_seconds == _DAY_SECONDS else _LEAST_COVERED
        return {
            "machine_ids": list(self.machine_ids),
            "energy_type": self.energy_type,
            "start": int(self.edges[0]),
            "end": int(self.edges[-1]),
            "step_seconds": self.step_seconds,
            "edges": self.edges.tolist() if self.step_seconds == _DAY_SECONDS else None,
            "least_seconds": share * self.step_seconds,
            "longest_silence": self.silence,
        }

    @property
    def silence(self) -> int:
        """The steps of the longest silence that a machine is missed in."""
        return _LONGEST_SILENCE_SECONDS // self.step_seconds


@dataclass(frozen=True)
class Load:
    """A load over steps.

    Attributes:
        power_kw: Mean measured power, NaN where it isn't known, shape (n,).
        share_of_machine: What each machine has of the whole, by the mean of its known steps; sums up to 1.
    """

    power_kw: FloatArray
    share_of_machine: dict[UUID, float]


def catch_up(connection: Connection, machine_ids: Sequence[UUID]) -> None:
    """Brings the aggregates up to date where fact tables can't carry triggers; nothing to do elsewhere."""
    rows(connection, "SELECT analytics.catch_up(id) FROM unnest(%s::uuid[]) id", (list(machine_ids),))


def read_load(connection: Connection, asked: LoadQuestion) -> Load:
    """Reads a load in one query.

    A step of a sum is unknown where machines that report otherwise make more than a twentieth of it and are
    silent; the rest of that twentieth is made up for by what the others use.
    """
    (found,) = rows(
        connection,
        f"""
        WITH known AS MATERIALIZED ({_known(asked)}),
        machines AS MATERIALIZED (
            SELECT machine_id, avg(abs(power_kw)) AS usual_kw FROM known GROUP BY machine_id
        ),
        sums AS (
            SELECT k.place, sum(k.power_kw) AS power_kw, sum(m.usual_kw) AS present_kw
            FROM known k JOIN machines m USING (machine_id) GROUP BY k.place
        ),
        stretches AS (
            SELECT machine_id, min(place) AS first, max(place) AS last
            FROM (
                SELECT machine_id, place,
                       count(*) FILTER (WHERE silence > %(longest_silence)s) OVER o AS stretch
                FROM (SELECT machine_id, place,
                             place - lag(place) OVER (PARTITION BY machine_id ORDER BY place) AS silence
                      FROM known) k
                WINDOW o AS (PARTITION BY machine_id ORDER BY place)
            ) k
            GROUP BY machine_id, stretch
        )
        SELECT (SELECT string_agg(float8send(place) || float8send(power_kw) || float8send(present_kw),
                                  ''::bytea) FROM sums) AS sums,
               (SELECT string_agg(float8send(first) || float8send(last) || float8send(usual_kw), ''::bytea)
                FROM stretches JOIN machines USING (machine_id)) AS stretches,
               ARRAY(SELECT machine_id FROM machines ORDER BY machine_id) AS machine_ids,
               ARRAY(SELECT usual_kw FROM machines ORDER BY machine_id) AS usual_kw
        """,  # noqa: S608 - names of this module
        asked.parameters(),
    )
    place, power, present_kw = matrix(found["sums"], 3).T
    power_kw = np.full(asked.steps, np.nan)
    expected_kw = _expected(asked, matrix(found["stretches"], 3))[place.astype(np.intp)]
    is_told = present_kw >= _LEAST_PRESENT * expected_kw
    scale = np.divide(expected_kw, present_kw, out=np.ones_like(present_kw), where=present_kw > 0)
    power_kw[place.astype(np.intp)] = np.where(is_told, power * scale, np.nan)
    usual_kw = dict(zip(found["machine_ids"], found["usual_kw"], strict=True))
    whole = sum(usual_kw.values()) or 1.0
    return Load(power_kw, {machine_id: kw / whole for machine_id, kw in usual_kw.items()})


def read_quarter_peaks(connection: Connection, asked: LoadQuestion) -> FloatArray:
    """The highest mean power of a quarter hour inside each step, NaN where none is known, shape (n,)."""
    # An hour of one machine knows its highest quarter; of several it takes the quarters of all.
    is_single = len(asked.machine_ids) == 1 and asked.is_of_hours
    table = "energy_1hour" if is_single else "energy_15min"
    (found,) = rows(
        connection,
        f"""
        SELECT string_agg(float8send(place) || float8send(power_kw), ''::bytea) AS packed
        FROM (
            SELECT {asked.place()} AS place, max(power_kw) AS power_kw
            FROM (
                SELECT bucket, sum(billing_kw)::float8 AS power_kw FROM analytics.{table}
                WHERE machine_id = ANY (%(machine_ids)s::uuid[]) AND energy_type = %(energy_type)s
                  AND bucket >= to_timestamp(%(start)s) AND bucket < to_timestamp(%(end)s)
                GROUP BY bucket
            ) q GROUP BY 1
        ) p
        """,  # noqa: S608 - names of this module
        asked.parameters(),
    )
    place, power_kw = matrix(found["packed"], 2).T
    peaks_kw = np.full(asked.steps, np.nan)
    peaks_kw[place.astype(np.intp)] = power_kw
    return peaks_kw


def _known(asked: LoadQuestion) -> str:
    """SQL: machine_id, place and power_kw of the steps that each machine is known in."""
    table, width = (
        ("energy_1hour", _HOUR_SECONDS) if asked.is_of_hours else ("energy_15min", _QUARTER_SECONDS)
    )
    of_rows = f"""
        SELECT e.machine_id, {asked.place()} AS place, {_power(asked, width)} AS power_kw,
               CASE covered_seconds WHEN {width} THEN {width} ELSE covered_seconds::float8 END AS seconds
        FROM analytics.{table} e JOIN machines m ON m.id = e.machine_id
        WHERE e.machine_id = ANY (%(machine_ids)s::uuid[]) AND e.energy_type = %(energy_type)s
          AND e.bucket >= to_timestamp(%(start)s) AND e.bucket < to_timestamp(%(end)s)
          AND {"readings > refused + spread_readings" if asked.fits(width) else "covered_seconds > 0"}
    """  # noqa: S608 - names of this module
    if asked.step_seconds == width:
        return f"SELECT * FROM ({of_rows}) e WHERE seconds > %(least_seconds)s"  # noqa: S608 - as above
    return f"""
        SELECT machine_id, place, sum(power_kw * seconds) / sum(seconds) AS power_kw FROM ({of_rows}) e
        GROUP BY 1, 2 HAVING sum(seconds) > %(least_seconds)s
    """  # noqa: S608 - as above


def _power(asked: LoadQuestion, width: int) -> str:
    """SQL: the mean measured power of a row."""
    if not asked.fits(width):
        # Of a rhythm that rows aren't made of, their billing power knows where the energy lies.
        return f"(billing_kw * {width} / covered_seconds)::float8"
    # Where readings end the last one stands for three of its intervals, the energy of which nobody knows:
    # there the mean of the readings tells more. Dividing numerics takes longer than reading them.
    return f"""
        CASE WHEN (readings - refused - spread_readings) * greatest(coalesce(m.data_interval_seconds, 10), 1)
                  < covered_seconds THEN avg_power_kw::float8
             WHEN covered_seconds = {width} THEN (energy_kwh - spread_kwh)::float8 * {3_600 / width}
             ELSE (3600 * (energy_kwh - spread_kwh) / covered_seconds)::float8 END
    """


def _expected(asked: LoadQuestion, stretches: FloatArray) -> FloatArray:
    """What machines usually use that ought to report in each step, shape (n,)."""
    first, last, usual_kw = stretches.T
    # Who reported a while ago is missed up to the end.
    last = np.where(asked.steps - last <= asked.silence, asked.steps - 1, last)
    changes = np.zeros(asked.steps + 1)
    np.add.at(changes, first.astype(np.intp), usual_kw)
    np.add.at(changes, last.astype(np.intp) + 1, -usual_kw)
    return np.cumsum(changes)[: asked.steps]
