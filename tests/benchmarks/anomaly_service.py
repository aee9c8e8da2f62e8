"""Detection as a service: beside the probe, by the front door, again and again, and on a hundred machines."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from select import select
from statistics import median, quantiles
from subprocess import PIPE

import psutil
import psycopg2

from benchmarks.anomaly_machines import COUNT, fill
from benchmarks.baseline_rows import Machine, named, post
from benchmarks.database import execute, migrated
from benchmarks.load import Target, burst, interleave, medians
from benchmarks.servers import PREFIX, TESTS, compiled_environment, development_server
from benchmarks.stack import BenchStack
from benchmarks.table import Figure
from enms_local.stack.database import DATABASE, own_server
from enms_local.stack.objects import with_models

RUNS = 5
REQUESTS = 40
FRONT_REQUESTS = 100
LONG_REQUESTS = 20
REPEATS = 300
CLIENTS = 4
LONG_DAYS = 90
_WEEK_HOURS = 7 * 24
_SAMPLE_SECONDS = 0.1
_GROWTH = 0.05
_DETECT = f"{PREFIX}/api/v1/anomaly/detect"
_PATH = "/api/v1/anomaly/detect"


def by_development_server(stack: BenchStack) -> Iterator[Figure]:
    """Detection ÷ the probe, baseline and detector in memory."""
    machine = _with_baseline(stack, "Conveyor-1")
    environment = with_models({}, stack.settings)
    with development_server(own_server(stack.settings).tcp_url(DATABASE), **environment) as address:
        for hours, bound in ((1, 25), (24, 30)):
            target = Target(address, [_DETECT], _questions(machine, timedelta(hours=hours)))
            yield _ratio(f"detect, {hours} h, stored", Target(address, ["/probe"]), target, bound)


def by_front_door(stack: BenchStack) -> Iterator[Figure]:
    """The same through gateway and function, warm."""
    machine = _with_baseline(stack, "Compressor-1")
    front = stack.settings.http_url.removesuffix(PREFIX)
    short = Target(front, [_DETECT], _questions(machine, timedelta(hours=1)))
    long = Target(front, [_DETECT], _questions(machine, timedelta(days=LONG_DAYS), apart_hours=1))
    for what, target, requests, bound in (
        ("1 h", short, FRONT_REQUESTS, 0.12),
        (f"{LONG_DAYS} d", long, LONG_REQUESTS, 2.0),
    ):
        interleave([target], 3)
        taken = [interleave([target], requests)[0] for _ in range(3)]
        middle = median(median(each) for each in taken)
        p95 = median(quantiles(each, n=20)[-1] for each in taken)
        yield Figure(
            "anomaly-front-door", f"front door, detect, {what}, warm, p95", f"≤ {bound * 1e3:.0f} ms",
            f"{p95 * 1e3:.0f} ms (median {middle * 1e3:.0f})", p95 <= bound,
        )  # fmt: skip


def repeated(stack: BenchStack) -> Iterator[Figure]:
    """One request again and again, by several clients at once: the rows that it leaves."""
    machine = _with_baseline(stack, "Boiler-1")
    question = _question(machine, timedelta(days=7), 0)
    first = _rows(stack, machine)
    _, answer = post(f"{stack.settings.http_url}{_PATH}", question)
    once = _rows(stack, machine)
    front = Target(stack.settings.http_url.removesuffix(PREFIX), [_DETECT], [question])
    load = burst(front, CLIENTS, REPEATS)
    after = _rows(stack, machine)
    found = answer["anomalies_detected"]
    yield Figure(
        "anomaly-repeated", f"the same request {REPEATS} times, {CLIENTS} at once: rows of {found} anomalies",
        "written once", f"{len(once - first)} by the first, {len(after - once)} by the others, "
        f"{load.errors} errors", after == once and found > 0 and not load.errors,
    )  # fmt: skip


def hundred_machines(stack: BenchStack) -> Iterator[Figure]:
    """The hourly job in one process, on a database of its own: an hour of each machine, and the next."""
    server = own_server(stack.settings)
    url = migrated(server, "hundred")
    last = datetime.now(tz=UTC).replace(minute=0, second=0, microsecond=0)
    fill(url, last)
    firings = [(last - timedelta(hours=hours)).isoformat() for hours in (2, 1, 0)]
    environment = compiled_environment(
        PYTHONPATH=str(TESTS), ENMS_DATABASE_URL=url, LOG_LEVEL="WARNING", OPENBLAS_NUM_THREADS="1"
    )
    command = [sys.executable, "-m", "benchmarks.anomaly_job", *firings]
    with subprocess.Popen(
        command, env=with_models(environment, stack.settings), text=True, stdin=PIPE, stdout=PIPE
    ) as job:
        # The first trains a detector for each machine, and looks at the day before.
        _fired(job)
        taken = [_hour_once_more(url, job) for _ in firings[1:]]
    seconds = max(each.seconds for each in taken)
    growth = taken[-1].late_mb / taken[0].early_mb - 1
    yield Figure(
        "anomaly-machines", f"{COUNT} machines with baselines, one hour each, in one process",
        f"≤ 30 s, growth ≤ {_GROWTH:.0%}",
        f"{seconds:.1f} s; {taken[0].early_mb:.0f} MB early in one run, {taken[-1].late_mb:.0f} MB late in "
        f"the next, {growth:+.1%}", seconds <= 30 and growth <= _GROWTH,
    )  # fmt: skip


@dataclass(frozen=True)
class _Firing:
    """A run of the job.

    Attributes:
        seconds: That it took.
        early_mb: Median of its memory in the run's first quarter.
        late_mb: The same in its last.
    """

    seconds: float
    early_mb: float
    late_mb: float


def _hour_once_more(url: str, job: "subprocess.Popen[str]") -> _Firing:
    """A run that finds each machine an hour behind."""
    execute(
        url, "UPDATE analytics.anomaly_watermarks SET detected_until = detected_until - interval '1 hour'"
    )
    return _fired(job)


def _fired(job: "subprocess.Popen[str]") -> _Firing:
    """Lets the job run once, and looks at its memory meanwhile.

    Raises:
        RuntimeError: It failed; its traceback is on stderr.
    """
    assert job.stdin
    assert job.stdout
    process = psutil.Process(job.pid)
    megabytes: list[float] = []
    job.stdin.write("\n")
    job.stdin.flush()
    while not select([job.stdout], [], [], _SAMPLE_SECONDS)[0]:
        megabytes.append(process.memory_info().rss / 1e6)
    line = job.stdout.readline()
    if not line:
        raise RuntimeError("The hourly job failed.")
    quarter = max(1, len(megabytes) // 4)
    return _Firing(json.loads(line)["seconds"], median(megabytes[:quarter]), median(megabytes[-quarter:]))


def _with_baseline(stack: BenchStack, name: str) -> Machine:
    """A machine with an active baseline and a detector."""
    machine = named(stack, name)
    post(f"{stack.settings.http_url}/api/v1/baseline/train", machine.body(_WEEK_HOURS, "auto"))
    status, answer = post(
        f"{stack.settings.http_url}{_PATH}", _question(machine, timedelta(hours=1), 0, store=False)
    )
    if status != 200:
        raise RuntimeError(f"{name}: {answer}")
    return machine


def _question(machine: Machine, length: timedelta, hours_back: int, *, store: bool = True) -> str:
    end = machine.last - timedelta(hours=hours_back)
    period = {"start": (end - length).isoformat(), "end": end.isoformat()}
    return json.dumps({"machine_id": machine.id, **period, "contamination": 0.1, "store": store})


def _questions(machine: Machine, length: timedelta, apart_hours: int = 3) -> Sequence[str]:
    """Many periods, so that no answer is known from before."""
    return [_question(machine, length, apart_hours * number) for number in range(200)]


def _rows(stack: BenchStack, machine: Machine) -> set[tuple[object, ...]]:
    """The machine's anomalies with their history, as they are stored."""
    url = own_server(stack.settings).tcp_url(DATABASE)
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.id, h.id FROM anomalies a LEFT JOIN analytics.anomaly_history h ON h.anomaly_id = a.id"
            " WHERE a.machine_id = %s",
            (machine.id,),
        )
        return set(cursor.fetchall())


def _ratio(what: str, probe: Target, target: Target, bound: float) -> Figure:
    interleave([probe, target], REQUESTS // 4)
    least, seconds = medians(partial(_medians_of_one_run, [probe, target]), RUNS)
    return Figure(
        "anomaly-dev",
        f"dev server, one client: {what} ÷ probe",
        f"≤ {bound:g}",
        f"{seconds / least:.1f} ({seconds * 1e3:.1f} ÷ {least * 1e3:.2f} ms)",
        seconds / least <= bound,
    )


def _medians_of_one_run(targets: Sequence[Target]) -> Sequence[float]:
    return [median(seconds) for seconds in interleave(targets, REQUESTS)]
