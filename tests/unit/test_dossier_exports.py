"""Coefficients and residuals as CSV."""

import csv
import io
from typing import Any

import pytest

from enms.services.exports import coefficients_csv, residuals_csv, with_intercept

COEFFICIENT = {
    "name": "production_count", "term": "production_count", "value": 0.1, "std_error": 0.01, "t_value": 10.0,
    "p_value": 0.0, "low": 0.08, "high": 0.12, "plain_std_error": 0.009, "plain_t_value": 11.1,
    "plain_p_value": 0.0, "vif": None, "standardised": 0.9, "contribution_percent": 100.0,
}  # fmt: skip


@pytest.fixture
def content() -> Any:
    return {
        "machine": {"timezone": "Europe/Berlin"},
        "training": {"samples": 102},
        "intercept": -1.5,
        "intercept_std_error": 0.5,
        "coefficients": [dict(COEFFICIENT)],
        # The hour that comes twice in Berlin.
        "residuals": {
            "starts_at": [1_792_886_400, 1_792_890_000],
            "actual_kwh": [10.0, 0.3],
            "predicted_kwh": [12.25, 0.1],
        },
    }


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_every_coefficient_has_a_row_with_all_figures(content: Any) -> None:
    text = coefficients_csv(content)
    first, second = rows(text)
    assert text.endswith("\r\n")
    assert (first["name"], first["value"], first["std_error"]) == ("intercept", "-1.5", "0.5")
    assert float(first["t_value"]) == -3
    # 100 degrees of freedom: t is 1.98397 at 97.5 %.
    assert float(first["low"]) == pytest.approx(-1.5 - 0.5 * 1.983972, abs=1e-6)
    assert float(first["p_value"]) == pytest.approx(0.003408, abs=1e-6)
    assert (first["vif"], first["plain_std_error"]) == ("", "")
    assert {name: second[name] for name in ("value", "vif", "contribution_percent")} == {
        "value": "0.1", "vif": "", "contribution_percent": "100.0",
    }  # fmt: skip
    assert set(second) == set(COEFFICIENT)


def test_an_intercept_without_error_has_no_test(content: Any) -> None:
    content["intercept_std_error"] = 0.0
    assert with_intercept(content)[0] == {
        "name": "intercept", "term": "intercept", "value": -1.5, "std_error": 0.0,
    }  # fmt: skip


def test_names_can_do_nothing_in_a_spreadsheet(content: Any) -> None:
    names = ["=1+1", "+x", "-x", "@x", "\tx", "\rx", 'a,"b"\nc']
    content["coefficients"] = [COEFFICIENT | {"name": name} for name in names]
    found = [row["name"] for row in rows(coefficients_csv(content))[1:]]
    assert found == [*(f"'{name}" for name in names[:-1]), names[-1]]


def test_residuals_tell_both_times(content: Any) -> None:
    first, second = rows(residuals_csv(content))
    assert first == {
        "starts_at": "2026-10-25T00:00:00Z", "local_time": "2026-10-25T02:00:00+02:00", "actual_kwh": "10.0",
        "predicted_kwh": "12.25", "residual_kwh": "-2.25",
    }  # fmt: skip
    assert second["local_time"] == "2026-10-25T02:00:00+01:00"
    assert second["residual_kwh"] == "0.2"
