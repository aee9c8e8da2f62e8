"""Installs one stage's locked packages into /opt/python, less what no function needs; runs inside an image.

Python rather than shell: the public base image has hardly any tools.
"""

import shutil
import subprocess
import sys
from pathlib import Path

TARGET = Path("/opt/python")


def main(requirements: str) -> None:
    """Installs what the list names, with hashes; pip compiles it. Test suites and console scripts go."""
    options = ["--no-cache-dir", "--no-deps", "--require-hashes", "--target", str(TARGET)]
    pip = [sys.executable, "-m", "pip", "install", *options, "-r", requirements]
    subprocess.run(pip, check=True)  # noqa: S603 - a stage's own list
    for folder in [*TARGET.rglob("tests"), TARGET / "bin"]:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
