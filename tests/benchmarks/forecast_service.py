"""Forecasts as a service: beside the probe, by the front door, from a cold start, and fitted."""

import json
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from statistics import median, quantiles
from typing import Any
from uuid import UUID, uuid4

from benchmarks.baseline_rows import named, post
from benchmarks.cold_start import secret
from benchmarks.database import execute, migrated
from benchmarks.forecast_machines import DAYS, MINUTELY, QUARTERLY, fill
from benchmarks.function_process import function_cloud
from benchmarks.load import Client, Target, interleave, medians
from benchmarks.servers import CHECKOUT, PREFIX, development_server
from benchmarks.stack import BenchStack
from benchmarks.table import Figure
from enms_local.stack.database import DATABASE, own_server
from enms_local.stack.objects import with_models

RUNS = 5
REQUESTS = 200
FITS = 3
UPDATES = 60
COLD_STARTS = 9
_FUNCTION = CHECKOUT / "functions" / "forecast"
_KPI = CHECKOUT / "functions" / "kpi"
_SHARED = CHECKOUT / "shared"
_FORECAST = f"{PREFIX}/api/v1/forecast"
_HORIZON = "24h"
_PATIENCE_SECONDS = 120
_STATUS_OF = defaultdict(
    lambda: HTTPStatus.ACCEPTED, succeeded=HTTPStatus.OK, failed=HTTPStatus.UNPROCESSABLE_ENTITY
)
# The newest forecast of the day as if it had been made an hour ago.
_AGE = """
DELETE FROM analytics.forecast_issues i USING analytics.forecast_issues newer
WHERE (i.subject_id, i.energy_type, i.horizon, i.choice)
    = (newer.subject_id, newer.energy_type, newer.horizon, newer.choice)
  AND i.origin_at < newer.origin_at;
UPDATE analytics.forecast_issues
SET origin_at = origin_at - interval '1 hour', ends_at = ends_at - interval '1 hour',
    starts_at = (SELECT array_agg(at - interval '1 hour' ORDER BY at) FROM unnest(starts_at) at)
WHERE machine_id = %(machine_id)s AND horizon = '24h'
"""


