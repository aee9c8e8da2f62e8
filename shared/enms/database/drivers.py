"""What a machine used and what drove it, interval by interval: the numbers that baselines are made of."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import ceil, floor
from typing import Any, Literal
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from enms.database.connection import Connection, Database, Row, rows
from enms.database.packed import matrix
from enms.database.subjects import Subject, not_found

type Interval = Literal["hour", "day"]
type FloatArray = NDArray[np.float64]

MOISTURE = "material_moisture_percent"
_HOUR_SECONDS = 3600
_QUARTER_SECONDS = 900


@dataclass(frozen=True)
class MachineContext(Subject):
    """A machine, the period that is asked about, and what its models rest on.

    Attributes:
        type: A `machine_type`.
        rated_power_kw: Its rated power.
        data_interval_seconds: How often it is expected to report.
        metadata: What else is kept of it.
        factory_id: Its factory's id.
        factory_name: Its factory's name.
        country: Its factory's country as it was entered, None where it wasn't.
    """

    type: str
    rated_power_kw: float
    data_interval_seconds: int
    metadata: Mapping[str, Any]
    factory_id: UUID
    factory_name: str
    country: str | None


@dataclass(frozen=True)
class Intervals:
    """The intervals of a period in order, one element each; what is not known of one is NaN.

    Attributes:
        interval: Their kind: UTC hours, or days of the factory.
        starts_at: When they begin, in seconds since 1970 (UTC).
        seconds: How long they are: 3600; days 23, 24 or 25 hours.
        energy_kwh: Accepted energy, in kWh or the carrier's own unit; NaN without an accepted reading.
        covered_share: Share of the time that readings stand for, 0 to 1.
        spread_kwh: Of the energy: what catch-up readings spread over their gaps.
        flat_share: Share of the interval's hours in which power and energy stood still at a value other
            than 0 (of its quarters, where days don't begin on full UTC hours).
        running_share: Of the readings that tell a mode, those that tell `running`; NaN where none does.
        maintenance_share: The same for `maintenance`.
        shift: The prevailing shift, empty where none is told; None unless it was asked for.
        drivers: Values by name: counts and `downtime_seconds` summed, all else the mean of its readings.
        quarter_power_kw: A row an interval, a column a quarter hour of it (hours 4; days 92 to 100, NaN past
            their end): mean power. None unless it was asked for.
    """

    interval: Interval
    starts_at: NDArray[np.int64]
    seconds: FloatArray
    energy_kwh: FloatArray
    covered_share: FloatArray
    spread_kwh: FloatArray
    flat_share: FloatArray
    running_share: FloatArray
    maintenance_share: FloatArray
    shift: NDArray[np.object_] | None
    drivers: Mapping[str, FloatArray]
    quarter_power_kw: FloatArray | None = None


@dataclass(frozen=True)
class Column:
    """A figure of an aggregate table.

    Attributes:
        name: What it is called here.
        value: What is taken of a row.
        divisor: What its sum is divided by; None where the sum itself counts.
        combine: The aggregate that puts rows together.
    """

    name: str
    value: str
    divisor: str | None = None
    combine: str = "sum"

    def over_row(self) -> str:
        """Its SQL over one row."""
        return f"({self.value})::float8" + (f" / nullif({self.divisor}, 0)" if self.divisor else "")

    def over_rows(self) -> str:
        """Its SQL over the rows of an interval."""
        divisor = f" / nullif(sum({self.divisor}), 0)" if self.divisor else ""
        return f"{self.combine}({self.value})::float8{divisor}"


def _mean(name: str, stem: str) -> Column:
    return Column(name, f"{stem}_sum", f"{stem}_readings")


_MODES = "idle + running + maintenance + fault + offline"
ENERGY = (
    # As KPIs have it, refused readings alone are no energy, which is not an energy of zero.
    Column("energy_kwh", "CASE WHEN readings > refused OR spread_kwh > 0 THEN energy_kwh END"),
    # The usual values skip the way from numeric to double, which is most of the reading's time.
    Column("covered_seconds", "CASE covered_seconds WHEN 3600 THEN 3600 ELSE covered_seconds::float8 END"),
    Column("spread_kwh", "CASE spread_kwh WHEN 0 THEN 0 ELSE spread_kwh::float8 END"),
    Column("flat", "is_flat::int"),
)
_STATES = (
    Column("running", "running", _MODES),
    Column("maintenance", "maintenance", _MODES),
)
_HAS_SHIFT = Column("has_shift", "(shift IS NOT NULL)::int", combine="max")
PRODUCTION = (
    Column("production_count", "production_count"),
    Column("production_count_good", "production_count_good"),
    Column("production_count_bad", "production_count_bad"),
    Column("downtime_seconds", "downtime_seconds"),
    _mean("throughput_units_per_hour", "throughput"),
    _mean("speed_percent", "speed_percent"),
)
ENVIRONMENT = (
    _mean("outdoor_temp_c", "outdoor_temp"),
    _mean("indoor_temp_c", "indoor_temp"),
    _mean("machine_temp_c", "machine_temp"),
    _mean("outdoor_humidity_percent", "outdoor_humidity"),
    _mean("indoor_humidity_percent", "indoor_humidity"),
    _mean("pressure_bar", "pressure"),
    _mean("pressure_setpoint_bar", "pressure_setpoint"),
    _mean("flow_rate_m3h", "flow_rate"),
    _mean("supply_air_temp_c", "supply_air_temp"),
    _mean("return_air_temp_c", "return_air_temp"),
    _mean("cop", "cop"),
    _mean("vibration_mm_s", "vibration"),
)
_METADATA = (Column("value", "value_sum", "readings"),)
# The mean of its readings; a quarter without one takes the power that a slower rhythm's reading stands for.
_QUARTERS = """
    SELECT string_agg(float8send(date_part('epoch', bucket)) || float8send(power_kw::float8), ''::bytea)
           AS packed
    FROM (
        SELECT bucket, coalesce(avg_power_kw, billing_kw) AS power_kw FROM analytics.energy_15min
        WHERE machine_id = %(machine_id)s AND energy_type = %(energy_type)s
          AND bucket >= to_timestamp(%(start)s) AND bucket < to_timestamp(%(end)s)
          AND (avg_power_kw IS NOT NULL OR billing_kw > 0)
    ) quarters
"""


def machine_context(
    database: Database, machine_id: UUID, start: date | datetime, end: date | datetime
) -> MachineContext:
    """Looks a machine up with its factory, and makes days of its calendar instants.

    Raises:
        NotFoundError: There is none with this id.
    """
    found = machine_contexts(database, [machine_id], start, end)
    if not found:
        raise not_found("machine", machine_id)
    return found[0]


def machine_contexts(
    database: Database, machine_ids: Sequence[UUID], start: date | datetime, end: date | datetime
) -> list[MachineContext]:
    """The same of several machines, in no order, without those that there aren't."""
    instants = {name: at for name, at in (("start", start), ("end", end)) if isinstance(at, datetime)}
    found = database.rows(
        """
        SELECT m.id, m.name, z.timezone, m.type::text AS type, m.rated_power_kw,
               coalesce(m.data_interval_seconds, 10) AS data_interval_seconds,
               coalesce(m.metadata, '{}') AS metadata, f.id AS factory_id, f.name AS factory_name,
               f.metadata ->> 'country' AS country,
               analytics.local_midnight(z.timezone, %(start)s::date) AS start,
               analytics.local_midnight(z.timezone, %(end)s::date + 1) AS end
        FROM machines m JOIN factories f ON f.id = m.factory_id,
             LATERAL (SELECT analytics.valid_zone(f.timezone) AS timezone) z
        WHERE m.id = ANY (%(ids)s)
        """,
        {"ids": list(machine_ids), "start": start, "end": end},
    )
    return [MachineContext(kind="machine", **(row | instants)) for row in found]


def read_intervals(
    connection: Connection,
    machine_id: UUID,
    energy_type: str,
    start: datetime,
    end: datetime,
    interval: Interval,
    zone: str,
    wanted: Collection[str] | None,
    *,
    with_power_quarters: bool = False,
) -> Intervals:
    """Reads energy and drivers of the intervals that lie wholly in a period, one query a table.

    Args:
        connection: The database.
        machine_id: The machine.
        energy_type: The carrier.
        start: First instant of the period.
        end: The instant after its last.
        interval: `hour` takes UTC hours, `day` local days.
        zone: The factory's zone, valid in PostgreSQL.
        wanted: Names of drivers: columns of `production_data` and `environmental_data`,
            `material_moisture_percent`, and `production.<key>` or `environment.<key>` for any other number in
            `metadata`; `shift`. A name that doesn't exist is left out of the answer. None reads all that
            have a value.
        with_power_quarters: Whether `quarter_power_kw` is read too.

    Returns:
        The intervals, those without any row too; none where the period holds no whole one.
    """
    # Where fact tables can't carry triggers, aggregates are kept when they are read.
    rows(connection, "SELECT analytics.catch_up(%s)", (machine_id,))
    grid = _grid(connection, start, end, interval, zone)
    reader = AggregateReader(connection, machine_id, energy_type, grid)
    energy = reader.energy()
    with_shift = wanted is None or "shift" in wanted
    figures, shift = reader.production(_chosen(PRODUCTION, wanted), with_shift=with_shift)
    running_share, maintenance_share = figures.pop("running"), figures.pop("maintenance")
    drivers = figures | reader.environment(_chosen(ENVIRONMENT, wanted))
    for source in ("production", "environment"):
        drivers |= reader.metadata(source, wanted)
    if wanted is None:
        drivers = {name: values for name, values in drivers.items() if not np.isnan(values).all()}
    return Intervals(
        interval=interval,
        starts_at=grid.starts_at,
        seconds=grid.seconds,
        energy_kwh=energy["energy_kwh"],
        covered_share=np.nan_to_num(energy["covered_seconds"]) / grid.seconds,
        spread_kwh=np.nan_to_num(energy["spread_kwh"]),
        flat_share=np.nan_to_num(energy["flat"]) * grid.bucket_seconds / grid.seconds,
        running_share=running_share,
        maintenance_share=maintenance_share,
        shift=shift,
        drivers=drivers,
        quarter_power_kw=reader.quarter_power() if with_power_quarters else None,
    )


def newest_energy_at(connection: Connection, machine_id: UUID, energy_type: str) -> datetime | None:
    """The time of a carrier's newest reading, None without any."""
    return newest_energy(connection, [machine_id], energy_type).get(machine_id)


def newest_energy(
    connection: Connection, machine_ids: Sequence[UUID], energy_type: str
) -> dict[UUID, datetime]:
    """The time of a carrier's newest reading by machine, without those that have none."""
    parameters = {"machine_ids": list(machine_ids), "energy_type": energy_type}
    rows(connection, "SELECT analytics.catch_up(id) FROM unnest(%(machine_ids)s::uuid[]) id", parameters)
    # The quarters lead to it: on its own the index over readings would be searched through all carriers.
    found = rows(
        connection,
        """
        SELECT m.id, max(r.time) AS at
        FROM unnest(%(machine_ids)s::uuid[]) m (id)
        CROSS JOIN LATERAL (
            SELECT max(bucket) AS bucket FROM analytics.energy_15min
            WHERE machine_id = m.id AND energy_type = %(energy_type)s AND readings > 0
        ) q
        JOIN energy_readings r ON r.machine_id = m.id AND r.energy_type = %(energy_type)s
         AND r.time >= q.bucket AND r.time < q.bucket + interval '15 minutes'
        GROUP BY m.id
        """,
        parameters,
    )
    return {row["id"]: row["at"] for row in found}


@dataclass(frozen=True)
class Grid:
    """The intervals of a period.

    Attributes:
        starts_at: When they begin, in seconds since 1970.
        seconds: How long they are.
        is_grouped: Whether an interval is made of several rows of the aggregate tables.
        bucket_seconds: Width of these rows.
    """

    starts_at: NDArray[np.int64]
    seconds: FloatArray
    is_grouped: bool
    bucket_seconds: int

    @property
    def start(self) -> float:
        """Its first instant, seconds since 1970."""
        return float(self.starts_at[0]) if len(self.starts_at) else 0.0

    @property
    def end(self) -> float:
        """The instant after its last."""
        return self.start + float(self.seconds.sum())


def _grid(connection: Connection, start: datetime, end: datetime, interval: Interval, zone: str) -> Grid:
    if interval == "hour":
        first, last = ceil(start.timestamp() / _HOUR_SECONDS), floor(end.timestamp() / _HOUR_SECONDS)
        starts_at = np.arange(first, last, dtype=np.int64) * _HOUR_SECONDS
        return Grid(starts_at, np.full(len(starts_at), float(_HOUR_SECONDS)), False, _HOUR_SECONDS)
    # A day that a zone skipped has no midnight of its own.
    midnights = rows(
        connection,
        """
        SELECT DISTINCT date_part('epoch', midnight)::int8 AS at
        FROM generate_series((%(start)s AT TIME ZONE %(zone)s)::date::timestamp,
                             (%(end)s AT TIME ZONE %(zone)s)::date::timestamp, '1 day') day,
             LATERAL (SELECT analytics.local_midnight(%(zone)s, day::date) AS midnight) m
        WHERE midnight >= %(start)s AND midnight <= %(end)s ORDER BY 1
        """,
        {"start": start, "end": end, "zone": zone},
    )
    edges = np.array([row["at"] for row in midnights], dtype=np.int64)
    # Days that begin on full hours of UTC are made of hours; those of other zones only of quarters.
    is_of_hours = not (edges % _HOUR_SECONDS).any()
    bucket_seconds = _HOUR_SECONDS if is_of_hours else _QUARTER_SECONDS
    return Grid(edges[:-1], np.diff(edges).astype(np.float64), True, bucket_seconds)


@dataclass(frozen=True)
class AggregateReader:
    """Reads the aggregates of one machine into the intervals of a grid."""

    connection: Connection
    machine_id: UUID
    energy_type: str
    grid: Grid

    def energy(self, columns: Sequence[Column] = ENERGY) -> dict[str, FloatArray]:
        """Figures of the carrier."""
        (found,) = self._packed("energy", columns, condition="AND a.energy_type = %(energy_type)s")
        return self._unpacked(columns, found["packed"])

    def production(
        self, drivers: Sequence[Column], *, with_shift: bool
    ) -> tuple[dict[str, FloatArray], NDArray[np.object_] | None]:
        """Shares of modes and drivers, and the shift where it is wanted."""
        if not with_shift:
            (found,) = self._packed("production", (*_STATES, *drivers))
            return self._unpacked((*_STATES, *drivers), found["packed"]), None
        columns = (*_STATES, _HAS_SHIFT, *drivers)
        shift = 'mode() WITHIN GROUP (ORDER BY a.shift COLLATE "C")' if self.grid.is_grouped else "a.shift"
        shifts = "array_agg(text ORDER BY place) FILTER (WHERE text IS NOT NULL) AS shifts"
        (found,) = self._packed("production", columns, text=shift, beside=shifts)
        figures = self._unpacked(columns, found["packed"])
        prevailing = np.full(len(self.grid.starts_at), "", dtype=np.object_)
        prevailing[figures.pop("has_shift") > 0] = found["shifts"] or []
        return figures, prevailing

    def environment(self, drivers: Sequence[Column]) -> dict[str, FloatArray]:
        """Means of sensors."""
        if not drivers:
            return {}
        (found,) = self._packed("environment", drivers)
        return self._unpacked(drivers, found["packed"])

    def metadata(self, source: str, wanted: Collection[str] | None) -> dict[str, FloatArray]:
        """Numbers in `metadata`, whatever their keys."""
        keys = None if wanted is None else _metadata_keys(source, wanted)
        if keys == []:
            return {}
        found = self._packed(
            f"{source}_drivers",
            _METADATA,
            condition="AND (%(keys)s::text[] IS NULL OR a.key = ANY (%(keys)s))",
            text="a.key",
            beside="text AS key",
            by_text=True,
            keys=keys,
        )
        return {
            _driver_name(source, row["key"]): self._unpacked(_METADATA, row["packed"])["value"]
            for row in found
        }

    def quarter_power(self) -> FloatArray:
        """Mean power of each interval's quarters."""
        (found,) = rows(self.connection, _QUARTERS, self._parameters())
        starts_at, power_kw = matrix(found["packed"], 2).T
        interval = np.searchsorted(self.grid.starts_at, starts_at, side="right") - 1
        quarter = (starts_at - self.grid.starts_at[interval]) / _QUARTER_SECONDS
        most = round(self.grid.seconds.max(initial=0) / _QUARTER_SECONDS)
        result = np.full((len(self.grid.starts_at), most), np.nan)
        result[interval, quarter.astype(np.intp)] = power_kw
        return result

    def _packed(
        self,
        table: str,
        columns: Sequence[Column],
        *,
        condition: str = "",
        text: str = "NULL",
        beside: str = "NULL",
        by_text: bool = False,
        keys: Sequence[str] | None = None,
    ) -> list[Row]:
        """The intervals that have rows: in `packed` their places and figures, as doubles in a row.

        (So packed, 90 days of hours take two thirds of the time of an array for each column.)
        """
        grid = self.grid
        suffix = "1hour" if grid.bucket_seconds == _HOUR_SECONDS else "15min"
        place = "(date_part('epoch', a.bucket) - %(start)s) / %(bucket_seconds)s"
        if grid.is_grouped:
            place = "width_bucket(date_part('epoch', a.bucket), %(starts)s::float8[]) - 1"
        figures = [column.over_rows() if grid.is_grouped else column.over_row() for column in columns]
        named = ", ".join(f"coalesce({figure}, 'NaN') AS f{n}" for n, figure in enumerate(figures))
        sent = " || ".join(
            f"float8send({name})" for name in ("place", *(f"f{n}" for n in range(len(figures))))
        )
        grouping = ("GROUP BY 1, 2" if by_text else "GROUP BY 1") if grid.is_grouped else ""
        return rows(
            self.connection,
            f"""
            SELECT {beside}, string_agg({sent}, ''::bytea) AS packed
            FROM (
                SELECT ({place})::float8 AS place, {text} AS text, {named} FROM analytics.{table}_{suffix} a
                WHERE a.machine_id = %(machine_id)s AND a.bucket >= to_timestamp(%(start)s)
                  AND a.bucket < to_timestamp(%(end)s) {condition}
                {grouping}
            ) t {"GROUP BY text" if by_text else ""}
            """,  # noqa: S608 - names of this module
            self._parameters() | {"keys": keys},
        )

    def _unpacked(self, columns: Sequence[Column], packed: memoryview | None) -> dict[str, FloatArray]:
        figures = np.full((len(columns), len(self.grid.starts_at)), np.nan)
        table = matrix(packed, 1 + len(columns))
        figures[:, table[:, 0].astype(np.intp)] = table[:, 1:].T
        return dict(zip((column.name for column in columns), figures, strict=True))

    def _parameters(self) -> dict[str, Any]:
        return {
            "machine_id": self.machine_id,
            "energy_type": self.energy_type,
            "start": self.grid.start,
            "end": self.grid.end,
            "bucket_seconds": self.grid.bucket_seconds,
            "starts": self.grid.starts_at.tolist() if self.grid.is_grouped else None,
        }


def _chosen(columns: Sequence[Column], wanted: Collection[str] | None) -> list[Column]:
    return [column for column in columns if wanted is None or column.name in wanted]


def _driver_name(source: str, key: str) -> str:
    return MOISTURE if (source, key) == ("production", MOISTURE) else f"{source}.{key}"


def _metadata_keys(source: str, wanted: Collection[str]) -> list[str]:
    """The keys that names ask for; in PostgreSQL no text has a zero character, so no key is called so."""
    keys = {name.removeprefix(f"{source}.") for name in wanted if "\0" not in name}
    return sorted(key for key in keys if _driver_name(source, key) in wanted)
