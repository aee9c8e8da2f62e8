"""Which objects of the local S3 are put back, and what leads a process to its models."""

from pathlib import Path

import pytest

from enms_local.stack.objects import kept, models_bucket, with_models
from enms_local.stack.settings import StackSettings

BUCKET = "enms-analytics-models-000000000000-eu-central-1"


@pytest.fixture
def settings(tmp_path: Path) -> StackSettings:
    """Of a stack whose state lies in the test's folder."""
    return StackSettings(enms_state_dir=tmp_path, enms_aws_port=14566)


def test_nothing_is_kept_before_there_is_anything(settings: StackSettings) -> None:
    assert kept(settings) == []


def test_whole_objects_of_this_stacks_bucket_are_kept(settings: StackSettings) -> None:
    folder = settings.objects_dir / BUCKET / "baselines" / "a"
    folder.mkdir(parents=True)
    (folder / "v000001.json").write_text("{}")
    (folder / ".half-written").write_text("{")
    other = settings.objects_dir / BUCKET.replace("central", "west")
    other.mkdir()
    (other / "v000001.json").write_text("{}")

    assert [(each.bucket, each.key) for each in kept(settings)] == [(BUCKET, "baselines/a/v000001.json")]
    assert models_bucket(settings) == BUCKET


def test_a_process_is_led_to_the_local_cloud_whatever_account_it_has(settings: StackSettings) -> None:
    own = {"AWS_PROFILE": "work", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SESSION_TOKEN": "t", "LANG": "C"}
    assert with_models(own, settings) == {
        "LANG": "C",
        "MODELS_BUCKET": BUCKET,
        "ANOMALY_BUS": "enms.anomaly",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:14566",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


def test_a_bucket_that_is_named_is_left_alone(settings: StackSettings) -> None:
    own = {"AWS_PROFILE": "work", "MODELS_BUCKET": "ours"}
    assert with_models(own, settings) == own
