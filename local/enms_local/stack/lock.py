"""One command at a time changes a stack."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer


@contextmanager
def exclusively(state_dir: Path) -> Iterator[None]:
    """Holds the stack's lock; the system lets go of it when the process ends, however it ends."""
    state_dir.mkdir(parents=True, exist_ok=True)
    with (state_dir / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            typer.echo("Another `enms` command is at work here: waiting …")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
