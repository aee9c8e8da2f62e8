"""The front door: the public listeners, which lead to one stage of one REST API and to nothing else.

LocalStack's runtime server with two differences: the AWS API is bound to the address that it is told (the
original binds all interfaces), and there are public listeners, with and without TLS. What goes wrong behind
these is told as RFC 9457 problem details, and answers are compressed where the REST API says so.
"""

import json
import logging
import os
import socket
import socketserver
import ssl
import threading
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import unquote

from localstack.config import HostAndPort
from localstack.runtime.server.twisted import TwistedRuntimeServer
from localstack.utils.strings import long_uid
from rolo import Request, Response
from rolo.gateway import Gateway
from rolo.serving.twisted import TwistedGateway
from twisted.internet import reactor
from werkzeug.datastructures import Headers

from process_executor.compression import compress

LOG = logging.getLogger(__name__)
ERROR_TYPE = "x-amzn-ErrorType"
"""API Gateway sets it on answers of its own making: these become problem details."""
DETAILS = {
    HTTPStatus.BAD_REQUEST: "This is not an HTTP request.",
    HTTPStatus.NOT_FOUND: "There is nothing at this address.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The request is larger than the 10 MB that the service takes.",
    HTTPStatus.TOO_MANY_REQUESTS: "All environments of the function are busy; try again shortly.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The front door failed; its log has the cause under this request's id.",
    HTTPStatus.BAD_GATEWAY: "The function failed; its log has the cause.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The stack is not deployed yet; try again shortly.",
    HTTPStatus.GATEWAY_TIMEOUT: "The function did not answer within its time limit.",
}
IDLE_SECONDS = 65.0
"""How long a connection is kept without a request."""
MAX_REQUEST_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True)
class FrontDoorSettings:
    """What is served where, read from the environment variables ``FRONT_DOOR_*``."""

    listen: str | None
    tls_listen: str | None
    certificate: str | None
    key: str | None
    api: str
    stage: str
    prefix: str

    @classmethod
    def from_environment(cls) -> "FrontDoorSettings":
        """Reads the settings; without ``FRONT_DOOR_LISTEN`` there is no front door."""
        get = os.environ.get
        return cls(
            listen=get("FRONT_DOOR_LISTEN"),
            tls_listen=get("FRONT_DOOR_TLS_LISTEN"),
            certificate=get("FRONT_DOOR_CERTIFICATE"),
            key=get("FRONT_DOOR_KEY"),
            api=get("FRONT_DOOR_API", ""),
            stage=get("FRONT_DOOR_STAGE", "main"),
            prefix=get("FRONT_DOOR_PREFIX", "").rstrip("/"),
        )


class FrontDoorServer(TwistedRuntimeServer):
    """Chosen by ``GATEWAY_SERVER=front_door``."""

    def register(
        self, gateway: Gateway, listen: list[HostAndPort], ssl_creds: tuple[str, str] | None = None
    ) -> None:
        """Opens the AWS API's listeners and the public ones."""
        for address in listen:
            reactor.listenTCP(address.port, TwistedGateway(gateway), interface=address.host)
        settings = FrontDoorSettings.from_environment()
        front_door = FrontDoor(settings)
        if settings.listen:
            serve(PublicServer(settings.listen, front_door))
        if settings.tls_listen and settings.certificate:
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            tls.load_cert_chain(settings.certificate, settings.key)
            serve(PublicServer(settings.tls_listen, front_door, tls))


def serve(server: "PublicServer") -> None:
    """Serves until the process ends."""
    threading.Thread(
        target=server.serve_forever, name=f"front-door-{server.server_port}", daemon=True
    ).start()


class PublicServer(ThreadingHTTPServer):
    """A public listener: a thread per connection, in which its requests are answered from end to end."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: str, front_door: "FrontDoor", tls: ssl.SSLContext | None = None) -> None:
        host, _, port = address.rpartition(":")
        host = host.strip("[]")
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.front_door, self.tls = front_door, tls
        super().__init__((host, int(port)), PublicRequestHandler)

    def server_bind(self) -> None:
        """Binds without asking the name service for the host's name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accepts; the TLS handshake is left to the connection's thread: a silent client holds up nobody."""
        connection, address = super().get_request()
        if self.tls:
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or spoke no TLS, is no news."""
        LOG.debug("connection of %s failed", client_address, exc_info=True)


