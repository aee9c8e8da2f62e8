"""Settings of the local cloud, and the database that they name."""

from pathlib import Path

import pytest

from enms.errors import InvalidInputError
from enms_local.stack.database import credentials_of
from enms_local.stack.settings import CHECKOUT, StackSettings

NO_FILE = Path("no-such-file")


def load(**environment: str) -> StackSettings:
    return StackSettings.load(environment, NO_FILE)


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("ENMS_HTTP_PORT=9000\nENMS_HTTPS_PORT=9001\n")

    settings = StackSettings.load({"ENMS_HTTP_PORT": "9100"}, file)

    assert (settings.enms_http_port, settings.enms_https_port) == (9100, 9001)


def test_an_empty_value_means_the_default() -> None:
    assert load(ENMS_HTTP_PORT="", ENMS_LISTEN=" ") == StackSettings()


@pytest.mark.parametrize("port", ["0", "65536", "eighty", "-1", "80.5"])
def test_a_port_that_is_none_is_refused_by_name(port: str) -> None:
    with pytest.raises(InvalidInputError, match=f"ENMS_HTTP_PORT is '{port}': it has to be a port"):
        load(ENMS_HTTP_PORT=port)


def test_a_switch_is_true_or_false() -> None:
    assert load(SCHEDULER_ENABLED="FALSE").scheduler_enabled is False
    with pytest.raises(InvalidInputError, match="SCHEDULER_ENABLED is 'maybe'"):
        load(SCHEDULER_ENABLED="maybe")


def test_state_lies_in_the_checkout_unless_told_otherwise(tmp_path: Path) -> None:
    assert load().state_dir == CHECKOUT / ".enms"
    assert load(ENMS_STATE_DIR=str(tmp_path)).state_dir == tmp_path


def test_no_database_is_named_by_default() -> None:
    assert load().existing_database_url is None


def test_single_values_name_a_database_like_a_url_does() -> None:
    settings = load(
        DATABASE_HOST="db.example", DATABASE_PORT="6000", DATABASE_USER="me", DATABASE_PASSWORD="p@ss/word"
    )

    credentials = credentials_of(settings.existing_database_url or "")

    assert credentials.as_secret() == {
        "engine": "postgres",
        "host": "db.example",
        "port": 6000,
        "dbname": "enms",
        "username": "me",
        "password": "p@ss/word",
    }


@pytest.mark.parametrize(
    ("url", "host", "port", "options"),
    [
        ("postgresql://me:pw@db.example/enms", "db.example", 5432, {}),
        ("postgres://me:pw@db.example:6000/enms?sslmode=require", "db.example", 6000, {"sslmode": "require"}),
        ("postgresql://me:pw@[::1]:6000/enms", "::1", 6000, {}),
        ("postgresql://me:pw@/enms?host=/run/pg&port=6000", "/run/pg", 6000, {}),
    ],
)
def test_takes_urls_apart(url: str, host: str, port: int, options: dict[str, str]) -> None:
    credentials = credentials_of(url)

    assert (credentials.host, credentials.port, credentials.options) == (host, port, options)


@pytest.mark.parametrize(
    "url", ["mysql://me@db/enms", "postgresql://me@db", "host=db dbname=enms", "postgresql:///enms"]
)
def test_another_kind_of_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InvalidInputError, match="has to look like") as error:
        credentials_of(url)
    assert url not in str(error.value)


def test_calls_from_this_machine_use_localhost_also_when_all_addresses_listen() -> None:
    assert load(ENMS_LISTEN="0.0.0.0").http_url == "http://localhost:8080/api/analytics"
    assert load(ENMS_LISTEN="192.0.2.7").http_url == "http://192.0.2.7:8080/api/analytics"
    assert load(ENMS_LISTEN="2001:db8::7").https_url == "https://[2001:db8::7]:8443/api/analytics"


def test_nothing_is_posted_unsigned() -> None:
    with pytest.raises(InvalidInputError, match="ANOMALY_WEBHOOK_SECRET isn't"):
        load(ANOMALY_WEBHOOK_URL="https://tickets.example/hook")
    signed = load(ANOMALY_WEBHOOK_URL="https://tickets.example/hook", ANOMALY_WEBHOOK_SECRET="whsec_c2VjcmV0")
    assert signed.anomaly_webhook_url == "https://tickets.example/hook"
