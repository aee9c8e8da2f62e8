"""Asks the running service, as its first user would."""

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from enms.errors import UnavailableError
from enms_local.stack.certificates import files_in
from enms_local.stack.settings import StackSettings

HEALTH_TIMEOUT_SECONDS = 60
_POLL_SECONDS = 0.2
_HTTP_OK = 200
_HTTP_UNAVAILABLE = 503


@dataclass(frozen=True)
class Examples:
    """What to open and to copy.

    Attributes:
        answer: What the first call answered, in one line.
        lines: Addresses and calls to print.
    """

    answer: str
    lines: list[str] = field(default_factory=list)


def wait_until_healthy(settings: StackSettings) -> str:
    """Waits for the first answer of `/health`, and says what it is.

    Raises:
        UnavailableError: It didn't answer, or our own database isn't healthy.
    """
    deadline = time.monotonic() + HEALTH_TIMEOUT_SECONDS
    status, answer = _get(f"{settings.http_url}/health")
    while status != _HTTP_OK and time.monotonic() < deadline:
        if status == _HTTP_UNAVAILABLE and settings.existing_database_url:
            return "unhealthy: is the database up, and has `enms migrate --apply` been run?"
        time.sleep(_POLL_SECONDS)
        status, answer = _get(f"{settings.http_url}/health")
    if status != _HTTP_OK:
        raise UnavailableError(
            f"{settings.http_url}/health didn't become healthy within {HEALTH_TIMEOUT_SECONDS} s: "
            f"{answer.get('detail') or answer.get('status') or 'no answer'} (`enms logs catalog` shows more)."
        )
    return f"{answer['status']}, version {answer['version']}"


def example_calls(settings: StackSettings) -> Examples:
    """Asks for yesterday's KPIs of the first machine, and shows how to ask again.

    Raises:
        UnavailableError: The machine is there, but its KPIs can't be had.
    """
    base = f"{settings.http_url}/api/v1"
    status, machines = _get(f"{base}/machines")
    lines = [
        f"  Console  {settings.http_url}/ui/",
        f"  API      {settings.http_url}/docs",
        f"           {settings.https_url}/health",
        f"  AWS      {settings.aws_url}",
    ]
    if status != _HTTP_OK or not machines["machines"]:
        return Examples("there is no machine yet: `enms machines add`, then `enms import`", lines)
    machine = machines["machines"][0]
    yesterday = _yesterday_at(base, machine["factory_id"])
    query = urlencode({"machine_id": machine["id"], "start": yesterday, "end": yesterday})
    status, kpis = _get(f"{base}/kpi/all?{query}")
    if status != _HTTP_OK:
        raise UnavailableError(
            f"kpi/all of {machine['name']} failed with status {status}: {kpis.get('detail', 'no reason')}"
        )
    authority = files_in(settings.tls_dir).authority
    lines += [
        "",
        f"{machine['name']}, {yesterday}, as you may ask:",
        "",
        f"  curl '{base}/kpi/all?{query}'",
        "",
        f"  curl --cacert {authority} '{settings.https_url}/api/v1/kpi/all?{query}'",
    ]
    peak = kpis["kpis"]["peak_demand"]
    return Examples(f"{machine['name']} on {yesterday}: peak {peak['value']} {peak['unit']}", lines)


def _yesterday_at(base: str, factory_id: str) -> str:
    """Yesterday's date where the factory stands."""
    _, factories = _get(f"{base}/factories")
    zones = {factory["id"]: factory["timezone"] for factory in factories["factories"]}
    zone = ZoneInfo(zones.get(factory_id) or "UTC")
    return str((datetime.now(tz=zone) - timedelta(days=1)).date())


def _get(url: str) -> tuple[int, Any]:
    """Status and JSON body; status 0 when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _json_or_nothing(error.read())
    except OSError:
        return 0, {}


def _json_or_nothing(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return {}
