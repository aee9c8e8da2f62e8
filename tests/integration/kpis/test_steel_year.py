"""A year of a real steel works: every KPI against pandas, to 1e-6."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from enms.database import kpis

TOLERANCE = 1e-6
QUARTER = pd.Timedelta(minutes=15)


@pytest.fixture(scope="module")
def steel(shared_dir: Path) -> pd.DataFrame:
    """kWh by the start of its quarter, in Seoul's time; the file stamps the end."""
    frame = pd.read_csv(shared_dir / "data" / "steel_15min" / "steel.csv", parse_dates=["timestamp"])
    start = (frame["timestamp"] - QUARTER).dt.tz_localize("Asia/Seoul")
    return pd.DataFrame({"kwh": frame["usage_kwh"].to_numpy()}, index=pd.DatetimeIndex(start))


def test_the_years_kpis_agree_with_pandas(plant, steel: pd.DataFrame) -> None:
    factory = plant.factory("Asia/Seoul", carbon_region="KR")
    works = plant.machine(factory, "works", seconds=900, rated_kw=700)
    plant.readings(works, [(at.to_pydatetime(), kwh * 4, kwh) for at, kwh in steel["kwh"].items()])
    plant.production(works, [(at.to_pydatetime(), 3) for at in steel.index[::4]])
    spring = (date(2018, 3, 1), date(2018, 5, 31))
    plant.tariff(factory, "peak", 191.1, (10, 12), days=[1, 2, 3, 4, 5], currency="KRW", per_kw=8320)
    plant.tariff(factory, "night", 56.2, (23, 9), currency="KRW")
    plant.tariff(factory, "spring", 78.5, (9, 23), currency="KRW", valid=spring)
    plant.tariff(factory, "rest", 109, currency="KRW")
    plant.carbon_factor("KR", 0.46, (date(2018, 1, 1), date(2018, 6, 30)))
    plant.carbon_factor("KR", 0.44, (date(2018, 7, 1), None))

    start, end = steel.index[0].to_pydatetime(), (steel.index[-1] + QUARTER).to_pydatetime()
    figures = kpis.all_kpis(plant.connection, works, start, end)
    monthly = kpis.history(plant.connection, works, start, end, "month")

    kwh, clock = steel["kwh"], steel.index
    total = kwh.sum()
    assert (figures.time_period_hours, figures.coverage, figures.readings) == (8760, 1, 35_040)
    assert figures.total_energy_kwh == pytest.approx(total, rel=TOLERANCE)
    assert figures.peak_demand_kw == pytest.approx(4 * kwh.max(), rel=TOLERANCE)
    assert figures.peak_time == kwh.idxmax()
    assert (figures.billing_peak_kw, figures.billing_peak_time) == (figures.peak_demand_kw, figures.peak_time)
    assert figures.load_factor == pytest.approx(total / 8760 / (4 * kwh.max()), rel=TOLERANCE)
    assert figures.sec_kwh_per_unit == pytest.approx(total / (3 * 8760), rel=TOLERANCE)

    is_spring = clock.month.isin([3, 4, 5]) & (clock.hour >= 9) & (clock.hour < 23)
    is_night = (clock.hour >= 23) | (clock.hour < 9)
    is_peak = (clock.hour >= 10) & (clock.hour < 12) & (clock.day_of_week < 5)
    tariff = pd.Series("rest", index=clock)
    tariff[is_night] = "night"
    tariff[is_peak] = "peak"
    # Of two windows of time of use the later valid one prices the hour.
    tariff[is_spring] = "spring"
    by_tariff = kwh.groupby(tariff).sum()
    assert {band.tariff: band.energy_kwh for band in figures.bands} == pytest.approx(
        by_tariff.to_dict(), rel=TOLERANCE
    )
    rates = pd.Series({"rest": 109, "night": 56.2, "peak": 191.1, "spring": 78.5})
    assert figures.total_cost == pytest.approx((by_tariff * rates).sum(), rel=TOLERANCE)
    assert figures.currency == "KRW"

    month = clock.tz_localize(None).to_period("M")
    peaks = 4 * kwh.groupby(month).max()
    cost = kpis.energy_cost(plant.connection, works, start, end)
    charges = cost.demand_charges
    assert [charge.billing_peak_kw for charge in charges] == pytest.approx(peaks.to_list(), rel=TOLERANCE)
    assert cost.demand_charge == pytest.approx(8320 * peaks.sum(), rel=TOLERANCE)

    factor = pd.Series(0.46, index=clock).where(clock.month <= 6, 0.44)
    assert figures.total_co2_kg == pytest.approx((kwh * factor).sum(), rel=TOLERANCE)

    energies = kwh.groupby(month).sum()
    assert [row.energy_kwh for row in monthly] == pytest.approx(energies.to_list(), rel=TOLERANCE)
    assert [row.peak_demand_kw for row in monthly] == pytest.approx(peaks.to_list(), rel=TOLERANCE)
    assert [row.local_date for row in monthly] == [date(2018, number, 1) for number in range(1, 13)]

    mean = kwh.groupby([(clock.day_of_week + 1) % 7, clock.hour]).mean() * 4
    cells = kpis.profile(plant.connection, works, start, end)
    assert len(cells) == 168
    for cell in cells:
        assert cell.mean_power_kw == pytest.approx(mean[cell.weekday, cell.hour], rel=TOLERANCE)

    curve = kpis.duration_curve(plant.connection, works, start, end, points=36_000)
    powers = (4 * kwh).sort_values(ascending=False).to_list()
    assert [point.power_kw for point in curve] == pytest.approx(powers, rel=TOLERANCE)
