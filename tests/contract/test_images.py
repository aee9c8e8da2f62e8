"""What the template says of images fits `layers/Dockerfile`, the functions' folders, and their imports."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
DOCKERFILE = (CHECKOUT / "layers" / "Dockerfile").read_text()


class TemplateLoader(yaml.SafeLoader):
    """Reads YAML whose values may be CloudFormation's short forms; what they give is of no interest here."""


TemplateLoader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)

TEMPLATE = yaml.load((CHECKOUT / "template.yaml").read_text(), Loader=TemplateLoader)
FUNCTIONS = {
    name: resource
    for name, resource in TEMPLATE["Resources"].items()
    if resource["Type"] == "AWS::Serverless::Function"
}

ON_BASE_STAGE = [
    function["Metadata"]["DockerBuildArgs"]["FUNCTION"]
    for function in FUNCTIONS.values()
    if function["Metadata"]["DockerBuildTarget"] == "base"
]


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_image_is_built_from_the_one_dockerfile(function: dict[str, Any]) -> None:
    metadata = function["Metadata"]
    folder = metadata["DockerBuildArgs"]["FUNCTION"]
    assert (CHECKOUT / "functions" / folder / "app.py").is_file()
    assert function["Properties"]["ImageUri"].split("/")[-1].split(":")[0] == folder
    assert (metadata["DockerContext"], metadata["Dockerfile"]) == (".", "layers/Dockerfile")
    assert f"AS {metadata['DockerBuildTarget']}\n" in DOCKERFILE


def test_every_function_folder_has_an_image() -> None:
    folders = {path.parent.name for path in (CHECKOUT / "functions").glob("*/app.py")}
    assert folders == {function["Metadata"]["DockerBuildArgs"]["FUNCTION"] for function in FUNCTIONS.values()}


@pytest.mark.parametrize("folder", ON_BASE_STAGE)
def test_function_on_the_base_stage_imports_no_web_package(folder: str) -> None:
    script = "import sys, app; print(*sorted({'fastapi', 'starlette', 'mangum'} & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=CHECKOUT / "functions" / folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == ""


def test_dockerfile_needs_no_buildkit() -> None:
    assert not re.search(r"--mount|--link|--chmod|<<", DOCKERFILE)


def test_packages_come_from_the_lock_with_hashes() -> None:
    # What is left to pip in the Dockerfile itself is uv, which reads the lock: the version that wrote it.
    (uv_version,) = re.findall(
        r"^uv_version=(\S+)", (CHECKOUT / "local" / "setup.sh").read_text(), re.MULTILINE
    )
    assert re.findall(r"pip install (.*)", DOCKERFILE) == [f"--no-cache-dir uv=={uv_version}"]
    assert "--require-hashes" in (CHECKOUT / "layers" / "install_packages.py").read_text()
