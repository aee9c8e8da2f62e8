"""The objects of the local S3, which LocalStack forgets when it ends and `enms up` puts back.

While LocalStack runs, its plugin keeps each model on disk as it is put (see `process_executor/objects.py`).
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from enms_local.stack.cloud import STACK_NAME
from enms_local.stack.settings import StackSettings

ACCOUNT = "000000000000"
ANOMALY_BUS = "enms.anomaly"
PUTS_AT_ONCE = 4
_OF_OTHER_ACCOUNTS = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION")


@dataclass(frozen=True)
class KeptObject:
    """An object on disk.

    Attributes:
        bucket: Where it belongs.
        key: Its key there.
        file: Its bytes.
    """

    bucket: str
    key: str
    file: Path


def kept(settings: StackSettings) -> list[KeptObject]:
    """All objects on disk; files that were being written are none."""
    root = settings.objects_dir
    files = [file for file in root.rglob("*") if file.is_file() and not file.name.startswith(".")]
    parts = [file.relative_to(root).parts for file in files]
    return [
        KeptObject(bucket, "/".join(key), file)
        for file, (bucket, *key) in zip(files, parts, strict=True)
        if bucket == models_bucket(settings)
    ]


def put_back(settings: StackSettings, objects: list[KeptObject]) -> None:
    """Puts objects into a LocalStack that has their buckets and not them."""
    from enms_local.stack.deployment import aws_client

    storage = aws_client(settings, "s3")

    def put(each: KeptObject) -> None:
        storage.put_object(
            Bucket=each.bucket, Key=each.key, Body=each.file.read_bytes(), ContentType="application/json"
        )

    with ThreadPoolExecutor(PUTS_AT_ONCE) as threads:
        list(threads.map(put, objects))


def models_bucket(settings: StackSettings) -> str:
    """The bucket of the local cloud's models, as the template names it."""
    return f"{STACK_NAME}-models-{ACCOUNT}-{settings.enms_region}"


def with_models(environment: Mapping[str, str], settings: StackSettings) -> dict[str, str]:
    """An environment that leads to models: as it is if it names a bucket, else to the local cloud's."""
    if environment.get("MODELS_BUCKET"):
        return dict(environment)
    # LocalStack takes the account from the key: with a person's own it would look into another, empty one.
    others = {name: value for name, value in environment.items() if name not in _OF_OTHER_ACCOUNTS}
    return {
        **others,
        "MODELS_BUCKET": models_bucket(settings),
        "ANOMALY_BUS": ANOMALY_BUS,
        "AWS_ENDPOINT_URL": settings.aws_url,
        "AWS_DEFAULT_REGION": settings.enms_region,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
