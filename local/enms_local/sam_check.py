"""`make sam-check`: functions as containers, built and invoked by SAM, answer as their routes do.

The container asks the very database that the running stack uses. That one listens on loopback, which no
container reaches: for the time of the check a relay listens on the gateway of the containers' network.
"""

import contextlib
import json
import os
import select
import shutil
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from enms.errors import EnmsError, UnavailableError
from enms_local.stack.cloud import ENVIRONMENTS
from enms_local.stack.database import DATABASE, Credentials, credentials_of, own_server
from enms_local.stack.settings import CHECKOUT, StackSettings

EVENT = CHECKOUT / "events" / "kpi-all.json"
# Functions that answer requests, with a path that takes the sample event's query, and what it needs besides.
ROUTES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "KpiFunction": ("/api/v1/kpi/all", {}),
    "BaselineFunction": ("/api/v1/baseline/drivers", {}),
    "AnomalyFunction": ("/api/v1/anomaly/summary", {}),
    "ForecastFunction": ("/api/v1/forecast/accuracy", {"horizon": "24h"}),
}
DECLARE_VARIABLE = CHECKOUT / "local" / "sam" / "declare_variable.py"
SAM_PYTHON = ENVIRONMENTS / "sam" / "bin" / "python"
DATABASE_VARIABLE = "ENMS_DATABASE_URL"
_SUBJECTS = ("machine_id", "factory_id")
_RELAYED_BYTES = 65_536
_SHOWN_CHARACTERS = 3_000


def main() -> int:
    """Runs the check and says how it went; 1 when the answers differ or a step fails."""
    try:
        check(StackSettings.load())
    except EnmsError as error:
        print(f"sam-check: {error.message}", file=sys.stderr)
        return 1
    return 0


def check(settings: StackSettings) -> None:
    """Validates the template, builds the image, invokes it, and compares.

    Raises:
        UnavailableError: There is no container engine, no running stack, or one of SAM's steps failed.
        EnmsError: The answers differ; the message lists where.
    """
    engine = _find_engine()
    query = _query_of_first_machine(settings)
    build_dir = settings.state_dir / "sam" / "build"
    template = build_dir / "template.yaml"
    _step("sam validate --lint", ["validate", "--lint"])
    _step("sam build", ["build", "--build-dir", str(build_dir)])
    for function in ROUTES:
        _run([str(SAM_PYTHON), str(DECLARE_VARIABLE), str(template), function, DATABASE_VARIABLE])
    url = settings.existing_database_url or own_server(settings).tcp_url(DATABASE)
    with _relay(engine, credentials_of(url)) as relayed_url:
        for function, (path, more) in ROUTES.items():
            asked = {**query, **more}
            container = _body_of(_invoked(template, function, _event(asked, path), relayed_url))
            _compare(container, _get(f"{settings.http_url}{path}?{urlencode(asked)}"))
            print(f"\nThe container's answer:\n{json.dumps(container, indent=2)}")


def _invoked(template: Path, function: str, event: Mapping[str, Any], database_url: str) -> str:
    """What SAM prints of a function that it calls in a container."""
    with tempfile.TemporaryDirectory(dir=template.parent) as folder:
        event_file, variables = Path(folder) / "event.json", Path(folder) / "variables.json"
        event_file.write_text(json.dumps(event))
        values = {DATABASE_VARIABLE: database_url, "DATABASE_SECRET_NAME": ""}
        variables.write_text(json.dumps({function: values}))
        files = ["--template", str(template), "--event", str(event_file), "--env-vars", str(variables)]
        return _step(
            f"sam local invoke {function}", ["local", "invoke", function, *files, "--skip-pull-image"]
        )


def _find_engine() -> str:
    """The client of a container engine that answers."""
    client = shutil.which("docker")
    if client and subprocess.run([client, "info"], capture_output=True, check=False).returncode == 0:
        return client
    raise UnavailableError(
        "No container engine answers: start Docker (`docker info` has to work) and run again. "
        "Everything but this check works without one."
    )


