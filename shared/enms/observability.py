"""One logger for all: JSON lines on stdout, each with the id of the request or run that it belongs to."""

import logging
import sys

from aws_lambda_powertools import Logger

from enms.settings import Settings

# Its settings come with `configure`: a module that logs needs none of its own.
logger = Logger(service="enms-analytics", utc=True, use_rfc3339=True, log_uncaught_exceptions=False)


def configure(settings: Settings) -> None:
    """Sets level and names of the logger; called once, where a process starts."""
    logger.setLevel(settings.log_level)
    logger.append_keys(service=settings.service_name, version=settings.service_version)


def log_to_stderr() -> None:
    """Keeps stdout free: for commands, whose output is on it."""
    handler = logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(sys.stderr)


def identify(**ids: str | None) -> None:
    """Adds ids (request_id, run_id) to every further line of this request, in whichever thread it goes on."""
    logger.thread_safe_append_keys(**{name: value for name, value in ids.items() if value})
