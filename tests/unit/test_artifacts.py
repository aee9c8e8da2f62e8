"""Objects that are written once: what is kept, what is refused, what is said when S3 doesn't answer."""

import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from enms import artifacts
from enms.artifacts import DamagedArtifactError, ModelStore
from enms.errors import ConflictError, NotFoundError, UnavailableError
from enms.services.connect import model_store
from enms.settings import TrainingSettings

BUCKET = "models"
KEY = "baselines/a/electrical/v000001.json"
MACHINE = uuid.UUID(int=1)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch, new_aws_clients: None) -> Iterator[Any]:
    """An empty, versioned bucket, as boto3 sees it."""
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(variable, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        made = boto3.resource("s3").Bucket(BUCKET)
        made.create(CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        made.Versioning().enable()
        yield made


def test_keys_sort_by_version_and_hold_the_hash() -> None:
    keys = [artifacts.model_key(MACHINE, "electrical", version, "ab") for version in (2, 10)]
    assert keys == sorted(keys)
    assert keys[0] == f"baselines/{MACHINE}/electrical/v000002-ab.json"
    assert artifacts.manifest_key(MACHINE, "cd") == f"retraining/{MACHINE}/machines-cd.json"


def test_what_was_put_is_got(bucket: Any) -> None:
    sha256 = ModelStore(BUCKET).put(KEY, b'{"a":1}')
    assert sha256 == artifacts.sha256_of(b'{"a":1}')
    assert ModelStore(BUCKET).get(KEY, sha256) == b'{"a":1}'
    assert bucket.Object(KEY).content_type == "application/json"


def test_the_same_bytes_may_be_put_again(bucket: Any) -> None:
    first, second = (ModelStore(BUCKET).put(KEY, b"{}") for _ in range(2))
    assert first == second
    assert len(list(bucket.object_versions.filter(Prefix=KEY))) == 1


def test_other_bytes_under_the_same_key_are_refused(bucket: Any) -> None:
    ModelStore(BUCKET).put(KEY, b"old")
    with pytest.raises(ConflictError, match="other bytes"):
        ModelStore(BUCKET).put(KEY, b"new")
    assert bucket.Object(KEY).get()["Body"].read() == b"old"


def test_changed_bytes_are_refused(bucket: Any) -> None:
    sha256 = ModelStore(BUCKET).put(KEY, b"true")
    bucket.Object(KEY).put(Body=b"forged")
    with pytest.raises(DamagedArtifactError, match="train again") as refused:
        ModelStore(BUCKET).get(KEY, sha256)
    assert refused.value.details["allowed"] == sha256


@pytest.mark.usefixtures("bucket")
def test_a_missing_object_is_named() -> None:
    with pytest.raises(NotFoundError, match=KEY):
        ModelStore(BUCKET).get(KEY, "0" * 64)


@pytest.mark.usefixtures("bucket")
def test_a_missing_bucket_is_named_when_something_is_put() -> None:
    with pytest.raises(UnavailableError, match="nowhere refuses, or is not there"):
        ModelStore("nowhere").put(KEY, b"{}")


def test_verified_content_is_read_once(bucket: Any) -> None:
    store = ModelStore(BUCKET)
    sha256 = store.put(KEY, b"{}")
    bucket.object_versions.delete()
    assert store.get(KEY, sha256) == b"{}"


def test_the_longest_unused_contents_are_given_up() -> None:
    cache = artifacts._Cache(limit_bytes=10)
    for name in "abc":
        cache.keep(name, name.encode() * 4)
        cache.find("a")
    assert [name for name in "abc" if cache.find(name)] == ["a", "c"]
    cache.keep("too long", b"x" * 11)
    assert cache.find("too long") is None
    assert cache.size_bytes == 8


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "S3 doesn't answer"),
        (ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject"), "refuses"),
    ],
)
def test_a_bucket_that_gives_nothing_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, error: Exception, says: str
) -> None:
    class Failing:
        def get_object(self, **_: Any) -> None:
            raise error

        put_object = get_object

    monkeypatch.setattr(artifacts, "_s3", Failing)
    with pytest.raises(UnavailableError, match=says):
        ModelStore(BUCKET).get(KEY, "0" * 64)
    with pytest.raises(UnavailableError, match=says):
        ModelStore(BUCKET).put(KEY, b"{}")


def test_a_process_without_a_bucket_is_told_what_to_do() -> None:
    with pytest.raises(UnavailableError, match="MODELS_BUCKET is not set"):
        model_store(TrainingSettings())
    assert model_store(TrainingSettings(models_bucket=BUCKET)).bucket == BUCKET
