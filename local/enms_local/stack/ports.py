"""Whether a port can be had, and who holds it."""

import errno
import socket
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from enms.errors import ConflictError


@dataclass(frozen=True)
class PortNeed:
    """A port that a part is going to listen on.

    Attributes:
        setting: Name of the setting that changes it.
        host: Address to listen on.
        port: Its number.
    """

    setting: str
    host: str
    port: int


def require_free(needs: Iterable[PortNeed]) -> None:
    """Checks ports before anything is started.

    Raises:
        ConflictError: One is taken, given twice, or not ours to open; says who holds it and what to set.
    """
    seen: dict[int, str] = {}
    for need in needs:
        if need.port in seen:
            raise ConflictError(f"{seen[need.port]} and {need.setting} are both {need.port}: change one.")
        seen[need.port] = need.setting
        _require_free(need)


def _require_free(need: PortNeed) -> None:
    family = socket.AF_INET6 if ":" in need.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((need.host, need.port))
        except OSError as error:
            raise ConflictError(_explain(need, error), parameter=need.setting, given=need.port) from error


def _explain(need: PortNeed, error: OSError) -> str:
    change = f"set {need.setting} to another one in .env"
    if error.errno == errno.EADDRINUSE:
        return f"Port {need.port} is taken{_holder(need.port)}: end that, or {change}."
    if error.errno == errno.EACCES:
        return f"Port {need.port} may be opened by root only: {change} above 1023."
    return (
        f"{need.host}:{need.port} can't be listened on ({error.strerror}): "
        f"is it an address of this machine? See ENMS_LISTEN and {need.setting} in .env."
    )


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            listens_there = connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,)
            if listens_there and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    except (psutil.AccessDenied, psutil.NoSuchProcess):
        return ""
    return ""
