"""The command line `enms`: one module of this package per group of commands."""

import errno
import logging
import os
import sys
from importlib import import_module
from typing import NoReturn

import typer

from enms.errors import ConflictError, EnmsError, InvalidInputError, NotFoundError

# In the order in which `enms --help` lists them. Each has `register(app)`.
COMMAND_MODULES = (
    "stack",
    "catalog",
    "imports",
    "forecast_imports",
    "demo",
    "jobs",
    "baselines",
    "anomalies",
    "forecast_evaluation",
    "forecasts",
)

EXIT_FAILED = 1
EXIT_WRONG_USE = 2
EXIT_INTERRUPTED = 130


def create_app() -> typer.Typer:
    """Composes the commands of all modules."""
    app = typer.Typer(
        name="enms",
        help="EnMS Analytics on this machine: the local cloud, its data and its jobs.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name in COMMAND_MODULES:
        import_module(f"{__name__}.{name}").register(app)
    return app


def main() -> NoReturn:
    """Runs the command line; a failure is one sentence on stderr, a traceback only with LOG_LEVEL=DEBUG."""
    # Before anything loads numpy: as the functions have it, whose matrices are small.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    debug = os.environ.get("LOG_LEVEL", "").upper() == "DEBUG"
    logging.basicConfig(level=logging.DEBUG if debug else logging.WARNING, format="%(name)s: %(message)s")
    try:
        create_app()()
    except BrokenPipeError:
        # The reader (`| head`) has gone; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FAILED)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except Exception as error:
        if debug:
            raise
        typer.echo(f"enms: {describe(error)}", err=True)
        sys.exit(exit_code(error))
    sys.exit(0)


def describe(error: Exception) -> str:
    """One sentence for a person, on what went wrong and what to do."""
    if isinstance(error, EnmsError):
        return error.message
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full ({error.filename or 'while writing'}): free some space and try again."
    first_line = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first_line} (LOG_LEVEL=DEBUG shows where)."


def exit_code(error: Exception) -> int:
    """2 when the command was asked for something impossible, 1 when it failed."""
    wrong_use = isinstance(error, InvalidInputError | NotFoundError | ConflictError)
    return EXIT_WRONG_USE if wrong_use else EXIT_FAILED