def by_development_server(stack: BenchStack) -> Iterator[Figure]:
    """What is stored ÷ the probe: of a machine of quarter hours, and of one of minutes."""
    with _two_machines(stack) as bench:
        for name, machine_id in (("15 min", QUARTERLY), ("1 min", MINUTELY)):
            _train(bench.address, machine_id)
            target = Target(bench.address, [_demand_path(machine_id)])
            probe = Target(bench.address, ["/probe"])
            interleave([probe, target], REQUESTS // 4)
            least, seconds = medians(partial(_medians_of_one_run, [probe, target]), RUNS)
            yield Figure(
                "forecast-dev",
                f"dev server, one client: demand, 24 h, stored, machine of {name} ÷ probe",
                "≤ 2",
                f"{seconds / least:.2f} ({seconds * 1e3:.2f} ÷ {least * 1e3:.2f} ms)",
                seconds / least <= 2,
            )


def fits(stack: BenchStack) -> Iterator[Figure]:
    """A training of ninety days at a minute ÷ the same at a quarter hour."""
    with _two_machines(stack) as bench:
        # The first one loads the libraries.
        _seconds_of_a_training(bench.address, QUARTERLY)
        taken = [
            [_seconds_of_a_training(bench.address, machine_id) for machine_id in (QUARTERLY, MINUTELY)]
            for _ in range(FITS)
        ]
    quarterly, minutely = (median(seconds) for seconds in zip(*taken, strict=True))
    yield Figure(
        "forecast-fit",
        f"training of {DAYS} days, 24 h: machine of 1 min ÷ the same of 15 min",
        "≤ 1.3",
        f"{minutely / quarterly:.2f} ({minutely:.1f} ÷ {quarterly:.1f} s)",
        minutely / quarterly <= 1.3,
    )


def cold_start(stack: BenchStack) -> Iterator[Figure]:
    """The first answer of the function that reads forecasts ÷ the KPI function's."""
    with _two_machines(stack) as bench:
        _train(bench.address, QUARTERLY)
        kpi, forecast = [], []
        with function_cloud(secret(bench.tcp_url)) as cloud:
            for _ in range(COLD_STARTS):
                kpi.append(cloud.cold_start(_KPI, _kpi_event(), shared=_SHARED))
                forecast.append(cloud.cold_start(_FUNCTION, _demand_event(), shared=_SHARED))
    ours, theirs = (median(answer.seconds for answer in answers) for answers in (forecast, kpi))
    memory = max(answer.memory_bytes for answer in forecast) / 1e6
    yield Figure(
        "forecast-cold-start",
        "forecast function, process start to its first stored forecast ÷ KPI function",
        "≤ 1.2",
        f"{ours / theirs:.2f} ({ours * 1e3:.0f} ÷ {theirs * 1e3:.0f} ms; {memory:.0f} MB)",
        ours / theirs <= 1.2,
    )


def by_front_door(stack: BenchStack) -> Iterator[Figure]:
    """What is stored, and what has to take in readings first, through gateway and function, warm."""
    machine_id = UUID(named(stack, "Compressor-1").id)
    front = stack.settings.http_url.removesuffix(PREFIX)
    _train(front, machine_id)
    target = Target(front, [_demand_path(machine_id)])
    interleave([target], 10)
    yield _p95("demand, 24 h, stored", [interleave([target], REQUESTS)[0] for _ in range(3)], 0.03)
    updated = [_updates(stack, target, machine_id) for _ in range(3)]
    yield _p95("the same with state update", updated, 0.3)


@dataclass(frozen=True)
class _Bench:
    """A development server on a database with the two machines.

    Attributes:
        address: Of the server.
        tcp_url: Of the database.
    """

    address: str
    tcp_url: str


@contextmanager
def _two_machines(stack: BenchStack) -> Iterator[_Bench]:
    """The server; models go to the stack's bucket."""
    server = own_server(stack.settings)
    # One of its own each time: what another row has stored is no news.
    name = f"forecasts_{uuid4().hex[:8]}"
    fill(migrated(server, name))
    with development_server(server.tcp_url(name), **with_models({}, stack.settings)) as address:
        yield _Bench(address, server.tcp_url(name))


def _train(address: str, machine_id: UUID) -> None:
    """Trains a machine's day, and has it forecast.

    Raises:
        RuntimeError: It was not to be trained.
    """
    status, answer = post(f"{address}{_FORECAST}/train", _training(machine_id))
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while status == HTTPStatus.ACCEPTED and time.monotonic() < deadline:
        # It outlasts a request on a busy machine, and goes on as a run.
        time.sleep(1)
        with urllib.request.urlopen(f"{address}{answer['location']}") as run:
            status = _STATUS_OF[json.load(run)["state"]]
    if status not in (HTTPStatus.OK, HTTPStatus.CREATED):
        raise RuntimeError(f"The training answered {status}: {answer}")
    interleave([Target(address, [_demand_path(machine_id)])], 1)


def _seconds_of_a_training(address: str, machine_id: UUID) -> float:
    started = time.perf_counter()
    status, answer = post(f"{address}{_FORECAST}/train", _training(machine_id))
    if status not in (HTTPStatus.OK, HTTPStatus.CREATED):
        raise RuntimeError(f"The training answered {status}: {answer}")
    return time.perf_counter() - started


def _training(machine_id: UUID) -> str:
    return json.dumps({"machine_id": str(machine_id), "horizon": _HORIZON})


def _demand_path(machine_id: UUID) -> str:
    return f"{_FORECAST}/demand?machine_id={machine_id}&horizon={_HORIZON}"


def _updates(stack: BenchStack, target: Target, machine_id: UUID) -> Sequence[float]:
    """Latencies of requests that each find the newest forecast an hour old."""
    url = own_server(stack.settings).tcp_url(DATABASE)
    seconds = []
    with Client(target) as client:
        for _ in range(UPDATES):
            execute(url, _AGE, {"machine_id": str(machine_id)})
            seconds.append(client.time_one())
    return seconds


def _p95(what: str, taken: Sequence[Sequence[float]], bound: float) -> Figure:
    middle = median(median(each) for each in taken)
    p95 = median(quantiles(each, n=20)[-1] for each in taken)
    return Figure(
        "forecast-front-door", f"front door, {what}, warm, p95", f"≤ {bound * 1e3:.0f} ms",
        f"{p95 * 1e3:.0f} ms (median {middle * 1e3:.1f})", p95 <= bound,
    )  # fmt: skip


def _kpi_event() -> Mapping[str, Any]:
    """The sample event, asking for the last whole day."""
    end = datetime.now(tz=UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    period = {"start": (end - timedelta(days=1)).isoformat(), "end": end.isoformat()}
    return _asking("kpi-all", {"machine_id": str(QUARTERLY), **period})


def _demand_event() -> Mapping[str, Any]:
    return _asking("forecast-demand", {"machine_id": str(QUARTERLY), "horizon": _HORIZON})


def _asking(event: str, query: Mapping[str, str]) -> Mapping[str, Any]:
    several = {name: [value] for name, value in query.items()}
    sample: dict[str, Any] = json.loads((CHECKOUT / "events" / f"{event}.json").read_text())
    return {**sample, "queryStringParameters": query, "multiValueQueryStringParameters": several}


def _medians_of_one_run(targets: Sequence[Target]) -> Sequence[float]:
    return [median(seconds) for seconds in interleave(targets, REQUESTS)]