def _query_of_first_machine(settings: StackSettings) -> Mapping[str, str]:
    """The sample event's query, for a machine of the running stack."""
    try:
        machines = _get(f"{settings.http_url}/api/v1/machines")["machines"]
    except urllib.error.URLError as error:
        raise UnavailableError(
            f"{settings.http_url} doesn't answer ({error}): run `make up` first."
        ) from error
    if not machines:
        raise UnavailableError("The database has no machine: add one and import readings, or load the demo.")
    sample: dict[str, str] = json.loads(EVENT.read_text())["queryStringParameters"]
    yesterday = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86_400))
    kept = {name: value for name, value in sample.items() if name not in _SUBJECTS}
    return {**kept, "machine_id": machines[0]["id"], "start": yesterday, "end": yesterday}


def _event(query: Mapping[str, str], path: str) -> dict[str, Any]:
    """The sample event with another query and path."""
    sample: dict[str, Any] = json.loads(EVENT.read_text())
    several = {name: [value] for name, value in query.items()}
    return {
        **sample,
        "path": path,
        "resource": path,
        "queryStringParameters": dict(query),
        "multiValueQueryStringParameters": several,
    }


@contextlib.contextmanager
def _relay(engine: str, credentials: Credentials) -> Iterator[str]:
    """A way from containers to the database; gives the database's URL on that way."""
    network = ["network", "inspect", "bridge", "--format", "{{json (index .IPAM.Config 0)}}"]
    config = json.loads(_run([engine, *network]))
    # Some engines tell the network only; its first address is then the gateway's.
    gateway = config.get("Gateway") or str(next(ip_network(config["Subnet"]).hosts()))

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((credentials.host, credentials.port)) as database:
                _pass_on(self.request, database)

    try:
        server = socketserver.ThreadingTCPServer((gateway, 0), Relay)
    except OSError as error:
        raise UnavailableError(
            f"The container network's gateway {gateway} is not an address of this machine."
        ) from error
    with server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        account = f"{quote(credentials.username, safe='')}:{quote(credentials.password, safe='')}"
        where = f"{gateway}:{server.server_address[1]}/{quote(credentials.dbname, safe='')}"
        yield f"postgresql://{account}@{where}"
        server.shutdown()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    """Carries bytes both ways until either side ends."""
    ways = {one: other, other: one}
    while True:
        for source in select.select(list(ways), [], [])[0]:
            part = source.recv(_RELAYED_BYTES)
            if not part:
                return
            ways[source].sendall(part)


def _step(what: str, arguments: list[str]) -> str:
    """Runs one of SAM's commands and says how long it took; gives its standard output."""
    print(f"{what} …", flush=True)
    started = time.monotonic()
    environment = {
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": "eu-central-1",
        # Nothing here is asked of AWS: without these the search for credentials costs seconds.
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
    }
    printed = _run([str(SAM_PYTHON.with_name("sam")), *arguments], environment)
    print(f"{what}: done in {time.monotonic() - started:.0f} s", flush=True)
    return printed


def _run(command: list[str], environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = f"{done.stdout}{done.stderr}"[-_SHOWN_CHARACTERS:]
        raise UnavailableError(f"`{' '.join(map(str, command[:3]))}` failed:\n{said}")
    return done.stdout


def _body_of(printed: str) -> Any:
    """The body of the function's answer, which SAM prints as the last line."""
    answer = json.loads(printed.strip().splitlines()[-1])
    if answer.get("statusCode") != 200:
        raise UnavailableError(f"The container answered {json.dumps(answer)[:_SHOWN_CHARACTERS]}")
    return json.loads(answer["body"])


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def _compare(container: Any, route: Any) -> None:
    """Compares field by field.

    Raises:
        EnmsError: A field differs.
    """
    ours, theirs = dict(_fields(container)), dict(_fields(route))
    differences = [
        f"{name}: {ours.get(name)!r} by the container, {theirs.get(name)!r} by the route"
        for name in sorted(ours.keys() | theirs.keys())
        if name not in ours or name not in theirs or ours[name] != theirs[name]
    ]
    if differences:
        raise EnmsError("The answers differ:\n" + "\n".join(differences))
    print(f"The container's answer equals the HTTP route's in all {len(ours)} fields.")


def _fields(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of a JSON value, by their path."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _fields(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        yield f"{name}[]", len(value)
        for number, inner in enumerate(value):
            yield from _fields(inner, f"{name}[{number}]")
    else:
        yield name, value


if __name__ == "__main__":
    sys.exit(main())
