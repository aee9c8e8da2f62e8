"""`enms evaluate forecast` keeps to the protocol by which others' figures on real loads were made."""

from typing import Any

import pytest
from benchmarks.forecast_files import question
from benchmarks.real_data import DATA

from enms.science.forecasting.candidates.persistence import Persistence
from enms.science.forecasting.candidates.seasonal import LAST_WEEK, YESTERDAY
from enms_local.evaluate.forecasts import evaluate_forecasts

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"{DATA} isn't there: real loads lie beside the checkout"
)


@pytest.mark.parametrize(
    ("name", "horizon", "origins", "more", "expected"),
    [
        ("steel", "24h", 7, {"last_origin": "2018-12-09"}, (0.664, 0.539)),
        ("aep", "24h", 7, {}, (1.030, 0.733)),
        ("steel", "7d", 4, {"last_origin": "2018-12-03", "step": "1h"}, (1.564, 0.845)),
        ("aep", "7d", 4, {"step": "1h"}, (1.583, 1.635)),
    ],
)
def test_seasonal_naives_of_hours(
    name: str, horizon: str, origins: int, more: dict[str, Any], expected: tuple[float, float]
) -> None:
    found = evaluate_forecasts(question(name, horizon, origins, **more), (YESTERDAY, LAST_WEEK))
    errors = (found.models[each.name].mase for each in (YESTERDAY, LAST_WEEK))
    assert tuple(errors) == pytest.approx(expected, abs=6e-4)


def test_days_and_quarter_hours() -> None:
    days = evaluate_forecasts(question("steel", "7d", 12, last_origin="2018-12-03"), (LAST_WEEK,))
    assert days.models[LAST_WEEK.name].mase == pytest.approx(0.969, abs=6e-4)
    quarters = question("steel", "1h", 120, last_origin="2018-12-09T23:00")
    found = evaluate_forecasts(quarters, (LAST_WEEK, Persistence()))
    assert found.models["persistence"].mase == pytest.approx(0.589, abs=6e-4)
