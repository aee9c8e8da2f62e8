"""Bulk loads into the fact tables: rows are staged by COPY, put in order, and merged, all in one transaction.

Staged instants are microseconds since 1970 in UTC. The staging table is only ever appended to, so the
physical order
of its rows (ctid) is the order of the file.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import NamedTuple
from uuid import UUID

import psycopg2
from psycopg2 import sql

from enms.database.connection import Connection, Row, rows
from enms.database.registry import INTERVAL_GIVEN
from enms.errors import ConflictError, InvalidInputError

FACT_TABLES: Mapping[str, str] = {
    "energy": "energy_readings",
    "production": "production_data",
    "environment": "environmental_data",
}
# Small enough for a command that is interrupted to end soon, large enough for few refreshes of the
# aggregates.
ROWS_PER_BATCH = 150_000
_BLOCK_BYTES = 8192

_INSTANT = "timestamptz 'epoch' + at * interval '1 microsecond'"
_SPAN = f"""
    SELECT count(*) AS rows, {_INSTANT.replace("at *", "min(at) *")} AS first_at,
           {_INSTANT.replace("at *", "max(at) *")} AS last_at
    FROM staged WHERE ctid >= %(first)s::tid AND ctid < %(end)s::tid
"""  # noqa: S608 - names of this module
_REPLACED = sql.SQL(f"""
    SELECT count(*) AS rows FROM staged s
    JOIN (SELECT f.time FROM {{table}} f WHERE {{same_key}}) former ON former.time = {_INSTANT}
    WHERE s.ctid >= %(first)s::tid AND s.ctid < %(end)s::tid
""")  # noqa: S608 - names of this module
# As the triggers do it, at most a month at a time: of irregular or hourly rows a long range takes far longer.
_REFRESH = f"""
    WITH hours AS (
        SELECT %(machine_id)s::uuid AS machine_id, %(energy_type)s::text AS energy_type,
               {_INSTANT.replace("at *", "min(at) *")} AS first_at, {_INSTANT.replace("at *", "max(at) *")}
               AS last_at
        FROM staged WHERE ctid >= %(first)s::tid AND ctid < %(end)s::tid GROUP BY at / 3600000000
    ),
    months AS (
        SELECT array_agg((machine_id, energy_type, first_at, last_at)::analytics.changed_hour) AS hours
        FROM hours GROUP BY date_bin('30 days', first_at, '2000-01-01 00:00+00')
    )
    SELECT analytics.refresh_energy(c.machine_id, c.energy_type, c.first_at, c.last_at)
    FROM months, analytics.changed_stretches(months.hours) c
