"""What jobs come on top of: the stored forecast, its quantiles as a margin, the usual week beyond."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from integration.baselines.works import MACHINE, Works
from integration.forecasts.issued import Issue, Issued
from integration.forecasts.loads import draw

from enms.database.connection import Database
from enms.services.forecast_subjects import find_subject
from enms.services.schedule_site import SiteFound, site_of
from enms.services.schedule_times import plan_times

HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")


def found(database: Database, start: datetime, hours: int, **asked: object) -> SiteFound:
    subject = find_subject(database, MACHINE, None)
    return site_of(database, subject, plan_times(start, start + hours * HOUR, BERLIN), asked)


def forecast(works: Works, first: datetime, hours: int = 168) -> np.ndarray:
    """A forecast of 100, 101, 102 … kW, 5 kW more and less with 80 %."""
    issued = Issued(works, horizon="7d-hourly")
    power_kw = 100.0 + np.arange(hours)
    starts_at = [first + k * HOUR for k in range(hours)]
    issued.add(Issue(starts_at, power_kw, None, np.full(hours, np.nan)), issued.model())
    return power_kw


def test_hours_of_the_forecast_make_quarters(works: Works, database: Database) -> None:
    first = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    power_kw = forecast(works, first)
    read = found(database, first + HOUR / 2, 3)
    expected = np.repeat(power_kw, 4)[2 : 2 + 12]
    assert read.site.base_kw.tolist() == expected.tolist()
    assert read.site.limit_kw is None
    assert read.margin_kw is None
    assert read.notes[0].startswith("The load that doesn't move is the forecast")


def test_the_limit_is_kept_with_the_90_percent_quantile(works: Works, database: Database) -> None:
    first = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    forecast(works, first)
    read = found(database, first, 2, site_limit_kw=300.0)
    assert read.site.limit_kw is not None
    assert read.unmargined_limit_kw is not None
    assert read.site.limit_kw.tolist() == [295.0] * 8
    assert read.unmargined_limit_kw.tolist() == [300.0] * 8
    assert read.margin_kw == pytest.approx(5)
    without = found(database, first, 2, site_limit_kw=300.0, margin="none")
    assert without.site.limit_kw is not None
    assert without.site.limit_kw.tolist() == [300.0] * 8
    assert without.unmargined_limit_kw is None


def test_beyond_the_forecast_stands_nothing_without_readings(works: Works, database: Database) -> None:
    first = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    forecast(works, first, hours=2)
    read = found(database, first, 4)
    assert read.site.base_kw.tolist() == [100.0] * 4 + [101.0] * 4 + [0.0] * 8
    assert "50 % of the plan" in read.notes[0]


def test_a_load_of_ones_own(works: Works, database: Database) -> None:
    first = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    forecast(works, first)
    assert found(database, first, 1, base_kw=[7.0] * 4).site.base_kw.tolist() == [7.0] * 4
    assert found(database, first, 1, base_load="none").site.base_kw.tolist() == [0.0] * 4


def test_inside_its_hours_the_forecast_moves_as_the_load_did(works: Works, database: Database) -> None:
    first = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    draw(works, first - timedelta(days=14), first, lambda at: 80.0 if at.minute == 0 else 40.0)
    power_kw = forecast(works, first)
    base_kw = found(database, first, 24).site.base_kw.reshape(24, 4)
    assert base_kw.mean(axis=1) == pytest.approx(power_kw[:24])
    assert base_kw[:, 0] / base_kw[:, 1] == pytest.approx(np.full(24, 2.0))
