"""`python -m benchmarks [ROW …]`: runs the rows named, or all but the slow ones, and prints the table."""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import cached_property

from benchmarks import (
    anomaly_nab,
    anomaly_rows,
    anomaly_service,
    api_rows,
    baseline_rows,
    baseline_science,
    cold_start,
    console_rows,
    energy_sql,
    forecast_demo,
    forecast_rows,
    forecast_service,
    front_door_rows,
    import_rows,
    interval_coverage,
    make_up,
    memory,
    real_data,
    retraining,
    schedule_rows,
)
from benchmarks.stack import BenchStack, bench_stack
from benchmarks.table import Figure, markdown


class Parts:
    """What several groups share: brought up when the first asks for it, ended with the last."""

    def __init__(self, until: ExitStack) -> None:
        self._until = until

    @cached_property
    def api(self) -> api_rows.Api:
        """The development server on one machine's 90 days."""
        return self._until.enter_context(api_rows.bench_api())

    @cached_property
    def stack(self) -> BenchStack:
        """A local cloud with the demo factory."""
        return self._until.enter_context(bench_stack())


GROUPS: dict[str, Callable[[Parts], Iterable[Figure]]] = {
    "kpi": lambda parts: api_rows.one_client(parts.api),
    "kpi-ten": lambda parts: api_rows.ten_clients(parts.api),
    "energy-sql": lambda _: energy_sql.rows(),
    "cold-start": lambda _: cold_start.rows(),
    "import": lambda _: import_rows.rows(),
    "baseline-fit": lambda _: baseline_science.rows(),
    "baseline-intervals": lambda _: interval_coverage.rows(),
    "baseline-data": lambda _: real_data.rows(),
    "front-door": lambda _: front_door_rows.trivial(),
    "up-again": lambda parts: make_up.again(parts.stack),
    "front-door-kpi": lambda parts: front_door_rows.beside_development_server(parts.stack),
    "baseline-dev": lambda parts: baseline_rows.by_development_server(parts.stack),
    "baseline-front-door": lambda parts: baseline_rows.by_front_door(parts.stack),
    "baseline-at-once": lambda parts: baseline_rows.at_once(parts.stack),
    "baseline-demo": lambda parts: baseline_rows.demo_factory(parts.stack),
    "anomaly-factory": lambda _: anomaly_rows.demo_factory(),
    "anomaly-hourly": lambda _: anomaly_rows.hourly(),
    "anomaly-training": lambda _: anomaly_rows.training(),
    "anomaly-nab": lambda _: anomaly_nab.rows(),
    "anomaly-dev": lambda parts: anomaly_service.by_development_server(parts.stack),
    "anomaly-front-door": lambda parts: anomaly_service.by_front_door(parts.stack),
    "anomaly-repeated": lambda parts: anomaly_service.repeated(parts.stack),
    "anomaly-machines": lambda parts: anomaly_service.hundred_machines(parts.stack),
    "forecast-day": lambda _: forecast_rows.day(),
    "forecast-week": lambda _: forecast_rows.week(),
    "forecast-week-hourly": lambda _: forecast_rows.week_hourly(),
    "forecast-hour": lambda _: forecast_rows.hour(),
    "forecast-six": lambda _: forecast_rows.six(),
    "forecast-demo": lambda _: forecast_demo.machines(),
    "forecast-proof": lambda _: forecast_demo.cost(),
    "forecast-dev": lambda parts: forecast_service.by_development_server(parts.stack),
    "forecast-fit": lambda parts: forecast_service.fits(parts.stack),
    "forecast-cold-start": lambda parts: forecast_service.cold_start(parts.stack),
    "forecast-front-door": lambda parts: forecast_service.by_front_door(parts.stack),
    "schedule": lambda _: schedule_rows.rows(),
    "retraining": lambda parts: retraining.rows(parts.stack),
    "console": lambda parts: console_rows.rows(parts.stack),
    "memory": lambda parts: memory.rows(parts.stack),
    "up-fresh": lambda _: make_up.fresh_clone(),
}
TOGETHER = {
    "anomalies": [name for name in GROUPS if name.startswith("anomaly-")],
    "forecasts": [name for name in GROUPS if name.startswith("forecast-")],
}
ONLY_BY_NAME = ("up-fresh",)


def main(arguments: Sequence[str]) -> int:
    """Prints the table; 1 when a bound is missed."""
    known = [*GROUPS, *TOGETHER]
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"one of {', '.join(known)}")
    rows = parser.parse_args(arguments).rows
    if unknown := [name for name in rows if name not in known]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    named = [name for row in rows for name in TOGETHER.get(row, [row])]
    figures: list[Figure] = []
    with ExitStack() as until:
        parts = Parts(until)
        for name in named or [name for name in GROUPS if name not in ONLY_BY_NAME]:
            print(f"{name} …", file=sys.stderr, flush=True)
            figures += GROUPS[name](parts)
    print(markdown(figures))
    return int(any(figure.met is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
