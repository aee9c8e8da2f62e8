"""Browsers to test with: this machine's, else the distribution's packages where those may be installed."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import sync_playwright

CHROMIUM_ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # Nothing of its own may ask anybody for anything: tests count the requests.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LONGEST_INSTALLATION_SECONDS = 300.0


class MissingBrowserError(Exception):
    """There is no such browser here, and none could be installed; the message is one sentence."""


@dataclass(frozen=True)
class _Distributed:
    name: str
    programs: tuple[str, ...]
    package: str


_CHROMIUM = _Distributed("Chromium", ("chromium", "chromium-browser", "google-chrome"), "chromium")
_FIREFOX = _Distributed("Firefox", ("firefox-esr", "firefox"), "firefox-esr")


def find_chromium() -> str:
    """Playwright's own Chromium, or the system's.

    Raises:
        MissingBrowserError: There is none.
    """
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else _find_or_install(_CHROMIUM)


def find_firefox() -> str:
    """The system's Firefox.

    Raises:
        MissingBrowserError: There is none.
    """
    return _find_or_install(_FIREFOX)


def chromium_arguments() -> list[str]:
    """What Chromium is started with. As root its sandbox can't be had."""
    return [*CHROMIUM_ARGUMENTS, "--no-sandbox"] if os.geteuid() == 0 else [*CHROMIUM_ARGUMENTS]


def _find_or_install(browser: _Distributed) -> str:
    found = _find(browser.programs)
    if found is None and _install(browser.package):
        found = _find(browser.programs)
    if found is None:
        raise MissingBrowserError(
            f"{browser.name} is missing and could not be installed: "
            f"install it (for example 'apt install {browser.package}') to run these tests."
        )
    return found


def _find(programs: Iterable[str]) -> str | None:
    """The first program that runs: some distributions have a stub of the name, which only says what to do."""
    for name in programs:
        path = shutil.which(name)
        if path and subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0:
            return path
    return None


def _install(package: str) -> bool:
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return False
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    commands = (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", package])
    try:
        for command in commands:
            subprocess.run(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=LONGEST_INSTALLATION_SECONDS,
                check=True,
            )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return False
    return True