"""  # noqa: S608 - names of this module


class Stretch(NamedTuple):
    """What is staged: how many rows, from which start to which, and what is missing between them.

    Attributes:
        rows: Rows with different instants.
        first_at: The first start.
        last_at: The last start.
        gaps: How often more than one and a half intervals pass between starts.
        gap_seconds: What is missing there in all.
        longest_gap_at: Where the longest begins.
        longest_gap_seconds: What is missing in it.
    """

    rows: int
    first_at: datetime | None
    last_at: datetime | None
    gaps: int
    gap_seconds: float
    longest_gap_at: datetime | None
    longest_gap_seconds: float


class Increments(NamedTuple):
    """What differencing a counter met.

    Attributes:
        resets: How often it started again, from zero or past its highest figure.
        jumps_back: How often it was set back to something else; nothing is counted there.
        outliers: Single readings that break an otherwise rising count; interpolated.
    """

    resets: int
    jumps_back: int
    outliers: int


class Merged(NamedTuple):
    """Rows of one batch."""

    new: int
    replaced: int


@dataclass(frozen=True)
class Target:
    """What is loaded where.

    Attributes:
        fact: energy, production or environment.
        machine_id: The machine.
        columns: The fact table's columns that the file has.
        energy_type: The carrier, for energy.
        has_drivers: Whether rows bring entries for `metadata`.
    """

    fact: str
    machine_id: UUID
    columns: Sequence[str]
    energy_type: str = "electrical"
    has_drivers: bool = False

    @property
    def table(self) -> sql.Identifier:
        """The fact table."""
        return sql.Identifier("public", FACT_TABLES[self.fact])


class Staging:
    """A staging table of the open transaction of a connection."""

    def __init__(self, connection: Connection, target: Target) -> None:
        """Makes the table.

        Raises:
            ConflictError: Another import for the machine is under way.
        """
        self._connection = connection
        self._target = target
        self._columns = [*target.columns, *(["drivers"] if target.has_drivers else [])]
        lock = "SELECT pg_try_advisory_xact_lock(hashtextextended('enms import ' || %s, 0)) AS is_ours"
        if not rows(connection, lock, (str(target.machine_id),))[0]["is_ours"]:
            raise ConflictError("Another import for this machine is under way: wait until it has ended.")
        self._run("SET LOCAL work_mem = '64MB'")
        # Types are the fact table's own, so that rounding happens once.
        types = {
            row["name"]: row["type"]
            for row in self._run(
                """
                SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
                WHERE attrelid = %s::regclass AND attnum > 0
                """,
                (f"public.{FACT_TABLES[target.fact]}",),
            )
        } | {"drivers": "jsonb", "counter_kwh": "numeric"}
        definitions = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(types[name])) for name in self._columns
        )
        self._run(sql.SQL("CREATE TEMP TABLE staged (at bigint, {}) ON COMMIT DROP").format(definitions))

    def copy(self, text: str) -> None:
        """Appends rows in COPY's text format: at, then the columns.

        Raises:
            InvalidInputError: A value doesn't fit its column.
        """
        with self._connection.cursor() as cursor:
            try:
                cursor.copy_expert("COPY staged FROM STDIN", StringIO(text))
            except psycopg2.DataError as error:
                raise _does_not_fit(error) from error

    def put_in_order(self) -> int:
        """Sorts the rows by instant; of several rows of one instant the file's last stays.

        Returns:
            How many rows went.
        """
        counted = "SELECT count(*) AS rows FROM staged"
        before: int = self._run(counted)[0]["rows"]
        self._run("ALTER TABLE staged RENAME TO unordered")
        self._run("""
            CREATE TEMP TABLE staged ON COMMIT DROP AS
            SELECT DISTINCT ON (at) * FROM unordered ORDER BY at, unordered.ctid DESC
        """)
        self._run("DROP TABLE unordered")
        after: int = self._run(counted)[0]["rows"]
        return before - after

    def difference_counter(self, rated_power_kw: float) -> Increments:
        """Replaces the staged counts (counter_kwh) by the energy since the row before, and its average power.

        A single count out of line, above the next or below the one before while the next carries on, is
        interpolated. A fall to less than the machine could have used since (at one and a half times its
        rated power) is a restart from zero; near a power of ten that the meter then passed, a rollover. Any
        other fall counts nothing.

        Args:
            rated_power_kw: Of the machine.
        """
        self._run("ALTER TABLE staged RENAME TO counts")
        # The rows of `counts` are in order; each rule looks at direct neighbours only.
        self._run(
            """
            CREATE TEMP TABLE increments ON COMMIT DROP AS
            WITH neighbours AS (
                SELECT at, counter_kwh, lag(counter_kwh) OVER o AS former_kwh, lead(counter_kwh) OVER o AS
                next_kwh,
                       lag(at) OVER o AS former_at, lead(at) OVER o AS next_at
                FROM counts WINDOW o AS (ORDER BY at)
            ),
            judged AS (
                SELECT *, coalesce(next_kwh >= former_kwh AND (counter_kwh < former_kwh OR counter_kwh >
                next_kwh),
                                   false) AS is_outlier
                FROM neighbours
            ),
            smoothed AS (
                SELECT at, is_outlier,
                       CASE WHEN is_outlier
                            THEN former_kwh + (next_kwh - former_kwh) * (at - former_at) / (next_at -
                            former_at)
                            ELSE counter_kwh END AS counter_kwh
                FROM judged
            ),
            steps AS (
                SELECT at, is_outlier, counter_kwh, lag(counter_kwh) OVER o AS former_kwh,
                       (at - lag(at) OVER o) / 3.6e9 AS hours
                FROM smoothed WINDOW o AS (ORDER BY at)
            ),
            falls AS (
                SELECT *, 1.5 * %(rated_kw)s * hours AS most_kwh,
                       CASE WHEN counter_kwh < former_kwh AND former_kwh > 1
                            THEN power(10::numeric, ceil(log(former_kwh))) - former_kwh + counter_kwh END AS
                            rolled_kwh
                FROM steps WHERE former_kwh IS NOT NULL
            )
            SELECT at, hours, is_outlier, counter_kwh < former_kwh AS is_fall,
                   CASE WHEN counter_kwh >= former_kwh THEN counter_kwh - former_kwh
                        WHEN rolled_kwh <= most_kwh THEN rolled_kwh
                        WHEN counter_kwh >= 0 AND counter_kwh <= most_kwh THEN counter_kwh END AS energy_kwh
            FROM falls
            """,
            {"rated_kw": rated_power_kw},
        )
        try:
            self._run("""
                CREATE TEMP TABLE staged ON COMMIT DROP AS
                SELECT at, (coalesce(energy_kwh, 0) / hours)::numeric(12, 4) AS power_kw,
                       coalesce(energy_kwh, 0)::numeric(15, 6) AS energy_kwh, is_fall OR is_outlier AS
                       is_estimated
                FROM increments ORDER BY at
            """)
        except psycopg2.DataError as error:
            raise _does_not_fit(error) from error
        self._columns = ["power_kw", "energy_kwh", "is_estimated"]
        found = self._run("""
            SELECT count(*) FILTER (WHERE is_fall AND energy_kwh IS NOT NULL) AS resets,
                   count(*) FILTER (WHERE is_fall AND energy_kwh IS NULL) AS jumps_back,
                   count(*) FILTER (WHERE is_outlier) AS outliers
            FROM increments
        """)[0]
        self._run("DROP TABLE counts, increments")
        return Increments(**found)

    def stretch(self, interval_microseconds: int | None) -> Stretch:
        """What the staged rows, in order, span; without an interval no gap can be told."""
        found = self._run(
            """
            WITH steps AS (SELECT at, lead(at) OVER (ORDER BY at) - at AS step FROM staged),
            gaps AS (
                SELECT at + %(interval)s::bigint AS gap_at, step - %(interval)s::bigint AS missing
                FROM steps WHERE step > 1.5 * %(interval)s::bigint
            )
            SELECT s.rows, s.first_at, s.last_at, g.gaps, g.missing / 1e6 AS gap_seconds,
                   timestamptz 'epoch' + l.gap_at * interval '1 microsecond' AS longest_gap_at,
                   coalesce(l.missing, 0) / 1e6 AS longest_gap_seconds
            FROM (SELECT count(*) AS rows, timestamptz 'epoch' + min(at) * interval '1 microsecond' AS
            first_at,
                         timestamptz 'epoch' + max(at) * interval '1 microsecond' AS last_at FROM staged) s
            CROSS JOIN (SELECT count(*) AS gaps, coalesce(sum(missing), 0) AS missing FROM gaps) g
            LEFT JOIN LATERAL (SELECT * FROM gaps ORDER BY missing DESC, gap_at LIMIT 1) l ON true
            """,
            {"interval": interval_microseconds},
        )[0]
        return Stretch(**found)

    def merge(self, stretch: Stretch) -> Iterator[Merged]:
        """Writes the staged rows to the fact table, a batch at a time; what they replace was there before.

        Raises:
            ConflictError: Someone else wrote the same rows meanwhile.
        """
        blocks: int = self._run("SELECT pg_relation_size('staged') / %s AS blocks", (_BLOCK_BYTES,))[0][
            "blocks"
        ]
        per_batch = max(1, blocks * ROWS_PER_BATCH // max(stretch.rows, 1))
        has_fast_way = self._has_fast_way()
        for block in range(0, blocks, per_batch):
            yield self._merge_batch(f"({block},0)", f"({block + per_batch},0)", has_fast_way=has_fast_way)

    def _merge_batch(self, first: str, end: str, *, has_fast_way: bool) -> Merged:
        target = self._target
        parameters: dict[str, object] = {
            "machine_id": target.machine_id,
            "energy_type": target.energy_type,
            "first": first,
            "end": end,
        }
        span = self._run(_SPAN, parameters)[0]
        if not span["rows"]:
            return Merged(0, 0)
        parameters |= span
        same_key = sql.SQL(
            "f.machine_id = %(machine_id)s AND f.time BETWEEN %(first_at)s AND %(last_at)s"
            + (" AND f.energy_type = %(energy_type)s" if target.fact == "energy" else "")
        )
        replaced: int = self._run(_REPLACED.format(table=target.table, same_key=same_key), parameters)[0][
            "rows"
        ]
        statement = self._insertion(is_upsert=replaced > 0)
        try:
            if has_fast_way:
                self._run("SET LOCAL session_replication_role = replica")
                self._run(statement, parameters)
                self._run("SET LOCAL session_replication_role = origin")
                self._run(_REFRESH, parameters)
            else:
                self._run(statement, parameters)
        except psycopg2.errors.UniqueViolation as error:
            raise ConflictError(
                "Someone else wrote readings of the same time meanwhile, so nothing was imported: try again."
            ) from error
        return Merged(span["rows"] - replaced, replaced)

    def _has_fast_way(self) -> bool:
        """Whether rows may be inserted with triggers off, the aggregates following after each batch.

        That spares the foreign key's check of each single row, a third of the work: all rows are of one
        machine, whose own row is locked here. It needs a superuser, and a table whose only triggers are known
        to be ours or the key's.
        """
        target = self._target
        if target.fact != "energy":
            return False
        found = self._run(
            """
            SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
                   AND NOT EXISTS (
                       SELECT FROM pg_trigger
                       WHERE tgrelid = %(table)s::regclass AND NOT tgisinternal
                         AND (tgenabled <> 'O' OR tgname NOT IN
                              ('enms_inserted', 'enms_updated', 'enms_deleted', 'enms_truncated')))
                   AND EXISTS (
                       SELECT FROM pg_trigger
                       WHERE tgrelid = %(table)s::regclass AND tgname = 'enms_inserted')
                   AND EXISTS (SELECT FROM machines WHERE id = %(machine_id)s FOR KEY SHARE) AS is_free
            """,
            {"table": f"public.{FACT_TABLES[target.fact]}", "machine_id": target.machine_id},
        )
        return bool(found[0]["is_free"])

    def _insertion(self, *, is_upsert: bool) -> sql.Composed:
        target = self._target
        is_energy = target.fact == "energy"
        values: list[tuple[sql.Composable, sql.Composable]] = [
            (sql.Identifier(name), sql.Identifier(name)) for name in self._columns if name != "drivers"
        ]
        if is_energy:
            values.append((sql.Identifier("source"), sql.SQL("'import'")))
            if "is_estimated" not in self._columns:
                values.append((sql.Identifier("is_estimated"), sql.SQL("false")))
        changes: list[sql.Composable] = [sql.SQL("{0} = excluded.{0}").format(name) for name, _ in values]
        if target.has_drivers:
            values.append((sql.Identifier("metadata"), sql.Identifier("drivers")))
            changes.append(sql.SQL("metadata = coalesce(f.metadata, '{}') || excluded.metadata"))
        key = sql.SQL("machine_id, time, energy_type" if is_energy else "machine_id, time")
        upsert = sql.SQL("ON CONFLICT ({key}) DO UPDATE SET {changes}").format(
            key=key, changes=sql.SQL(", ").join(changes)
        )
        return sql.SQL(
            "INSERT INTO {table} AS f ({key}, {columns}) SELECT {key_values}, {values} FROM staged "
            "WHERE ctid >= %(first)s::tid AND ctid < %(end)s::tid {upsert}"
        ).format(
            table=target.table,
            key=key,
            key_values=sql.SQL(f"%(machine_id)s, {_INSTANT}" + (", %(energy_type)s" if is_energy else "")),
            columns=sql.SQL(", ").join(name for name, _ in values),
            values=sql.SQL(", ").join(value for _, value in values),
            upsert=upsert if is_upsert else sql.SQL(""),
        )

    def _run(
        self,
        statement: str | sql.Composable,
        parameters: Mapping[str, object] | Sequence[object] | None = None,
    ) -> list[Row]:
        text = statement if isinstance(statement, str) else statement.as_string(self._connection)
        return rows(self._connection, text, parameters)


def set_interval(connection: Connection, machine_id: UUID, seconds: int) -> None:
    """Sets a machine's reporting interval, which its registration left open."""
    rows(
        connection,
        """
        UPDATE machines SET data_interval_seconds = %s, metadata = metadata - %s, updated_at = now()
        WHERE id = %s
        """,
        (seconds, INTERVAL_GIVEN, machine_id),
    )


def judgements(
    connection: Connection, machine_id: UUID, energy_type: str, first_at: datetime, last_at: datetime
) -> Row:
    """How many readings of [first, last], in whole quarter hours, the aggregates refused and spread."""
    return rows(
        connection,
        """
        SELECT coalesce(sum(refused), 0)::int AS refused, coalesce(sum(spread_readings), 0)::int AS spread
        FROM analytics.energy_15min
        WHERE machine_id = %s AND energy_type = %s AND bucket BETWEEN analytics.quarter_of(%s) AND %s
        """,
        (machine_id, energy_type, first_at, last_at),
    )[0]


def _does_not_fit(error: psycopg2.DataError) -> InvalidInputError:
    problem = str(error).partition("\n")[0]
    return InvalidInputError(f"A value doesn't fit its column, so nothing was imported: {problem}.")
