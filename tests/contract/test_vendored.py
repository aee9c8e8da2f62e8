"""What the console serves of others is what the lock names."""

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
CHART_JS = CHECKOUT / ".enms" / "env" / "console" / "node_modules" / "chart.js"
SOURCE_MAP = b"//# sourceMappingURL="


def test_chart_js_is_the_locked_package() -> None:
    vendored = CHECKOUT / "functions" / "ui" / "static" / "chart.umd.js"

    # A browser's tools would ask our origin for the map, which isn't there.
    lines = (CHART_JS / "dist" / "chart.umd.min.js").read_bytes().splitlines(keepends=True)
    expected = b"".join(line for line in lines if not line.startswith(SOURCE_MAP))

    assert vendored.read_bytes() == expected
    assert vendored.read_bytes().startswith(b"/*!\n * Chart.js v")
