"""Functions as processes on LocalStack: what they may rely on, and what happens when they go wrong."""

import json
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from botocore.exceptions import ClientError
from integration.local_aws import wait_until


@pytest.fixture(scope="module")
def probe(local_aws) -> str:
    """The probe, with 256 MB and two seconds."""
    local_aws.add_function("probe", timeout_seconds=2)
    return "probe"


@pytest.fixture(scope="module")
def patient_probe(local_aws) -> str:
    """The probe, with 256 MB and a minute."""
    local_aws.add_function("patient-probe", timeout_seconds=60)
    return "patient-probe"


@pytest.fixture
def own_probe(local_aws, request) -> Iterator[tuple[str, Path]]:
    """A probe whose code the test may change: its name and its folder."""
    name = request.node.name.replace("_", "-")[:60]
    folder = local_aws.folder / "functions" / name
    shutil.copytree(local_aws.folder / "functions" / "probe", folder)
    yield name, folder
    shutil.rmtree(folder)


def test_an_environment_serves_one_call_after_another(local_aws, probe):
    first, second = (local_aws.call(probe, "pid") for _ in range(2))
    assert first.payload == second.payload


def test_an_exception_tells_its_class_and_the_environment_lives_on(local_aws, probe):
    before = local_aws.call(probe, "pid").payload
    failed = local_aws.call(probe, "fail", message="gone")
    assert failed.error_type == "KeyError"
    assert failed.payload["errorMessage"] == "'gone'"
    assert "raise KeyError" in failed.log_tail
    assert local_aws.call(probe, "pid").payload == before


@pytest.mark.parametrize(
    ("action", "arguments", "why"),
    [
        ("leave", {"code": 3}, "exit status 3"),
        ("crash", {}, "signal: segmentation fault"),
    ],
)
def test_a_process_that_ends_is_an_exit_error_and_the_next_call_works(
    local_aws, probe, action, arguments, why
):
    failed = local_aws.call(probe, action, **arguments)
    assert failed.error_type == "Runtime.ExitError"
    assert failed.payload["errorMessage"].endswith(f"Error: Runtime exited with error: {why}")
    assert "Status: error\tError Type: Runtime.ExitError" in failed.log_tail
    assert local_aws.call(probe, "version").payload == 1


def test_a_process_that_just_leaves_is_an_exit_error(local_aws, probe):
    failed = local_aws.call(probe, "leave", code=0)
    assert failed.error_type == "Runtime.ExitError"
    assert "Runtime exited without providing a reason" in failed.payload["errorMessage"]


def test_an_overrun_is_ended_with_all_that_it_started(local_aws, probe):
    failed = local_aws.call(probe, "sleep_with_child", seconds=30)
    assert failed.error_type == "Sandbox.Timedout"
    assert failed.payload["errorMessage"].endswith("Error: Task timed out after 2.00 seconds")
    assert "Task timed out after 2.00 seconds" in failed.log_tail
    assert "Status: timeout" in failed.log_tail
    child = int(failed.log_tail.split("child ")[1].split("\n")[0])
    wait_until(lambda: _status(child) == psutil.STATUS_ZOMBIE)
    assert local_aws.call(probe, "version").payload == 1


