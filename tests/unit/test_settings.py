"""Settings come from the environment under the names that operators know."""

import pytest

from enms.errors import InvalidInputError
from enms.settings import ApiSettings, DatabaseSettings, SchedulerSettings


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = SchedulerSettings.from_environment({})
    assert (settings.log_level, settings.scheduler_enabled, settings.daily_kpis_schedule) == (
        "INFO",
        True,
        "cron(30 0 * * ? *)",
    )


def test_an_empty_variable_counts_as_not_set() -> None:
    assert ApiSettings.from_environment({"CORS_ALLOWED_ORIGINS": "", "LOG_LEVEL": ""}) == ApiSettings()


def test_lists_are_separated_by_commas() -> None:
    settings = ApiSettings.from_environment({"CORS_ALLOWED_ORIGINS": "https://a.example, https://b.example"})
    assert settings.cors_allowed_origins == ("https://a.example", "https://b.example")


def test_a_wrong_value_names_its_variable_and_keeps_secrets() -> None:
    with pytest.raises(InvalidInputError, match="DATABASE_PORT") as refused:
        DatabaseSettings.from_environment({"DATABASE_PORT": "http", "DATABASE_PASSWORD": "hidden"})
    assert "hidden" not in refused.value.message


def test_the_parts_make_a_url_whatever_characters_they_hold() -> None:
    settings = DatabaseSettings.from_environment(
        {"DATABASE_PASSWORD": "p@ss/w:rd", "DATABASE_HOST": "db.example"}
    )
    assert settings.database_url == "postgresql://postgres:p%40ss%2Fw%3Ard@/enms?host=db.example&port=5432"


def test_a_given_url_wins() -> None:
    settings = DatabaseSettings.from_environment(
        {"ENMS_DATABASE_URL": "postgresql://x/y", "DATABASE_HOST": "db"}
    )
    assert settings.database_url == "postgresql://x/y"
    assert "x/y" not in repr(settings)
