"""Short cuts inside LocalStack: what an invocation would otherwise ask of LocalStack's own HTTP gateway.

Each replaces one seam of LocalStack 2026.3.0, the release that this package is locked to: logs are written
by the executor, metrics are counted and put once a second, API Gateway calls Lambda in process, and timers
share a thread.
"""

import collections
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, ClassVar

from localstack.aws.api.lambda_ import TooManyRequestsException
from localstack.aws.connect import connect_to
from localstack.services.apigateway.next_gen.execute_api import gateway_response, integrations
from localstack.services.apigateway.next_gen.execute_api.handlers import parse
from localstack.services.apigateway.next_gen.execute_api.integrations import aws
from localstack.services.lambda_.invocation import execution_environment, lambda_service, version_manager
from localstack.services.lambda_.invocation.logs import LogHandler
from localstack.services.plugins import SERVICE_PLUGINS
from localstack.utils.strings import long_uid
from rolo import Request

from process_executor.assignment import PatientAssignmentService

LOG = logging.getLogger(__name__)
METRICS_SECONDS = 1.0


def install() -> None:
    """Puts the short cuts in place; before the first function is deployed."""
    LogHandler.start_subscriber = lambda self: None
    LogHandler.add_logs = lambda self, log_item: None
    version_manager.record_cw_metric_invocation = METRICS.count_invocation
    version_manager.record_cw_metric_error = METRICS.count_error
    version_manager.start_thread = start_thread
    execution_environment.Timer = SharedTimer
    lambda_service.AssignmentService = PatientAssignmentService
    integrations.REST_API_INTEGRATIONS["AWS_PROXY"] = InProcessLambdaIntegration()
    parse.restore_payload = request_body
    aws.mime_type_matches_binary_media_types = accepts_binary


class Metrics:
    """Lambda's metrics, counted per call and put into CloudWatch once a second."""

    def __init__(self) -> None:
        self.counts: collections.Counter[tuple[str, str, str, str]] = collections.Counter()
        self.lock = threading.Lock()

    def count_invocation(self, function_name: str, account_id: str, region_name: str) -> None:
        """Counts a call."""
        self._count(("Invocations",), function_name, account_id, region_name)

    def count_error(self, function_name: str, account_id: str, region_name: str) -> None:
        """Counts a call that failed."""
        self._count(("Invocations", "Errors"), function_name, account_id, region_name)

    def _count(self, metrics: tuple[str, ...], function_name: str, account_id: str, region: str) -> None:
        with self.lock:
            if not self.counts:
                timer = threading.Timer(METRICS_SECONDS, self.put)
                timer.daemon = True
                timer.start()
            for metric in metrics:
                self.counts[metric, function_name, account_id, region] += 1

    def put(self) -> None:
        """Hands the counts of the last second to CloudWatch."""
        with self.lock:
            counts, self.counts = self.counts, collections.Counter()
        for (metric, function_name, account_id, region), count in counts.items():
            connect_to(aws_access_key_id=account_id, region_name=region).cloudwatch.put_metric_data(
                Namespace="AWS/Lambda",
                MetricData=[
                    {
                        "MetricName": metric,
                        "Dimensions": [{"Name": "FunctionName", "Value": function_name}],
                        "StatisticValues": {"SampleCount": count, "Sum": count, "Minimum": 1, "Maximum": 1},
                    }
                ],
            )


METRICS = Metrics()
_start_thread = version_manager.start_thread


def start_thread(method: Any, *args: Any, name: str = "", **kwargs: Any) -> Any:
    """Counting needs no thread of its own."""
    if name.startswith("record-cloudwatch-metric"):
        return method()
    return _start_thread(method, *args, name=name, **kwargs)


class SharedTimer:
    """A `threading.Timer` without a thread of its own: LocalStack starts and cancels one in every call.

    One thread looks once a second for those that are due.
    """

    running: ClassVar[set["SharedTimer"]] = set()
    lock = threading.Lock()
    thread: ClassVar[threading.Thread | None] = None

    def __init__(self, interval: float, function: Callable[[], None]) -> None:
        self.interval, self.function = interval, function

    def start(self) -> None:
        """Has the function called after the interval."""
        self.due = time.monotonic() + self.interval
        with self.lock:
            self.running.add(self)
            if SharedTimer.thread is None:
                SharedTimer.thread = threading.Thread(target=self._run_due, name="shared-timer", daemon=True)
                SharedTimer.thread.start()

    def cancel(self) -> None:
        """Spares the call, if it has not begun."""
        with self.lock:
            self.running.discard(self)

    @classmethod
    def _run_due(cls) -> None:
        while True:
            time.sleep(1)
            now = time.monotonic()
            with cls.lock:
                due = {timer for timer in cls.running if timer.due <= now}
                cls.running -= due
            for timer in due:
                threading.Thread(target=timer.function, name="timer", daemon=True).start()


class InProcessLambdaIntegration(aws.RestApiAwsProxyIntegration):
    """API Gateway's Lambda proxy integration without the way over HTTP; tells time-outs from failures."""

    @staticmethod
    def call_lambda(
        function_arn: str, event: bytes, source_arn: str, credentials: str | None = None
    ) -> bytes:
        """Invokes the function; of failures, `parse_lambda_response` tells the kinds apart."""
        parts = function_arn.split(":")
        try:
            result = running_lambda_service().invoke(
                function_name=parts[6],
                qualifier=parts[7] if len(parts) > 7 else None,
                region=parts[3],
                account_id=parts[4],
                invocation_type=None,
                client_context=None,
                request_id=long_uid(),
                payload=event,
            )
        except TooManyRequestsException:
            return THROTTLED
        return result.payload

    def parse_lambda_response(self, payload: bytes) -> dict[str, Any]:
        """The function's answer.

        Raises:
            BaseGatewayException: It timed out (504), was throttled (429), or failed (502).
        """
        try:
            return super().parse_lambda_response(payload)
        except gateway_response.InternalServerError:
            if b'"Sandbox.Timedout"' in payload[:1000]:
                raise gateway_response.IntegrationTimeoutError("Endpoint request timed out") from None
            if payload is THROTTLED:
                raise gateway_response.ThrottledError("Too Many Requests") from None
            raise


THROTTLED = b'{"errorType": "TooManyRequestsException", "errorMessage": "Rate Exceeded."}'


def running_lambda_service() -> lambda_service.LambdaService:
    """LocalStack's Lambda, behind its API."""
    return SERVICE_PLUGINS.get_service("lambda")._provider.lambda_service


_restore_payload = parse.restore_payload


def request_body(request: Request) -> bytes:
    """The body as it was sent, forms included: LocalStack's own way writes them anew, and wrongly."""
    return request.get_data() or _restore_payload(request)


_accepts_binary = aws.mime_type_matches_binary_media_types


def accepts_binary(mime_type: str | None, binary_media_types: list[str]) -> bool:
    """Whether a base64 answer is decoded: always with ``*/*``, as on AWS; LocalStack overlooks that entry."""
    return "*/*" in binary_media_types or _accepts_binary(mime_type, binary_media_types)
