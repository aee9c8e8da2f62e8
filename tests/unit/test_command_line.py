"""The frame of `enms`: quick to start, one sentence for each failure."""

import errno
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from enms.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from enms_local import cli

HEAVY = {"boto3", "pandas", "numpy", "psycopg2", "fastapi", "pydantic", "cryptography"}


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from enms_local.cli import create_app; create_app();"
        f"print(*sorted({HEAVY!r} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []


def commands(app: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command and group of commands."""
    found = [path]
    for name, command in getattr(app, "commands", {}).items():
        found += commands(command, (*path, name))
    return found


def test_every_command_has_help() -> None:
    import typer

    app = cli.create_app()
    for path in commands(typer.main.get_command(app)):
        result = CliRunner().invoke(app, [*path, "--help"])
        assert result.exit_code == 0, path
        assert len(result.output.split("Usage:")[1].split("Options")[0].split()) > 4, f"{path} says nothing"


@pytest.mark.parametrize(
    ("error", "sentence", "code"),
    [
        (InvalidInputError("Say it otherwise."), "Say it otherwise.", 2),
        (NotFoundError("No such machine."), "No such machine.", 2),
        (ConflictError("Port 80 is taken."), "Port 80 is taken.", 2),
        (UnavailableError("PostgreSQL isn't running."), "PostgreSQL isn't running.", 1),
        (OSError(errno.ENOSPC, "No space left on device"), "The disk is full", 1),
        (ValueError("first line\nsecond line"), "ValueError: first line (LOG_LEVEL=DEBUG", 1),
    ],
)
def test_a_failure_is_one_sentence_and_a_code(error: Exception, sentence: str, code: int) -> None:
    assert cli.describe(error).startswith(sentence)
    assert "\n" not in cli.describe(error)
    assert cli.exit_code(error) == code
