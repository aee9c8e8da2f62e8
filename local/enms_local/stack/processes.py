"""Background processes that outlive the command which starts them."""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

LARGEST_LOG_BYTES = 10_000_000
# A process's start time is read in clock ticks: the same process can differ by rounding.
_SAME_START_SECONDS = 0.1
_ORPHANS_GRACE_SECONDS = 1
# Python warns of each running child whose handle goes; ours are meant to go on running.
_CHILDREN: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class BackgroundProcess:
    """One named process, recorded on disk so that a later command finds it again.

    The record holds the process's start time beside its id: after a restart of the machine the id may belong
    to something else, which must neither be taken for ours nor be ended.

    Attributes:
        name: Names the record and the log.
        run_dir: Where the record lies.
        log_file: Where its output goes.
    """

    name: str
    run_dir: Path
    log_file: Path

    def find(self) -> psutil.Process | None:
        """The process, if it still runs."""
        record = self._record()
        with contextlib.suppress(psutil.NoSuchProcess, KeyError):
            process = psutil.Process(record["pid"])
            is_same = abs(process.create_time() - record["started"]) < _SAME_START_SECONDS
            if is_same and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None

    def find_same(self, fingerprint: str) -> psutil.Process | None:
        """The process, if it runs and was started with this fingerprint."""
        return self.find() if self._record().get("fingerprint") == fingerprint else None

    def start(
        self, command: Sequence[str], environment: Mapping[str, str], fingerprint: str = ""
    ) -> psutil.Process:
        """Starts the process in a session of its own, so that it survives the terminal.

        Args:
            command: Program and arguments.
            environment: All of its environment.
            fingerprint: What `find_same` compares: anything that makes a running process outdated.

        Returns:
            The process, just begun.
        """
        self.run_dir.mkdir(parents=True, exist_ok=True)
        rotate(self.log_file)
        with self.log_file.open("ab") as log:
            child = subprocess.Popen(
                command, env=dict(environment), cwd=self.run_dir, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        _CHILDREN.append(child)
        process = psutil.Process(child.pid)
        record = {"pid": process.pid, "started": process.create_time(), "fingerprint": fingerprint}
        write_whole(self._record_file, json.dumps(record))
        return process

    def stop(self, timeout_seconds: float = 15) -> bool:
        """Ends the process and everything that it started; False when it didn't run."""
        process = self.find()
        if process:
            end_with_children(process, timeout_seconds)
        _CHILDREN[:] = [child for child in _CHILDREN if child.poll() is None]
        self._record_file.unlink(missing_ok=True)
        return process is not None

    @property
    def _record_file(self) -> Path:
        return self.run_dir / f"{self.name}.json"

    def _record(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self._record_file.read_text()))
        except (FileNotFoundError, ValueError):
            return {}


def end_with_children(process: psutil.Process, timeout_seconds: float) -> None:
    """Asks a process to end, waits, and kills what is left of it and its descendants."""
    family = family_of(process)
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGTERM)
        _, left = psutil.wait_procs([process], timeout=timeout_seconds)
        for late in left:
            late.kill()
    _, left = psutil.wait_procs(family, timeout=_ORPHANS_GRACE_SECONDS)
    for orphan in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            orphan.kill()
    psutil.wait_procs(left, timeout=5)


def family_of(process: psutil.Process) -> list[psutil.Process]:
    """A process and all its descendants."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return [process, *process.children(recursive=True)]
    return []


def memory_bytes(processes: Sequence[psutil.Process]) -> int:
    """Memory of processes as proportional set size: shared pages count once, spread over who shares them."""
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            total += process.memory_full_info().pss
    return total


def python_environment() -> dict[str, str]:
    """The environment for a Python process of ours: byte code is kept, output comes line by line."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**environment, "PYTHONUNBUFFERED": "1"}


def rotate(log_file: Path) -> None:
    """Moves a log that has grown large aside, keeping one former file."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    if log_file.exists() and log_file.stat().st_size > LARGEST_LOG_BYTES:
        log_file.replace(log_file.with_suffix(".log.1"))


def write_whole(path: Path, text: str, mode: int = 0o600) -> None:
    """Writes a file that readers see either as it was or complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(text)
    new.chmod(mode)
    new.replace(path)
