"""Which way imports run, and what the way of a request must not load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
LIBRARY = CHECKOUT / "shared" / "enms"
FUNCTIONS = CHECKOUT / "functions"

FOUNDATION = {"errors", "settings", "observability", "__init__"}
# Which parts of `enms` a part may import, besides itself.
MAY_IMPORT = {
    "errors": set[str](),
    "settings": FOUNDATION,
    "observability": FOUNDATION,
    "aws": set[str](),
    "secrets": {*FOUNDATION, "aws"},
    "artifacts": {*FOUNDATION, "aws"},
    "science": set[str](),
    "database": FOUNDATION,
    "services": {*FOUNDATION, "science", "database", "artifacts", "aws", "secrets"},
    "web": {*FOUNDATION, "science", "database", "artifacts", "services"},
    "functions": {*FOUNDATION, "database", "artifacts", "services", "web"},
    "__init__": set[str](),
}
# Which parts may import a library, for the libraries that belong to one place.
OWNERS = {
    "boto3": set[str](),
    "botocore": {"artifacts", "aws", "secrets", "services"},
    "psycopg2": {"database"},
    "fastapi": {"web", "functions"},
    "starlette": {"web", "functions"},
    "mangum": {"web"},
}
WITHOUT_WEB = (
    "anomaly-webhook",
    "daily-kpis",
    "detect-anomalies",
    "make-forecasts",
    "migrate",
    "retrain-baselines",
    "train-forecasts",
)
HEAVY = ("numpy", "pandas", "scipy", "sklearn", "statsmodels", "prophet", "ortools", "holidays")


def _sources() -> list[Path]:
    return sorted([*LIBRARY.rglob("*.py"), *FUNCTIONS.rglob("*.py")])


def _part(path: Path) -> str:
    if path.is_relative_to(FUNCTIONS):
        return "functions"
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


@pytest.mark.parametrize("path", _sources(), ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_imports_run_one_way(path: Path) -> None:
    part = _part(path)
    for name in _imported(path):
        library, _, rest = name.partition(".")
        if library == "enms":
            wanted = rest.partition(".")[0]
            if (LIBRARY / wanted).exists() or (LIBRARY / f"{wanted}.py").exists():
                assert wanted == part or wanted in MAY_IMPORT[part], f"{part} imports {name}"
        assert library != "enms_local", f"{part} imports {name}"
        assert part in OWNERS.get(library, {part}), f"{part} imports {name}"


@pytest.mark.parametrize(
    "folder", sorted(path.name for path in FUNCTIONS.iterdir() if (path / "app.py").exists())
)
def test_a_function_does_not_load_what_it_does_not_need(folder: str) -> None:
    unwanted = (*HEAVY, "boto3", "botocore.client", "pydantic.v1", "enms.web.models", "enms_local")
    if folder in WITHOUT_WEB:
        # Their image has no web packages, or needs none.
        unwanted = (*unwanted, "fastapi", "starlette", "mangum", "enms.web")
    script = f"import sys, app; print([name for name in {unwanted!r} if sys.modules.get(name)])"
    loaded = subprocess.run(
        [sys.executable, "-c", script],
        cwd=FUNCTIONS / folder,
        env={"PYTHONPATH": str(CHECKOUT / "shared")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout.strip() == "[]"
