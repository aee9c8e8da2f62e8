"""`.env.example` lists every setting there is, with its default."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from enms import settings as function_settings
from enms_local.stack.settings import CHECKOUT, StackSettings

LINE = re.compile(r"(?:# )?(?P<name>[A-Z][A-Z0-9_]*)=(?P<value>.*)")


def listed() -> dict[str, str]:
    """Settings of the file, those in comments included."""
    lines = (CHECKOUT / ".env.example").read_text().splitlines()
    matches = [match for line in lines if (match := LINE.fullmatch(line))]
    return {match["name"]: match["value"] for match in matches}


def of_functions() -> set[str]:
    """Settings of all classes in `enms.settings`."""
    classes = [
        found
        for found in vars(function_settings).values()
        if isinstance(found, type) and issubclass(found, function_settings.Settings)
    ]
    return {name.upper() for found in classes for name in found.model_fields}


def of_the_stack() -> dict[str, object]:
    return {setting.name.upper(): setting.default for setting in fields(StackSettings)}


def test_lists_every_setting_and_nothing_else() -> None:
    assert set(listed()) == of_functions() | set(of_the_stack())


@pytest.mark.parametrize(("name", "default"), of_the_stack().items())
def test_tells_the_default(name: str, default: object) -> None:
    assert listed()[name] == (str(default).lower() if isinstance(default, bool) else str(default))


def test_is_itself_a_valid_file(tmp_path: Path) -> None:
    copy = tmp_path / ".env"
    copy.write_text((CHECKOUT / ".env.example").read_text())

    assert StackSettings.load({}, copy) == StackSettings()
