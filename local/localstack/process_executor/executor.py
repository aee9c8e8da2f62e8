"""LocalStack's side of an execution environment: starts its init, hands it events, takes answers and logs."""

import contextlib
import json
import os
import socket
import subprocess
import sys
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import LambdaRuntimeException, RuntimeExecutor

from process_executor import code_watch, logs
from process_executor.images import Image, configuration

INIT = Path(__file__).with_name("init.py")
ENDED = "the execution environment has ended"
STOP_SECONDS = 5.0
TAIL_CHARACTERS = 4096
"""How much of an invocation's log ``LogType=Tail`` returns."""
MB_PER_CPU = 1769
"""Lambda's share of memory for a whole processor."""
NOT_ON_AWS = ("LOCALSTACK_", "EDGE_PORT", "AWS_LAMBDA_FUNCTION_TIMEOUT")


def image_of(function_version: FunctionVersion) -> Image:
    """What runs in place of the function's image.

    Raises:
        LambdaRuntimeException: The function is not an image function.
        ImageError: Its image can't be run here.
    """
    config = function_version.config
    if config.image is None:
        raise LambdaRuntimeException("only functions with PackageType: Image run here")
    return configuration().image(config.image.image_uri, config.image_config and config.image_config.command)


def function_environment(variables: dict[str, Any], image: Image, memory_mb: int, api: str) -> dict[str, str]:
    """The function's environment variables: those of Lambda and its own, nothing of LocalStack's process."""
    threads = str(max(1, min(os.cpu_count() or 1, round(memory_mb / MB_PER_CPU))))
    own = {name: str(value) for name, value in variables.items() if not name.startswith(NOT_ON_AWS)}
    python_path = [image.task_root, *image.python_path, *filter(None, [own.get("PYTHONPATH")])]
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": "/tmp",  # noqa: S108 - each environment has one of its own
        "OPENBLAS_NUM_THREADS": threads,
        "OMP_NUM_THREADS": threads,
        **own,
        "PYTHONPATH": os.pathsep.join(python_path),
        "PYTHONUNBUFFERED": "1",
        "TZ": ":UTC",
        "_HANDLER": image.command,
        "LAMBDA_TASK_ROOT": image.task_root,
        "LAMBDA_RUNTIME_DIR": image.task_root,
        "AWS_LAMBDA_RUNTIME_API": api,
    }


class ProcessRuntimeExecutor(RuntimeExecutor):
    """One execution environment as an operating-system process."""

    def __init__(self, id: str, function_version: FunctionVersion) -> None:
        super().__init__(id=id, function_version=function_version)
        self.process: subprocess.Popen[bytes] | None = None
        self.control: socket.socket | None = None
        self.stopped = False

    def start(self, env_vars: dict[str, str]) -> None:
        """Starts the environment and waits until the function is loaded.

        Raises:
            StatusErrorException: The function can't be loaded; carries the error that Lambda would return.
            CancelledError: The environment was stopped meanwhile.
        """
        self.variables = env_vars
        config = self.function_version.config
        image = image_of(self.function_version)
        self.log = logs.FunctionLog(
            self.function_version.id.account,
            self.function_version.id.region,
            env_vars["AWS_LAMBDA_LOG_GROUP_NAME"],
            env_vars["AWS_LAMBDA_LOG_STREAM_NAME"],
        )
        self.code = code_watch.version_of(image.code_paths)
        self.code_seen = self.code.current()
        self.control, theirs = socket.socketpair()
        self.frames = self.control.makefile("rb")
        with theirs, socket.create_server(("127.0.0.1", 0), backlog=8) as api:
            host, port = api.getsockname()
            interpreters = (image.python, sys.executable)
            real = map(os.path.realpath, interpreters)
            kept = (*configuration().kept_paths, *image.code_paths, *interpreters, *real)
            settings = [
                theirs.fileno(),
                api.fileno(),
                config.memory_size,
                config.timeout,
                os.pathsep.join(kept),
            ]
            function = [image.python, "-m", "awslambdaric", image.command]
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(INIT), *map(str, settings), *function],
                env=function_environment(env_vars, image, config.memory_size, f"{host}:{port}"),
                cwd=image.task_root,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=[theirs.fileno(), api.fileno()],
            )
        kind, body, _ = self._answer()
        if kind != "ready":
            raise StatusErrorException("Environment startup failed", payload=body)

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Runs one event through the function; blocks until it has answered, failed or been ended.

        Raises:
            LambdaRuntimeException: The environment itself is gone.
            CancelledError: The environment was stopped meanwhile.
        """
        if self.process is None or self.process.poll() is not None:  # killed from outside
            self._close()
            self.start(self.variables)
        code_now = self.code.current()
        header = {
            "request_id": payload["invoke-id"],
            "arn": payload["invoked-function-arn"],
            "trace_id": payload["trace-id"],
            "restart": code_now != self.code_seen,
        }
        self.code_seen = code_now
        self._send(header, payload["payload"].encode())
        kind, body, log = self._answer()
        return InvocationResult(payload["invoke-id"], body, is_error=kind != "response", logs=log)

    def stop(self) -> None:
        """Ends the environment; an invocation in flight is cancelled."""
        self.stopped = True
        if self.control is None:
            return
        with contextlib.suppress(OSError):  # it has gone by itself
            self.control.shutdown(
                socket.SHUT_RDWR
            )  # end of file is the init's signal to end itself and the function
        if self.process:
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._close()

    def _close(self) -> None:
        assert self.control
        self.frames.close()
        self.control.close()

    def _send(self, header: dict[str, Any], body: bytes) -> None:
        assert self.control
        head = json.dumps(header).encode()
        try:
            self.control.sendall(len(head).to_bytes(4) + len(body).to_bytes(4) + head + body)
        except BrokenPipeError as error:
            raise LambdaRuntimeException(ENDED) from error

    def _answer(self) -> tuple[str, bytes, str]:
        """Next frame that is not a log, and the tail of the log that came before it."""
        tail = ""
        while True:
            lengths = self._receive(8)
            kind = json.loads(self._receive(int.from_bytes(lengths[:4])))["kind"]
            body = self._receive(int.from_bytes(lengths[4:]))
            if kind != "log":
                return kind, body, tail
            text = body.decode(errors="replace")
            self.log.write(text)
            tail = (tail + text)[-TAIL_CHARACTERS:]

    def _receive(self, length: int) -> bytes:
        data = self.frames.read(length)
        if len(data) < length:
            raise CancelledError if self.stopped else LambdaRuntimeException(ENDED)
        return data

    def get_address(self) -> str:
        """Functions run on this very host."""
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        """Where functions reach LocalStack."""
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        """There is none: the init has an inherited socket."""
        return ""

    def get_logs(self) -> str:
        """Nothing beyond what has been written already."""
        return ""

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """Refuses a function that can't run here when it is deployed, not when it is first called."""
        image_of(function_version)

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """A version leaves nothing behind."""
