"""The KPI routes of the development server, as ratios to a route that only asks the database for a one."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from statistics import median
from urllib.parse import urlencode
from uuid import UUID

from benchmarks.database import FIRST_DAY, LAST_DAY, filled_database
from benchmarks.load import Load, Target, burst, interleave, medians
from benchmarks.servers import PREFIX, development_server
from benchmarks.table import Figure

RUNS = 5
REQUESTS = 200
TEN_CLIENTS = 10
BURST_REQUESTS = 2000
_PERIODS = 50


@dataclass(frozen=True)
class Api:
    """A running server and the machine to ask it about."""

    address: str
    machine_id: UUID
    first: datetime
    last: datetime

    @property
    def probe(self) -> Target:
        """The route that does the least."""
        return Target(self.address, ["/probe"])

    def kpi(self, name: str, days: int, offset: timedelta = timedelta()) -> Target:
        """A KPI over many periods of this length: a new one each time, none twice in a row."""
        return Target(self.address, kpi_paths(name, self.machine_id, days, self.first + offset, self.last))


def kpi_paths(name: str, machine_id: UUID, days: int, first: datetime, last: datetime) -> Sequence[str]:
    """Paths of one KPI route over as many different periods as fit, by whole hours where days don't."""
    room = last - first - timedelta(days=days)
    step = timedelta(days=1) if room >= timedelta(days=_PERIODS) else timedelta(hours=1)
    count = max(1, min(_PERIODS, int(room / step) + 1))
    starts = [first + step * number for number in range(count)]
    return [
        f"{PREFIX}/api/v1/kpi/{name}?"
        + urlencode(
            {"machine_id": machine_id, "start": s.isoformat(), "end": (s + timedelta(days=days)).isoformat()}
        )
        for s in starts
    ]


@contextmanager
def bench_api() -> Iterator[Api]:
    """A development server on a database with one machine's 90 days."""
    with ExitStack() as stack:
        database = stack.enter_context(filled_database())
        address = stack.enter_context(development_server(database.url))
        yield Api(address, database.machine_id, FIRST_DAY, LAST_DAY)


def one_client(api: Api) -> Iterator[Figure]:
    """Latency by one client."""
    ragged = timedelta(minutes=7, seconds=13)
    rows = (
        ("kpi-24h", "kpi/all, 24 h", api.kpi("all", 1), 2.0),
        ("kpi-90d", "kpi/all, 90 d", api.kpi("all", 90), 8.0),
        ("cost-90d", "kpi/energy-cost, 90 d", api.kpi("energy-cost", 90), 6.0),
        ("kpi-24h-ragged", "kpi/all, 24 h from 7 min 13 s past the hour", api.kpi("all", 1, ragged), None),
        ("kpi-90d-ragged", "kpi/all, 90 d from 7 min 13 s past the hour", api.kpi("all", 90, ragged), None),
    )
    for row, what, target, bound in rows:
        interleave([api.probe, target], REQUESTS // 4)  # connections, caches and plans are made
        probe, kpi = medians(partial(_medians_of_one_run, [api.probe, target]), RUNS)
        yield Figure(
            row,
            f"dev server, one client: {what} ÷ probe",
            f"≤ {bound:g}" if bound else "-",
            f"{kpi / probe:.2f} ({kpi * 1e3:.2f} ÷ {probe * 1e3:.2f} ms)",
            kpi / probe <= bound if bound else None,
        )


def ten_clients(api: Api) -> Iterator[Figure]:
    """Throughput and spread by ten clients at once."""
    kpi = api.kpi("all", 1)
    burst(kpi, TEN_CLIENTS, BURST_REQUESTS // 4)

    def run() -> Sequence[float]:
        loads = [burst(target, TEN_CLIENTS, BURST_REQUESTS) for target in (api.probe, kpi)]
        return [figure for load in loads for figure in _figures(load)]

    probe_rate, _, _, rate, middle, p95 = medians(run, RUNS)
    yield Figure(
        "kpi-ten",
        "dev server, ten clients: requests/s of kpi/all, 24 h ÷ probe",
        "≥ 0.5",
        f"{rate / probe_rate:.2f} ({rate:.0f} ÷ {probe_rate:.0f}/s)",
        rate / probe_rate >= 0.5,
    )
    yield Figure(
        "kpi-ten",
        "dev server, ten clients: kpi/all, 24 h, p95 ÷ median",
        "≤ 3",
        f"{p95 / middle:.2f} ({p95 * 1e3:.1f} ÷ {middle * 1e3:.1f} ms)",
        p95 / middle <= 3,
    )


def _medians_of_one_run(targets: Sequence[Target]) -> Sequence[float]:
    return [median(seconds) for seconds in interleave(targets, REQUESTS)]


def _figures(load: Load) -> Sequence[float]:
    if load.errors:
        raise RuntimeError(f"{load.errors} of {len(load.seconds)} requests failed.")
    return load.requests_per_second, load.median_seconds, load.p95_seconds