def _status(pid: int) -> str:
    """A process that has gone counts as one that waits to be gathered."""
    try:
        return psutil.Process(pid).status()
    except psutil.NoSuchProcess:
        return psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("fill_memory", {"megabytes": 400}),
        ("fill_memory", {"megabytes": 400, "swallow": True}),
        ("allocate", {"megabytes": 400}),
    ],
)
def test_a_memory_overrun_is_a_kill_and_the_next_call_works(local_aws, patient_probe, action, arguments):
    failed = local_aws.call(patient_probe, action, **arguments)
    assert failed.error_type == "Runtime.ExitError"
    assert failed.payload["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert "Max Memory Used: 256 MB" in failed.log_tail
    assert "Error Type: Runtime.OutOfMemory" in failed.log_tail
    assert local_aws.call(patient_probe, "version").payload == 1


@pytest.mark.parametrize("which", ["init", "function"])
def test_an_environment_killed_from_outside_is_replaced(local_aws, probe, which):
    function = psutil.Process(local_aws.call(probe, "pid").payload)
    victim = function.parent() if which == "init" else function
    victim.kill()
    psutil.wait_procs([function], timeout=10)
    again = local_aws.call(probe, "pid")
    assert again.error_type is None
    assert again.payload != function.pid


def test_memory_below_the_limit_is_granted(local_aws, patient_probe):
    filled = local_aws.call(patient_probe, "fill_memory", megabytes=150)
    assert filled.payload == 150
    peak_mb = int(filled.log_tail.split("Max Memory Used: ")[1].split()[0])
    assert 150 < peak_mb <= 256


def test_tmp_is_private_and_lasts_as_long_as_its_environment(local_aws, probe):
    assert local_aws.call(probe, "write_file", file="kept").payload is False
    assert local_aws.call(probe, "write_file", file="kept").payload is True
    local_aws.call(probe, "leave", code=1)
    assert local_aws.call(probe, "write_file", file="kept").payload is True, "as on AWS, a crash keeps it"
    assert not Path("/tmp/kept").exists()
    local_aws.add_function("other-probe")
    assert local_aws.call("other-probe", "write_file", file="kept").payload is False
    assert local_aws.call(probe, "exists", path=str(local_aws.folder / "functions")).payload, (
        "code under /tmp"
    )


def test_the_environment_variables_are_lambdas_and_none_of_localstacks_process(local_aws, probe):
    variables = local_aws.call(probe, "environment").payload
    assert variables["AWS_LAMBDA_FUNCTION_NAME"] == probe
    assert variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert variables["AWS_REGION"] == "eu-central-1"
    assert variables["AWS_ENDPOINT_URL"] == f"http://127.0.0.1:{local_aws.ports[0]}"
    assert variables["LAMBDA_TASK_ROOT"].endswith("/functions/probe")
    assert variables["OPENBLAS_NUM_THREADS"] == "1"
    leaked = {"SECRET_OF_LOCALSTACK", "PROCESS_EXECUTOR_CONFIG", "GATEWAY_LISTEN", "PYTHONDONTWRITEBYTECODE"}
    assert not leaked & variables.keys()
    assert not [name for name in variables if name.startswith("LOCALSTACK_")]


def test_the_functions_byte_code_is_kept(local_aws, probe):
    local_aws.call(probe, "version")
    assert list((local_aws.folder / "functions" / "probe" / "__pycache__").glob("app.*.pyc"))


def test_code_that_cannot_be_loaded_fails_each_call_until_it_is_mended(local_aws, own_probe):
    name, folder = own_probe
    code = (folder / "app.py").read_text()
    (folder / "app.py").write_text("import no_such_module\n")
    local_aws.add_function(name, image=f"tests/{name}:1")
    for _ in range(2):
        failed = local_aws.client("lambda").invoke(FunctionName=name, Payload="{}")
        assert json.loads(failed["Payload"].read())["errorType"] == "Runtime.ImportModuleError"
    assert "no_such_module" in local_aws.log_file(name)
    (folder / "app.py").write_text(code)
    assert local_aws.call(name, "version").payload == 1


def test_changed_code_runs_at_the_next_call(local_aws, own_probe):
    name, folder = own_probe
    local_aws.add_function(name, image=f"tests/{name}:1")
    assert local_aws.call(name, "version").payload == 1
    code = (folder / "app.py").read_text()
    (folder / "app.py").write_text(code.replace("VERSION = 1", "VERSION = 2"))
    _until_answer(local_aws, name, 2)
    (local_aws.folder / "shared" / "tested_shared.py").write_text("VALUE = 3\n")
    (folder / "app.py").write_text(code.replace("VERSION = 1", "from tested_shared import VALUE as VERSION"))
    _until_answer(local_aws, name, 3)
    (local_aws.folder / "shared" / "tested_shared.py").write_text("VALUE = 44\n")
    _until_answer(local_aws, name, 44)


def _until_answer(local_aws, name, expected):
    wait_until(lambda: local_aws.call(name, "version").payload == expected, seconds=10)


def test_an_image_that_is_not_mapped_is_refused_when_it_is_deployed(local_aws):
    local_aws.add_function("unknown-image", image="elsewhere/thing:1")
    state = local_aws.client("lambda").get_function(FunctionName="unknown-image")["Configuration"]
    assert state["State"] == "Failed"
    assert "elsewhere/thing:1 is not mapped" in state["StateReason"]


def test_each_printed_line_is_kept_in_cloudwatch_and_in_the_file(local_aws):
    local_aws.add_function("printer")
    assert local_aws.call("printer", "print_lines", count=5000).error_type is None
    expected = [f"line {number} é" for number in range(5000)]
    messages = local_aws.logged("printer")
    assert [message for message in messages if message.startswith("line ")] == expected
    lines = local_aws.log_file("printer").splitlines()
    assert [line for line in lines if line.startswith("line ")] == expected
    for first_word in ("START", "END", "REPORT"):
        assert len([line for line in messages if line.startswith(f"{first_word} RequestId: ")]) == 1
        assert len([line for line in lines if line.startswith(f"{first_word} RequestId: ")]) == 1


def test_output_without_a_line_end_and_output_after_the_answer_are_kept(local_aws):
    local_aws.add_function("mumbler")
    assert "half a line!\nEND" in local_aws.call("mumbler", "print_piece", text="half a line").log_tail
    local_aws.call("mumbler", "print_after_answer", text="afterthought")
    local_aws.call("mumbler", "sleep", seconds=0.5)
    assert "afterthought" in local_aws.logged("mumbler")


def test_output_of_a_running_call_can_be_followed(local_aws):
    local_aws.add_function("talker")
    with ThreadPoolExecutor() as pool:
        running = pool.submit(local_aws.call, "talker", "sleep", seconds=3, before="on my way")
        log = local_aws.folder / "logs" / "talker.log"
        wait_until(lambda: log.exists() and "on my way" in log.read_text())
        assert not running.done()


def test_payloads_up_to_lambdas_limit(local_aws, probe):
    assert local_aws.call(probe, "length", text="x" * 6_000_000).payload == 6_000_000
    assert len(local_aws.call(probe, "text", length=6_000_000).payload) == 6_000_000
    too_large = local_aws.call(probe, "text", length=6_400_000)
    assert too_large.error_type == "Function.ResponseSizeTooLarge"
    assert local_aws.call(probe, "version").payload == 1


def test_reserved_concurrency_refuses_what_exceeds_it(local_aws):
    local_aws.add_function("single")
    functions = local_aws.client("lambda")
    functions.put_function_concurrency(FunctionName="single", ReservedConcurrentExecutions=1)
    mark = local_aws.folder / "single-runs"
    with ThreadPoolExecutor() as pool:
        running = pool.submit(local_aws.call, "single", "sleep", seconds=3, mark=str(mark))
        wait_until(mark.exists)
        with pytest.raises(ClientError) as refused:
            local_aws.call("single", "version")
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
        assert refused.value.response["Error"]["Code"] == "TooManyRequestsException"
        assert running.result().error_type is None
    assert local_aws.call("single", "version").payload == 1


def test_twenty_calls_at_once_run_in_environments_of_their_own(local_aws):
    local_aws.add_function("crowd", timeout_seconds=60)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: local_aws.call("crowd", "sleep", seconds=5), range(20)))
    assert not [answer for answer in answers if answer.error_type]
    assert len({answer.payload for answer in answers}) >= 10


