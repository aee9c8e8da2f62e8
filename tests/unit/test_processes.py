"""Background processes: found again, told from strangers, ended with all that they started."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from enms_local.stack import processes
from enms_local.stack.processes import BackgroundProcess

WAITS = [sys.executable, "-c", "import signal; signal.pause()"]
WITH_A_CHILD = [
    sys.executable,
    "-c",
    "import signal, subprocess, sys\n"
    "print(subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()']).pid, flush=True)\n"
    "signal.pause()",
]


@pytest.fixture
def background(tmp_path: Path) -> Iterator[BackgroundProcess]:
    process = BackgroundProcess("sleeper", tmp_path / "run", tmp_path / "logs" / "sleeper.log")
    yield process
    process.stop()


def test_is_found_by_a_later_command(background: BackgroundProcess) -> None:
    started = background.start(WAITS, os.environ)

    found = BackgroundProcess(background.name, background.run_dir, background.log_file).find()

    assert found is not None
    assert found.pid == started.pid


def test_a_killed_process_is_not_found(background: BackgroundProcess) -> None:
    started = background.start(WAITS, os.environ)
    started.kill()
    started.wait()

    assert background.find() is None
    assert background.stop() is False


def test_another_process_with_the_recorded_id_is_left_alone(background: BackgroundProcess) -> None:
    """After a restart of the machine an id may belong to something else: here, to this test."""
    background.run_dir.mkdir()
    record = {"pid": os.getpid(), "started": psutil.Process().create_time() - 1000, "fingerprint": ""}
    (background.run_dir / "sleeper.json").write_text(json.dumps(record))

    assert background.find() is None
    assert background.stop() is False


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}'])
def test_a_damaged_record_counts_as_none(background: BackgroundProcess, content: str) -> None:
    background.run_dir.mkdir()
    (background.run_dir / "sleeper.json").write_text(content)

    assert background.find() is None


def test_is_outdated_when_started_otherwise(background: BackgroundProcess) -> None:
    background.start(WAITS, os.environ, "as before")

    assert background.find_same("as before") is not None
    assert background.find_same("another way") is None


def test_stop_ends_children_too(background: BackgroundProcess) -> None:
    parent = background.start(WITH_A_CHILD, os.environ)
    while not background.log_file.read_text().endswith("\n"):
        assert parent.is_running()
    child = psutil.Process(int(background.log_file.read_text()))

    assert background.stop() is True

    assert not parent.is_running()
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_large_log_is_moved_aside_at_the_next_start(
    background: BackgroundProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "LARGEST_LOG_BYTES", 10)
    background.log_file.parent.mkdir()
    background.log_file.write_text("more than ten bytes\n")

    background.start(WAITS, os.environ)

    assert background.log_file.read_text() == ""
    assert background.log_file.with_suffix(".log.1").read_text() == "more than ten bytes\n"
