"""What can be set for the local cloud, and where its files lie."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from dotenv import dotenv_values

from enms.errors import InvalidInputError

CHECKOUT = Path(__file__).resolve().parents[3]
ALL_ADDRESSES = ("0.0.0.0", "::")  # noqa: S104 - recognised here, never the default
_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off")
_HIGHEST_PORT = 65535


@dataclass(frozen=True)
class StackSettings:
    """The settings of `enms up` and its relatives; each field's name in capitals is the variable's name.

    Attributes:
        enms_listen: Address of the public listeners; 0.0.0.0 or :: for all.
        enms_http_port: The public API over http.
        enms_https_port: The same over https.
        enms_aws_port: The local AWS API, on loopback only.
        enms_database_port: Our PostgreSQL, on loopback only.
        enms_dev_port: The development server of `enms dev`.
        enms_state_dir: Where everything that changes lies; relative to the checkout.
        enms_region: The AWS region that the local cloud plays.
        enms_demo_days: Days of the demo factory to load once; 0 for no demo.
        enms_database_url: An existing PostgreSQL server to use instead of ours.
        database_host: The same in single values, as functions take them.
        database_port: TCP port of that server.
        database_name: Database on it.
        database_user: Role to sign in with.
        database_password: Its password.
        log_level: Of the functions; DEBUG also makes `enms` print tracebacks.
        scheduler_enabled: Whether rules fire.
        daily_kpis_schedule: EventBridge expression of the daily KPIs, in UTC; empty for the template's.
        retrain_schedule: EventBridge expression of the retraining, in UTC; empty for the template's.
        retrain_concurrency: Machines that are trained at the same time.
        baseline_training_days: Window of the retraining in local days.
        baseline_limits: JSON object of the verdict's thresholds that differ from the defaults.
        detect_schedule: EventBridge expression of the detection, in UTC; empty for the template's.
        forecast_1h_schedule: The same of the next hour's forecasts.
        forecast_24h_schedule: The same of the next day's.
        forecast_7d_schedule: The same of the next week's.
        anomaly_webhook_url: Where each event of an anomaly is posted to; empty for nowhere.
        anomaly_webhook_secret: What is posted is signed with it.
        cors_allowed_origins: Origins of browsers, separated by commas; empty for none.
        console_frame_ancestors: Origins that may frame the console, separated by commas; empty for none.
    """

    enms_listen: str = "127.0.0.1"
    enms_http_port: int = 8080
    enms_https_port: int = 8443
    enms_aws_port: int = 4566
    enms_database_port: int = 5433
    enms_dev_port: int = 8001
    enms_state_dir: Path = Path(".enms")
    enms_region: str = "eu-central-1"
    enms_demo_days: int = 120
    enms_database_url: str = ""
    database_host: str = ""
    database_port: int = 5432
    database_name: str = "enms"
    database_user: str = ""
    database_password: str = ""
    log_level: str = "INFO"
    scheduler_enabled: bool = True
    daily_kpis_schedule: str = ""
    retrain_schedule: str = ""
    retrain_concurrency: int = 4
    baseline_training_days: int = 90
    baseline_limits: str = ""
    detect_schedule: str = ""
    forecast_1h_schedule: str = ""
    forecast_24h_schedule: str = ""
    forecast_7d_schedule: str = ""
    anomaly_webhook_url: str = ""
    anomaly_webhook_secret: str = ""
    cors_allowed_origins: str = ""
    console_frame_ancestors: str = ""

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None, dotenv: Path = CHECKOUT / ".env") -> Self:
        """Reads the settings: the environment's before those of `.env`; an empty value means the default.

        Raises:
            InvalidInputError: A value isn't of its setting's kind, or the webhook has no secret.
        """
        given = {**_values_in(dotenv), **(os.environ if environment is None else environment)}
        values: dict[str, Any] = {}
        for setting in fields(cls):
            text = given.get(setting.name.upper(), "").strip()
            if text:
                values[setting.name] = _parse(setting.name.upper(), text, setting.default)
        if values.get("anomaly_webhook_url") and not values.get("anomaly_webhook_secret"):
            raise InvalidInputError(
                "ANOMALY_WEBHOOK_URL is set and ANOMALY_WEBHOOK_SECRET isn't: nothing is posted unsigned.",
                parameter="ANOMALY_WEBHOOK_SECRET",
            )
        return cls(**values)

    @property
    def state_dir(self) -> Path:
        """The folder of everything that changes, as an absolute path."""
        return (CHECKOUT / self.enms_state_dir).resolve()

    @property
    def logs_dir(self) -> Path:
        """Where the logs lie, one file a part."""
        return self.state_dir / "logs"

    @property
    def run_dir(self) -> Path:
        """Where running processes are recorded."""
        return self.state_dir / "run"

    @property
    def tls_dir(self) -> Path:
        """Where the front door's certificate lies."""
        return self.state_dir / "tls"

    @property
    def objects_dir(self) -> Path:
        """Where the objects of the local S3 are kept, one folder a bucket: LocalStack itself forgets them."""
        return self.state_dir / "s3"

    @property
    def existing_database_url(self) -> str | None:
        """URL of the server that was named instead of ours, or None."""
        if self.enms_database_url:
            return self.enms_database_url
        if not self.database_host:
            return None
        account = ":".join(
            quote(part, safe="") for part in (self.database_user, self.database_password) if part
        )
        host = bracketed(self.database_host)
        at_host = f"{account}@{host}" if account else host
        return f"postgresql://{at_host}:{self.database_port}/{quote(self.database_name, safe='')}"

    @property
    def listens_everywhere(self) -> bool:
        """Whether the public listeners accept calls on every address of the machine."""
        return self.enms_listen in ALL_ADDRESSES

    @property
    def public_host(self) -> str:
        """The name that a call from this machine uses for the public listeners."""
        local = self.listens_everywhere or self.enms_listen in ("127.0.0.1", "localhost")
        return "localhost" if local else bracketed(self.enms_listen)

    @property
    def http_url(self) -> str:
        """Base of the public API over http."""
        return f"http://{self.public_host}:{self.enms_http_port}/api/analytics"

    @property
    def https_url(self) -> str:
        """Base of the public API over https."""
        return f"https://{self.public_host}:{self.enms_https_port}/api/analytics"

    @property
    def aws_url(self) -> str:
        """Endpoint of the local AWS API."""
        return f"http://127.0.0.1:{self.enms_aws_port}"


