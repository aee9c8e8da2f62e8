"""The local AWS: one LocalStack process with our executor and front door in it."""

import hashlib
import json
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from enms.errors import UnavailableError
from enms_local.stack.certificates import files_in
from enms_local.stack.database import credentials_of, database_url
from enms_local.stack.ports import PortNeed, require_free
from enms_local.stack.processes import BackgroundProcess, python_environment, write_whole
from enms_local.stack.settings import CHECKOUT, StackSettings, bracketed

ENVIRONMENTS = CHECKOUT / ".enms" / "env"
FUNCTIONS_PYTHON = ENVIRONMENTS / "functions" / "bin" / "python"
LOCALSTACK_PYTHON = ENVIRONMENTS / "localstack" / "bin" / "python"
# Where LocalStack keeps what doesn't change, under its own root.
STATIC_LIBRARIES = Path("usr/lib/localstack")
STACK_NAME = "enms-analytics"
API_NAME = "enms-analytics"
STAGE = "main"
PUBLIC_PREFIX = "/api/analytics"
START_TIMEOUT_SECONDS = 120
DISCARD_TIMEOUT_SECONDS = 0.5
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class LocalCloud:
    """LocalStack as these settings want it.

    Attributes:
        settings: Ports, addresses and folders.
    """

    settings: StackSettings

    @property
    def process(self) -> BackgroundProcess:
        """The process, running or not."""
        return BackgroundProcess(
            "localstack", self.settings.run_dir, self.settings.logs_dir / "localstack.log"
        )

    def ensure_running(self) -> bool:
        """Starts LocalStack, or restarts one that doesn't answer or was started otherwise.

        Returns:
            True when it was started now, and holds nothing yet.

        Raises:
            ConflictError: One of its ports is taken.
            UnavailableError: It didn't come up.
        """
        environment, executor_config = self._environment(), self._executor_config()
        fingerprint = _fingerprint(environment, executor_config)
        if self.process.find_same(fingerprint) and self.is_healthy():
            return False
        self.discard()
        require_free(self._port_needs())
        write_whole(self._executor_file, executor_config)
        self._prepare_folders()
        self.process.start(
            [str(LOCALSTACK_PYTHON), "-m", "localstack.runtime.main"],
            {**python_environment(), **environment},
            fingerprint,
        )
        self._wait_until_healthy()
        return True

    def discard(self) -> None:
        """Ends LocalStack without waiting for it to tidy up: it keeps nothing that could be lost."""
        self.process.stop(timeout_seconds=DISCARD_TIMEOUT_SECONDS)
        shutil.rmtree(self._temporary, ignore_errors=True)

    def is_healthy(self) -> bool:
        """Whether LocalStack answers."""
        try:
            with urllib.request.urlopen(f"{self.settings.aws_url}/_localstack/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            if self.is_healthy():
                return
            if self.process.find() is None:
                raise UnavailableError(f"LocalStack ended while it started: {self._last_log_line()}")
            time.sleep(_POLL_SECONDS)
        raise UnavailableError(
            f"LocalStack didn't answer within {START_TIMEOUT_SECONDS} s: {self._last_log_line()} "
            "(`enms logs localstack` shows more)."
        )

    def _last_log_line(self) -> str:
        lines = self.process.log_file.read_text(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else "it logged nothing"

    def _port_needs(self) -> list[PortNeed]:
        settings = self.settings
        return [
            PortNeed("ENMS_AWS_PORT", "127.0.0.1", settings.enms_aws_port),
            PortNeed("ENMS_HTTP_PORT", settings.enms_listen, settings.enms_http_port),
            PortNeed("ENMS_HTTPS_PORT", settings.enms_listen, settings.enms_https_port),
        ]

    @property
    def _folder(self) -> Path:
        return self.settings.state_dir / "localstack"

    @property
    def _filesystem(self) -> Path:
        return self._folder / "filesystem"

    @property
    def _temporary(self) -> Path:
        return self._folder / "tmp"

    @property
    def _executor_file(self) -> Path:
        return self._folder / "executor.json"

    def _environment(self) -> dict[str, str]:
        settings, tls, host = (
            self.settings,
            files_in(self.settings.tls_dir),
            bracketed(self.settings.enms_listen),
        )
        return {
            "GATEWAY_SERVER": "front_door",
            "GATEWAY_LISTEN": f"127.0.0.1:{settings.enms_aws_port}",
            "LOCALSTACK_HOST": f"127.0.0.1:{settings.enms_aws_port}",
            "FRONT_DOOR_LISTEN": f"{host}:{settings.enms_http_port}",
            "FRONT_DOOR_TLS_LISTEN": f"{host}:{settings.enms_https_port}",
            "FRONT_DOOR_CERTIFICATE": str(tls.certificate),
            "FRONT_DOOR_KEY": str(tls.key),
            "FRONT_DOOR_API": API_NAME,
            "FRONT_DOOR_STAGE": STAGE,
            "FRONT_DOOR_PREFIX": PUBLIC_PREFIX,
            "LAMBDA_RUNTIME_EXECUTOR": "process",
            # On a busy machine the first start of a function may take longer than the 20 s that are allowed.
            "LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT": "60",
            # Environments that a burst of calls left are given back after two minutes without a call.
            "LAMBDA_KEEPALIVE_MS": "120000",
            "PROCESS_EXECUTOR_CONFIG": str(self._executor_file),
            "PROCESS_EXECUTOR_LOG_DIR": str(settings.logs_dir / "functions"),
            "OBJECTS_DIR": str(settings.objects_dir),
            "OBJECTS_BUCKETS": f"{STACK_NAME}-models-*",
            # Its files belong in our folder, also where the machine is itself a container.
            "OVERRIDE_IN_DOCKER": "0",
            "CONFIG_DIR": str(self._folder / "profiles"),
            "FILESYSTEM_ROOT": str(self._filesystem),
            "TMPDIR": str(self._temporary),
            "AWS_DEFAULT_REGION": settings.enms_region,
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            "DISABLE_EVENTS": "1",
            "DNS_ADDRESS": "0",
            "USE_SSL": "0",
            "EAGER_SERVICE_LOADING": "0",
            "LS_LOG": "warning",
            # Without a socket that doesn't exist it looks for a container engine and pulls images.
            "DOCKER_HOST": f"unix://{self._folder}/no-container-engine.sock",
        }

    def _prepare_folders(self) -> None:
        self._temporary.mkdir(parents=True, exist_ok=True)
        built_at_set_up = ENVIRONMENTS / "localstack" / "filesystem" / STATIC_LIBRARIES
        static_libraries = self._filesystem / STATIC_LIBRARIES
        if built_at_set_up.is_dir() and not static_libraries.exists():
            static_libraries.parent.mkdir(parents=True, exist_ok=True)
            static_libraries.unlink(missing_ok=True)  # of a checkout that has moved
            static_libraries.symlink_to(built_at_set_up)

    def _executor_config(self) -> str:
        """What the executor runs for each image, and what of /tmp functions see beside their own."""
        image = {
            "python": str(FUNCTIONS_PYTHON),
            "task_root": str(CHECKOUT / "functions" / "{name}"),
            "python_path": [str(CHECKOUT / "shared")],
        }
        kept = [str(CHECKOUT), str(self.settings.state_dir), str(ENVIRONMENTS.resolve())]
        database_host = credentials_of(database_url(self.settings)).host
        if database_host.startswith("/"):
            kept.append(database_host)
        return json.dumps({"images": {"*": image}, "kept_paths": kept}, indent=2)


def _fingerprint(environment: dict[str, str], executor_config: str) -> str:
    """Changes when a running LocalStack is outdated: other settings, other plugin code, other packages."""
    digest = hashlib.sha256(json.dumps([environment, executor_config], sort_keys=True).encode())
    for file in _plugin_files():
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _plugin_files() -> Iterable[Path]:
    project = CHECKOUT / "local" / "localstack"
    return [*sorted((project / "process_executor").glob("*.py")), project / "uv.lock"]
