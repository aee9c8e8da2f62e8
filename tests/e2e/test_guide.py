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
ADDRESS = "API=http://localhost:8080/api/analytics"
COMMAND_LINE = ".enms/env/functions/bin/enms"


def test_the_guides_commands_work(stack: Stack) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    stack.enms("factories", "add", "Guide", "--timezone", "Europe/Berlin")
    stack.enms("machines", "add", "Press", "--factory", "Guide", "--type", "motor", "--rated-kw", "75")
    script = "\n".join(re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), re.DOTALL))
    assert ADDRESS in script
    # Each command line of the guide, without the installed one: that would act on the checkout's own stack.
    lines = [line for line in script.splitlines() if not line.startswith((ADDRESS, COMMAND_LINE))]
    done = subprocess.run(
        ["bash", "-euc", "\n".join(f"{line}; echo" if line.startswith("curl") else line for line in lines)],
        env=os.environ | {"API": f"http://localhost:{stack.settings['ENMS_HTTP_PORT']}/api/analytics"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    refused = re.findall(r'"title":"([^"]+)"', done.stdout)
    # The guide shows one refusal.
    assert refused == ["Invalid input"], done.stdout
