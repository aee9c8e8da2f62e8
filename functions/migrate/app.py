"""Brings the database to this version's schema: a custom resource of the deployment; by hand with `{}`."""

import json
from typing import Any
from urllib.request import Request, urlopen

from enms import observability
from enms.database import migrate
from enms.errors import EnmsError
from enms.observability import logger
from enms.services.connect import connect
from enms.settings import MigrateSettings

PHYSICAL_ID = "enms-database-schema"


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Migrates, and tells CloudFormation where it asked. Deleting the stack leaves the database as it is."""
    observability.identify(request_id=context.aws_request_id)
    if "ResponseURL" not in event:
        return _migrate()
    try:
        done = {} if event["RequestType"] == "Delete" else _migrate()
    except EnmsError as error:
        logger.exception("migration failed")
        _answer(event, "FAILED", {}, error.message)
        return {}
    except Exception:
        logger.exception("migration failed")
        # CloudFormation would wait for an hour for an answer that never comes.
        _answer(event, "FAILED", {}, f"See the log of request {context.aws_request_id}.")
        raise
    _answer(event, "SUCCESS", done, "")
    return done


def _migrate() -> dict[str, Any]:
    settings = MigrateSettings.from_environment()
    observability.configure(settings)
    with connect(settings).connection() as connection:
        plan = migrate.apply(connection)
    applied = [migration.name for migration in plan.pending]
    logger.info("migrated", extra={"applied": applied})
    return {"applied": len(applied)}


def _answer(event: dict[str, Any], status: str, data: dict[str, Any], reason: str) -> None:
    body = {
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": PHYSICAL_ID,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": data,
    }
    # A pre-signed address of S3, from CloudFormation: no type may be sent with it.
    request = Request(  # noqa: S310
        event["ResponseURL"], data=json.dumps(body).encode(), method="PUT", headers={"Content-Type": ""}
    )
    with urlopen(request, timeout=30):  # noqa: S310
        pass
