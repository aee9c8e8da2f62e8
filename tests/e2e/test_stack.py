"""The life of the local cloud: up, up again, killed, down, and what it says when something is in the way."""

import os
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import urllib.error
import urllib.request

import psutil
import psycopg2
import pytest
from e2e.running_stack import Stack

from enms.artifacts import ModelStore
from enms.errors import ConflictError
from enms_local.stack.objects import with_models
from enms_local.stack.settings import StackSettings

API = "/api/analytics"


def test_up_says_each_step_with_its_time_and_ends_with_addresses(
    fresh_stack: Stack, first_output: str
) -> None:
    steps, _, rest = first_output.partition("\nUp in ")

    for name in (
        "PostgreSQL",
        "Migrations",
        "Demo factory",
        "Feed",
        "Local AWS",
        "Deployment",
        "Certificate",
        "First KPI",
    ):
        assert re.search(rf"^{name} .*\(\d+\.\d s\)$", steps, re.MULTILINE), name
    address = f"http://localhost:{fresh_stack.settings['ENMS_HTTP_PORT']}{API}"
    assert f"{address}/ui/" in rest
    assert f"{address}/docs" in rest


def test_the_printed_calls_answer(stack: Stack, first_output: str) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    calls = [shlex.split(line) for line in first_output.splitlines() if line.strip().startswith("curl ")]

    answers = [
        subprocess.run([*call, "-sS"], capture_output=True, text=True, check=True).stdout for call in calls
    ]

    assert len(calls) == 2
    assert answers[0] == answers[1]
    assert '"peak_demand"' in answers[0]


def test_kpis_of_a_demo_machine(stack: Stack) -> None:
    answer = stack.a_kpi_answer()

    assert answer["time_period"]["hours"] in (23.0, 24.0, 25.0)
    assert answer["kpis"]["peak_demand"]["value"] > 0
    assert 0 < answer["kpis"]["load_factor"]["value"] <= 1


def test_https_is_trusted_through_the_printed_authority_only(stack: Stack) -> None:
    assert stack.get(f"{API}/health", scheme="https").body["status"] == "healthy"

    with pytest.raises(urllib.error.URLError) as error:
        urllib.request.urlopen(
            f"https://localhost:{stack.settings['ENMS_HTTPS_PORT']}{API}/health",
            context=ssl.create_default_context(),
        )
    assert isinstance(error.value.reason, ssl.SSLCertVerificationError)


def test_the_public_port_serves_nothing_but_the_api(stack: Stack) -> None:
    for path in ("/_localstack/health", "/_aws/execute-api", "/api", "/2015-03-31/functions"):
        answer = stack.get(path)
        assert (answer.status, answer.media_type) == (404, "application/problem+json"), path


def test_up_again_keeps_what_runs(stack: Stack) -> None:
    before = {name: part["pid"] for name, part in stack.parts().items()}

    output = stack.enms("up")

    assert {name: part["pid"] for name, part in stack.parts().items()} == before
    assert "template.yaml is deployed, unchanged" in output


def test_two_at_once_come_to_the_same_stack(stack: Stack) -> None:
    both = [stack.begin("up") for _ in range(2)]
    ends = []
    for process in both:
        with process:
            ends.append((*process.communicate(timeout=120), process.returncode))

    assert [returncode for *_, returncode in ends] == [0, 0], ends
    assert {part["state"] for part in stack.parts().values()} == {"running"}


@pytest.mark.parametrize("parts", [("postgres", "feed"), ("localstack",)])
def test_up_after_parts_were_killed(stack: Stack, parts: tuple[str, ...]) -> None:
    answer = stack.a_kpi_answer()
    killed = [stack.process(part) for part in parts]
    for process in killed:
        process.kill()
    psutil.wait_procs(killed, timeout=10)

    stack.enms("up")

    assert stack.a_kpi_answer()["kpis"] == answer["kpis"]
    assert all(each["state"] == "running" for each in stack.parts().values())


def test_up_after_a_restart_of_the_machine_gave_our_ids_to_others(stack: Stack) -> None:
    answer = stack.a_kpi_answer()
    everything = stack.processes()
    for process in everything:
        process.kill()
    psutil.wait_procs(everything, timeout=10)
    stranger = subprocess.Popen(["sleep", "600"])
    pid_file = stack.state_dir / "postgres" / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
    for name in ("localstack", "feed"):
        record = stack.state_dir / "run" / f"{name}.json"
        record.write_text(re.sub(r'"pid": \d+', f'"pid": {stranger.pid}', record.read_text()))

    stack.enms("up")

    assert stack.a_kpi_answer()["kpis"] == answer["kpis"]
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


