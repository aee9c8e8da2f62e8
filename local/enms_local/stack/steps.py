"""Steps that say what they did and how long it took."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import typer

_NAME_WIDTH = 18
_A_WHILE_SECONDS = 2


@dataclass
class Step:
    """One step at work; `said` is what its line will tell.

    Attributes:
        said: The line's text.
    """

    said: str = ""

    def say(self, text: str) -> None:
        """Sets what the step's line tells when it is done."""
        self.said = text


@dataclass
class Steps:
    """Prints one line a step, in the order in which they end; steps may run beside each other."""

    _started: float = field(default_factory=time.monotonic)
    _printing: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def step(self, name: str, announcement: str = "") -> Iterator[Step]:
        """Times what is done inside; says `announcement` meanwhile when it takes a while."""
        step, started = Step(), time.monotonic()
        slow = threading.Timer(_A_WHILE_SECONDS, self._print, [f"{name:<{_NAME_WIDTH}}{announcement} …"])
        slow.daemon = True
        if announcement:
            slow.start()
        try:
            yield step
        finally:
            slow.cancel()
        self._print(f"{name:<{_NAME_WIDTH}}{step.said}  ({time.monotonic() - started:.1f} s)")

    @property
    def seconds(self) -> float:
        """Time since the first step began."""
        return time.monotonic() - self._started

    def _print(self, line: str) -> None:
        with self._printing:
            typer.echo(line)
