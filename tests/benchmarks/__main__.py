"""`python -m benchmarks [ROW …]`: runs the rows named, or all but the slow ones, and prints the table."""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence

from benchmarks import api_rows, cold_start, energy_sql, front_door_rows, import_rows, make_up, memory
from benchmarks.table import Figure, markdown


def _of_bench_api(measure: Callable[[api_rows.Api], Iterable[Figure]]) -> Callable[[], Iterator[Figure]]:
    def run() -> Iterator[Figure]:
        with api_rows.bench_api() as api:
            yield from measure(api)

    return run


GROUPS: dict[str, Callable[[], Iterable[Figure]]] = {
    "up-again": make_up.again,
    "up-fresh": make_up.fresh_clone,
    "kpi": _of_bench_api(api_rows.one_client),
    "kpi-ten": _of_bench_api(api_rows.ten_clients),
    "front-door": front_door_rows.trivial,
    "front-door-kpi": front_door_rows.beside_development_server,
    "energy-sql": energy_sql.rows,
    "cold-start": cold_start.rows,
    "import": import_rows.rows,
    "memory": memory.rows,
}
ONLY_BY_NAME = ("up-fresh",)


def main(arguments: Sequence[str]) -> int:
    """Prints the table; 1 when a bound is missed."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"one of {', '.join(GROUPS)}")
    named = parser.parse_args(arguments).rows
    if unknown := [name for name in named if name not in GROUPS]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(GROUPS)}")
    figures: list[Figure] = []
    for name in named or [name for name in GROUPS if name not in ONLY_BY_NAME]:
        print(f"{name} …", file=sys.stderr, flush=True)
        figures += GROUPS[name]()
    print(markdown(figures))
    return int(any(figure.met is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
