"""A distribution's Firefox, driven over WebDriver BiDi: Playwright drives only one of its own making."""

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Self
from urllib.parse import urlsplit

from websockets.sync.client import ClientConnection, connect

LONGEST_START_SECONDS = 30.0
LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
PREFERENCES = """
user_pref("app.normandy.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
"""


class Firefox:
    """One window of Firefox.

    Attributes:
        problems: Errors and warnings in the console, uncaught ones among them, and requests to other origins
            than the page's.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self.problems: list[str] = []
        self._connection = connection
        self._ids = count()
        self._origin = ""
        self._window = ""

    def begin(self) -> Self:
        """Opens the session."""
        self.send("session.new", {"capabilities": {}})
        self.send("session.subscribe", {"events": ["log.entryAdded", "network.beforeRequestSent"]})
        self._window = self.send("browsingContext.getTree", {})["contexts"][0]["context"]
        return self

    def open(self, url: str) -> None:
        """Opens a page and waits until it is loaded."""
        address = urlsplit(url)
        self._origin = f"{address.scheme}://{address.netloc}"
        self.send("browsingContext.navigate", {"context": self._window, "url": url, "wait": "complete"})

    def evaluate(self, expression: str) -> Any:
        """What a JavaScript expression gives, awaited: a text, a number, or a truth value."""
        target = {"context": self._window}
        done = self.send(
            "script.evaluate", {"expression": expression, "target": target, "awaitPromise": True}
        )
        assert done["type"] == "success", done
        return done["result"].get("value")

    def wait_for(self, expression: str, seconds: float = 10.0) -> None:
        """Waits until an expression holds."""
        deadline = monotonic() + seconds
        while not self.evaluate(expression):
            assert monotonic() < deadline, f"not within {seconds:g} s: {expression}; {self.problems}"
            sleep(0.05)

    def send(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Sends a command; gives its result."""
        number = next(self._ids)
        self._connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._connection.recv(timeout=60))
            if message["type"] == "event":
                self._note(message["method"], message["params"])
            elif message["id"] == number:
                assert message["type"] == "success", message
                result: dict[str, Any] = message["result"]
                return result

    def _note(self, event: str, told: dict[str, Any]) -> None:
        if event == "log.entryAdded" and told["level"] in ("error", "warn"):
            self.problems.append(f"console {told['level']}: {told['text']}")
        elif event == "network.beforeRequestSent":
            address = urlsplit(told["request"]["url"])
            if address.scheme.startswith("http") and f"{address.scheme}://{address.netloc}" != self._origin:
                self.problems.append(f"request to a foreign origin: {told['request']['url']}")


@contextmanager
def running_firefox(program: str) -> Iterator[Firefox]:
    """A Firefox with a profile of its own; ended and forgotten at the end."""
    with tempfile.TemporaryDirectory(prefix="enms-firefox-", ignore_cleanup_errors=True) as profile:
        (Path(profile) / "user.js").write_text(PREFERENCES)
        log = Path(profile) / "log"
        with log.open("w") as out:
            process = subprocess.Popen(
                [program, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port=0"],
                stdout=out,
                stderr=out,
            )
        try:
            with connect(f"{_address(process, log)}/session", max_size=None) as connection:
                yield Firefox(connection).begin()
        finally:
            process.terminate()
            process.wait(timeout=30)


def _address(process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = monotonic() + LONGEST_START_SECONDS
    while monotonic() < deadline and process.poll() is None:
        if found := LISTENING.search(log.read_text()):
            return found[1]
        sleep(0.05)
    raise RuntimeError(f"Firefox did not start: {log.read_text()}")
