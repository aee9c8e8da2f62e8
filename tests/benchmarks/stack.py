"""A local cloud of the bench's own, with free ports and a folder of its own: what runs stays undisturbed."""

import json
import os
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.database import free_port
from benchmarks.servers import CHECKOUT, compiled_environment
from enms_local.stack.settings import StackSettings

PORTS = ("ENMS_HTTP_PORT", "ENMS_HTTPS_PORT", "ENMS_AWS_PORT", "ENMS_DATABASE_PORT", "ENMS_DEV_PORT")


@dataclass(frozen=True)
class BenchStack:
    """A stack that was brought up for the bench.

    Attributes:
        environment: Variables that make every command mean this stack.
        checkout: Where its `Makefile` is.
    """

    environment: Mapping[str, str]
    checkout: Path = CHECKOUT

    @property
    def settings(self) -> StackSettings:
        """Its settings."""
        return StackSettings.load(self.environment)

    def make(self, target: str) -> str:
        """Runs `make TARGET` and gives what it printed.

        Raises:
            RuntimeError: It failed; the message ends with what it printed.
        """
        return run(["make", "--directory", str(self.checkout), target], self.environment)

    def with_rules(self) -> "BenchStack":
        """The same stack with rules that fire, once it is up anew: as whoever deploys it has it."""
        return replace(self, environment={**self.environment, "SCHEDULER_ENABLED": "true"})

    def get(self, path: str) -> Any:
        """The JSON of a GET through the front door."""
        with urllib.request.urlopen(f"{self.settings.http_url}{path}") as answer:
            return json.load(answer)

    def first_machine_id(self) -> str:
        """The id of a machine of the demo factory."""
        return str(self.get("/api/v1/machines")["machines"][0]["id"])


@contextmanager
def bench_stack() -> Iterator[BenchStack]:
    """A stack with the demo factory, stopped and deleted at the end."""
    folder = Path(tempfile.mkdtemp(prefix="enms-bench-", dir="/tmp"))
    stack = BenchStack(environment_of_own(folder / "state"))
    try:
        stack.make("up")
        yield stack
    finally:
        stack.make("down")
        shutil.rmtree(folder)


def environment_of_own(state_dir: Path) -> Mapping[str, str]:
    """This process's environment, with free ports and a state folder, and without settings of a stack.

    Rules don't fire: what runs by itself would run beside what is measured.
    """
    cleared = {k: v for k, v in compiled_environment().items() if not k.startswith(("ENMS_", "DATABASE_"))}
    ports = {name: str(free_port()) for name in PORTS}
    own = {"ENMS_STATE_DIR": str(state_dir), "ENMS_DATABASE_URL": "", "SCHEDULER_ENABLED": "false"}
    return {**cleared, **ports, **own}


def run(command: list[str], environment: Mapping[str, str] = os.environ) -> str:
    """Runs a command and gives what it printed.

    Raises:
        RuntimeError: It failed; the message ends with what it printed.
    """
    done = subprocess.run(
        command,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stdout[-2000:]}")
    return done.stdout
