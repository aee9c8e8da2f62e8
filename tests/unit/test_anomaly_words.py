"""The sentence of an episode, and the names and units of what drove it."""

from datetime import datetime
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest

from enms.science.anomalies.findings import Contribution, Episode, Kind
from enms.science.baseline.drivers import DRIVERS
from enms.services.anomaly_words import contribution_shown, label_of, sentence, unit_of

ZONE = "Europe/Berlin"


def second(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)).timestamp())


def episode(kind: Kind, **changes: Any) -> Episode:
    given: dict[str, Any] = {
        "start": second("2026-11-24T22:00"),
        "end": second("2026-11-25T06:45"),
        "is_ongoing": True,
        "severity": "warning",
        "methods": ("cusum", "load_model"),
        "metric_name": "energy_kwh",
        "metric_value": 498.0,
        "expected_value": 400.0,
        "sigma": 3.1,
        "confidence": 0.9,
        "false_alarms_per_week": 0.02,
        "peak_at": second("2026-11-24T23:00"),
        "deviation_kwh": 98.0,
        "contributions": (),
    }
    return Episode(kind=kind, **(given | changes))


def said(kind: Kind, cost: float | None = 13.7, **changes: Any) -> str:
    return sentence("Compressor-1", episode(kind, **changes), ZONE, cost, "EUR")


def test_a_leak_is_told_with_power_energy_money_and_where_to_look() -> None:
    assert said("baseload_increase") == (
        "Compressor-1 has used 11.2 kW more than its baseline expects since 24 Nov 22:00, whatever its load "
        "(98 kWh, 13.70 EUR so far): look for a leak or a load left on."
    )


def test_what_is_over_has_an_end() -> None:
    assert said("efficiency_drop", is_ongoing=False).startswith(
        "Compressor-1 used 11.2 kW more than its baseline expects from 24 Nov 22:00 to 25 Nov 06:45, in "
        "proportion to its load (98 kWh, 13.70 EUR): look at"
    )


def test_within_a_day_the_day_is_told_once() -> None:
    end = second("2026-11-24T23:30")
    assert " from 24 Nov 22:00 to 23:30 " in said("power_spike", is_ongoing=False, end=end)


def test_the_clock_is_the_factory_s() -> None:
    told = sentence("Press", episode("power_spike"), "Asia/Kolkata", None, None)
    assert "since 25 Nov 02:30" in told


@pytest.mark.parametrize(
    ("method", "usual"),
    [
        ("baseline_deviation", "its baseline expects"),
        ("load_model", "usual at the same load"),
        ("power_profile", "in the same hours of earlier weeks"),
        ("isolation_forest", "usual"),
    ],
)
def test_it_says_what_was_expected_by(method: str, usual: str) -> None:
    assert f"more than {usual} since" in said("power_spike", methods=(method,))


def test_less_power_costs_nothing() -> None:
    told = said("power_drop", cost=-5.0, deviation_kwh=-35.0)
    assert "has used 4 kW less than its baseline expects" in told
    assert "(35 kWh so far)" in told
    assert "EUR" not in told


def test_without_a_price_energy_alone_is_told() -> None:
    assert "(98 kWh so far)" in said("power_spike", cost=None)


def test_without_energy_the_metric_tells_the_power() -> None:
    as_power = {"metric_name": "power_kw", "metric_value": 62.0, "expected_value": 50.0}
    told = said("power_spike", deviation_kwh=None, **as_power)
    assert "used 12 kW more than" in told
    assert "kWh" not in told
    assert "used 11.2 kW more than" in said("power_spike", deviation_kwh=None)


@pytest.mark.parametrize(
    "unknown", [{"deviation_kwh": -3.0}, {"deviation_kwh": None, "expected_value": None}]
)
def test_a_figure_that_is_unknown_or_contradicts_the_kind_is_left_out(unknown: dict[str, Any]) -> None:
    told = said("baseload_increase", **unknown)
    assert told.startswith("Compressor-1 has used more than its baseline expects since 24 Nov 22:00")
    assert "kWh" not in told


def test_a_level_that_stays_offers_a_new_baseline() -> None:
    told = said("efficiency_drop", is_lasting=True)
    assert told.endswith(". If this level is to stay, train a new baseline from 2026-11-24 on.")