def test_metrics_count_each_call_and_each_error(local_aws):
    local_aws.add_function("counted")
    for action in ("version", "fail", "version"):
        local_aws.call("counted", action)
    cloudwatch = local_aws.client("cloudwatch")

    def total(metric: str) -> float:
        now = datetime.now(UTC)
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=[{"Name": "FunctionName", "Value": "counted"}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(hours=1),
            Period=7200,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(point["Sum"] for point in points)

    wait_until(lambda: total("Invocations") == 3)
    assert (total("Invocations"), total("Errors")) == (3, 1)


def test_a_failed_asynchronous_call_goes_to_its_destination(local_aws):
    arn = local_aws.add_function("async-probe")
    queues, functions = local_aws.client("sqs"), local_aws.client("lambda")
    queue = queues.create_queue(QueueName="failed-calls")["QueueUrl"]
    queue_arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    functions.put_function_event_invoke_config(
        FunctionName="async-probe",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": queue_arn}},
    )
    functions.invoke(
        FunctionName="async-probe", InvocationType="Event", Payload=json.dumps({"action": "fail"})
    )
    messages = wait_until(lambda: queues.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages"))
    failed = json.loads(messages[0]["Body"])
    assert failed["requestContext"]["functionArn"].startswith(arn)
    assert failed["responsePayload"]["errorType"] == "KeyError"


def test_an_event_reaches_the_function_by_its_rule(local_aws):
    arn = local_aws.add_function("ruled")
    events = local_aws.client("events")
    events.put_rule(Name="tested", EventPattern=json.dumps({"source": ["tests"]}))
    told = json.dumps({"action": "print_piece", "text": "told by the rule"})
    events.put_targets(Rule="tested", Targets=[{"Id": "1", "Arn": arn, "Input": told}])
    events.put_events(Entries=[{"Source": "tests", "DetailType": "x", "Detail": "{}"}])
    log = local_aws.folder / "logs" / "ruled.log"
    wait_until(lambda: log.exists() and "told by the rule" in log.read_text())


def test_a_state_machine_catches_the_functions_error_by_its_class(local_aws):
    arn = local_aws.add_function("stepped")
    steps = local_aws.client("stepfunctions")
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": arn, "Payload": {"action": "fail"}},
        "Catch": [{"ErrorEquals": ["KeyError"], "Next": "Caught"}],
        "End": True,
    }
    definition = {"StartAt": "Call", "States": {"Call": task, "Caught": {"Type": "Pass", "End": True}}}
    role = "arn:aws:iam::000000000000:role/tested"
    machine = steps.create_state_machine(name="tested", definition=json.dumps(definition), roleArn=role)
    run = steps.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
    wait_until(lambda: steps.describe_execution(executionArn=run)["status"] != "RUNNING")
    state = steps.describe_execution(executionArn=run)
    assert state["status"] == "SUCCEEDED"
    assert json.loads(state["output"])["Error"] == "KeyError"


def test_nothing_outlives_a_killed_localstack(fresh_local_aws):
    fresh_local_aws.add_function("orphan", timeout_seconds=60)
    fresh_local_aws.call("orphan", "version")
    mark = fresh_local_aws.folder / "runs"
    descendants = psutil.Process(fresh_local_aws.process.pid).children(recursive=True)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(fresh_local_aws.call, "orphan", "sleep", seconds=50, mark=str(mark))
        wait_until(mark.exists)
        fresh_local_aws.stop(signal.SIGKILL)
        with pytest.raises(Exception, match="onnection"):
            running.result()
    assert len(descendants) == 2, "an init and a function"
    _, alive = psutil.wait_procs(descendants, timeout=10)
    assert not alive
