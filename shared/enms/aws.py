"""Clients of AWS's services: one botocore session per process, without boto3's layer on top."""

import threading
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.config import Config
    from botocore.session import Session

_lock = threading.Lock()


@cache
def _session() -> "Session":
    # Imported here: a process that needs no AWS (dev server, command line) doesn't pay for it.
    from botocore.session import get_session

    return get_session()


def create_client(service: str, config: "Config | None" = None) -> Any:
    """A client of a service; kept by whoever asked, since making one costs tens of milliseconds.

    The session is shared: it keeps what it has read of AWS's services, which halves the second client's cost.

    Args:
        service: Its name, `s3`.
        config: Time-outs, retries.
    """
    with _lock:  # a session is not made for threads; clients are
        return _session().create_client(service, config=config)
