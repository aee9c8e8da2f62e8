"""What runs of the local cloud, where, since when, and how much memory it takes."""

import time
from dataclasses import dataclass

import psutil

from enms_local.stack import feed
from enms_local.stack.cloud import LocalCloud
from enms_local.stack.database import credentials_of, own_server
from enms_local.stack.processes import family_of, memory_bytes
from enms_local.stack.settings import StackSettings


@dataclass(frozen=True)
class PartStatus:
    """One part.

    Attributes:
        name: What it is called in `enms logs` too.
        state: running, stopped, not answering, or elsewhere (a database that was named).
        address: Where it is reached.
        pid: Its main process.
        age_seconds: Time since its start.
        memory_mb: Proportional set size of all its processes, in 10^6 bytes.
    """

    name: str
    state: str
    address: str | None = None
    pid: int | None = None
    age_seconds: int | None = None
    memory_mb: float | None = None


def parts(settings: StackSettings) -> list[PartStatus]:
    """The parts, in the order in which they start."""
    return [_database(settings), _cloud(settings), _part("feed", feed.process(settings).find(), None)]


def _database(settings: StackSettings) -> PartStatus:
    existing = settings.existing_database_url
    if existing:
        where = credentials_of(existing)
        return PartStatus("postgres", "elsewhere", f"{where.host}:{where.port}/{where.dbname}")
    return _part("postgres", own_server(settings).process(), f"127.0.0.1:{settings.enms_database_port}")


def _cloud(settings: StackSettings) -> PartStatus:
    cloud = LocalCloud(settings)
    process = cloud.process.find()
    return _part("localstack", process, settings.http_url, answers=process is None or cloud.is_healthy())


def _part(
    name: str, process: psutil.Process | None, address: str | None, *, answers: bool = True
) -> PartStatus:
    if process is None:
        return PartStatus(name, "stopped", address)
    return PartStatus(
        name=name,
        state="running" if answers else "not answering",
        address=address,
        pid=process.pid,
        age_seconds=round(time.time() - process.create_time()),
        memory_mb=round(memory_bytes(family_of(process)) / 1e6, 1),
    )
