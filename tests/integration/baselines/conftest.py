"""A machine in a database of the test's own."""

from collections.abc import Iterator

import psycopg2
import pytest
from integration.baselines.works import MACHINE, Works

from enms.database.connection import Database


@pytest.fixture
def works(database_url: str) -> Iterator[Works]:
    """A factory in Berlin with one machine that reports each minute."""
    connection = psycopg2.connect(database_url)
    connection.autocommit = True
    works = Works(connection)
    works.add_machine(MACHINE, "Press")
    yield works
    connection.close()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The same database as our functions have it."""
    database = Database(lambda: database_url, pool_size=12)
    yield database
    database.close()