class RequestError(Exception):
    """A request that is refused before anyone sees it."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


def _size(text: str, base: int) -> int:
    """A length as a header or a chunk tells it."""
    try:
        size = int(text, base)
    except ValueError:
        size = -1
    if size < 0:
        raise RequestError(HTTPStatus.BAD_REQUEST)
    return size


class PublicRequestHandler(BaseHTTPRequestHandler):
    """Reads a request, has the front door answer it, writes the answer."""

    server: PublicServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    timeout = IDLE_SECONDS

    def __getattr__(self, name: str) -> Any:
        """Every method is answered the same way."""
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def answer(self) -> None:
        """Answers one request."""
        response = Response()
        try:
            body = self.read_body()
        except RequestError as error:
            self.close_connection = True
            problem(response, error.status)
        else:
            self.server.front_door.process(self.make_request(body), response)
        self.write_answer(response)

    def write_answer(self, response: Response) -> None:
        """Writes the answer in one piece."""
        data = response.get_data()
        self.send_response(response.status_code)
        for name, value in response.headers.items():
            if name.lower() not in ("content-length", "connection"):
                self.send_header(name, value)
        if response.status_code not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answers what is no HTTP, in the place of the original's HTML page."""
        self.close_connection = True
        self.request_version = self.protocol_version  # an unknown one would be answered without a head
        response = Response()
        problem(response, HTTPStatus(code))
        self.write_answer(response)

    def read_body(self) -> bytes:
        """The request's body.

        Raises:
            RequestError: It is larger than API Gateway takes, or its length can't be told.
            ConnectionError: The client went away before its end.
        """
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return self.read_chunks()
        return self.read_exactly(_size(self.headers.get("Content-Length") or "0", 10))

    def read_chunks(self) -> bytes:
        """A body sent in chunks."""
        body = bytearray()
        while size := _size(self.rfile.readline().split(b";")[0].decode("latin-1"), 16):
            if len(body) + size > MAX_REQUEST_BYTES:
                raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            body += self.read_exactly(size)
            self.rfile.readline()
        self.rfile.readline()
        return bytes(body)

    def read_exactly(self, size: int) -> bytes:
        """The next bytes of the body."""
        if size > MAX_REQUEST_BYTES:
            raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        data = self.rfile.read(size)
        if len(data) < size:
            raise ConnectionError("the client went away")
        return data

    def make_request(self, body: bytes) -> Request:
        """The request as LocalStack's gateways take it."""
        path, _, query = self.path.partition("?")
        scheme = "https" if self.server.tls else "http"
        request = Request(
            method=self.command,
            path=unquote(path),
            raw_path=path,
            query_string=query,
            headers=Headers(self.headers.items()),
            body=body,
            scheme=scheme,
            remote_addr=self.client_address[0],
            server=(self.server.server_name, self.server.server_port),
        )
        request.environ["SERVER_PROTOCOL"] = f"{scheme}/1.1"  # LocalStack makes X-Forwarded-Proto of it
        return request

    def version_string(self) -> str:
        """What the Server header tells."""
        return "enms"

    def log_message(self, *args: Any) -> None:
        """Calls are accounted for in the functions' logs."""


class FrontDoor:
    """Hands requests under the public prefix to the stage, and makes problem details of failures."""

    def __init__(self, settings: FrontDoorSettings) -> None:
        self.settings = settings

    @cached_property
    def execute_api(self) -> Any:
        """LocalStack's execute-api, loaded at the first request: it takes a second."""
        from localstack.services.apigateway.next_gen.execute_api.router import ApiGatewayEndpoint

        return ApiGatewayEndpoint()

    def process(self, request: Request, response: Response) -> None:
        """Answers one request."""
        prefix = self.settings.prefix
        path, question_mark, query = request.environ["RAW_URI"].partition("?")
        if path.rstrip("/") in ("", prefix):
            response.status_code = HTTPStatus.TEMPORARY_REDIRECT
            response.headers["Location"] = f"{prefix}/ui/"
        elif not path.startswith(prefix + "/"):
            problem(response, HTTPStatus.NOT_FOUND)
        else:
            request.environ["RAW_URI"] = f"/{self.settings.stage}{path[len(prefix) :]}{question_mark}{query}"
            try:
                self.forward(request, response)
            except Exception:
                request_id = problem(response, HTTPStatus.INTERNAL_SERVER_ERROR)
                LOG.exception("request %s failed in the front door", request_id)

    def forward(self, request: Request, response: Response) -> None:
        """Runs the request through the stage."""
        api = self.find_api()
        if api is None:
            problem(response, HTTPStatus.SERVICE_UNAVAILABLE)
            return
        context, answer = self.execute_api.prepare_rest_api_invocation(request, api.id, self.settings.stage)
        self.execute_api.rest_gateway.process_with_context(context, answer)
        answer.headers.pop("x-amz-apigw-id", None)
        if ERROR_TYPE in answer.headers or context.invocation_response is None:
            request_id = (context.context_variables or {}).get("requestId")
            problem(response, status_of(answer), request_id)
        else:
            response.update_from(answer)
            self.compress(request, response, api.minimum_compression_bytes)

    @staticmethod
    def compress(request: Request, response: Response, minimum_bytes: int | None) -> None:
        """Compresses an answer where client and REST API want it."""
        accepted = request.headers.get("Accept-Encoding")
        if accepted and minimum_bytes is not None:
            response.set_data(compress(response.get_data(), response.headers, accepted, minimum_bytes))

    def find_api(self) -> "DeployedApi | None":
        """The deployed REST API; of several with its name the one deployed last."""
        store = self.execute_api._global_store
        found = None
        for api_id, stages in list(store.active_deployments.items()):
            deployment_id = stages.get(self.settings.stage)
            if deployment_id is None:
                continue
            rest_api = store.internal_deployments[api_id][deployment_id].rest_api.rest_api
            if not self.settings.api or rest_api["name"] == self.settings.api:
                found = DeployedApi(api_id, rest_api.get("minimumCompressionSize"))
        return found


class DeployedApi(NamedTuple):
    """A REST API of LocalStack's.

    Attributes:
        id: Its id.
        minimum_compression_bytes: Size from which on answers are compressed; None for never.
    """

    id: str
    minimum_compression_bytes: int | None


def status_of(answer: Response) -> HTTPStatus:
    """The problem's status: an unknown route is API Gateway's "missing authentication token"."""
    if answer.headers.get(ERROR_TYPE) in ("MissingAuthenticationTokenException", "ResourceNotFoundException"):
        return HTTPStatus.NOT_FOUND
    return HTTPStatus(answer.status_code)


def problem(response: Response, status: HTTPStatus, request_id: str | None = None) -> str:
    """Makes problem details of a response; returns the request's id, which also stands in a header."""
    request_id = request_id or long_uid()
    body = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": DETAILS.get(status, status.description),
        "request_id": request_id,
    }
    response.status_code = status.value
    response.headers["Content-Type"] = "application/problem+json"
    response.headers["x-amzn-RequestId"] = request_id
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        response.headers["Retry-After"] = "1"
    response.set_data(json.dumps(body))
    return request_id
