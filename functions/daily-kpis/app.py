"""Job `daily-kpis`: every factory's latest closed local day into `analytics.kpi_daily`."""

from typing import Any


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Runs the job for a scheduled event, or for a run that was asked for by `run_id`."""
    raise NotImplementedError
