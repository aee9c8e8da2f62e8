"""The guide's commands work as they stand."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from e2e.running_stack import Stack

CHECKOUT = Path(__file__).resolve().parents[2]
GUIDE = CHECKOUT / "docs" / "ANALYTICS-SERVICE.md"
BASELINES = CHECKOUT / "docs" / "BASELINES.md"
ADDRESS = "API=http://localhost:8080/api/analytics"
COMMAND_LINE = ".enms/env/functions/bin/enms"


def _run(stack: Stack, guide: Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Each command line of a guide, without the installed one: that would act on the checkout's own stack."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    script = "\n".join(re.findall(r"```sh\n(.*?)```", guide.read_text(), re.DOTALL))
    assert ADDRESS in script
    lines = [line for line in script.splitlines() if not line.startswith((ADDRESS, COMMAND_LINE))]
    return subprocess.run(
        ["bash", "-euc", "\n".join(f"{line}; echo" if line.startswith("curl") else line for line in lines)],
        env=os.environ | {"API": f"http://localhost:{stack.settings['ENMS_HTTP_PORT']}/api/analytics"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_guides_commands_work(stack: Stack, tmp_path: Path) -> None:
    stack.enms("factories", "add", "Guide", "--timezone", "Europe/Berlin")
    stack.enms("machines", "add", "Press", "--factory", "Guide", "--type", "motor", "--rated-kw", "75")
    done = _run(stack, GUIDE, tmp_path)
    assert done.returncode == 0, done.stderr
    refused = re.findall(r'"title":"([^"]+)"', done.stdout)
    # The guide shows one refusal.
    assert refused == ["Invalid input"], done.stdout


def test_the_commands_about_baselines_work(stack: Stack, tmp_path: Path) -> None:
    done = _run(stack, BASELINES, tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.findall(r'"title":"([^"]+)"', done.stdout) == [], done.stdout
    assert (tmp_path / "dossier.html").read_text().startswith("<!doctype html>")
    assert (tmp_path / "residuals.csv").read_text().startswith("starts_at,")
