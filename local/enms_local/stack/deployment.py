"""Deploys `template.yaml` on the local cloud through CloudFormation, as it would be on AWS."""

import hashlib
import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from enms.errors import UnavailableError
from enms_local.stack.cloud import STACK_NAME
from enms_local.stack.database import Credentials
from enms_local.stack.processes import write_whole
from enms_local.stack.settings import CHECKOUT, StackSettings

if TYPE_CHECKING:
    import psutil

TEMPLATE = CHECKOUT / "template.yaml"
SECRET_NAME = "enms/database"  # noqa: S105 - a name, not a secret
WEBHOOK_SECRET_NAME = "enms/anomaly-webhook"  # noqa: S105 - a name, not a secret
FITS = f"{STACK_NAME}-train-forecasts"
PACKAGES_BUCKET = f"{STACK_NAME}-packages"
DEPLOY_TIMEOUT_SECONDS = 180
_POLL_SECONDS = 0.2
_IN_PROGRESS = "_IN_PROGRESS"
_DEFINITION = re.compile(r"(?<=DefinitionUri: )(?!s3:)\S+")


@dataclass(frozen=True)
class Deployment:
    """What is to be deployed.

    Attributes:
        settings: Where, and the values of the parameters.
        credentials: Of the database, for the secret that functions read.
        template: The CloudFormation template with the SAM transform.
    """

    settings: StackSettings
    credentials: Credentials
    template: Path = TEMPLATE

    def is_current(self, cloud: "psutil.Process") -> bool:
        """Whether this very deployment was finished on the running LocalStack."""
        try:
            return bool(json.loads(self._record.read_text()) == self._fingerprint(cloud))
        except (FileNotFoundError, ValueError):
            return False

    def deploy(self, cloud: "psutil.Process") -> int:
        """Puts the secret and creates the stack on a LocalStack that holds nothing yet.

        Returns:
            The number of resources.

        Raises:
            UnavailableError: CloudFormation failed; says which resource and why.
        """
        self._record.unlink(missing_ok=True)
        for name, fields in self._secrets().items():
            self._client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(fields))
        cloudformation = self._client("cloudformation")
        body = self._packaged_template()
        known = {p["ParameterKey"] for p in cloudformation.validate_template(TemplateBody=body)["Parameters"]}
        cloudformation.create_stack(
            StackName=STACK_NAME,
            TemplateBody=body,
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in self._parameters().items()
                if name in known
            ],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        self._wait(cloudformation)
        resources = cloudformation.describe_stack_resources(StackName=STACK_NAME)["StackResources"]
        self._limit_fits({each["PhysicalResourceId"] for each in resources})
        write_whole(self._record, json.dumps(self._fingerprint(cloud)))
        return len(resources)

    def _packaged_template(self) -> str:
        """The template with the state machines' definitions put into a bucket, as `sam package` does it."""
        storage = self._client("s3")
        location = {"LocationConstraint": self.settings.enms_region}
        create = {} if self.settings.enms_region == "us-east-1" else {"CreateBucketConfiguration": location}
        storage.create_bucket(Bucket=PACKAGES_BUCKET, **create)

        def put(path: re.Match[str]) -> str:
            content = (self.template.parent / path[0]).read_bytes()
            key = hashlib.sha256(content).hexdigest()
            storage.put_object(Bucket=PACKAGES_BUCKET, Key=key, Body=content)
            return f"s3://{PACKAGES_BUCKET}/{key}"

        return _DEFINITION.sub(put, self.template.read_text())

    def migrate(self) -> None:
        """Calls the function that migrates, as the deployment does on AWS; here custom resources call nobody.

        Raises:
            UnavailableError: It failed.
        """
        answer = self._client("lambda").invoke(FunctionName=f"{STACK_NAME}-migrate", Payload=b"{}")
        if "FunctionError" in answer:
            error = json.load(answer["Payload"])
            raise UnavailableError(
                f"The function migrate failed: {error.get('errorMessage', 'no reason given')}"
            )

    @property
    def _record(self) -> Path:
        return self.settings.run_dir / "deployment.json"

    def _parameters(self) -> dict[str, str]:
        """Values of the template's parameters; those that it doesn't have are left out."""
        settings = self.settings
        values = {
            "DatabaseSecretName": SECRET_NAME,
            "LogLevel": settings.log_level,
            "SchedulerEnabled": str(settings.scheduler_enabled).lower(),
            "DailyKpisSchedule": settings.daily_kpis_schedule,
            "RetrainSchedule": settings.retrain_schedule,
            "RetrainConcurrency": str(settings.retrain_concurrency),
            "BaselineTrainingDays": str(settings.baseline_training_days),
            "BaselineLimits": settings.baseline_limits,
            "DetectSchedule": settings.detect_schedule,
            "ForecastHourSchedule": settings.forecast_1h_schedule,
            "ForecastDaySchedule": settings.forecast_24h_schedule,
            "ForecastWeekSchedule": settings.forecast_7d_schedule,
            "AnomalyWebhookUrl": settings.anomaly_webhook_url,
            "AnomalyWebhookSecretName": WEBHOOK_SECRET_NAME,
            "CorsAllowedOrigins": settings.cors_allowed_origins,
            "ConsoleFrameAncestors": settings.console_frame_ancestors,
            # `enms up` has migrated our own database, and another's is changed by `enms migrate` only.
            "MigrateOnDeploy": "false",
        }
        return {name: value for name, value in values.items() if value}

    def _secrets(self) -> dict[str, dict[str, Any]]:
        """What functions read from Secrets Manager, by name."""
        return {
            SECRET_NAME: self.credentials.as_secret(),
            WEBHOOK_SECRET_NAME: {"key": self.settings.anomaly_webhook_secret},
        }

    def _fingerprint(self, cloud: "psutil.Process") -> dict[str, Any]:
        template = self.template.read_text()
        definitions = [(self.template.parent / path).read_text() for path in _DEFINITION.findall(template)]
        what = [template, definitions, self._parameters(), self._secrets()]
        return {
            "cloud": [cloud.pid, round(cloud.create_time())],
            "content": hashlib.sha256(json.dumps(what).encode()).hexdigest(),
        }

    def _limit_fits(self, resources: set[str]) -> None:
        """Reserves the concurrency of fits, which CloudFormation leaves out here: each takes a core."""
        if FITS in resources:
            self._client("lambda").put_function_concurrency(
                FunctionName=FITS, ReservedConcurrentExecutions=self.settings.retrain_concurrency
            )

    def _wait(self, cloudformation: Any) -> None:
        deadline = time.monotonic() + DEPLOY_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            status = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]["StackStatus"]
            if status == "CREATE_COMPLETE":
                return
            if not status.endswith(_IN_PROGRESS) or status.startswith("ROLLBACK"):
                raise UnavailableError(f"CloudFormation failed: {self._first_failure(cloudformation)}")
            time.sleep(_POLL_SECONDS)
        raise UnavailableError(f"CloudFormation wasn't done within {DEPLOY_TIMEOUT_SECONDS} s.")

    def _first_failure(self, cloudformation: Any) -> str:
        """The resource that failed first, and why; a template that isn't valid fails as a whole."""
        events = cloudformation.describe_stack_events(StackName=STACK_NAME)["StackEvents"]
        for event in reversed(events):
            reason = event.get("ResourceStatusReason")
            if reason and ("FAILED" in event["ResourceStatus"] or "ROLLBACK" in event["ResourceStatus"]):
                return f"{event['LogicalResourceId']}: {reason}"
        return "it says not why (`enms logs localstack` may)."

    def _client(self, service: str) -> Any:
        return aws_client(self.settings, service)


def aws_client(settings: StackSettings, service: str) -> Any:
    """A client of the local AWS API."""
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=settings.aws_url,
        region_name=settings.enms_region,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - LocalStack takes any
        config=Config(retries={"max_attempts": 0}, read_timeout=60),
    )
