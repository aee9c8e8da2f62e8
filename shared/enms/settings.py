"""What an operator can set, one class per function; read when a function starts, not at import.

A field is read from the variable of the same name in upper case: `log_level` from `LOG_LEVEL`.
Plain pydantic models: a settings library would cost a tenth of a cold start.
"""

import json
import os
from collections.abc import Mapping
from typing import Annotated, Literal, Self
from urllib.parse import quote

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from enms import __version__
from enms.errors import InvalidInputError

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


def _words(text: object) -> object:
    return tuple(text.replace(",", " ").split()) if isinstance(text, str) else text


CommaSeparated = Annotated[tuple[str, ...], BeforeValidator(_words)]


def _json(text: object) -> object:
    return json.loads(text) if isinstance(text, str) else text


NumbersByName = Annotated[dict[str, float], BeforeValidator(_json)]


class Settings(BaseModel):
    """What every function has."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    log_level: LogLevel = Field("INFO", description="least severe level that is logged")
    service_name: str = Field("enms-analytics", description="name in logs and in /health")
    service_version: str = Field(__version__, description="version in logs and in /health")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Reads the settings; an empty variable counts as not set.

        Raises:
            InvalidInputError: A variable's value can't be used; the message names it and keeps secrets.
        """
        given = {
            name: environment[name.upper()] for name in cls.model_fields if environment.get(name.upper())
        }
        try:
            return cls.model_validate(given)
        except ValidationError as invalid:
            problems = [f"{str(error['loc'][0]).upper()}: {error['msg']}" for error in invalid.errors()]
            raise InvalidInputError(f"Settings that can't be used: {'; '.join(problems)}.") from None


class DatabaseSettings(Settings):
    """Where PostgreSQL is: a URL, else a secret's name, else its parts."""

    enms_database_url: SecretStr | None = Field(None, description="libpq URL of an existing database")
    database_secret_name: str | None = Field(
        None,
        description="Secrets Manager secret with host, port, dbname, username, password, as RDS writes it",
    )
    database_host: str = Field("localhost", description="host, where neither URL nor secret is set")
    database_port: int = Field(5432, ge=1, le=65535)
    database_name: str = Field("enms")
    database_user: str = Field("postgres")
    database_password: SecretStr = Field(SecretStr(""))
    database_pool_size: int = Field(8, ge=1, le=100, description="connections that one process may hold")
    database_statement_timeout_seconds: int = Field(
        25, ge=1, description="a query that takes longer is ended"
    )

    @property
    def database_url(self) -> str:
        """The libpq URL of the settings that need no secret."""
        if self.enms_database_url:
            return self.enms_database_url.get_secret_value()
        return libpq_url(
            self.database_host,
            self.database_port,
            self.database_name,
            self.database_user,
            self.database_password.get_secret_value(),
        )


class TrainingSettings(DatabaseSettings):
    """What whoever trains baselines needs, or reads them."""

    models_bucket: str | None = Field(None, description="S3 bucket that trained models are kept in")
    baseline_training_days: int = Field(
        90, ge=1, le=399, description="window of the weekly retraining: the last so many local days"
    )
    baseline_limits: NumbersByName = Field(
        {}, description="JSON object of the verdict's thresholds that differ from the defaults"
    )


class DetectionSettings(TrainingSettings):
    """What whoever looks for anomalies needs."""

    anomaly_bus: str | None = Field(
        None,
        description="EventBridge bus that events of anomalies go to; without it they wait in the database",
    )


class ApiSettings(DatabaseSettings):
    """What every endpoint group has."""

    cors_allowed_origins: CommaSeparated = Field(
        (), description="origins whose pages may call the API; none by default"
    )
    public_prefix: str = Field("/api/analytics", description="path under which the front door serves the API")


class KpiSettings(ApiSettings):
    """Function `kpi`."""


class BaselineSettings(ApiSettings, TrainingSettings):
    """Function `baseline`."""

    retrain_function: str | None = Field(
        None,
        description="Lambda function that does a training which outlasts its request; without it "
        "it runs in this process",
    )


class AnomalySettings(ApiSettings, DetectionSettings):
    """Function `anomaly`."""


class ForecastSettings(ApiSettings, TrainingSettings):
    """Function `forecast`."""

    train_forecasts_function: str | None = Field(
        None, description="Lambda function that trains forecasts; without it they are trained in this process"
    )


