"""Credentials by name, from Secrets Manager."""

import json
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, cast

from enms.aws import create_client
from enms.errors import UnavailableError
from enms.observability import logger

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


@cache
def _client() -> "SecretsManagerClient":
    return cast("SecretsManagerClient", create_client("secretsmanager"))


def read_secret(name: str) -> Mapping[str, str]:
    """The fields of a secret that is a JSON object.

    Raises:
        UnavailableError: Secrets Manager did not give it; the log says why.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        text = _client().get_secret_value(SecretId=name)["SecretString"]
    except (BotoCoreError, ClientError) as error:
        logger.error("secret not readable", extra={"secret": name, "reason": str(error)})
        raise UnavailableError(f"The credentials {name!r} could not be read from Secrets Manager.") from error
    fields: Mapping[str, str] = json.loads(text)
    return fields
