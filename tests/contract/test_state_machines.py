"""State machines: what the template gives them, what repeats, and what makes them behave alike everywhere."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from enms.errors import UnavailableError

CHECKOUT = Path(__file__).resolve().parents[2]
DEFINITIONS = sorted((CHECKOUT / "statemachines").glob("*.asl.json"))
THROTTLED_OR_LOST = {
    UnavailableError.__name__,
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
}


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as plain values."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: {suffix: getattr(node, "value", None)})
TEMPLATE = yaml.load((CHECKOUT / "template.yaml").read_text(), _Loader)
MACHINES = {
    resource["Properties"]["DefinitionUri"]: resource["Properties"]
    for resource in TEMPLATE["Resources"].values()
    if resource["Type"] == "AWS::Serverless::StateMachine"
}

each_definition = pytest.mark.parametrize("file", DEFINITIONS, ids=lambda file: file.name)


def _states(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """All states, those inside of maps too."""
    for name, state in node.get("States", {}).items():
        yield name, state
        yield from _states(state.get("ItemProcessor", {}))


def test_every_definition_is_a_state_machine_of_the_template() -> None:
    assert {f"statemachines/{file.name}" for file in DEFINITIONS} == set(MACHINES)


@each_definition
def test_names_come_in_through_substitutions_only(file: Path) -> None:
    text = file.read_text()
    substituted = MACHINES[f"statemachines/{file.name}"]["DefinitionSubstitutions"]
    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(substituted)
    assert not re.search(r"\d{12}|arn:aws:(?!states:::)", text)


@each_definition
def test_every_function_is_asked_again_after_throttling_and_lost_connections_only(file: Path) -> None:
    tasks = [state for _, state in _states(json.loads(file.read_text())) if state["Type"] == "Task"]
    assert tasks
    for state in tasks:
        (retry,) = state["Retry"]
        assert set(retry["ErrorEquals"]) == THROTTLED_OR_LOST
        assert (retry["BackoffRate"] > 1, retry["JitterStrategy"]) == (True, "FULL")


@each_definition
def test_no_map_fails_for_one_of_its_items(file: Path) -> None:
    maps = [state for _, state in _states(json.loads(file.read_text())) if state["Type"] == "Map"]
    for state in maps:
        assert state["ToleratedFailurePercentage"] == 100.0
        # The local engine reads no whole number there.
        assert "100.0" in file.read_text()
        assert state["ResultPath"] is None
        first = state["ItemProcessor"]["States"][state["ItemProcessor"]["StartAt"]]
        assert first["Catch"][0]["ErrorEquals"] == ["States.ALL"]


@each_definition
def test_every_state_is_reached_and_leads_on(file: Path) -> None:
    def check(machine: dict[str, Any]) -> None:
        states = machine["States"]
        reached = {machine["StartAt"]}
        for state in states.values():
            further = [state.get("Next"), state.get("Default")]
            further += [each["Next"] for each in (*state.get("Choices", ()), *state.get("Catch", ()))]
            reached |= {name for name in further if name}
            assert state.get("End") or state.get("Next") or state["Type"] in ("Choice", "Succeed", "Fail")
            if "ItemProcessor" in state:
                check(state["ItemProcessor"])
        assert reached == set(states)

    check(json.loads(file.read_text()))
