"""A machine in a database of the test's own, and a factory behind the development application."""

import uuid
from collections.abc import Iterator

import psycopg2
import pytest
from integration.baselines.plant import Plant, fill
from integration.baselines.works import MACHINE, Works
from integration.local_aws import REGION, LocalAws

from enms import artifacts, aws
from enms.artifacts import ModelStore
from enms.database.connection import Database
from enms_local.postgres import PostgresServer

PLANT_TEMPLATE = "enms_plant"


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


@pytest.fixture(scope="session")
def plant_template(postgres: PostgresServer, migrated_template: str) -> str:
    """Name of a database with the factory's readings, to be copied, never written to."""
    _execute(postgres, f"CREATE DATABASE {PLANT_TEMPLATE} TEMPLATE {migrated_template}")
    connection = psycopg2.connect(postgres.url(PLANT_TEMPLATE))
    with connection:
        fill(connection)
    connection.close()
    return PLANT_TEMPLATE


@pytest.fixture(scope="module")
def s3_access(local_aws: LocalAws) -> Iterator[None]:
    """Has models kept in the local cloud while a module's tests run."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", local_aws.aws_url)
        environment.setenv("AWS_DEFAULT_REGION", REGION)
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        forget_aws_clients()
        yield
    forget_aws_clients()


def forget_aws_clients() -> None:
    """Has clients of AWS made anew."""
    aws._session.cache_clear()
    artifacts._s3.cache_clear()


@pytest.fixture(scope="module")
def site(
    postgres: PostgresServer, plant_template: str, local_aws: LocalAws, s3_access: None
) -> Iterator[Plant]:
    """The factory with a database and a bucket that a module's tests share."""
    name = f"plant_{uuid.uuid4().hex[:12]}"
    _execute(postgres, f"CREATE DATABASE {name} TEMPLATE {plant_template}")
    bucket = f"models-{uuid.uuid4()}"
    local_aws.client("s3").create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    plant = Plant(postgres.url(name), ModelStore(bucket), local_aws)
    yield plant
    plant.database.close()
    _execute(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def plant(site: Plant) -> Plant:
    """The same without any baseline, adjustment or run."""
    site.empty()
    return site


def _execute(server: PostgresServer, statement: str) -> None:
    connection = psycopg2.connect(server.url())
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()
