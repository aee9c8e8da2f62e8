"""A stack under test: its checkout, its settings, and how a user deals with it."""

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psutil

CHECKOUT = Path(__file__).resolve().parents[2]
COPIED = (
    "functions",
    "shared",
    "local",
    "events",
    "statemachines",
    "template.yaml",
    "pyproject.toml",
    "uv.lock",
)
COMMAND = "from enms_local.cli import main; main()"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer.

    Attributes:
        status: Its code.
        media_type: Of the body.
        body: The body, parsed when it is JSON.
    """

    status: int
    media_type: str
    body: Any


@dataclass(frozen=True)
class Stack:
    """A checkout and the settings of the stack that runs from it."""

    checkout: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def state_dir(self) -> Path:
        return Path(self.settings["ENMS_STATE_DIR"])

    @property
    def origin(self) -> str:
        """Where browsers find it."""
        return f"http://localhost:{self.settings['ENMS_HTTP_PORT']}"

    @property
    def authority(self) -> Path:
        return self.state_dir / "tls" / "authority.pem"

    def with_settings(self, **settings: str) -> "Stack":
        return replace(self, settings={**self.settings, **settings})

    def begin(self, *arguments: str) -> "subprocess.Popen[str]":
        """Starts a command of `enms`."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("ENMS_", "DATABASE_"))
        }
        environment.update(self.settings)
        environment["PYTHONPATH"] = os.pathsep.join(
            str(self.checkout / folder) for folder in ("local", "shared")
        )
        return subprocess.Popen(
            [sys.executable, "-c", COMMAND, *arguments],
            env=environment, cwd=self.checkout, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Runs a command of `enms` to its end."""
        with self.begin(*arguments) as process:
            out, err = process.communicate(timeout=240)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def enms(self, *arguments: str) -> str:
        """Runs a command of `enms` that has to succeed, and gives its output."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"enms {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def parts(self) -> dict[str, dict[str, Any]]:
        """What `enms status` tells, by the part's name."""
        return {part["name"]: part for part in json.loads(self.enms("status", "--json"))}

    def process(self, part: str) -> psutil.Process:
        """The main process of a running part."""
        return psutil.Process(self.parts()[part]["pid"])

    def get(self, path: str, *, host: str = "localhost", scheme: str = "http") -> Answer:
        """Calls the public API; over https it trusts this stack's authority alone."""
        port = self.settings["ENMS_HTTPS_PORT" if scheme == "https" else "ENMS_HTTP_PORT"]
        context = ssl.create_default_context(cafile=self.authority) if scheme == "https" else None
        try:
            with urllib.request.urlopen(
                f"{scheme}://{host}:{port}{path}", timeout=60, context=context
            ) as answer:
                return _answer(answer.status, answer.headers.get_content_type(), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error.headers.get_content_type(), error.read())

    def api(self, path: str) -> Any:
        """What the API answers to a call that has to succeed."""
        answer = self.get(f"/api/analytics/{path}")
        assert answer.status == 200, answer
        return answer.body

    def a_kpi_answer(self) -> Any:
        """KPIs of the first machine on the latest whole day of the demo."""
        machine = self.api("api/v1/machines")["machines"][0]
        day = _yesterday()
        return self.api(f"api/v1/kpi/all?machine_id={machine['id']}&start={day}&end={day}")

    def stop(self) -> None:
        """Stops it, whatever state it is in."""
        self.run("down")
        for left in self.processes():
            left.kill()

    def processes(self) -> list[psutil.Process]:
        """Every process that has to do with this stack's state."""
        found = []
        for process in psutil.process_iter():
            try:
                mentions = [process.cwd(), *process.cmdline(), *process.environ().values()]
            except psutil.Error:
                continue
            if process.pid != os.getpid() and any(str(self.state_dir) in text for text in mentions):
                found.append(process)
        return found


@contextmanager
def copied_checkout() -> Iterator[Path]:
    """A copy of the checkout, which shares the installed environments; deleted at the end."""
    folder = Path(tempfile.mkdtemp(prefix="enms-e2e-", dir="/tmp"))
    for name in COPIED:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".venv"))
        elif source.exists():
            shutil.copy2(source, folder / name)
    (folder / ".enms").mkdir()
    (folder / ".enms" / "env").symlink_to(CHECKOUT / ".enms" / "env")
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    with ExitStack() as sockets:
        opened = [sockets.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in opened]


def _yesterday() -> str:
    return str((datetime.now(tz=ZoneInfo("Europe/Berlin")) - timedelta(days=1)).date())


def _answer(status: int, media_type: str, body: bytes) -> Answer:
    return Answer(status, media_type, json.loads(body) if media_type.endswith("json") else body)