@pytest.mark.usefixtures("new_aws_clients")
def test_models_outlive_a_killed_cloud(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in with_models({}, StackSettings.load(stack.settings)).items():
        monkeypatch.setenv(name, value)
    keys = [f"baselines/{number}/electrical/v000001.json" for number in range(20)]
    hashes = [ModelStore(os.environ["MODELS_BUCKET"]).put(key, key.encode() * 500) for key in keys]
    cloud = stack.process("localstack")
    cloud.kill()
    psutil.wait_procs([cloud], timeout=10)

    output = stack.enms("up")

    assert re.search(r"^Models +\d+ objects put back", output, re.MULTILINE)
    store = ModelStore(os.environ["MODELS_BUCKET"])
    assert [store.get(key, sha256) for key, sha256 in zip(keys, hashes, strict=True)] == [
        key.encode() * 500 for key in keys
    ]
    with pytest.raises(ConflictError):
        store.put(keys[0], b"other bytes")


def test_a_part_that_hangs_is_replaced(stack: Stack) -> None:
    hung = stack.process("localstack")
    hung.suspend()

    assert stack.parts()["localstack"]["state"] == "not answering"
    stack.enms("up")

    assert stack.process("localstack").pid != hung.pid
    assert stack.api("health")["status"] == "healthy"


def test_status_shows_parts_addresses_memory_and_age(stack: Stack) -> None:
    for name, part in stack.parts().items():
        assert part["state"] == "running", name
        assert part["memory_mb"] > 1
        assert part["age_seconds"] >= 0
    assert stack.settings["ENMS_HTTP_PORT"] in stack.enms("status")


def test_logs_of_functions_carry_the_requests_id(stack: Stack) -> None:
    problem = stack.get(f"{API}/api/v1/kpi/all?machine_id=nonsense")

    assert problem.status == 422
    assert problem.body["request_id"] in stack.enms("logs", "kpi")


def test_editing_a_function_shows_at_the_next_call(stack: Stack) -> None:
    source = stack.checkout / "shared" / "enms" / "services" / "health.py"
    code = source.read_text()
    stack.api("health")

    source.write_text(code.replace('"healthy"', '"healthy as edited"', 1))
    while stack.get(f"{API}/health").body["status"] != "healthy as edited":
        pass
    source.write_text(code)
    while stack.get(f"{API}/health").body["status"] != "healthy":
        pass


def test_down_leaves_no_process_and_no_open_port(stack: Stack) -> None:
    stack.enms("down")

    assert stack.processes() == []
    for name, port in stack.settings.items():
        if name.endswith("_PORT"):
            with socket.socket() as probe:
                assert probe.connect_ex(("127.0.0.1", int(port))) != 0, name
    assert all(part["state"] == "stopped" for part in stack.parts().values())
    assert "didn't run" in stack.enms("down")


# From here on each test begins with whatever the one before left, to be quicker.


def test_a_taken_port_is_named_with_its_holder_and_its_setting(fresh_stack: Stack) -> None:
    port = fresh_stack.settings["ENMS_HTTP_PORT"]
    with socket.create_server(("127.0.0.1", int(port))):
        fresh_stack.enms("down")
        done = fresh_stack.run("up")

    assert done.returncode == 2
    assert f"Port {port} is taken" in done.stderr
    assert f"(process {os.getpid()})" in done.stderr
    assert "ENMS_HTTP_PORT" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_on_all_addresses_another_host_reaches_the_api_and_nothing_else(fresh_stack: Stack) -> None:
    address = a_far_address()
    everywhere = fresh_stack.with_settings(ENMS_LISTEN="0.0.0.0")

    everywhere.enms("up")

    assert everywhere.get(f"{API}/health", host=address).body["status"] == "healthy"
    assert everywhere.get(f"{API}/health", host=address, scheme="https").body["status"] == "healthy"
    for name in ("ENMS_AWS_PORT", "ENMS_DATABASE_PORT"):
        with socket.socket() as probe:
            assert probe.connect_ex((address, int(fresh_stack.settings[name]))) != 0, name


def test_other_settings_move_a_running_stack_to_an_existing_database_that_stays_as_it_is(
    fresh_stack: Stack, unused_port: str, empty_database_url: str
) -> None:
    there = fresh_stack.with_settings(ENMS_HTTP_PORT=unused_port, ENMS_DATABASE_URL=empty_database_url)

    output = there.enms("up")

    assert "nothing is changed there" in output
    assert objects_in(empty_database_url) == 0
    assert there.parts()["postgres"]["state"] == "elsewhere"
    assert there.parts()["feed"]["state"] == "stopped"
    with pytest.raises(urllib.error.URLError):
        fresh_stack.get(f"{API}/health")

    assert "Nothing was changed" in there.enms("migrate")
    assert objects_in(empty_database_url) == 0

    assert "Applied." in there.enms("migrate", "--apply")
    assert objects_in(empty_database_url) > 0
    assert there.enms("migrate").strip() == "The database is up to date."
    assert there.api("health")["status"] == "healthy"
    assert there.api("api/v1/machines")["machines"] == []


def objects_in(url: str) -> int:
    """How many tables, views and indexes of its own a database has."""
    connection = psycopg2.connect(url)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_class WHERE relnamespace::regnamespace::text"
            " NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
        )
        row = cursor.fetchone()
    connection.close()
    assert row is not None
    return int(row[0])


def a_far_address() -> str:
    """An address of this machine that isn't loopback."""
    for card in psutil.net_if_addrs().values():
        for address in card:
            if address.family == socket.AF_INET and not address.address.startswith("127."):
                return address.address
    pytest.skip("this machine has no address but loopback")
