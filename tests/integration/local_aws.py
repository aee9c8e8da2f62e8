"""A LocalStack of the tests' own, with the process executor and the front door in it."""

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from enms_local.stack import certificates

CHECKOUT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = CHECKOUT / ".enms" / "env"
PROBE = Path(__file__).with_name("probe")
REGION = "eu-central-1"
ACCOUNT = "000000000000"
API_NAME = "tested-api"
START_SECONDS = 120


@dataclass(frozen=True)
class Answer:
    """What an invocation returned: its payload, its error's class, the tail of its log."""

    payload: Any
    error_type: str | None
    log_tail: str


@dataclass
class LocalAws:
    """One LocalStack process, its ports and folders."""

    folder: Path
    ports: list[int] = field(default_factory=lambda: _free_ports(3))

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        self.certificate, _ = certificates.ensure(self.folder / "tls", "127.0.0.1", datetime.now(UTC))
        image = {
            "python": str(ENVIRONMENTS / "functions" / "bin" / "python"),
            "task_root": str(self.folder / "functions" / "{name}"),
            "python_path": [str(self.folder / "shared")],
        }
        config = self.folder / "executor.json"
        config.write_text(json.dumps({"images": {"tests/*": image}, "kept_paths": [str(CHECKOUT)]}))
        (self.folder / "shared").mkdir(exist_ok=True)
        (self.folder / "tmp").mkdir(exist_ok=True)
        aws, http, https = self.ports
        with (self.folder / "localstack.log").open("ab") as log:
            self.process = subprocess.Popen(
                [ENVIRONMENTS / "localstack" / "bin" / "python", "-m", "localstack.runtime.main"],
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": str(self.folder),
                    "GATEWAY_SERVER": "front_door",
                    "GATEWAY_LISTEN": f"127.0.0.1:{aws}",
                    "LOCALSTACK_HOST": f"127.0.0.1:{aws}",
                    "FRONT_DOOR_LISTEN": f"127.0.0.1:{http}",
                    "FRONT_DOOR_TLS_LISTEN": f"127.0.0.1:{https}",
                    "FRONT_DOOR_CERTIFICATE": str(self.certificate.certificate),
                    "FRONT_DOOR_KEY": str(self.certificate.key),
                    "FRONT_DOOR_API": API_NAME,
                    "FRONT_DOOR_PREFIX": "/api/analytics",
                    "LAMBDA_RUNTIME_EXECUTOR": "process",
                    "PROCESS_EXECUTOR_CONFIG": str(config),
                    "PROCESS_EXECUTOR_LOG_DIR": str(self.folder / "logs"),
                    "FILESYSTEM_ROOT": str(self.folder / "filesystem"),
                    "TMPDIR": str(self.folder / "tmp"),
                    "OBJECTS_DIR": str(self.folder / "objects"),
                    "OBJECTS_BUCKETS": "kept-*",
                    "SECRET_OF_LOCALSTACK": "must not reach a function",
                    "SKIP_SSL_CERT_DOWNLOAD": "1",
                    "DISABLE_EVENTS": "1",
                    "DNS_ADDRESS": "0",
                    "USE_SSL": "0",
                    "EAGER_SERVICE_LOADING": "0",
                    "DOCKER_HOST": "unix:///no-container-engine.sock",
                },
                stdout=log,
                stderr=log,
            )
        wait_until(self._answers, START_SECONDS)

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.folder / "localstack.log").read_text()[-2000:]
        return "Ready." in (self.folder / "localstack.log").read_text()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Ends it."""
        self.process.send_signal(how)
        self.process.wait(30)

    @property
    def public_url(self) -> str:
        """Where the front door answers."""
        return f"http://127.0.0.1:{self.ports[1]}"

    @property
    def aws_url(self) -> str:
        """Where AWS's API answers."""
        return f"http://127.0.0.1:{self.ports[0]}"

    def client(self, service: str) -> Any:
        """A client that does not repeat what failed."""
        return boto3.client(
            service,
            endpoint_url=self.aws_url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=120, max_pool_connections=30),
        )

    def add_function(
        self,
        name: str,
        *,
        memory_mb: int = 256,
        timeout_seconds: int = 10,
        image: str = "tests/probe:1",
        variables: Mapping[str, str] | None = None,
    ) -> str:
        """Deploys an image function; returns its ARN."""
        functions = self.client("lambda")
        arn: str = functions.create_function(
            FunctionName=name,
            PackageType="Image",
            Code={"ImageUri": image},
            ImageConfig={"Command": ["app.handler"]},
            Role=f"arn:aws:iam::{ACCOUNT}:role/tested",
            MemorySize=memory_mb,
            Timeout=timeout_seconds,
            Environment={"Variables": dict(variables or {})},
        )["FunctionArn"]
        wait_until(lambda: functions.get_function(FunctionName=name)["Configuration"]["State"] != "Pending")
        return arn

    def call(self, name: str, action: str, **arguments: Any) -> Answer:
        """Calls the probe and waits for its answer."""
        answer = self.client("lambda").invoke(
            FunctionName=name, LogType="Tail", Payload=json.dumps({"action": action, **arguments})
        )
        payload = json.loads(answer["Payload"].read())
        error = payload.get("errorType") if "FunctionError" in answer else None
        return Answer(payload, error, base64.b64decode(answer["LogResult"]).decode(errors="replace"))

    def logged(self, name: str) -> list[str]:
        """The messages in a function's CloudWatch log group."""
        logs, messages, token = self.client("logs"), [], None
        group = f"/aws/lambda/{name}"
        for stream in logs.describe_log_streams(logGroupName=group)["logStreams"]:
            token = None
            while True:
                more = {"nextToken": token} if token else {}
                page = logs.get_log_events(
                    logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True, **more
                )
                if not page["events"]:
                    break
                messages += [event["message"].rstrip("\n") for event in page["events"]]
                token = page["nextForwardToken"]
        return messages

    def log_file(self, name: str) -> str:
        """What a function's log file holds."""
        return (self.folder / "logs" / f"{name}.log").read_text()


@contextmanager
def local_aws_of_own(end_by: signal.Signals = signal.SIGTERM) -> Iterator[LocalAws]:
    """A running LocalStack in a folder with the probe; it lies under /tmp, as a checkout may."""
    folder = Path(tempfile.mkdtemp(prefix="enms-aws-", dir="/tmp"))
    shutil.copytree(PROBE, folder / "functions" / "probe")
    aws = LocalAws(folder)
    aws.start()
    try:
        yield aws
    finally:
        if aws.process.poll() is None:
            aws.stop(end_by)
        shutil.rmtree(folder)


def wait_until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """Waits until a condition holds; returns its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{condition} did not become true within {seconds} s"
        time.sleep(0.02)
    return value


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports
