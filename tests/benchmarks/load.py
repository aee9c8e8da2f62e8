"""A load client that costs little itself: one thread, raw sockets, connections kept alive."""

import selectors
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Self
from urllib.parse import urlsplit

_CHUNK_BYTES = 262_144
_TIMEOUT_SECONDS = 60


class BadAnswerError(RuntimeError):
    """The server answered with another status than 200 or 201; the message holds its answer."""


@dataclass
class Target:
    """Requests to one server, of the given paths in turn, so that no answer is known from before.

    Attributes:
        base_url: Scheme, host and port.
        paths: Paths with their queries.
        bodies: JSON that is posted, in turn; none where paths are only got.
    """

    base_url: str
    paths: Sequence[str]
    bodies: Sequence[str] = ()
    _sent: int = field(default=0, init=False)

    def next_request(self) -> bytes:
        """The bytes of the next request."""
        path = self.paths[self._sent % len(self.paths)]
        body = self.bodies[self._sent % len(self.bodies)].encode() if self.bodies else b""
        self._sent += 1
        method = "POST" if body else "GET"
        head = f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\nAccept: application/json\r\n"
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return head.encode() + b"\r\n" + body

    def connect(self) -> socket.socket:
        """A new connection without delays of its own."""
        url = urlsplit(self.base_url)
        connection = socket.create_connection((url.hostname or "", url.port or 80), timeout=_TIMEOUT_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    @property
    def _host(self) -> str:
        return urlsplit(self.base_url).netloc


@dataclass(frozen=True)
class Load:
    """What a run of requests gave.

    Attributes:
        seconds: Latency of each request.
        duration_seconds: Of the whole run.
        errors: Answers other than 200 and 201.
    """

    seconds: Sequence[float]
    duration_seconds: float
    errors: int

    @property
    def requests_per_second(self) -> float:
        """Requests answered per second."""
        return len(self.seconds) / self.duration_seconds

    @property
    def median_seconds(self) -> float:
        """Median latency."""
        return median(self.seconds)

    @property
    def p95_seconds(self) -> float:
        """Latency that 95 % of the requests stay under."""
        return quantiles(self.seconds, n=20)[-1]


class Client:
    """One connection, one request at a time."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._connection = target.connect()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def time_one(self) -> float:
        """Seconds from sending a request to having its whole answer.

        Raises:
            BadAnswerError: The status is not 200.
        """
        request = self._target.next_request()
        started = time.perf_counter()
        self._connection.sendall(request)
        answer = _Answer()
        while not answer.complete:
            answer.feed(self._connection.recv(_CHUNK_BYTES))
        seconds = time.perf_counter() - started
        if not answer.is_ok:
            raise BadAnswerError(f"{request.split(b' ')[1].decode()}: {answer.text}")
        return seconds


def interleave(targets: Sequence[Target], requests: int) -> list[list[float]]:
    """Latencies of each target; one client asks them in turn, so that all see the same machine."""
    clients = [Client(target) for target in targets]
    seconds: list[list[float]] = [[] for _ in targets]
    for _ in range(requests):
        for client, sample in zip(clients, seconds, strict=True):
            sample.append(client.time_one())
    for client in clients:
        client.__exit__()
    return seconds


def burst(target: Target, clients: int, requests: int) -> Load:
    """Many clients at once, each sending its next request as soon as it has its answer."""
    selector = selectors.DefaultSelector()
    states = [_Caller(target) for _ in range(clients)]
    latencies: list[float] = []
    errors = 0
    started = time.perf_counter()
    for state in states:
        selector.register(state.connection, selectors.EVENT_READ, state)
        state.send()
    sent = len(states)
    while len(latencies) < requests:
        ready = selector.select(_TIMEOUT_SECONDS)
        if not ready:
            raise BadAnswerError(f"No answer from {target.base_url} within {_TIMEOUT_SECONDS} s.")
        for key, _ in ready:
            caller: _Caller = key.data
            if not caller.receive():
                continue
            latencies.append(caller.seconds)
            errors += not caller.answer.is_ok
            if sent < requests:
                caller.send()
                sent += 1
    duration = time.perf_counter() - started
    for state in states:
        state.connection.close()
    return Load(latencies, duration, errors)


def medians(run: Callable[[], Sequence[float]], runs: int = 5) -> list[float]:
    """Runs something several times and gives the median of each of its figures."""
    return [median(figures) for figures in zip(*(run() for _ in range(runs)), strict=True)]


class _Caller:
    """One of many clients: its connection, and the answer that it waits for."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.connection = target.connect()
        self.answer = _Answer()
        self.seconds = 0.0
        self._sent_at = 0.0

    def send(self) -> None:
        self.answer = _Answer()
        request = self.target.next_request()
        self._sent_at = time.perf_counter()
        self.connection.sendall(request)

    def receive(self) -> bool:
        """Takes what has come; whether the answer is complete."""
        self.answer.feed(self.connection.recv(_CHUNK_BYTES))
        if self.answer.complete:
            self.seconds = time.perf_counter() - self._sent_at
        return self.answer.complete


class _Answer:
    """As much of HTTP/1.1 as the servers here speak: a length, or chunks."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._end = 0  # where the body ends, once the head is there; -1 for chunks

    def feed(self, part: bytes) -> None:
        if not part:
            raise BadAnswerError(f"The server closed the connection after {bytes(self._bytes[:500])!r}.")
        self._bytes += part
        if not self._end:
            self._read_head()

    def _read_head(self) -> None:
        head_end = self._bytes.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = bytes(self._bytes[:head_end]).lower()
        name = b"\r\ncontent-length:"
        at = head.find(name)
        if at < 0:
            self._end = -1
        else:
            self._end = head_end + 4 + int(head[at + len(name) :].split(b"\r\n", 1)[0])

    @property
    def complete(self) -> bool:
        if self._end < 0:
            return self._bytes.endswith(b"\r\n0\r\n\r\n")
        return 0 < self._end <= len(self._bytes)

    @property
    def is_ok(self) -> bool:
        return self._bytes.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 201 "))

    @property
    def text(self) -> str:
        return self._bytes[:2000].decode(errors="replace")
