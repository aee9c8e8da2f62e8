"""The front door: a trivial function behind it, and `kpi/all` behind it beside the development server."""

import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

from benchmarks.api_rows import kpi_paths
from benchmarks.load import Target, burst, interleave, medians
from benchmarks.servers import CHECKOUT, PREFIX, development_server
from benchmarks.stack import BenchStack, environment_of_own
from benchmarks.table import Figure
from enms_local.stack import certificates
from enms_local.stack.cloud import FUNCTIONS_PYTHON, LocalCloud
from enms_local.stack.database import DATABASE, Credentials, own_server
from enms_local.stack.deployment import Deployment, aws_client
from enms_local.stack.settings import StackSettings

RUNS = 5
ONE_CLIENT_REQUESTS = 200
TEN_CLIENTS = 10
BURST_REQUESTS = 800
_TRIVIAL = Path(__file__).parent / "trivial"
_SETTLE_SECONDS = 3  # metrics are put once a second


def trivial() -> Iterator[Figure]:
    """Latency and throughput of a function that only answers; its logs and metrics counted."""
    with _trivial_cloud() as settings:
        target = Target(f"http://127.0.0.1:{settings.enms_http_port}", [f"{PREFIX}/health"])
        calls = errors = 0

        def one_client() -> Sequence[float]:
            nonlocal calls
            calls += ONE_CLIENT_REQUESTS
            return [median(interleave([target], ONE_CLIENT_REQUESTS)[0])]

        def ten_clients() -> Sequence[float]:
            nonlocal calls, errors
            load = burst(target, TEN_CLIENTS, BURST_REQUESTS)
            calls += len(load.seconds)
            errors += load.errors
            return load.requests_per_second, load.median_seconds, load.p95_seconds

        one_client()
        ten_clients()
        (latency,) = medians(one_client, RUNS)
        rate, middle, p95 = medians(ten_clients, RUNS)
        time.sleep(_SETTLE_SECONDS)
        reports, invocations = _reports(settings), _invocations(settings)
    yield Figure(
        "front-door",
        "front door, trivial function, one client",
        "median ≤ 4 ms",
        f"{latency * 1e3:.2f} ms",
        latency <= 4e-3,
    )
    yield Figure(
        "front-door", "the same, ten clients", "≥ 300 requests/s",
        f"{rate:.0f}/s (median {middle * 1e3:.1f}, p95 {p95 * 1e3:.1f} ms)", rate >= 300,
    )  # fmt: skip
    yield Figure(
        "front-door", "the same: errors; logs and metrics complete", "0 in 5 000; complete",
        f"{errors} in {calls}; {reports} REPORT lines, {invocations} invocations counted",
        errors == 0 and calls >= 5000 and reports == calls == invocations,
    )  # fmt: skip


def beside_development_server(stack: BenchStack) -> Iterator[Figure]:
    """`kpi/all` over 24 h by the front door ÷ the same by the development server, on one database."""
    settings = stack.settings
    last = datetime.now(tz=UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    paths = kpi_paths("all", UUID(stack.first_machine_id()), 1, last - timedelta(days=100), last)
    front = Target(f"http://127.0.0.1:{settings.enms_http_port}", paths)
    with development_server(own_server(settings).tcp_url(DATABASE)) as address:
        targets = [front, Target(address, paths)]
        interleave(targets, ONE_CLIENT_REQUESTS // 4)
        through, direct = medians(partial(_medians_of_one_run, targets), RUNS)
        _rates_of_one_run(targets)
        rate, direct_rate = medians(partial(_rates_of_one_run, targets), RUNS)
    yield Figure(
        "front-door-kpi",
        "front door, kpi/all, 24 h ÷ dev server, one client",
        "≤ 2",
        f"{through / direct:.2f} ({through * 1e3:.2f} ÷ {direct * 1e3:.2f} ms)",
        through / direct <= 2,
    )
    yield Figure(
        "front-door-kpi",
        "the same, ten clients' requests/s",
        "≥ 0.5",
        f"{rate / direct_rate:.2f} ({rate:.0f} ÷ {direct_rate:.0f}/s)",
        rate / direct_rate >= 0.5,
    )


def _medians_of_one_run(targets: Sequence[Target]) -> Sequence[float]:
    return [median(seconds) for seconds in interleave(targets, ONE_CLIENT_REQUESTS)]


def _rates_of_one_run(targets: Sequence[Target]) -> Sequence[float]:
    loads = [burst(target, TEN_CLIENTS, BURST_REQUESTS) for target in targets]
    if errors := sum(load.errors for load in loads):
        raise RuntimeError(f"{errors} requests failed.")
    return [load.requests_per_second for load in loads]


@contextmanager
def _trivial_cloud() -> Iterator[StackSettings]:
    """LocalStack with the trivial function alone."""
    folder = Path(tempfile.mkdtemp(prefix="enms-bench-", dir="/tmp"))
    settings = StackSettings.load(environment_of_own(folder / "state"))
    certificates.ensure(settings.tls_dir, settings.enms_listen, datetime.now(tz=UTC))
    cloud = LocalCloud(settings)
    try:
        cloud.ensure_running()
        # The executor reads its configuration when the first function is made.
        image = {"python": str(FUNCTIONS_PYTHON), "task_root": str(_TRIVIAL)}
        config = settings.state_dir / "localstack" / "executor.json"
        config.write_text(
            json.dumps({"images": {"*": image}, "kept_paths": [str(CHECKOUT), str(settings.state_dir)]})
        )
        process = cloud.process.find()
        if process is None:
            raise RuntimeError("LocalStack ended right after its start.")
        nowhere = Credentials("localhost", 5432, "none", "none", "none", {})
        Deployment(settings, nowhere, _TRIVIAL / "template.yaml").deploy(process)
        yield settings
    finally:
        cloud.process.stop()
        shutil.rmtree(folder)


def _reports(settings: StackSettings) -> int:
    """REPORT lines in the function's log group."""
    logs = aws_client(settings, "logs")
    group = {"logGroupName": "/aws/lambda/trivial"}
    streams = [
        s["logStreamName"]
        for page in logs.get_paginator("describe_log_streams").paginate(**group)
        for s in page["logStreams"]
    ]
    return sum(_reports_in(logs, group, stream) for stream in streams)


def _reports_in(logs: Any, group: dict[str, str], stream: str) -> int:
    found, token = 0, None
    while True:
        more = {"nextToken": token} if token else {}
        page = logs.get_log_events(**group, logStreamName=stream, startFromHead=True, **more)
        found += sum(event["message"].startswith("REPORT ") for event in page["events"])
        if page["nextForwardToken"] == token or not page["events"]:
            return found
        token = page["nextForwardToken"]


def _invocations(settings: StackSettings) -> int:
    """What CloudWatch counted."""
    now = datetime.now(tz=UTC)
    answer = aws_client(settings, "cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Invocations",
        Dimensions=[{"Name": "FunctionName", "Value": "trivial"}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )
    return round(sum(point["Sum"] for point in answer["Datapoints"]))
