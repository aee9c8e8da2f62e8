"""A function's process without a cloud: the Lambda Runtime API and Secrets Manager, as small as can be."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

SECRET_NAME = "enms/database"
_ANSWER_SECONDS = 60


@dataclass(frozen=True)
class FirstAnswer:
    """What a cold start gave.

    Attributes:
        seconds: From the process's start to its answer.
        memory_bytes: Resident then.
        answer: The function's answer.
        stderr: What it printed there: the import times, when asked for.
    """

    seconds: float
    memory_bytes: int
    answer: Mapping[str, Any]
    stderr: str


@dataclass(frozen=True)
class FunctionCloud:
    """Where functions are started: their event source and their secret."""

    port: int
    answers: "Queue[tuple[float, bytes]]"
    events: "Queue[bytes]"

    def cold_start(
        self, task_root: Path, event: Mapping[str, Any], *options: str, shared: Path
    ) -> FirstAnswer:
        """Starts a function, gives it one event, waits for the answer and ends it.

        Args:
            task_root: The function's folder with `app.handler`.
            event: The event.
            options: Of the interpreter.
            shared: Folder of the library.

        Raises:
            queue.Empty: There was no answer.
            RuntimeError: The function failed.
        """
        self.events.put(json.dumps(event).encode())
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *options, "-m", "awslambdaric", "app.handler"],
            cwd=task_root,
            env=self._environment(task_root, shared),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            answered, body = self.answers.get(timeout=_ANSWER_SECONDS)
            memory = _resident_bytes(process.pid)
        finally:
            process.kill()
            stderr = process.communicate()[1].decode()
        answer = json.loads(body)
        if answer.get("statusCode") != 200:
            raise RuntimeError(f"{task_root.name} answered {answer}")
        return FirstAnswer(answered - started, memory, answer, stderr)

    def _environment(self, task_root: Path, shared: Path) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join((str(task_root), str(shared))),
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.port}",
            "AWS_LAMBDA_FUNCTION_NAME": task_root.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "LAMBDA_TASK_ROOT": str(task_root),
            "_HANDLER": "app.handler",
            "AWS_REGION": "eu-central-1",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "DATABASE_SECRET_NAME": SECRET_NAME,
            "DATABASE_POOL_SIZE": "1",
            # Named, and never asked: what is measured reads no model.
            "MODELS_BUCKET": "models",
        }


@contextmanager
def function_cloud(secret: Mapping[str, Any]) -> Iterator[FunctionCloud]:
    """Serves the Runtime API and one secret on a port of its own."""
    answers: Queue[tuple[float, bytes]] = Queue()
    events: Queue[bytes] = Queue()
    secret_answer = json.dumps({"Name": SECRET_NAME, "SecretString": json.dumps(secret)}).encode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if events.empty():
                self.close_connection = True  # it has answered, and asks for the next event
            else:
                self._answer(events.get())

        def do_POST(self) -> None:
            body = _body(self)
            if "/runtime/" in self.path:
                answers.put((time.perf_counter(), body))
                self._answer(b"")
            else:
                self._answer(secret_answer)

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Lambda-Runtime-Aws-Request-Id", "00000000-0000-4000-8000-000000000001")
            self.send_header(
                "Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:000000000000:function:f"
            )
            self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + _ANSWER_SECONDS) * 1000)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield FunctionCloud(server.server_address[1], answers, events)
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        # A function that has answered is killed, connection and all.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _body(request: BaseHTTPRequestHandler) -> bytes:
    if request.headers.get("Transfer-Encoding", "") != "chunked":
        return request.rfile.read(int(request.headers.get("Content-Length", 0)))
    body = b""
    while size := int(request.rfile.readline(), 16):
        body += request.rfile.read(size)
        request.rfile.readline()
    request.rfile.readline()
    return body


def _resident_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024
