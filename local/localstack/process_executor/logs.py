"""Where a function's output goes: its CloudWatch log stream, and a file that can be followed."""

import logging
import os
import threading
import time
from functools import cache
from logging.handlers import RotatingFileHandler
from typing import Any

from localstack.aws.connect import connect_to

MAX_GROUP_EVENTS = 30_000
"""LocalStack keeps logs in memory: beyond this the oldest of a function's events go."""
MAX_FILE_BYTES = 20 * 1024 * 1024
"""A log file of this size is put aside as ``.log.1``, in place of the one before."""


class FunctionLog:
    """One environment's log stream and its function's log file."""

    def __init__(self, account_id: str, region: str, group: str, stream: str) -> None:
        self.account_id, self.region, self.group, self.stream = account_id, region, group, stream
        self.file = _log_file(group.rsplit("/", 1)[-1])

    def write(self, text: str) -> None:
        """Keeps printed lines, in their order."""
        if self.file:
            # The runtime writes an event of several lines with carriage returns and fixed spaces.
            lines = text.removesuffix("\n").replace("\r", "\n").replace("\xa0", " ")
            self.file.handle(logging.makeLogRecord({"msg": lines}))
        now_ms = int(time.time() * 1000)
        events = [{"timestamp": now_ms, "message": line + "\n"} for line in text.split("\n") if line]
        if events:
            _put_events(self, events)


@cache
def _log_file(function_name: str) -> RotatingFileHandler | None:
    directory = os.environ.get("PROCESS_EXECUTOR_LOG_DIR")
    if not directory:
        return None
    os.makedirs(directory, exist_ok=True)
    file = RotatingFileHandler(
        os.path.join(directory, f"{function_name}.log"),
        maxBytes=MAX_FILE_BYTES,
        backupCount=1,
        encoding="utf-8",
    )
    file.setFormatter(logging.Formatter("%(message)s"))
    return file


@cache
def _logs_backend(account_id: str, region: str) -> Any:
    client = connect_to(aws_access_key_id=account_id, region_name=region).logs
    client.describe_log_groups(limit=1)  # loads the service
    from moto.logs.models import logs_backends

    return logs_backends[account_id][region]


_lock = threading.Lock()


def _put_events(log: FunctionLog, events: list[dict[str, Any]]) -> None:
    """Puts events into LocalStack's store itself: its HTTP gateway would cost more than the invocation."""
    backend = _logs_backend(log.account_id, log.region)
    with _lock:
        if log.group not in backend.groups:
            backend.create_log_group(log.group, {})
        group = backend.groups[log.group]
        if log.stream not in group.streams:
            group.create_log_stream(log.stream)
        if not backend.filters.metric_filters:
            group.streams[log.stream].put_log_events(events)
        _drop_oldest(group)
    if backend.filters.metric_filters:  # they act in the API's call only
        client = connect_to(aws_access_key_id=log.account_id, region_name=log.region).logs
        client.put_log_events(logGroupName=log.group, logStreamName=log.stream, logEvents=events)


def _drop_oldest(group: Any) -> None:
    """Keeps a log group at its cap: the oldest tenth goes at a time."""
    streams = [stream for stream in group.streams.values() if stream.events]
    excess = sum(len(stream.events) for stream in streams) - MAX_GROUP_EVENTS
    if excess <= 0:
        return
    excess += MAX_GROUP_EVENTS // 10
    for stream in sorted(streams, key=lambda stream: stream.events[0].event_id):
        dropped = min(excess, len(stream.events))
        del stream.events[:dropped]
        excess -= dropped
        if not excess:
            return
