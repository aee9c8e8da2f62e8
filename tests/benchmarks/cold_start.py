"""How long a function's first answer takes, beside a function of the usual stack that does little."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from benchmarks.database import FIRST_DAY, filled_database
from benchmarks.function_process import FunctionCloud, function_cloud
from benchmarks.servers import CHECKOUT
from benchmarks.table import Figure

RUNS = 9
_PEER = Path(__file__).parent / "peer"
_KPI = CHECKOUT / "functions" / "kpi"
_BASELINE = CHECKOUT / "functions" / "baseline"
_SHARED = CHECKOUT / "shared"
_EVENT = CHECKOUT / "events" / "kpi-all.json"
_TRAINING_EVENT = CHECKOUT / "events" / "baseline-train.json"
_TRAINING_DAYS = 90
_IMPORT = re.compile(r"import time:\s+(?P<self_us>\d+) \|\s+\d+ \|\s+(?P<module>\S+)")
_LISTED_PACKAGES = 14


def rows() -> Iterator[Figure]:
    """The cold start's ratio, and each import's share of it."""
    with filled_database() as database:
        credentials = secret(database.tcp_url)
        kpi_event, peer_event = _kpi_event(database.machine_id), {**_event(), "path": "/probe"}
        with function_cloud(credentials) as cloud:
            kpi, peer, baseline = [], [], []
            analysis = _analysis_event(database.machine_id)
            for _ in range(RUNS):
                peer.append(cloud.cold_start(_PEER, peer_event, shared=_SHARED))
                kpi.append(cloud.cold_start(_KPI, kpi_event, shared=_SHARED))
                baseline.append(cloud.cold_start(_BASELINE, analysis, shared=_SHARED))
            shares = _import_shares(cloud, kpi_event)
    ours, theirs = (median(answer.seconds for answer in answers) for answers in (kpi, peer))
    memory = max(answer.memory_bytes for answer in kpi) / 1e6
    yield Figure(
        "cold-start",
        "KPI function, process start to first answer ÷ FastAPI + Mangum + Powertools, one secret, SELECT 1",
        "≤ 1.15",
        f"{ours / theirs:.2f} ({ours * 1e3:.0f} ÷ {theirs * 1e3:.0f} ms; {memory:.0f} MB)",
        ours / theirs <= 1.15,
    )
    yield Figure("cold-start", "the same: share of each import", "listed", shares, None)
    fitted = median(answer.seconds for answer in baseline)
    memory = max(answer.memory_bytes for answer in baseline) / 1e6
    yield Figure(
        "cold-start",
        "baseline function, process start to the first analysis of 90 days ÷ KPI function",
        "≤ 2",
        f"{fitted / ours:.2f} ({fitted * 1e3:.0f} ÷ {ours * 1e3:.0f} ms; {memory:.0f} MB)",
        fitted / ours <= 2,
    )


def _event() -> dict[str, Any]:
    event: dict[str, Any] = json.loads(_EVENT.read_text())
    return event


def _kpi_event(machine_id: UUID) -> Mapping[str, Any]:
    """The sample event, asking for one day of the bench's machine."""
    query = {
        "machine_id": str(machine_id),
        "start": FIRST_DAY.isoformat(),
        "end": (FIRST_DAY + timedelta(days=1)).isoformat(),
    }
    return {
        **_event(),
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()},
    }


def _analysis_event(machine_id: UUID) -> Mapping[str, Any]:
    """The sample event of a training, asking for an analysis: it needs no bucket."""
    event = json.loads(_TRAINING_EVENT.read_text())
    path = "/api/v1/baseline/analyze"
    asked = {
        "machine_id": str(machine_id),
        "start_date": FIRST_DAY.isoformat(),
        "end_date": (FIRST_DAY + timedelta(days=_TRAINING_DAYS)).isoformat(),
        "drivers": ["weekday"],
    }
    return {**event, "path": path, "resource": path, "body": json.dumps(asked)}


def secret(url: str) -> Mapping[str, Any]:
    """What functions read of a database, by its URL over TCP."""
    parts = urlsplit(url)
    return {
        "host": parts.hostname,
        "port": parts.port,
        "dbname": parts.path[1:],
        "username": parts.username,
        "password": parts.password,
    }


def _import_shares(cloud: FunctionCloud, event: Mapping[str, Any]) -> str:
    """Of all time spent in imports up to the first answer, what each package takes."""
    report = cloud.cold_start(_KPI, event, "-X", "importtime", shared=_SHARED).stderr
    spent_us: dict[str, int] = defaultdict(int)
    for line in _IMPORT.finditer(report):
        spent_us[line["module"].split(".")[0]] += int(line["self_us"])
    total_us = sum(spent_us.values())
    largest = sorted(spent_us.items(), key=lambda item: item[1], reverse=True)
    listed = ", ".join(f"{name} {us / total_us:.0%}" for name, us in largest[:_LISTED_PACKAGES])
    rest = sum(us for _, us in largest[_LISTED_PACKAGES:]) / total_us
    return f"of {total_us / 1e3:.0f} ms: {listed}, others {rest:.0%}"
