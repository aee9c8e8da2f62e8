"""The dossier from database and store: the same bytes until something happens to the model."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import boto3
import psycopg2
import pytest
from moto import mock_aws
from unit.test_dossier import document_of

from enms.artifacts import DamagedArtifactError, ModelStore, model_key, sha256_of
from enms.database import baselines
from enms.database.baselines import NewBaseline
from enms.database.connection import Database
from enms.errors import ConflictError, NotFoundError
from enms.science.baseline import model as documents
from enms.science.baseline.build import Request
from enms.services.dossier import report_of
from enms.services.exports import coefficients_of, residuals_of
from enms.services.models import row_of

BUCKET = "models"
FACTORY, MACHINE = UUID(int=1), UUID(int=2)
START, END = datetime(2026, 9, 20, tzinfo=UTC), datetime(2026, 11, 9, tzinfo=UTC)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, new_aws_clients: None) -> Iterator[ModelStore]:
    """An empty bucket."""
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(variable, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        location = {"LocationConstraint": "eu-central-1"}
        boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location)
        yield ModelStore(BUCKET)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A factory in Berlin with one machine."""
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO factories (id, name, timezone) VALUES (%s, 'Works', 'Europe/Berlin')",
            (str(FACTORY),),
        )
        cursor.execute(
            "INSERT INTO machines (id, factory_id, name, type, rated_power_kw, data_interval_seconds)"
            " VALUES (%s, %s, 'Press', 'injection_molding', 90, 60)",
            (str(MACHINE), str(FACTORY)),
        )
    database = Database(lambda: database_url)
    yield database
    database.close()


@pytest.fixture(scope="module")
def content() -> Any:
    return document_of(Request(("production_count", "outdoor_temp_c")))


def keep(database: Database, store: ModelStore, content: Any, *, reason: str | None = None) -> UUID:
    """A version as training keeps it."""
    written = documents.to_bytes(content)
    sha256 = sha256_of(written)
    with baselines.life(database, MACHINE, "electrical") as connection:
        version = baselines.next_version(connection, MACHINE, "electrical")
        key = model_key(MACHINE, "electrical", version, sha256)
        store.put(key, written)
        new = NewBaseline(
            machine_id=MACHINE, energy_type="electrical", model_name="Press", model_type="linear",
            model_version=version, interval="hour", verdict=content["verdict"]["status"],
            training_start=START, training_end=END, training_samples=content["training"]["samples"],
            coefficients={}, intercept=content["intercept"], feature_names=["production_count"],
            r_squared=0.9, rmse=1.0, mae=0.8, artifact_key=key, artifact_sha256=sha256, trained_by="anna",
            reason=reason,
        )  # fmt: skip
        return baselines.insert(connection, new)


def activate(database: Database, baseline_id: UUID, reason: str) -> None:
    with baselines.life(database, MACHINE, "electrical") as connection:
        baselines.activate(connection, baseline_id, "bert", reason)


def test_the_bytes_change_only_with_what_happens_to_the_model(
    database: Database, store: ModelStore, content: Any
) -> None:
    first = keep(database, store, content)
    second = keep(database, store, content, reason="new <valve>")
    page = report_of(database, store, second)
    assert report_of(database, ModelStore(BUCKET), second) == page
    assert "Press, version 2" in page
    assert "new &lt;valve&gt;" in page

    # What becomes of others is nothing to this one.
    keep(database, store, content)
    activate(database, first, "There was no active model.")
    assert report_of(database, store, second) == page

    activate(database, second, "It is no worse.")
    used = report_of(database, store, second)
    assert used != page
    assert "yes, the active baseline" in used
    assert "It is no worse." in used
    assert report_of(database, store, second) == used
    assert report_of(database, store, first).count("<td>deactivated</td>") == 1


def test_exports_are_those_of_the_kept_document(database: Database, store: ModelStore, content: Any) -> None:
    baseline_id = keep(database, store, content)
    assert coefficients_of(database, store, baseline_id).count("\r\n") == 1 + 3
    assert residuals_of(database, store, baseline_id).count("\r\n") == 1 + content["training"]["samples"]


def test_there_is_no_dossier_of_what_is_not_there(database: Database, store: ModelStore) -> None:
    with pytest.raises(NotFoundError, match="no model"):
        report_of(database, store, uuid4())


def test_a_row_of_another_program_has_none(database: Database, store: ModelStore, database_url: str) -> None:
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO energy_baselines (id, machine_id, model_name, model_type, model_version,"
            " energy_type, training_start_date, training_end_date, training_samples, coefficients, intercept,"
            " feature_names, r_squared, rmse, mae) VALUES"
            " (%s, %s, 'theirs', 'linear', 1, 'electrical', %s, %s, 10, '{}', 0, '{}', 0.9, 1, 1)",
            (str(FACTORY), str(MACHINE), START, END),
        )
    with pytest.raises(ConflictError, match="another program"):
        report_of(database, store, FACTORY)


def test_a_document_that_was_changed_is_not_shown(
    database: Database, store: ModelStore, content: Any
) -> None:
    baseline_id = keep(database, store, content)
    key = row_of(database, baseline_id)["artifact_key"]
    forged = json.dumps({**content, "intercept": 0}).encode()
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=forged)
    with pytest.raises(DamagedArtifactError, match="not those that were written"):
        report_of(database, ModelStore(BUCKET), baseline_id)
