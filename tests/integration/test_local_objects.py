"""The local S3: objects are written once, and are on disk before the put is answered."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from integration.local_aws import REGION, LocalAws

from enms.artifacts import DamagedArtifactError, ModelStore
from enms.errors import ConflictError, EnmsError, NotFoundError, UnavailableError

KEY = "baselines/a/electrical/v000001.json"


@pytest.fixture
def kept(local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch, new_aws_clients: None) -> ModelStore:
    """An empty, versioned bucket of those that are kept on disk."""
    for name, value in {
        "AWS_ENDPOINT_URL": local_aws.aws_url,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    bucket = f"kept-{uuid4()}"
    storage = local_aws.client("s3")
    storage.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    storage.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return ModelStore(bucket)


def _folder(aws: LocalAws, store: ModelStore) -> Path:
    return aws.folder / "objects" / store.bucket


def test_what_is_put_is_on_disk(local_aws: LocalAws, kept: ModelStore) -> None:
    sha256 = kept.put(KEY, b"\x00\xff" * 300_000)
    assert (_folder(local_aws, kept) / KEY).read_bytes() == b"\x00\xff" * 300_000
    assert ModelStore(kept.bucket).get(KEY, sha256) == b"\x00\xff" * 300_000


def test_it_is_written_once(local_aws: LocalAws, kept: ModelStore) -> None:
    assert kept.put(KEY, b"first") == ModelStore(kept.bucket).put(KEY, b"first")
    with pytest.raises(ConflictError):
        kept.put(KEY, b"second")
    assert (_folder(local_aws, kept) / KEY).read_bytes() == b"first"
    versions = local_aws.client("s3").list_object_versions(Bucket=kept.bucket)["Versions"]
    assert len(versions) == 1


def test_of_different_writes_at_once_one_wins(kept: ModelStore) -> None:
    def put(content: bytes) -> bytes | None:
        try:
            ModelStore(kept.bucket).put(KEY, content)
        except ConflictError:
            return None
        return content

    with ThreadPoolExecutor(4) as threads:
        (won,) = filter(None, threads.map(put, [b"a", b"b", b"c", b"d"]))
    from_bucket = ModelStore(kept.bucket)
    assert from_bucket._read(KEY) == won


def test_missing_and_changed_objects_are_refused(local_aws: LocalAws, kept: ModelStore) -> None:
    with pytest.raises(NotFoundError):
        kept.get(KEY, "0" * 64)
    local_aws.client("s3").put_object(Bucket=kept.bucket, Key=KEY, Body=b"forged")
    with pytest.raises(DamagedArtifactError):
        kept.get(KEY, "0" * 64)


@pytest.mark.parametrize("key", ["taken/below", "../outside"])
def test_what_cannot_be_kept_is_not_there(local_aws: LocalAws, kept: ModelStore, key: str) -> None:
    kept.put("taken", b"a file where a folder would have to be")
    with pytest.raises(EnmsError) as refused:
        kept.put(key, b"lost")
    assert isinstance(refused.value, UnavailableError)
    with pytest.raises(NotFoundError):
        kept.get(key, "0" * 64)
    assert not (_folder(local_aws, kept).parent / "outside").exists()


def test_other_buckets_are_not_kept(local_aws: LocalAws, kept: ModelStore) -> None:
    storage = local_aws.client("s3")
    storage.create_bucket(Bucket="passing", CreateBucketConfiguration={"LocationConstraint": REGION})
    ModelStore("passing").put(KEY, b"{}")
    assert not (local_aws.folder / "objects" / "passing").exists()
