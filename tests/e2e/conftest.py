"""A whole stack of its own, run from a second checkout beside the one under test, as a user would run it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.running_stack import Stack, copied_checkout, free_ports


@pytest.fixture(scope="session")
def second_checkout() -> Iterator[Path]:
    """A copy of the checkout that tests may change; it shares the installed environments."""
    with copied_checkout() as folder:
        yield folder


@pytest.fixture(scope="session")
def fresh_stack(second_checkout: Path) -> Iterator[Stack]:
    """A stack that nobody has brought up yet; stopped at the end."""
    names = ("ENMS_HTTP_PORT", "ENMS_HTTPS_PORT", "ENMS_AWS_PORT", "ENMS_DATABASE_PORT", "ENMS_DEV_PORT")
    settings = dict(zip(names, map(str, free_ports(len(names))), strict=True))
    settings |= {
        "ENMS_STATE_DIR": str(second_checkout / "state"),
        "ENMS_DEMO_DAYS": "3",
        "DAILY_KPIS_SCHEDULE": "rate(1 minute)",
        "RETRAIN_SCHEDULE": "rate(1 minute)",
        "DETECT_SCHEDULE": "rate(1 minute)",
        "FORECAST_1H_SCHEDULE": "rate(1 minute)",
        "ANOMALY_WEBHOOK_URL": f"http://127.0.0.1:{free_ports(1)[0]}/anomalies",
        "ANOMALY_WEBHOOK_SECRET": "whsec_dG9wIHNlY3JldA==",
    }
    stack = Stack(second_checkout, settings)
    yield stack
    stack.stop()


@pytest.fixture(scope="session")
def first_output(fresh_stack: Stack) -> str:
    """What the very first `enms up` printed."""
    return fresh_stack.enms("up")


@pytest.fixture
def stack(fresh_stack: Stack, first_output: str) -> Stack:
    """The stack, up, whatever the test before did to it."""
    fresh_stack.enms("up")
    return fresh_stack


@pytest.fixture
def unused_port() -> str:
    """A port that nobody listens on."""
    return str(free_ports(1)[0])
