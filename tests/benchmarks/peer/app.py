"""What the cold start is judged by: the usual stack, one secret, and a database that is asked for a one."""

import json
import os
from typing import Any

import psycopg2
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities import parameters
from fastapi import FastAPI
from mangum import Mangum

logger = Logger(service="peer")
app = FastAPI(title="Peer")


@app.get("/probe")
def probe() -> dict[str, int]:
    """Asks the database for a one."""
    secret = json.loads(str(parameters.get_secret(os.environ["DATABASE_SECRET_NAME"])))
    connection = psycopg2.connect(
        host=secret["host"],
        port=secret["port"],
        dbname=secret["dbname"],
        user=secret["username"],
        password=secret["password"],
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        (one,) = cursor.fetchone() or (0,)
    return {"one": one}


mangum = Mangum(app, lifespan="off")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers one event of the REST API."""
    logger.info("request")
    answer: dict[str, Any] = mangum(event, context)
    return answer