class ForecastScheduleSettings(ApiSettings):
    """Function `forecast-schedule`."""


class UiSettings(ApiSettings):
    """Function `ui`."""

    console_frame_ancestors: CommaSeparated = Field(
        (), description="origins whose pages may show the console in a frame, besides its own"
    )


class SchedulerSettings(ApiSettings):
    """What is known of the rules: the same template parameters make the rules and these variables."""

    scheduler_enabled: bool = Field(True, description="false: rules are deployed disabled")
    daily_kpis_schedule: str = Field(
        "cron(30 0 * * ? *)", description="EventBridge schedule of the daily KPIs, UTC"
    )
    retrain_schedule: str = Field(
        "cron(0 * ? * SAT,SUN,MON *)",
        description="EventBridge schedule of the retraining, UTC: each hour in which Sunday 02:00 comes "
        "somewhere, or came less than a day ago",
    )
    detect_schedule: str = Field(
        "cron(5 * * * ? *)", description="EventBridge schedule of the detection of anomalies, UTC"
    )
    forecast_1h_schedule: str = Field(
        "cron(1,16,31,46 * * * ? *)", description="EventBridge schedule of the next hour's forecasts, UTC"
    )
    forecast_24h_schedule: str = Field(
        "cron(3 * * * ? *)", description="EventBridge schedule of the next day's forecasts, UTC"
    )
    forecast_7d_schedule: str = Field(
        "cron(20 0 * * ? *)", description="EventBridge schedule of the next week's forecasts, UTC"
    )


class CatalogSettings(SchedulerSettings):
    """Function `catalog`."""


class JobsSettings(SchedulerSettings, DetectionSettings):
    """Function `jobs`."""

    daily_kpis_function: str | None = Field(
        None, description="Lambda function that runs the daily KPIs; without it the job runs in this process"
    )
    retrain_state_machine: str | None = Field(
        None, description="ARN of the state machine that retrains; without it the job runs in this process"
    )
    detect_function: str | None = Field(
        None, description="Lambda function that looks for anomalies; without it the job runs in this process"
    )
    make_forecasts_function: str | None = Field(
        None, description="Lambda function that makes forecasts; without it the job runs in this process"
    )


class DailyKpisSettings(DatabaseSettings):
    """Function `daily-kpis`."""

    database_statement_timeout_seconds: int = Field(
        240, ge=1, description="a query that takes longer is ended"
    )


class RetrainBaselinesSettings(TrainingSettings):
    """Function `retrain-baselines`."""

    retrain_concurrency: int = Field(
        4, ge=1, le=1000, description="how many machines are trained at the same time"
    )
    database_statement_timeout_seconds: int = Field(
        240, ge=1, description="a query that takes longer is ended"
    )


class DetectAnomaliesSettings(DetectionSettings):
    """Function `detect-anomalies`."""

    database_statement_timeout_seconds: int = Field(
        240, ge=1, description="a query that takes longer is ended"
    )


class MakeForecastsSettings(TrainingSettings):
    """Function `make-forecasts`."""

    train_forecasts_function: str | None = Field(
        None, description="Lambda function that trains forecasts; without it nobody is asked to"
    )
    database_statement_timeout_seconds: int = Field(
        240, ge=1, description="a query that takes longer is ended"
    )


class TrainForecastsSettings(TrainingSettings):
    """Function `train-forecasts`."""

    database_statement_timeout_seconds: int = Field(
        240, ge=1, description="a query that takes longer is ended"
    )


class AnomalyWebhookSettings(Settings):
    """Function `anomaly-webhook`."""

    anomaly_webhook_url: str = Field(description="https address that each event of an anomaly is posted to")
    anomaly_webhook_secret_name: str = Field(
        description="Secrets Manager secret whose field `key` signs what is posted"
    )
    anomaly_webhook_queue: str = Field(description="URL of the queue that the events come from")


class MigrateSettings(DatabaseSettings):
    """Function `migrate`."""

    database_statement_timeout_seconds: int = Field(
        840, ge=1, description="a query that takes longer is ended"
    )


def libpq_url(host: str, port: int | str, name: str, user: str, password: str) -> str:
    """The URL of a PostgreSQL database; a host that is a path names the folder of a Unix socket."""
    return (
        f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@/{quote(name, safe='')}"
        f"?host={quote(host, safe='')}&port={port}"
    )
