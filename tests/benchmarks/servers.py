"""The development server with a probe route: what `make dev` runs, without reload."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from benchmarks.database import free_port

TESTS = Path(__file__).resolve().parents[1]
CHECKOUT = TESTS.parent
PREFIX = "/api/analytics"
_START_SECONDS = 60


def compiled_environment(**more: str) -> dict[str, str]:
    """This process's environment for a Python process that keeps its byte code."""
    kept: Mapping[str, str] = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **more}


@contextmanager
def development_server(database_url: str, **more: str) -> Iterator[str]:
    """One uvicorn worker with all routes and `GET /probe`, in a process of its own; gives its address.

    Args:
        database_url: Its database.
        more: Further variables of its environment.
    """
    port = free_port()
    command = [
        sys.executable, "-m", "uvicorn", "--factory", "benchmarks.probed_app:create_app",
        "--host", "127.0.0.1", "--port", str(port), "--no-access-log", "--log-level", "warning",
    ]  # fmt: skip
    environment = compiled_environment(
        PYTHONPATH=str(TESTS),
        ENMS_DATABASE_URL=database_url,
        LOG_LEVEL="INFO",
        OPENBLAS_NUM_THREADS="1",
        OMP_NUM_THREADS="1",
        **more,
    )
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_up(process, f"{address}/probe")
        yield address
    finally:
        process.terminate()
        process.wait()


def _wait_until_up(process: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            with urlopen(url) as answer:
                if answer.status == HTTPStatus.OK:
                    return
        except URLError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
        time.sleep(0.05)
