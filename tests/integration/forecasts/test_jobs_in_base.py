"""Jobs that the forecast holds already are not counted twice."""

from datetime import timedelta
from typing import Any

import pytest
from integration.baselines.works import FACTORY
from integration.forecasts.loads import HOUR, Plant, this_hour

from enms.services.load_schedules import optimal_schedule
from enms.web.schedule_questions import ScheduleBody

POWER_KW = 4.0


def solved(plant: Plant, **more: Any) -> dict[str, Any]:
    start = this_hour() + HOUR
    job = {
        "id": "batch",
        "power_kw": POWER_KW,
        "duration_minutes": 60,
        "planned_start": (start + 3 * HOUR).isoformat(),
    }
    asked = {"factory_id": FACTORY, "start": start, "end": start + timedelta(hours=12), "jobs": [job], **more}
    body = {name: each.isoformat() if hasattr(each, "isoformat") else each for name, each in asked.items()}
    return optimal_schedule(plant.database, ScheduleBody.model_validate(body).request())


def test_they_are_taken_out_of_the_load_where_they_are_planned(plant: Plant) -> None:
    on_top, within = solved(plant), solved(plant, jobs_are_in_base=True)

    difference = [a - b for a, b in zip(on_top["load_kw"]["now"], within["load_kw"]["now"], strict=True)]

    assert difference == pytest.approx([POWER_KW if 12 <= quarter < 16 else 0 for quarter in range(48)])
    assert within["is_assumption"] is on_top["is_assumption"] is False
    assert any("counts twice" in note for note in on_top["notes"])
    assert not any("counts twice" in note for note in within["notes"])
