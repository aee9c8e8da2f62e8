"""Which browser is found, and what is said where there is none."""

from pathlib import Path

import pytest
from e2e.browser import browsers


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All of PATH: a folder; nobody here may install anything."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    return tmp_path


def program(path: Path, body: str) -> str:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_a_stub_that_only_says_what_to_install_is_no_browser(programs: Path) -> None:
    program(programs / "firefox-esr", "echo 'snap install firefox' >&2; exit 1")
    firefox = program(programs / "firefox", "echo Mozilla Firefox 153.0")

    assert browsers.find_firefox() == firefox


def test_what_is_missing_is_one_sentence(programs: Path) -> None:
    program(programs / "apt-get", "exit 0")

    with pytest.raises(browsers.MissingBrowserError) as missing:
        browsers.find_firefox()

    assert str(missing.value) == (
        "Firefox is missing and could not be installed: "
        "install it (for example 'apt install firefox-esr') to run these tests."
    )


def test_the_distributions_package_is_installed_where_that_may_be_done(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    firefox = Path(program(programs / "firefox-esr", "exit 0"))
    firefox.chmod(0o644)
    calls = programs / "calls"
    program(programs / "apt-get", f'echo "$@" >> {calls}\n[ "$1" = update ] || /bin/chmod +x {firefox}')

    assert browsers.find_firefox() == str(firefox)
    assert calls.read_text().splitlines() == ["update", "install -y --no-install-recommends firefox-esr"]


def test_an_installation_that_fails_is_told(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    program(programs / "apt-get", "exit 100")

    with pytest.raises(browsers.MissingBrowserError, match="could not be installed"):
        browsers.find_firefox()
