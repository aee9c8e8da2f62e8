"""Factories whose loads are known, in databases of the tests' own, and a bucket for what is trained."""

import uuid
from collections.abc import Iterator

import psycopg2
import pytest
from integration.baselines.conftest import forget_aws_clients
from integration.baselines.works import MACHINE, Works
from integration.forecasts.loads import SECOND, Plant, add_machine, draw, past_days, weekly
from integration.local_aws import REGION, LocalAws

from enms.artifacts import ModelStore
from enms.database.connection import Database
from enms_local.postgres import PostgresServer

_PLANT_TEMPLATE = "enms_forecast_plant"


@pytest.fixture
def works(database_url: str) -> Iterator[Works]:
    """A factory in Berlin with one machine."""
    connection = psycopg2.connect(database_url)
    connection.autocommit = True
    works = Works(connection)
    works.add_machine(MACHINE, "Press")
    yield works
    connection.close()


@pytest.fixture
def database(database_url: str, works: Works) -> Iterator[Database]:
    """The same database as our functions have it."""
    database = Database(lambda: database_url, pool_size=12)
    yield database
    database.close()


@pytest.fixture(scope="module")
def s3_access(local_aws: LocalAws) -> Iterator[None]:
    """Has forecasters kept in the local cloud while a module's tests run."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", local_aws.aws_url)
        environment.setenv("AWS_DEFAULT_REGION", REGION)
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        forget_aws_clients()
        yield
    forget_aws_clients()


@pytest.fixture(scope="module")
def models_store(local_aws: LocalAws, s3_access: None) -> ModelStore:
    """A bucket that a module's tests share."""
    bucket = f"models-{uuid.uuid4()}"
    local_aws.client("s3").create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    return ModelStore(bucket)


@pytest.fixture(scope="session")
def plant_template(postgres: PostgresServer, migrated_template: str) -> str:
    """Name of a database with two machines' last ten days, to be copied, never written to."""
    _execute(postgres, f"CREATE DATABASE {_PLANT_TEMPLATE} TEMPLATE {migrated_template}")
    connection = psycopg2.connect(postgres.url(_PLANT_TEMPLATE))
    connection.autocommit = True
    works = Works(connection)
    start, end = past_days(10)
    for machine_id, name, share in ((MACHINE, "Press", 1.0), (SECOND, "Saw", 0.5)):
        add_machine(works, machine_id, name)
        draw(works, start, end, lambda at, share=share: share * weekly(at), machine_id=machine_id)  # type: ignore[misc]
    connection.close()
    return _PLANT_TEMPLATE


@pytest.fixture
def plant(postgres: PostgresServer, plant_template: str, models_store: ModelStore) -> Iterator[Plant]:
    """The two machines in a database of the test's own."""
    name = f"forecast_{uuid.uuid4().hex[:12]}"
    _execute(postgres, f"CREATE DATABASE {name} TEMPLATE {plant_template}")
    database = Database(lambda: postgres.url(name), pool_size=12)
    connection = psycopg2.connect(postgres.url(name))
    connection.autocommit = True
    yield Plant(database, models_store, Works(connection))
    connection.close()
    database.close()
    _execute(postgres, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(server: PostgresServer, statement: str) -> None:
    connection = psycopg2.connect(server.url())
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()
