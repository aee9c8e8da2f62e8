"""What the template makes for events of anomalies: nothing without a webhook, nothing wider than needed."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from enms.services.anomaly_webhook import TIMEOUT_SECONDS, pause_seconds

CHECKOUT = Path(__file__).resolve().parents[2]


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as plain values."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.SequenceNode):
        return {suffix: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.ScalarNode)
    return {suffix: node.value}


_Loader.add_multi_constructor("!", _short_form)
TEMPLATE = yaml.load((CHECKOUT / "template.yaml").read_text(), _Loader)
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
WEBHOOK = sorted(name for name in RESOURCES if "Webhook" in name)


def _statements(node: Any) -> Iterator[dict[str, Any]]:
    """All statements of policies."""
    if isinstance(node, dict):
        if "Effect" in node:
            yield node
        for value in node.values():
            yield from _statements(value)
    elif isinstance(node, list):
        for value in node:
            yield from _statements(value)


@pytest.mark.parametrize("name", WEBHOOK)
def test_without_an_address_nothing_of_the_webhook_is_made(name: str) -> None:
    assert RESOURCES[name]["Condition"] == "PostsAnomalies"


def test_nothing_else_needs_the_webhook() -> None:
    for name, resource in RESOURCES.items():
        if name not in WEBHOOK:
            assert not re.search("Webhook", str(resource)), name


def test_rights_name_what_they_are_for() -> None:
    # Delivery of logs takes no resource in its statement.
    wide = [each for each in _statements(RESOURCES) if each.get("Resource") == "*"]
    assert all(action.startswith("logs:") for each in wide for action in each["Action"])
    sending = [each for each in _statements(RESOURCES) if "Service" in each.get("Principal", {})]
    assert sending
    assert all(each.get("Condition") for each in sending), "a service may act for other accounts"


def test_a_refused_event_is_repeated_for_hours_and_then_kept() -> None:
    queue = RESOURCES["AnomalyWebhookQueue"]["Properties"]
    attempts = queue["RedrivePolicy"]["maxReceiveCount"]
    hours = sum(pause_seconds(attempt) for attempt in range(1, attempts)) / 3600
    assert 7 <= hours < 8
    assert queue["MessageRetentionPeriod"] > hours * 3600
    assert RESOURCES["AnomalyUndelivered"]["Properties"]["MessageRetentionPeriod"] == 14 * 86_400


def test_a_batch_is_posted_in_the_time_that_its_function_has() -> None:
    batch = RESOURCES["AnomalyWebhookSource"]["Properties"]["BatchSize"]
    timeout = RESOURCES["AnomalyWebhookFunction"]["Properties"]["Timeout"]
    assert batch * TIMEOUT_SECONDS < timeout
    # While the function has messages, nobody else gets them.
    assert RESOURCES["AnomalyWebhookQueue"]["Properties"]["VisibilityTimeout"] >= 6 * timeout


def test_the_detection_has_a_connection_besides_its_lock() -> None:
    variables = RESOURCES["DetectAnomaliesFunction"]["Properties"]["Environment"]["Variables"]
    assert int(variables["DATABASE_POOL_SIZE"]) >= 2
