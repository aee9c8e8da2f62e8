"""Keeps the objects of the local S3 on disk: LocalStack has them in memory only, and models last.

``OBJECTS_DIR`` names the folder; ``<folder>/<bucket>/<key>`` holds the newest bytes of each object of the
buckets whose names match ``OBJECTS_BUCKETS``. Who starts LocalStack puts them back.
"""

import fnmatch
import functools
import os
import tempfile
from pathlib import Path
from typing import Any

from localstack.aws.api import RequestContext
from localstack.services.s3.provider import S3Provider


def install(folder: str, buckets: str) -> None:
    """Puts the keeping in place; before S3 is loaded."""
    S3Provider.put_object = _keeping(S3Provider.put_object, Path(folder), buckets)


def _keeping(put_object: Any, folder: Path, buckets: str) -> Any:
    """The operation, which answers when the object's bytes are on disk too."""

    @functools.wraps(put_object)  # with what makes it an operation of the API
    def put_and_keep(provider: S3Provider, context: RequestContext, request: Any) -> Any:
        answer = put_object(provider, context, request)
        if fnmatch.fnmatchcase(request["Bucket"], buckets):
            _keep(provider, context, request["Bucket"], request["Key"], folder)
        return answer

    return put_and_keep


def _keep(provider: S3Provider, context: RequestContext, bucket: str, key: str, folder: Path) -> None:
    _, stored_bucket = provider._get_cross_account_bucket(context, bucket)
    stored = stored_bucket.objects.get(key)
    with provider._storage_backend.open(bucket, stored, mode="r") as content:
        data = content.read()
    try:
        write_through(file_of(folder, bucket, key), data)
    except OSError:
        # Whoever puts it again must not be told that it is there: nothing is left of it.
        which = [stored.version_id] if stored_bucket.versioning_status else []
        stored_bucket.objects.pop(key, *which)
        provider._storage_backend.remove(bucket, stored)
        raise


def file_of(folder: Path, bucket: str, key: str) -> Path:
    """Where an object's bytes lie.

    Raises:
        OSError: The key leads out of the bucket's folder.
    """
    root = (folder / bucket).resolve()
    file = (root / key).resolve()
    if not file.is_relative_to(root) or file == root:
        raise OSError(f"the key {key!r} names no file")
    return file


def write_through(file: Path, data: bytes) -> None:
    """Writes a file to the disk itself, as a whole or not at all."""
    if file.is_file() and file.read_bytes() == data:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".", delete=False) as new:
        new.write(data)
        new.flush()
        os.fsync(new.fileno())
    os.replace(new.name, file)
