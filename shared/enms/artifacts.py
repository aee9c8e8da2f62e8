"""What is computed once and kept for good: trained models, and the lists that retraining works through.

An object is written once and never changed; its key or the row that names it holds the SHA-256 of its bytes,
and bytes with another hash are refused.
"""

import base64
import hashlib
import threading
from collections import OrderedDict
from functools import cache
from typing import TYPE_CHECKING, cast
from uuid import UUID

from enms.aws import create_client
from enms.errors import ConflictError, EnmsError, NotFoundError, UnavailableError
from enms.observability import logger

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CACHE_BYTES = 16 * 1024 * 1024
_CONNECT_SECONDS = 2.0
_READ_SECONDS = 5.0
_ATTEMPTS = 3
_MISSING = ("404", "NoSuchKey", "NoSuchBucket")
_EXISTS_ALREADY = ("PreconditionFailed", "412")


class DamagedArtifactError(EnmsError):
    """An object's bytes are not those that were written."""


def model_key(machine_id: UUID, energy_type: str, version: int, sha256: str) -> str:
    """Where a machine's model of one carrier and version lies."""
    return f"baselines/{machine_id}/{energy_type}/v{version:06d}-{sha256}.json"


def detector_key(machine_id: UUID, energy_type: str, version: int, sha256: str) -> str:
    """Where a machine's detector of anomalies of one carrier and version lies."""
    return f"detectors/{machine_id}/{energy_type}/v{version:06d}-{sha256}.skops"


def forecaster_key(
    kind: str, subject_id: UUID, energy_type: str, horizon: str, version: int, sha256: str
) -> str:
    """Where a forecaster of a machine or a factory lies, of one carrier, horizon and version."""
    return f"forecasts/{kind}/{subject_id}/{energy_type}/{horizon}/v{version:06d}-{sha256}.json"


def manifest_key(run_id: UUID, sha256: str) -> str:
    """Where the list of machines of a run of the retraining lies."""
    return f"retraining/{run_id}/machines-{sha256}.json"


def sha256_of(content: bytes) -> str:
    """The hash by which an object's bytes are known: 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


class ModelStore:
    """Objects of one bucket, each written once.

    Attributes:
        bucket: Its name.
    """

    def __init__(self, bucket: str) -> None:
        self.bucket = bucket
        self._verified = _Cache(CACHE_BYTES)

    def put(self, key: str, content: bytes) -> str:
        """Writes an object unless it is there; the same bytes may be put again.

        Returns:
            The SHA-256 of the content.

        Raises:
            ConflictError: Other bytes lie there.
            UnavailableError: S3 doesn't answer, or refuses.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        digest = hashlib.sha256(content)
        sha256 = digest.hexdigest()
        try:
            _s3().put_object(
                Bucket=self.bucket,
                Key=key,
                Body=content,
                ContentType="application/json",
                ChecksumSHA256=base64.b64encode(digest.digest()).decode(),
                IfNoneMatch="*",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in _EXISTS_ALREADY:
                raise self._unavailable("written", key, error) from error
            self._require_same(key, sha256)
        except BotoCoreError as error:
            raise self._unavailable("written", key, error) from error
        self._verified.keep(sha256, content)
        return sha256

    def get(self, key: str, sha256: str) -> bytes:
        """The bytes of an object, verified.

        Raises:
            NotFoundError: It is not there.
            DamagedArtifactError: Its bytes have another hash.
            UnavailableError: S3 doesn't answer, or refuses.
        """
        content = self._verified.find(sha256)
        if content is None:
            content = self._read(key)
            found = sha256_of(content)
            if found != sha256:
                logger.error("artifact damaged", extra={"key": key, "expected": sha256, "found": found})
                raise DamagedArtifactError(
                    f"The bytes of {key} are not those that were written (SHA-256 {found}, not {sha256}): "
                    "restore that version of the object in the bucket, or train again.",
                    key=key,
                    given=found,
                    allowed=sha256,
                )
            self._verified.keep(sha256, content)
        return content

    def _require_same(self, key: str, sha256: str) -> None:
        found = sha256_of(self._read(key))
        if found != sha256:
            raise ConflictError(
                f"{key} is there already with other bytes (SHA-256 {found}, not {sha256}); "
                "what is written once is not changed.",
                key=key,
                given=sha256,
                allowed=found,
            )

    def _read(self, key: str) -> bytes:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return _s3().get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] not in _MISSING:
                raise self._unavailable("read", key, error) from error
            logger.error("artifact missing", extra={"bucket": self.bucket, "key": key})
            raise NotFoundError(
                f"{key} is not in the bucket {self.bucket}: restore a former version of it, or train again.",
                key=key,
            ) from error
        except BotoCoreError as error:
            raise self._unavailable("read", key, error) from error

    def _unavailable(self, what: str, key: str, error: Exception) -> UnavailableError:
        from botocore.exceptions import BotoCoreError

        logger.error(f"artifact not {what}", extra={"bucket": self.bucket, "key": key, "reason": str(error)})
        reason = f"the bucket {self.bucket} refuses, or is not there"
        if isinstance(error, BotoCoreError):
            reason = "S3 doesn't answer (where it is the local cloud's, `enms up` starts it)"
        return UnavailableError(f"{key} could not be {what}: {reason}.", key=key)


class _Cache:
    """Verified contents by their hash, the longest unused ones given up first."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.size_bytes = 0
        self.contents: OrderedDict[str, bytes] = OrderedDict()
        self.lock = threading.Lock()

    def find(self, sha256: str) -> bytes | None:
        with self.lock:
            if sha256 not in self.contents:
                return None
            self.contents.move_to_end(sha256)
            return self.contents[sha256]

    def keep(self, sha256: str, content: bytes) -> None:
        with self.lock:
            if sha256 in self.contents or len(content) > self.limit_bytes:
                return
            self.contents[sha256] = content
            self.size_bytes += len(content)
            while self.size_bytes > self.limit_bytes:
                _, given_up = self.contents.popitem(last=False)
                self.size_bytes -= len(given_up)


@cache
def _s3() -> "S3Client":
    from botocore.config import Config

    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        # Content is verified by its own hash.
        response_checksum_validation="when_required",
        s3={"addressing_style": "path"},
    )
    return cast("S3Client", create_client("s3", config))
