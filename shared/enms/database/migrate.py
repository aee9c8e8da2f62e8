"""Brings a database to the state that this version needs, with the numbered SQL files beside this module."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg2 import errors
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, connection, cursor

from enms.errors import ConflictError, UnavailableError

MIGRATIONS = Path(__file__).parent / "migrations"
# Any constant will do; it must only be the same in every program that migrates.
_ADVISORY_LOCK = 0x656E6D73
# A platform that is being written to must not queue behind our wait for a table lock.
_LOCK_TIMEOUT = "15s"
_FILE_NAME = re.compile(r"(?P<number>\d{4})_(?P<name>[a-z0-9_]+)\.sql")
_LEDGER = """
    CREATE SCHEMA IF NOT EXISTS analytics;
    CREATE TABLE IF NOT EXISTS analytics.schema_migrations (
        number     int PRIMARY KEY,
        name       text NOT NULL,
        checksum   text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
"""
# One row per object that a person would recognise; `definition` differs when the object was replaced.
_INVENTORY = """
    SELECT 'schema' AS kind, nspname::text AS name, NULL AS owner, '' AS definition FROM pg_namespace
    UNION ALL
    SELECT 'type', typnamespace::regnamespace || '.' || typname, NULL,
           (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid)
    FROM pg_type t WHERE typtype = 'e'
    UNION ALL
    SELECT CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'table' END,
           relnamespace::regnamespace || '.' || relname, NULL,
           CASE WHEN relkind IN ('v', 'm') THEN md5(pg_get_viewdef(oid)) END
    FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm')
    UNION ALL
    SELECT 'column', c.relnamespace::regnamespace || '.' || c.relname || '.' || attname,
           c.relnamespace::regnamespace || '.' || c.relname, format_type(atttypid, atttypmod) || attnotnull
    FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
    WHERE c.relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT 'index', c.relnamespace::regnamespace || '.' || c.relname,
           t.relnamespace::regnamespace || '.' || t.relname, pg_get_indexdef(i.indexrelid)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
    UNION ALL
    SELECT 'trigger', c.relnamespace::regnamespace || '.' || c.relname || '.' || tgname,
           c.relnamespace::regnamespace || '.' || c.relname, pg_get_triggerdef(t.oid)
    FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE NOT tgisinternal
    UNION ALL
    SELECT 'function', p.oid::regprocedure::text, NULL, md5(pg_get_functiondef(p.oid))
    FROM pg_proc p
    WHERE prokind IN ('f', 'p')
          AND pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
"""

type _Inventory = Mapping[tuple[str, str], tuple[str | None, str | None]]


@dataclass(frozen=True)
class Migration:
    """One numbered SQL file.

    Attributes:
        number: Its place in the order.
        name: What it does, from the file's name.
        sql: The text, sent to the server as it is.
    """

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, in hexadecimal."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True)
class Plan:
    """What pending migrations do to a database.

    Attributes:
        pending: The migrations, in their order.
        added: Objects that come into being, as `table analytics.energy_15min`.
        replaced: Objects that get another definition, as `function calculate_sec(uuid,…)`.
    """

    pending: tuple[Migration, ...]
    added: tuple[str, ...]
    replaced: tuple[str, ...]


def available(folder: Path = MIGRATIONS) -> list[Migration]:
    """Reads the migrations of a folder in their order.

    Raises:
        ConflictError: A file isn't named `NNNN_name.sql`, or a number is taken twice.
    """
    found: dict[int, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        match = _FILE_NAME.fullmatch(path.name)
        if match is None:
            raise ConflictError(f"{path.name} is no migration's name: NNNN_lower_case.sql is.")
        number = int(match["number"])
        if number in found:
            raise ConflictError(
                f"Two migrations have the number {number:04}: {found[number].name}, {match['name']}."
            )
        found[number] = Migration(number, match["name"], path.read_text(encoding="utf-8"))
    return list(found.values())


def plan(database: connection, folder: Path = MIGRATIONS) -> Plan:
    """Tells what `apply` would do, by doing it without the backfill and taking it back.

    Raises:
        ConflictError: An applied migration has changed since, or is unknown to this version.
        UnavailableError: A table stayed locked by others.
    """
    with _exclusively(database) as cur:
        # Existing readings are aggregated by `apply` only: here it would cost minutes for nothing.
        cur.execute("SET LOCAL analytics.skip_backfill = 'on'")
        result = _apply(cur, folder)
        database.rollback()
    return result


def apply(database: connection, folder: Path = MIGRATIONS) -> Plan:
    """Applies the pending migrations in one transaction: all of them or, after an error, none.

    Args:
        database: A connection that isn't inside a transaction; the role must be allowed to create objects.
        folder: Where the migrations lie.

    Returns:
        What was done; nothing pending when the database was up to date.

    Raises:
        ConflictError: An applied migration has changed since, or is unknown to this version.
        UnavailableError: A table stayed locked by others.
    """
    with _exclusively(database) as cur:
        result = _apply(cur, folder)
        database.commit()
    return result


@contextmanager
def _exclusively(database: connection) -> Iterator[cursor]:
    """One transaction, alone among those who migrate; taken back unless it was committed inside."""
    if database.info.transaction_status != TRANSACTION_STATUS_IDLE:
        raise ConflictError("Migrations need a connection without an open transaction.")
    former = database.autocommit
    database.autocommit = False
    try:
        with database.cursor() as cur:
            cur.execute("SELECT pg_advisory_xact_lock(%s)", (_ADVISORY_LOCK,))
            cur.execute("SELECT set_config('lock_timeout', %s, true)", (_LOCK_TIMEOUT,))
            yield cur
    except errors.LockNotAvailable as error:
        raise UnavailableError(
            f"A table stayed locked for {_LOCK_TIMEOUT}; nothing was changed. Try again when less is written."
        ) from error
    finally:
        if not database.closed:
            database.rollback()
            database.autocommit = former


def _apply(cur: cursor, folder: Path) -> Plan:
    before = _inventory(cur)
    cur.execute(_LEDGER)
    pending = _pending(cur, available(folder))
    for migration in pending:
        cur.execute(migration.sql)
        cur.execute(
            "INSERT INTO analytics.schema_migrations (number, name, checksum) VALUES (%s, %s, %s)",
            (migration.number, migration.name, migration.checksum),
        )
    return _compare(pending, before, _inventory(cur)) if pending else Plan((), (), ())


def _pending(cur: cursor, migrations: list[Migration]) -> list[Migration]:
    cur.execute("SELECT number, name, checksum FROM analytics.schema_migrations ORDER BY number")
    applied = {number: (name, checksum) for number, name, checksum in cur.fetchall()}
    known = {migration.number: migration for migration in migrations}
    for number, (name, checksum) in applied.items():
        if number not in known:
            raise ConflictError(
                f"The database has migration {number:04} ({name}), which this version doesn't know: "
                "it was migrated by a newer one. Use that or a newer version."
            )
        if known[number].checksum != checksum:
            raise ConflictError(
                f"Migration {number:04} ({name}) was changed after it had been applied here. "
                "Restore the file and put the change into a new migration.",
                number=number,
                applied=checksum,
                found=known[number].checksum,
            )
    return [migration for migration in migrations if migration.number not in applied]


def _inventory(cur: cursor) -> _Inventory:
    cur.execute(_INVENTORY)
    return {(kind, name): (owner, definition) for kind, name, owner, definition in cur.fetchall()}


def _compare(pending: list[Migration], before: _Inventory, after: _Inventory) -> Plan:
    """Parts of a new table (columns, indexes, triggers) go without saying."""
    added = [
        f"{kind} {name}"
        for (kind, name), (owner, _) in after.items()
        if (kind, name) not in before and (owner is None or ("table", owner) in before)
    ]
    replaced = [
        f"{kind} {name}"
        for (kind, name), (_, definition) in after.items()
        if (kind, name) in before and before[kind, name][1] != definition
    ]
    return Plan(tuple(pending), tuple(sorted(added)), tuple(sorted(replaced)))
