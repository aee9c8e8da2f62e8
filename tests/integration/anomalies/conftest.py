"""A machine whose anomalies are kept in a database of the test's own, and two machines of the demo."""

import uuid
from collections.abc import Iterator

import psycopg2
import pytest
from integration.anomalies import demo_plant
from integration.anomalies.demo_plant import COMPRESSOR, PUMP, DemoPlant
from integration.anomalies.looks import Looks
from integration.baselines.conftest import forget_aws_clients
from integration.baselines.works import MACHINE, Works
from integration.local_aws import REGION, LocalAws

from enms.artifacts import ModelStore
from enms.database.connection import Database
from enms_local.postgres import PostgresServer

_DEMO_TEMPLATE = "enms_demo_weeks"


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


@pytest.fixture
def looks(database: Database) -> Looks:
    """Detections of the machine, with what they find told by the test."""
    return Looks(database, MACHINE)


@pytest.fixture(scope="module")
def s3_access(local_aws: LocalAws) -> Iterator[None]:
    """Has detectors kept in the local cloud while a module's tests run."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", local_aws.aws_url)
        environment.setenv("AWS_DEFAULT_REGION", REGION)
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        forget_aws_clients()
        yield
    forget_aws_clients()


@pytest.fixture(scope="session")
def demo_template(postgres: PostgresServer, migrated_template: str) -> str:
    """Name of a database with the demo's weeks, to be copied, never written to."""
    _execute(postgres, f"CREATE DATABASE {_DEMO_TEMPLATE} TEMPLATE {migrated_template}")
    weeks = [(COMPRESSOR, *demo_plant.AUTUMN), (PUMP, *demo_plant.SPRING)]
    demo_plant.fill(postgres.url(_DEMO_TEMPLATE), weeks)
    return _DEMO_TEMPLATE


@pytest.fixture(scope="module")
def models_store(local_aws: LocalAws, s3_access: None) -> ModelStore:
    """A bucket that a module's tests share."""
    bucket = f"models-{uuid.uuid4()}"
    local_aws.client("s3").create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    return ModelStore(bucket)


@pytest.fixture
def plant(postgres: PostgresServer, demo_template: str, models_store: ModelStore) -> Iterator[DemoPlant]:
    """The demo's weeks in a database of the test's own."""
    name = f"demo_{uuid.uuid4().hex[:12]}"
    _execute(postgres, f"CREATE DATABASE {name} TEMPLATE {demo_template}")
    database = Database(lambda: postgres.url(name), pool_size=12)
    yield DemoPlant(postgres.url(name), database, models_store)
    database.close()
    _execute(postgres, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(server: PostgresServer, statement: str) -> None:
    connection = psycopg2.connect(server.url())
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()