def test_a_sensor_is_told_beside_what_it_usually_shows() -> None:
    hot = {"metric_name": "machine_temp_c", "metric_value": 82.3, "expected_value": 70.0}
    assert said("temperature_spike", **hot) == (
        "Compressor-1's machine temperature has been 12.3 K above what it is at the same load since "
        "24 Nov 22:00 (82.3 instead of 70 °C): look at cooling, airflow and bearings."
    )
    cold = {"metric_name": "return_air_temp_c", "metric_value": -4.0, "expected_value": 2.5}
    assert "6.5 K below" in said("temperature_spike", **cold)
    assert "(−4 instead of 2.5 °C)" in said("temperature_spike", **cold)


def test_a_restless_pressure() -> None:
    swings = {"metric_name": "pressure_bar_variation", "metric_value": 0.312, "expected_value": 0.1}
    assert said("pressure_anomaly", **swings).startswith(
        "Compressor-1's pressure has been restless since 24 Nov 22:00 (varying by 0.312 instead of 0.1 bar): "
    )


def test_a_sensor_without_expectation() -> None:
    for metric in ("pressure_bar", "pressure_bar_variation"):
        told = said("pressure_anomaly", metric_name=metric, expected_value=None)
        assert "None" not in told
        assert "pressure has been" in told


def test_a_pattern_names_the_strongest_causes() -> None:
    causes = tuple(
        Contribution(name, share, 1.0, 0.0, 4.0)
        for name, share in (("ramp_kw", 0.5), ("vibration_mm_s_sigma", 0.3), ("power_kw", 0.2))
    )
    told = said("unusual_pattern", metric_name="power_kw", contributions=causes)
    assert told.startswith(
        "Compressor-1 has shown a combination of values that is new since 24 Nov 22:00, most of all in "
        "change of power and vibration beside what is usual: "
    )
    assert "most of all" not in said("unusual_pattern", metric_name="power_kw")


def test_a_vibration_is_told_as_a_sensor() -> None:
    told = said("unusual_pattern", metric_name="vibration_mm_s", metric_value=5.5, expected_value=2.25)
    assert "vibration has been 3.25 mm/s above" in told


def test_what_stands_still_and_what_is_missing() -> None:
    flat = said("sensor_fault", metric_name="power_kw", metric_value=44.0, is_ongoing=False)
    assert flat.startswith("Compressor-1's meter stood still or told what cannot be from 24 Nov 22:00")
    assert "(44 kW)" in flat
    sensor = said("sensor_fault", metric_name="pressure_bar", metric_value=None)
    assert "sensor of pressure has stood still" in sensor
    gap = said("data_gap", metric_name="covered_share", metric_value=0.0, expected_value=1.0)
    assert gap == (
        "Compressor-1 has reported nothing since 24 Nov 22:00 (8.75 h so far): check the gateway and the "
        "network."
    )


@pytest.mark.parametrize("kind", get_args(Kind.__value__))
@pytest.mark.parametrize("metric", ["energy_kwh", "power_kw", "covered_share", "environment.oil_bar", "cop"])
def test_every_kind_is_told_whatever_its_metric(kind: Kind, metric: str) -> None:
    told = said(kind, metric_name=metric, metric_value=None, expected_value=None, deviation_kwh=None)
    assert told.startswith("Compressor-1")
    assert told.endswith(".")
    assert "None" not in told
    assert told.count(": ") == 1


@pytest.mark.parametrize("name", DRIVERS)
def test_units_are_those_of_the_drivers(name: str) -> None:
    assert unit_of(name) == DRIVERS[name].unit


@pytest.mark.parametrize(
    ("name", "label", "unit"),
    [
        ("power_against_load_kw", "power beside what is usual at the same load", "kW"),
        ("deviation_sigma", "deviation from the baseline", "σ"),
        ("machine_temp_c_sigma", "machine temperature beside what is usual", "σ"),
        ("pressure_bar_variation", "restlessness of pressure", "bar"),
        ("pressure_bar_variation_sigma", "restlessness of pressure beside what is usual", "σ"),
        ("environment.oil_level_percent", "oil level", "%"),
        ("production.batch", "batch", None),
        ("cop", "COP", None),
        ("throughput_units_per_hour", "throughput", "units/h"),
    ],
)
def test_names_in_words(name: str, label: str, unit: str | None) -> None:
    assert (label_of(name), unit_of(name)) == (label, unit)


def test_a_contribution_as_the_api_shows_it() -> None:
    assert contribution_shown(Contribution("ramp_kw", 0.4, 12.0, 0.5, 3.0)) == {
        "feature": "ramp_kw",
        "label": "Change of power",
        "unit": "kW",
        "share": 0.4,
        "value": 12.0,
        "expected_value": 0.5,
        "sigma": 3.0,
    }
