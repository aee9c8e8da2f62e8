"""Migrations on an empty database: all or nothing, once, and never a changed file."""

from pathlib import Path

import psycopg2
import pytest

from enms.database import migrate
from enms.errors import ConflictError


@pytest.fixture
def connection(empty_database_url):
    connection = psycopg2.connect(empty_database_url)
    yield connection
    connection.close()


def _exists(connection, name):
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (name,))
        return cursor.fetchone()[0]


def _write(folder: Path, name: str, sql: str) -> None:
    (folder / name).write_text(sql)


def test_plan_names_what_would_come_and_changes_nothing(connection):
    plan = migrate.plan(connection)

    assert "table analytics.energy_15min" in plan.added
    assert "table public.energy_readings" in plan.added
    assert not plan.replaced
    assert not _exists(connection, "analytics.schema_migrations")


def test_applying_twice_does_nothing_more(connection):
    done = migrate.apply(connection)
    assert [migration.number for migration in done.pending] == [m.number for m in migrate.available()]
    assert _exists(connection, "public.energy_readings")

    assert migrate.apply(connection) == migrate.plan(connection) == migrate.Plan((), (), ())


def test_failure_midway_leaves_the_former_state(connection, tmp_path):
    _write(tmp_path, "0001_first.sql", "CREATE TABLE public.first (id int)")
    migrate.apply(connection, tmp_path)
    _write(tmp_path, "0002_second.sql", "CREATE TABLE public.second (id int)")
    _write(tmp_path, "0003_third.sql", "INSERT INTO public.first VALUES (1); SELECT 1 / 0")

    with pytest.raises(psycopg2.errors.DivisionByZero):
        migrate.apply(connection, tmp_path)

    assert not _exists(connection, "public.second")
    _write(tmp_path, "0003_third.sql", "SELECT 1")
    assert [migration.number for migration in migrate.apply(connection, tmp_path).pending] == [2, 3]


def test_changed_file_is_refused(connection, tmp_path):
    _write(tmp_path, "0001_first.sql", "CREATE TABLE public.first (id int)")
    migrate.apply(connection, tmp_path)
    _write(tmp_path, "0001_first.sql", "CREATE TABLE public.first (id bigint)")

    with pytest.raises(ConflictError, match=r"0001 \(first\) was changed after"):
        migrate.apply(connection, tmp_path)


def test_database_of_a_newer_version_is_refused(connection, tmp_path):
    _write(tmp_path, "0001_first.sql", "SELECT 1")
    migrate.apply(connection, tmp_path)
    (tmp_path / "0001_first.sql").unlink()

    with pytest.raises(ConflictError, match="newer"):
        migrate.apply(connection, tmp_path)


@pytest.mark.parametrize("names", [["0001_a.sql", "0001_b.sql"], ["1_a.sql"], ["0001-a.sql"]])
def test_file_names_are_checked(tmp_path, names):
    for name in names:
        _write(tmp_path, name, "SELECT 1")

    with pytest.raises(ConflictError):
        migrate.available(tmp_path)


def test_replaced_function_is_told(connection, tmp_path):
    statement = "CREATE OR REPLACE FUNCTION public.one() RETURNS int LANGUAGE sql AS 'SELECT {}'"
    _write(tmp_path, "0001_first.sql", statement.format(2))
    migrate.apply(connection, tmp_path)
    _write(tmp_path, "0002_right.sql", statement.format(1))

    plan = migrate.plan(connection, tmp_path)

    assert plan.added == ()
    assert plan.replaced == ("function one()",)


def test_needs_a_connection_without_a_transaction(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")

    with pytest.raises(ConflictError, match="open transaction"):
        migrate.apply(connection)
