"""The front door: the public listeners, which lead to one stage of one REST API and to nothing else.

LocalStack's runtime server with three differences: the AWS API is bound to the address that it is told (the original
binds all interfaces), public listeners with and without TLS are served by the same event loop, and what goes wrong
behind them is told as RFC 9457 problem details.
"""

import json
import logging
import os
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any

from localstack.config import HostAndPort
from localstack.runtime.server.twisted import TwistedRuntimeServer
from localstack.utils.strings import long_uid
from rolo import Request, Response
from rolo.gateway import Gateway
from rolo.gateway.wsgi import WsgiGateway
from rolo.serving.twisted import (
    HeaderPreservingHTTPChannel,
    HeaderPreservingWSGIResource,
    TwistedGateway,
    TwistedRequestAdapter,
)
from twisted.internet import reactor, ssl
from twisted.web.server import Site

LOG = logging.getLogger(__name__)
ERROR_TYPE = "x-amzn-ErrorType"
"""API Gateway sets it on answers of its own making: these become problem details."""
DETAILS = {
    HTTPStatus.NOT_FOUND: "There is nothing at this address.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The request is larger than the 10 MB that the service takes.",
    HTTPStatus.TOO_MANY_REQUESTS: "All environments of the function are busy; try again shortly.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The front door failed; its log has the cause under this request's id.",
    HTTPStatus.BAD_GATEWAY: "The function failed; its log has the cause.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The stack is not deployed yet; try again shortly.",
    HTTPStatus.GATEWAY_TIMEOUT: "The function did not answer within its time limit.",
}
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
        site = front_door_site(FrontDoor(settings))
        if settings.listen:
            host, port = host_and_port(settings.listen)
            reactor.listenTCP(port, site, interface=host)
        if settings.tls_listen and settings.certificate and settings.key:
            host, port = host_and_port(settings.tls_listen)
            pem = Path(settings.key).read_text() + Path(settings.certificate).read_text()
            reactor.listenSSL(port, site, ssl.PrivateCertificate.loadPEM(pem).options(), interface=host)


def host_and_port(address: str) -> tuple[str, int]:
    """Splits ``host:port``; an IPv6 host may stand in brackets."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def front_door_site(gateway: Gateway) -> Site:
    """The gateway as a site of its own: nothing of LocalStack's handlers, no websockets."""
    resource = HeaderPreservingWSGIResource(reactor, reactor.getThreadPool(), WsgiGateway(gateway))
    site = Site(resource, requestFactory=TwistedRequestAdapter)
    site.protocol = HeaderPreservingHTTPChannel.protocol_factory
    return site


class FrontDoor(Gateway):
    """Hands requests under the public prefix to the stage, and makes problem details of failures."""

    def __init__(self, settings: FrontDoorSettings) -> None:
        super().__init__()
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
            response.headers["Location"] = f"{prefix}/docs"
        elif not path.startswith(prefix + "/"):
            problem(response, HTTPStatus.NOT_FOUND)
        elif (request.content_length or 0) > MAX_REQUEST_BYTES:
            problem(response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            request.environ["RAW_URI"] = f"/{self.settings.stage}{path[len(prefix) :]}{question_mark}{query}"
            try:
                self.forward(request, response)
            except Exception:
                request_id = problem(response, HTTPStatus.INTERNAL_SERVER_ERROR)
                LOG.exception("request %s failed in the front door", request_id)

    def forward(self, request: Request, response: Response) -> None:
        """Runs the request through the stage."""
        api_id = self.find_api()
        if api_id is None:
            problem(response, HTTPStatus.SERVICE_UNAVAILABLE)
            return
        context, answer = self.execute_api.prepare_rest_api_invocation(request, api_id, self.settings.stage)
        self.execute_api.rest_gateway.process_with_context(context, answer)
        answer.headers.pop("x-amz-apigw-id", None)
        if ERROR_TYPE in answer.headers or context.invocation_response is None:
            request_id = (context.context_variables or {}).get("requestId")
            problem(response, status_of(answer), request_id)
        else:
            response.update_from(answer)

    def find_api(self) -> str | None:
        """Id of the deployed REST API; of several with its name the one deployed last."""
        store = self.execute_api._global_store
        found = None
        for api_id, stages in list(store.active_deployments.items()):
            deployment_id = stages.get(self.settings.stage)
            if deployment_id is None:
                continue
            rest_api = store.internal_deployments[api_id][deployment_id].rest_api.rest_api
            if not self.settings.api or rest_api["name"] == self.settings.api:
                found = api_id
        return found


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
