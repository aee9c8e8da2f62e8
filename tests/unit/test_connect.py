"""Where the database's address comes from: a URL, a secret, or its parts."""

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from enms.errors import UnavailableError
from enms.services.connect import database_url
from enms.settings import DatabaseSettings

NAME = "enms/database"


@pytest.fixture
def secrets_manager(monkeypatch: pytest.MonkeyPatch, new_aws_clients: None) -> Iterator[None]:
    """Secrets Manager with the database's credentials, as RDS writes them."""
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(variable, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    fields = {"host": "db.example", "port": 5432, "dbname": "enms", "username": "app", "password": "p@ss"}
    with mock_aws():
        boto3.client("secretsmanager").create_secret(Name=NAME, SecretString=json.dumps(fields))
        yield


@pytest.mark.usefixtures("secrets_manager")
def test_a_named_secret_gives_the_address() -> None:
    settings = DatabaseSettings(database_secret_name=NAME)
    assert database_url(settings) == "postgresql://app:p%40ss@/enms?host=db.example&port=5432"


@pytest.mark.usefixtures("secrets_manager")
def test_a_missing_secret_is_named() -> None:
    with pytest.raises(UnavailableError, match="'nowhere'"):
        database_url(DatabaseSettings(database_secret_name="nowhere"))


def test_a_url_goes_before_a_secret() -> None:
    settings = DatabaseSettings.from_environment(
        {"ENMS_DATABASE_URL": "postgresql:///mine", "DATABASE_SECRET_NAME": NAME}
    )
    assert database_url(settings) == "postgresql:///mine"
