"""Baselines over HTTP: by the development server as ratios to the probe, and by the front door."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlencode

from benchmarks.load import Target, interleave, medians
from benchmarks.servers import PREFIX, development_server
from benchmarks.stack import BenchStack
from benchmarks.table import Figure
from enms_local.demo import plant
from enms_local.stack.database import DATABASE, own_server
from enms_local.stack.objects import with_models

RUNS = 5
REQUESTS = 40
ANALYSES = 100
TRAININGS_AT_ONCE = 8
TRAININGS_BESIDE_HEALTH = 5
HEALTH_CALLS = 100
TRAINING_DAYS = 90
DRIVERS = ["production_count", "operating_hours"]
BASELINE = f"{PREFIX}/api/v1/baseline"


@dataclass(frozen=True)
class Machine:
    """A machine of the demo factory and the time that it has data of."""

    id: str
    name: str
    last: datetime

    def body(self, hours_back: int = 0, drivers: Sequence[str] | str = tuple(DRIVERS)) -> str:
        """A training of 90 days that end so many hours before the last."""
        end = self.last - timedelta(hours=hours_back)
        return json.dumps(
            {
                "machine_id": self.id,
                "start_date": (end - timedelta(days=TRAINING_DAYS)).isoformat(),
                "end_date": end.isoformat(),
                "drivers": drivers if isinstance(drivers, str) else list(drivers),
            }
        )

    def period(self, days: int, hours_back: int) -> str:
        """A query over so many days."""
        end = self.last - timedelta(hours=hours_back)
        start = end - timedelta(days=days)
        return urlencode({"machine_id": self.id, "start": start.isoformat(), "end": end.isoformat()})


def machines(stack: BenchStack) -> list[Machine]:
    """The demo factory's machines by name."""
    last = datetime.now(tz=UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    found = stack.get("/api/v1/machines")["machines"]
    return [Machine(each["id"], each["name"], last) for each in found]


def named(stack: BenchStack, name: str) -> Machine:
    """One of them."""
    return next(machine for machine in machines(stack) if machine.name == name)


def by_development_server(stack: BenchStack) -> Iterator[Figure]:
    """Training and deviation ÷ the probe."""
    machine = named(stack, "Conveyor-1")
    settings = stack.settings
    environment = with_models({}, settings)
    with development_server(own_server(settings).tcp_url(DATABASE), **environment) as address:
        post(f"{address}{BASELINE}/train", machine.body())
        probe = Target(address, ["/probe"])
        trainings = [machine.body(hours) for hours in range(1, 400)]
        train = Target(address, [f"{BASELINE}/train"], trainings)
        yield _ratio("baseline-train", "train, 90 d hourly, 2 drivers, stored", probe, train, 50)
        for days, bound in ((7, 5), (90, 12)):
            paths = [f"{BASELINE}/deviation?{machine.period(days, hours)}" for hours in range(24)]
            target = Target(address, paths)
            yield _ratio("baseline-deviation", f"deviation, {days} d", probe, target, bound)


def by_front_door(stack: BenchStack) -> Iterator[Figure]:
    """Training and analysing through gateway and function, warm."""
    machine = named(stack, "Compressor-1")
    front = stack.settings.http_url.removesuffix(PREFIX)
    trainings = [machine.body(hours) for hours in range(1, 60)]
    train = Target(front, [f"{BASELINE}/train"], trainings)
    chosen = Target(front, [f"{BASELINE}/train"], [machine.body(hours, "auto") for hours in range(60, 80)])
    analyze = Target(front, [f"{BASELINE}/analyze"], [machine.body(hours) for hours in range(48)])
    interleave([train, analyze], 3)
    seconds = median(interleave([train], 20)[0])
    yield Figure(
        "baseline-front-door",
        "front door, train, warm, median",
        "≤ 0.6 s",
        f"{seconds:.3f} s",
        seconds <= 0.6,
    )
    seconds = median(interleave([chosen], 5)[0])
    yield Figure(
        "baseline-front-door", "the same with drivers chosen among 12 candidates and more", "≤ 3 s",
        f"{seconds:.2f} s", seconds <= 3,
    )  # fmt: skip
    p95 = median(quantiles(interleave([analyze], ANALYSES)[0], n=20)[-1] for _ in range(3))
    yield Figure(
        "baseline-front-door", "front door, analyze, 90 d hourly, p95", "≤ 120 ms", f"{p95 * 1e3:.0f} ms",
        p95 <= 0.12,
    )  # fmt: skip


def at_once(stack: BenchStack) -> Iterator[Figure]:
    """Eight different trainings of one machine at once; and health beside five."""
    machine = named(stack, "Injection-Molding-1")
    front = f"{stack.settings.http_url}/api/v1/baseline"
    bodies = [machine.body(hours) for hours in range(TRAININGS_AT_ONCE)]
    with ThreadPoolExecutor(TRAININGS_AT_ONCE) as pool:
        answers = list(pool.map(partial(post, f"{front}/train"), bodies))
    versions = sorted(answer["model_version"] for status, answer in answers if status < 300)
    first = versions[0] if versions else 0
    consecutive = versions == list(range(first, first + TRAININGS_AT_ONCE))
    listed = stack.get(f"/api/v1/baseline/models?machine_id={machine.id}&active=true")["total_count"]
    yield Figure(
        "baseline-at-once", "eight different trainings of one machine at once",
        "eight, consecutive, one active",
        f"{len(versions)} answers, versions {'consecutive' if consecutive else versions}, {listed} active, "
        f"{sum(status >= 500 for status, _ in answers)} × 5xx",
        consecutive and listed == 1,
    )  # fmt: skip
    yield _health_beside_trainings(stack, named(stack, "Motor-1"), f"{front}/train")


def demo_factory(stack: BenchStack) -> Iterator[Figure]:
    """Verdicts by chosen drivers, and the true coefficients."""
    truth = {machine.name: machine.coefficients for machine in plant.MACHINES}
    valid, inside, total, outside = 0, 0, 0, []
    found = machines(stack)
    for machine in found:
        _, answer = post(f"{stack.settings.http_url}/api/v1/baseline/analyze", machine.body(0, "auto"))
        valid += answer["verdict"]["status"] == "valid" and answer["r_squared"] > 0.8
        held = {each["name"]: each for each in answer["coefficient_details"]}
        for name, value in truth[machine.name].items():
            total += 1
            if name in held and held[name]["low"] <= value <= held[name]["high"]:
                inside += 1
            else:
                outside.append(f"{machine.name} {name}")
    yield Figure(
        "baseline-demo", "demo factory, drivers chosen: valid verdicts with R² > 0.80", "≥ 7 of 8",
        f"{valid} of {len(found)}", valid >= 7,
    )  # fmt: skip
    yield Figure(
        "baseline-demo", "the same: true coefficients inside their 95 % interval", "≥ 90 %",
        f"{inside} of {total}" + (f" (not: {', '.join(outside)})" if outside else ""), inside >= 0.9 * total,
    )  # fmt: skip


def post(url: str, body: str) -> tuple[int, Any]:
    """Status and JSON of a POST."""
    request = urllib.request.Request(url, body.encode(), {"Content-Type": "application/json"}, method="POST")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def _ratio(row: str, what: str, probe: Target, target: Target, bound: float) -> Figure:
    interleave([probe, target], REQUESTS // 4)

    def run() -> Sequence[float]:
        return [median(seconds) for seconds in interleave([probe, target], REQUESTS)]

    least, seconds = medians(run, RUNS)
    return Figure(
        row,
        f"dev server, one client: {what} ÷ probe",
        f"≤ {bound:g}",
        f"{seconds / least:.1f} ({seconds * 1e3:.1f} ÷ {least * 1e3:.2f} ms)",
        seconds / least <= bound,
    )


def _health_beside_trainings(stack: BenchStack, machine: Machine, url: str) -> Figure:
    health = Target(stack.settings.http_url.removesuffix(PREFIX), [f"{PREFIX}/health"])
    interleave([health], 10)
    idle = _p95(health)
    with _trainings_going_on(machine, url):
        busy = _p95(health)
    return Figure(
        "baseline-at-once",
        f"health's p95 while {TRAININGS_BESIDE_HEALTH} trainings run ÷ idle",
        "≤ 5",
        f"{busy / idle:.1f} ({busy * 1e3:.1f} ÷ {idle * 1e3:.1f} ms)",
        busy / idle <= 5,
    )


def _p95(target: Target) -> float:
    return quantiles(interleave([target], HEALTH_CALLS)[0], n=20)[-1]


@contextmanager
def _trainings_going_on(machine: Machine, url: str) -> Iterator[None]:
    """So many clients, each of which trains again and again."""
    done = threading.Event()

    def train(client: int) -> None:
        hours = client
        while not done.is_set():
            post(url, machine.body(hours))
            hours += TRAININGS_BESIDE_HEALTH

    threads = [threading.Thread(target=train, args=(client,)) for client in range(TRAININGS_BESIDE_HEALTH)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()