def whole_environment(dotenv: Path = CHECKOUT / ".env") -> dict[str, str]:
    """The environment completed by `.env`, for a process that reads its settings from the first only."""
    return {**_values_in(dotenv), **os.environ}


def bracketed(host: str) -> str:
    """A host as it stands in a URL: IPv6 addresses in brackets."""
    return f"[{host}]" if ":" in host else host


def _values_in(dotenv: Path) -> dict[str, str]:
    return {name: value or "" for name, value in dotenv_values(dotenv).items()}


def _parse(name: str, text: str, default: object) -> object:
    if isinstance(default, bool):
        return _parse_bool(name, text)
    if isinstance(default, int):
        return _parse_whole_number(name, text)
    if isinstance(default, Path):
        return Path(text).expanduser()
    return text


def _parse_bool(name: str, text: str) -> bool:
    if text.lower() not in (*_TRUE, *_FALSE):
        raise InvalidInputError(f"{name} is {text!r}: say true or false.", parameter=name, given=text)
    return text.lower() in _TRUE


def _parse_whole_number(name: str, text: str) -> int:
    highest = _HIGHEST_PORT if name.endswith("_PORT") else None
    lowest = 1 if highest else 0
    if not text.isdecimal() or int(text) < lowest or (highest and int(text) > highest):
        allowed = f"a port from 1 to {_HIGHEST_PORT}" if highest else "a whole number, 0 or more"
        raise InvalidInputError(f"{name} is {text!r}: it has to be {allowed}.", parameter=name, given=text)
    return int(text)
