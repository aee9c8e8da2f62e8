"""The front door: what passes it unaltered, and what failures look like from outside."""

import json
import socket
import ssl
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest
from integration.local_aws import ACCOUNT, API_NAME, REGION, LocalAws, wait_until

PREFIX = "/api/analytics"
MINIMUM_COMPRESSION_BYTES = 1024


@pytest.fixture(scope="module")
def door(local_aws) -> LocalAws:
    """A LocalStack whose REST API leads `/{action}` and `/echo/…` to the probe."""
    local_aws.add_function("door-probe", timeout_seconds=2)
    deploy_api(local_aws, "door-probe")
    return local_aws


@pytest.fixture
def client(door):
    with httpx.Client(base_url=door.public_url, timeout=30) as client:
        yield client


def deploy_api(aws: LocalAws, function: str) -> None:
    """A REST API as the template makes it: binary media types, compression, proxy integrations, a stage."""
    gateway = aws.client("apigateway")
    made = gateway.create_rest_api(
        name=API_NAME, binaryMediaTypes=["*/*"], minimumCompressionSize=MINIMUM_COMPRESSION_BYTES
    )
    api = made["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    action = gateway.create_resource(restApiId=api, parentId=root, pathPart="{action}")["id"]
    echo = gateway.create_resource(restApiId=api, parentId=root, pathPart="echo")["id"]
    below = gateway.create_resource(restApiId=api, parentId=echo, pathPart="{proxy+}")["id"]
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"
    for resource in (action, echo, below):
        method = "ANY"
        gateway.put_method(restApiId=api, resourceId=resource, httpMethod=method, authorizationType="NONE")
        gateway.put_integration(
            restApiId=api,
            resourceId=resource,
            httpMethod=method,
            type="AWS_PROXY",
            integrationHttpMethod="POST",
            uri=f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations",
        )
    gateway.create_deployment(restApiId=api, stageName="main")


def assert_problem(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert str(uuid.UUID(problem["request_id"])) == answer.headers["x-amzn-requestid"]
    assert "localstack" not in answer.text.lower()
    assert "Traceback" not in answer.text


def test_path_query_headers_and_body_reach_the_function_unaltered(client):
    answer = client.request(
        "PATCH",
        f"{PREFIX}/echo/machines/a%20b/ü?start=2026-01-01T00%3A00%3A00%2B01%3A00&metric=a&metric=b&empty=",
        headers={"X-Own": "kept", "Authorization": "Bearer abc"},
        json={"name": "Ofen ü"},
    )
    seen = answer.json()
    assert answer.status_code == 200
    assert seen["path"] == "/echo/machines/a%20b/%C3%BC"
    assert seen["httpMethod"] == "PATCH"
    assert seen["query"] == {"start": ["2026-01-01T00:00:00+01:00"], "metric": ["a", "b"], "empty": [""]}
    assert json.loads(seen["body"]) == {"name": "Ofen ü"}
    assert seen["headers"]["X-Own"] == "kept"
    assert seen["headers"]["Authorization"] == "Bearer abc"
    assert seen["headers"]["X-Forwarded-Proto"] == "http"


def test_forms_and_binary_bodies_arrive_as_sent(client):
    form = client.post(f"{PREFIX}/echo", data={"a": "1 2", "b": ["x", "y"]}).json()
    assert (form["body"], form["isBase64Encoded"]) == ("a=1+2&b=x&b=y", False)
    binary = client.post(f"{PREFIX}/echo", content=bytes([0, 255, 128])).json()
    assert (binary["body"], binary["isBase64Encoded"]) == ("AP+A", True)
    chunked = client.post(f"{PREFIX}/echo", content=iter([b"one,", b"two"])).json()
    assert chunked["body"] == "one,two"


def test_answers_come_back_as_the_function_gave_them(client):
    image = client.get(f"{PREFIX}/binary", headers={"Accept": "text/html"})
    assert image.content == bytes(range(256))
    assert image.headers["content-type"] == "image/png"
    created = client.post(f"{PREFIX}/created")
    assert (created.status_code, created.headers["location"]) == (201, "/jobs/1")
    empty = client.delete(f"{PREFIX}/empty")
    assert (empty.status_code, empty.content) == (204, b"")
    head = client.head(f"{PREFIX}/binary")
    assert (head.status_code, head.content) == (200, b"")
    assert uuid.UUID(head.headers["x-amzn-requestid"])


@pytest.mark.parametrize("path", ["/fail", "/malformed", "/no-such-action"])
def test_a_failed_function_is_a_bad_gateway(client, path):
    answer = client.get(PREFIX + path)
    assert_problem(answer, 502)
    assert "KeyError" not in answer.text


def test_an_overrun_is_a_gateway_timeout(client):
    assert_problem(client.get(f"{PREFIX}/overrun"), 504)
    assert client.get(f"{PREFIX}/binary").status_code == 200


def test_a_route_that_the_api_does_not_know_is_not_found(client):
    assert_problem(client.get(f"{PREFIX}/binary/deeper"), 404)


def test_a_throttled_function_is_too_many_requests(door, client):
    functions = door.client("lambda")
    functions.put_function_concurrency(FunctionName="door-probe", ReservedConcurrentExecutions=0)
    try:
        throttled = client.get(f"{PREFIX}/binary")
    finally:
        functions.delete_function_concurrency(FunctionName="door-probe")
    assert_problem(throttled, 429)
    assert throttled.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/_localstack/health",
        "/_aws/execute-api/x/main/echo",
        "/health",
        f"{PREFIX}x/echo",
        f"{PREFIX}/../../_localstack/health",
    ],
)
def test_nothing_else_is_served_to_the_public(door, path):
    host, port = "127.0.0.1", door.ports[1]
    with socket.create_connection((host, port)) as connection:  # httpx would tidy the path
        connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {API_NAME}.execute-api.x\r\nConnection: close\r\n\r\n".encode()
        )
        head, _, body = b"".join(iter(lambda: connection.recv(65536), b"")).partition(b"\r\n\r\n")
    status = int(head.split()[1])
    assert status in (404, 502)
    assert json.loads(body)["status"] == status
    assert b"application/problem+json" in head


