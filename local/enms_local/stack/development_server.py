"""`enms dev`: the development application under uvicorn, with reload."""

import os

import typer

from enms_local.stack.cloud import FUNCTIONS_PYTHON, PUBLIC_PREFIX
from enms_local.stack.database import database_url
from enms_local.stack.lock import exclusively
from enms_local.stack.objects import with_models
from enms_local.stack.ports import PortNeed, require_free
from enms_local.stack.settings import CHECKOUT, StackSettings, whole_environment
from enms_local.stack.steps import Steps
from enms_local.stack.up import ensure_own_database

APPLICATION = "enms_local.development:create_app"
WATCHED = ("functions", "shared", "local/enms_local")
# What the console is made of, besides Python.
PAGES = ("*.html", "*.css", "*.js")


def serve(settings: StackSettings) -> None:
    """Becomes the development server; ends with it.

    Raises:
        ConflictError: Its port is taken.
    """
    require_free([PortNeed("ENMS_DEV_PORT", settings.enms_listen, settings.enms_dev_port)])
    if not settings.existing_database_url:
        with exclusively(settings.state_dir):
            ensure_own_database(settings, Steps())
    host = settings.public_host
    typer.echo(
        f"\n  http://{host}:{settings.enms_dev_port}{PUBLIC_PREFIX}/ui/  and  /docs  (end with Ctrl-C)\n",
        nl=True,
    )
    watched = [argument for folder in WATCHED for argument in ("--reload-dir", str(CHECKOUT / folder))]
    watched += [argument for ending in PAGES for argument in ("--reload-include", ending)]
    command = [
        str(FUNCTIONS_PYTHON), "-m", "uvicorn", "--factory", APPLICATION,
        "--host", settings.enms_listen, "--port", str(settings.enms_dev_port), "--no-access-log",
        "--reload", *watched,
    ]  # fmt: skip
    environment = with_models(whole_environment(), settings) | {
        "ENMS_DATABASE_URL": database_url(settings),
        "OPENBLAS_NUM_THREADS": "1",  # as in the template, and for its reasons
        "OMP_NUM_THREADS": "1",
    }
    os.execve(command[0], command, environment)  # noqa: S606
