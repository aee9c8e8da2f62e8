"""What detection refuses says why, and keeps nothing."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from integration.anomalies.demo_plant import COMPRESSOR, PUMP, DemoPlant, local

from enms.errors import InvalidInputError, NotFoundError

DAYS = ("2025-10-28", "2025-10-30")
UNKNOWN = UUID("00000000-0000-4000-8000-000000000000")


@pytest.fixture(autouse=True)
def nothing_is_kept(plant: DemoPlant) -> Any:
    """No anomaly, whatever is asked."""
    yield
    assert plant.stored() == []


@pytest.mark.parametrize("contamination", [0, -0.1, 0.51, 1, float("nan")])
def test_a_contamination_that_is_no_share(plant: DemoPlant, contamination: float) -> None:
    with pytest.raises(InvalidInputError, match=r"more than 0, at most 0\.5") as refused:
        plant.detect(*DAYS, contamination=contamination)
    assert refused.value.details["parameter"] == "contamination"
    assert plant.database.rows("SELECT FROM analytics.anomaly_detectors") == []


@pytest.mark.parametrize(
    ("start", "end", "parameter"),
    [
        ("2025-10-30", "2025-10-28", "end"),
        ("2025-10-30", "2025-10-30", "end"),
        (date(2024, 9, 1), date(2025, 10, 30), "end"),
        (datetime(2124, 1, 1, tzinfo=UTC), datetime(2124, 1, 2, tzinfo=UTC), "start"),
    ],
)
def test_a_period_that_means_nothing(plant: DemoPlant, start: Any, end: Any, parameter: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        plant.detect(start, end)
    assert refused.value.details["parameter"] == parameter


def test_a_period_of_which_no_interval_is_over(plant: DemoPlant) -> None:
    now = datetime.now(UTC)
    with pytest.raises(InvalidInputError, match="is over yet"):
        plant.detect(now - timedelta(seconds=1), now + timedelta(hours=3))


def test_a_machine_that_isn_t_there(plant: DemoPlant) -> None:
    with pytest.raises(NotFoundError):
        plant.detect(*DAYS, UNKNOWN)


def test_a_period_without_a_reading(plant: DemoPlant) -> None:
    for start, end in (("2025-05-01", "2025-05-02"), ("2026-02-01", "2026-02-03")):
        with pytest.raises(InvalidInputError, match="no reading of electrical energy") as refused:
            plant.detect(start, end)
        assert refused.value.details["code"] == "no-readings"


def test_a_machine_that_never_reported(plant: DemoPlant) -> None:
    plant.database.rows("DELETE FROM energy_readings WHERE machine_id = %s RETURNING 1", (PUMP.id,))
    with pytest.raises(
        InvalidInputError, match="Pump-1 has no reading of electrical energy at all"
    ) as refused:
        plant.detect("2026-03-01", "2026-03-02", PUMP)
    assert refused.value.details["code"] == "no-readings"


def test_too_little_history_is_told_in_days(plant: DemoPlant) -> None:
    plant.database.rows(
        "DELETE FROM energy_readings WHERE machine_id = %s AND time < %s RETURNING 1",
        (COMPRESSOR.id, local("2025-10-24")),
    )
    with pytest.raises(
        InvalidInputError, match=r"Compressor-1 can't be looked at .* 14 are needed"
    ) as refused:
        plant.detect(*DAYS)
    assert refused.value.details["code"] == "little-history"
    assert refused.value.details["days"] == pytest.approx(10, abs=0.1)
    assert plant.database.rows("SELECT FROM analytics.anomaly_detectors") == []


def test_another_carrier_that_the_machine_has_not(plant: DemoPlant) -> None:
    with pytest.raises(InvalidInputError, match="no reading of natural_gas energy"):
        plant.detect(*DAYS, energy_type="natural_gas")
