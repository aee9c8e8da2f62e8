"""Fixtures of the integration tests."""

import signal
from collections.abc import Iterator

import pytest
from integration.local_aws import LocalAws, local_aws_of_own


@pytest.fixture(scope="session")
def local_aws() -> Iterator[LocalAws]:
    """A LocalStack for this test run; tests deploy functions under names of their own."""
    with local_aws_of_own() as aws:
        yield aws


@pytest.fixture
def fresh_local_aws() -> Iterator[LocalAws]:
    """A LocalStack with nothing deployed, which a test may end itself."""
    with local_aws_of_own(signal.SIGKILL) as aws:
        yield aws