def test_aws_calls_are_refused_by_the_public_listener(client):
    headers = {"X-Amz-Target": "secretsmanager.ListSecrets", "Content-Type": "application/x-amz-json-1.1"}
    assert_problem(client.post("/x", headers=headers, content="{}"), 404)


def test_the_aws_api_listens_on_loopback_only(door):
    listeners = [
        c for c in psutil.Process(door.process.pid).net_connections() if c.status == psutil.CONN_LISTEN
    ]
    assert {c.laddr.ip for c in listeners if c.laddr.port in door.ports} == {"127.0.0.1"}
    assert {c.laddr.ip for c in listeners} == {"127.0.0.1"}


def test_the_root_leads_to_the_console(client):
    for path in ("/", PREFIX, f"{PREFIX}/"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (307, f"{PREFIX}/ui/")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_large_texts_are_compressed_for_those_who_take_it(client, method):
    plain = client.request(method, f"{PREFIX}/page?bytes=20000", headers={"Accept-Encoding": "identity"})
    answer = client.request(method, f"{PREFIX}/page?bytes=20000", headers={"Accept-Encoding": "br, gzip"})

    assert "content-encoding" not in plain.headers
    assert plain.headers["content-length"] == "20000"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert int(answer.headers["content-length"]) < 1000
    assert answer.num_bytes_downloaded == (0 if method == "HEAD" else int(answer.headers["content-length"]))
    assert answer.content == plain.content


@pytest.mark.parametrize(("size", "encoding"), [(1022, None), (1024, "gzip")])
def test_the_rest_api_says_from_which_size_on(client, size, encoding):
    answer = client.get(f"{PREFIX}/page?bytes={size}")

    assert answer.headers.get("content-encoding") == encoding
    assert len(answer.content) == size


def test_a_request_too_large_for_the_gateway_is_refused(client):
    assert_problem(client.post(f"{PREFIX}/echo", content=b"x" * (10 * 1024 * 1024 + 1)), 413)
    assert client.get(f"{PREFIX}/binary").status_code == 200


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\x16\x03\x01 x y z\r\n",
        b"GET / HTTP/7.5\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    ],
)
def test_what_is_no_http_is_told_so_and_does_no_harm(door, client, rubbish):
    with socket.create_connection(("127.0.0.1", door.ports[1])) as connection:
        connection.sendall(rubbish)
        head, _, body = b"".join(iter(lambda: connection.recv(65536), b"")).partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    assert 400 <= json.loads(body)["status"] < 600
    assert client.get(f"{PREFIX}/binary").status_code == 200


def test_a_client_that_leaves_within_its_request_does_no_harm(door, client):
    with socket.create_connection(("127.0.0.1", door.ports[1])) as connection:
        connection.sendall(b"POST /api/analytics/echo HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf")
    assert client.get(f"{PREFIX}/binary").status_code == 200


def test_https_shows_the_certificate_and_waits_for_no_silent_client(door):
    trust = ssl.create_default_context(cafile=str(door.certificate.authority))
    url = f"https://localhost:{door.ports[2]}{PREFIX}/echo"
    with socket.create_connection(("127.0.0.1", door.ports[2])), httpx.Client(verify=trust) as client:
        answer = client.get(url)
        assert answer.status_code == 200
        assert answer.json()["headers"]["X-Forwarded-Proto"] == "https"
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(url)


def test_many_clients_at_once_lose_nothing(door):
    calls, clients = 400, 10
    before = _reports(door)

    def work(_: int) -> list[int]:
        with httpx.Client(base_url=door.public_url, timeout=30) as client:
            return [client.get(f"{PREFIX}/echo").status_code for _ in range(calls // clients)]

    with ThreadPoolExecutor(clients) as pool:
        statuses = Counter(status for part in pool.map(work, range(clients)) for status in part)
    assert statuses == {200: calls}
    assert _reports(door) - before == calls
    in_file = door.log_file("door-probe").count("REPORT RequestId: ")
    assert in_file == _reports(door)


def _reports(door: LocalAws) -> int:
    return sum(message.startswith("REPORT RequestId: ") for message in door.logged("door-probe"))


def test_before_the_stack_is_deployed_the_service_is_unavailable(fresh_local_aws):
    with httpx.Client(base_url=fresh_local_aws.public_url, timeout=30) as client:
        answer = client.get(f"{PREFIX}/health")
        assert_problem(answer, 503)
        assert answer.headers["retry-after"] == "1"
        assert_problem(client.get("/nothing"), 404)


def test_deploying_anew_serves_the_latest_api(fresh_local_aws):
    fresh_local_aws.add_function("first")
    deploy_api(fresh_local_aws, "first")
    fresh_local_aws.add_function("second")
    deploy_api(fresh_local_aws, "second")
    answer = httpx.get(f"{fresh_local_aws.public_url}{PREFIX}/echo", timeout=30)
    assert answer.status_code == 200
    assert "REPORT" in wait_until(lambda: fresh_local_aws.log_file("second"))
