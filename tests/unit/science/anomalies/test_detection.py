"""From training to episodes, on a made-up machine."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from unit.science.anomalies.machine import (
    DAY,
    HOUR,
    NOISE_KW,
    START,
    STEP,
    baseline_of,
    held,
    rows,
    series,
    with_power,
)

from enms.science.anomalies.band import band
from enms.science.anomalies.detection import detect
from enms.science.anomalies.detector import Detector
from enms.science.anomalies.findings import Episode
from enms.science.anomalies.learning import train
from enms.science.anomalies.series import MachineSeries
from enms.science.arrays import Values
from enms.science.baseline.model import Baseline
from enms.science.problems import UnfitError

TRAINED_DAYS, DAYS = 56, 70


@cache
def _sound() -> MachineSeries:
    return series(DAYS)


@cache
def _reference() -> MachineSeries:
    return _sound().take(slice(0, TRAINED_DAYS * DAY // STEP))


@cache
def _baseline() -> Baseline:
    return baseline_of(_reference())


@cache
def _detector(*, with_baseline: bool = True) -> Detector:
    reference = _reference()
    deviations = held(reference, _baseline()) if with_baseline else None
    return train(reference, deviations, np.zeros(len(reference), dtype=bool))


def _detect(
    machine: MachineSeries, *, detector: Detector | None = None, until_day: float = DAYS, **how: object
) -> list[Episode]:
    known = machine.take(slice(0, round(until_day * DAY / STEP)))
    detector = detector or _detector()
    deviations = held(known, _baseline()) if detector.has_baseline else None
    return detect(detector, known, deviations, START + TRAINED_DAYS * DAY, known.end, **how)  # type: ignore[arg-type]


def _leaking(extra_kw: float = 8.0, day: float = 60.5, hours: float = 9) -> MachineSeries:
    power = _sound().power_kw.copy()
    power[rows(_sound(), day, hours)] += extra_kw
    return with_power(_sound(), power)


def test_sound_operation_shows_nothing() -> None:
    assert _detect(_sound()) == []


def test_a_leak_of_nine_hours_is_one_episode_with_its_energy_and_cause() -> None:
    (episode,) = _detect(_leaking())
    began = START + 60.5 * DAY
    assert episode.kind == "baseload_increase"
    assert episode.severity == "critical"
    assert abs(episode.start - began) <= HOUR
    assert abs(episode.end - (began + 9 * HOUR)) <= HOUR
    assert not episode.is_ongoing
    assert episode.deviation_kwh == pytest.approx(72, abs=6 * NOISE_KW)
    assert "baseline_deviation" in episode.methods
    assert episode.sigma is not None
    assert episode.sigma > 3
    assert episode.contributions[0].share > 0.2
    assert sum(each.share for each in episode.contributions) <= 1 + 1e-9


def test_detection_an_hour_later_gives_the_same_episode_only_longer() -> None:
    found = [_detect(_leaking(), until_day=60.5 + hours / 24)[0] for hours in (4, 5, 9, 18)]
    assert len({each.start for each in found}) == 1
    assert [each.is_ongoing for each in found] == [True, True, True, False]
    assert [each.end for each in found] == sorted(each.end for each in found)


def test_less_power_than_the_work_needs_is_a_drop() -> None:
    (episode,) = _detect(_leaking(-8.0, 60.4, 3))
    assert episode.kind == "power_drop"
    assert episode.deviation_kwh is not None
    assert episode.deviation_kwh < 0


def test_a_hot_machine_is_a_rise_of_temperature() -> None:
    temperature = _sound().sensors["machine_temp_c"].copy()
    temperature[rows(_sound(), 60.4, 4)] += 12
    (episode,) = _detect(replace(_sound(), sensors={"machine_temp_c": temperature}))
    assert episode.kind == "temperature_spike"
    assert episode.metric_name == "machine_temp_c"
    assert episode.metric_value is not None
    assert episode.expected_value is not None
    assert episode.metric_value - episode.expected_value == pytest.approx(12, abs=2)


def _without_data(day: float, hours: float) -> MachineSeries:
    gap = rows(_sound(), day, hours)
    changed = {}
    for name in ("power_kw", "energy_kwh", "min_power_kw", "max_power_kw"):
        changed[name] = getattr(_sound(), name).copy()
        changed[name][gap] = np.nan
    covered = _sound().covered_share.copy()
    covered[gap] = 0
    return replace(_sound(), covered_share=covered, **changed)


def test_six_hours_without_data_are_a_gap_and_no_anomaly_of_power() -> None:
    (episode,) = _detect(_without_data(60.4, 6))
    assert (episode.kind, episode.metric_name, episode.methods) == ("data_gap", "covered_share", ("rule",))
    assert episode.end - episode.start == 6 * HOUR


def test_a_meter_that_stands_still_is_a_fault_of_the_sensor() -> None:
    power = _sound().power_kw.copy()
    still = rows(_sound(), 60.4, 4)
    power[still] = 33.3
    is_flat = np.zeros(len(power), dtype=bool)
    is_flat[still] = True
    found = _detect(replace(with_power(_sound(), power), is_flat=is_flat))
    assert "sensor_fault" in {each.kind for each in found}
    assert "power_spike" not in {each.kind for each in found}


def test_a_sensor_that_jumps_beyond_all_it_ever_showed_is_a_fault_of_the_sensor() -> None:
    temperature = _sound().sensors["machine_temp_c"].copy()
    temperature[rows(_sound(), 60.4, 0.5)] = 900.0
    found = _detect(replace(_sound(), sensors={"machine_temp_c": temperature}))
    assert [(each.kind, each.metric_name) for each in found] == [("sensor_fault", "machine_temp_c")]


@pytest.mark.parametrize(("stuck_at", "kinds"), [(55.5, {"sensor_fault"}), (100.0, set())])
def test_a_sensor_may_rest_at_an_end_of_its_range(stuck_at: float, kinds: set[str]) -> None:
    humidity = np.random.default_rng(1).uniform(30, 99, len(_sound()))
    still = humidity.copy()
    still[rows(_sound(), 60.4, 9)] = stuck_at
    reference = replace(_reference(), sensors={"outdoor_humidity_percent": humidity[: len(_reference())]})
    detector = train(reference, held(reference, _baseline()), np.zeros(len(reference), dtype=bool))
    machine = replace(_sound(), sensors={"outdoor_humidity_percent": still})
    assert {each.kind for each in _detect(machine, detector=detector)} == kinds


def test_power_beyond_what_the_machine_can_draw_is_a_fault_of_the_meter() -> None:
    power = _sound().power_kw.copy()
    power[rows(_sound(), 60.4, 1)] = 400.0
    assert "sensor_fault" in {each.kind for each in _detect(with_power(_sound(), power))}


def test_without_a_baseline_power_is_judged_and_nothing_is_certain() -> None:
    detector = _detector(with_baseline=False)
    assert not detector.has_baseline
    assert detector.confidence_cap < 1
    found = _detect(_leaking(12.0), detector=detector)
    assert any(each.start <= START + 61 * DAY and each.kind == "baseload_increase" for each in found)
    assert all(each.confidence <= detector.confidence_cap for each in found)


def test_a_smaller_contamination_gives_no_more_candidates_and_the_budget_holds() -> None:
    machine = _leaking(2.0)
    counts = [len(_detect(machine, contamination=each)) for each in (0.5, 0.1, 0.01, 1e-6)]
    assert counts == sorted(counts, reverse=True)
    assert len(_detect(machine, with_budget=False)) >= max(counts)


def test_a_level_that_stays_is_one_lasting_episode() -> None:
    found = _detect(_leaking(8.0, 58, 12 * 24))
    (lasting,) = [each for each in found if each.is_lasting]
    assert lasting.is_ongoing
    assert lasting.end - lasting.start > 11 * DAY


def test_known_anomalies_are_not_learned_from() -> None:
    reference = _leaking(30.0, 20, 10 * 24).take(slice(0, TRAINED_DAYS * DAY // STEP))
    excluded = np.zeros(len(reference), dtype=bool)
    excluded[rows(reference, 20, 10 * 24)] = True
    detector = train(reference, held(_sound(), _baseline()), excluded)
    assert len(_detect(_leaking(), detector=detector)) == 1


def test_less_than_two_weeks_are_no_history() -> None:
    short = series(10)
    with pytest.raises(UnfitError) as raised:
        train(short, None, np.zeros(len(short), dtype=bool))
    assert raised.value.code == "little-history"
    assert "10.0 days" in raised.value.message
    assert "4.0 days more" in raised.value.message


def test_a_machine_whose_readings_began_late_learns_from_those_it_has() -> None:
    reference = _reference()
    power = np.where(reference.starts_at < START + 36 * DAY, np.nan, reference.power_kw)
    late = replace(
        with_power(reference, power),
        covered_share=np.isfinite(power).astype(float),
        sensors={"machine_temp_c": np.where(np.isfinite(power), reference.sensors["machine_temp_c"], np.nan)},
    )
    detector = train(late, None, np.zeros(len(late), dtype=bool))
    assert any(each.kind == "baseload_increase" for each in _detect(_leaking(16.0), detector=detector))


@pytest.mark.parametrize("rhythm_hours", [0.5, 1])
def test_a_machine_that_reports_slowly_is_judged_at_its_own_rhythm(rhythm_hours: float) -> None:
    count = int(rhythm_hours * HOUR / STEP)
    machine = _slowed(_leaking(), count)
    reference = machine.take(machine.starts_at < START + TRAINED_DAYS * DAY)
    detector = train(reference, None, np.zeros(len(reference), dtype=bool))
    found = detect(detector, machine, None, START + TRAINED_DAYS * DAY, machine.end)
    assert any(abs(each.start - START - 60.5 * DAY) <= 2 * HOUR for each in found)


def _slowed(machine: MachineSeries, count: int) -> MachineSeries:
    """The same machine with intervals so many times as long."""

    def means(values: Values) -> Values:
        return values.reshape(-1, count).mean(axis=1)

    averaged = {
        name: means(getattr(machine, name))
        for name in ("power_kw", "min_power_kw", "max_power_kw", "running_share")
    }
    return replace(
        machine.take(slice(None, None, count)),
        step_seconds=count * STEP,
        energy_kwh=count * means(machine.energy_kwh),
        production_count=count * means(machine.production_count),
        sensors={"machine_temp_c": means(machine.sensors["machine_temp_c"])},
        **averaged,
    )


def test_a_machine_that_tells_nothing_but_power_is_judged_by_it() -> None:
    unknown = np.full(len(_sound()), np.nan)
    bare = {
        "running_share": unknown,
        "production_count": unknown,
        "maintenance_share": unknown,
        "sensors": {},
    }
    reference = replace(_sound(), **bare).take(slice(0, TRAINED_DAYS * DAY // STEP))
    detector = train(reference, None, np.zeros(len(reference), dtype=bool))
    found = _detect(replace(_leaking(30.0), **bare), detector=detector)
    (episode,) = [each for each in found if each.start <= START + 61 * DAY <= each.end + DAY]
    chart = band(detector, replace(_leaking(30.0), **bare), None, "power_kw")
    assert chart is not None
    assert chart.expected is not None
    inside = (chart.starts_at >= episode.start) & (chart.starts_at < episode.end)
    # What the sentence calls usual is what the chart shows.
    assert episode.expected_value == pytest.approx(np.nanmean(chart.expected[inside]), rel=0.01)


def test_a_detector_comes_back_from_its_bytes() -> None:
    back = Detector.from_bytes(_detector().to_bytes())
    assert _detect(_leaking(), detector=back) == _detect(_leaking())
    assert back.features == _detector().features


def test_training_again_gives_the_same_detector() -> None:
    reference = _reference()
    again = train(reference, held(reference, _baseline()), np.zeros(len(reference), dtype=bool))
    assert _detect(_leaking(), detector=again) == _detect(_leaking())


class Stranger:
    """Nothing that a detector is made of."""


def test_bytes_with_a_foreign_type_are_refused() -> None:
    from skops.io import dumps

    with pytest.raises(ValueError, match=r"holds no .*Stranger"):
        Detector.from_bytes(dumps({"head": '{"version": 1}', "forest": Stranger()}))


def test_bytes_with_another_model_are_refused() -> None:
    from sklearn.linear_model import LogisticRegression
    from skops.io import dumps

    with pytest.raises(ValueError, match="LogisticRegression is no forest"):
        Detector.from_bytes(dumps({"head": '{"version": 1}', "forest": LogisticRegression()}))


def test_a_document_of_another_version_is_refused() -> None:
    from skops.io import dumps

    with pytest.raises(ValueError, match="version is 99"):
        Detector.from_bytes(dumps({"head": '{"version": 99}'}))


@pytest.mark.parametrize("metric", ["energy_kwh", "power_kw", "machine_temp_c"])
def test_a_chart_shows_what_was_expected(metric: str) -> None:
    chart = band(_detector(), _sound(), held(_sound(), _baseline()), metric)
    assert chart is not None
    assert chart.low is not None
    assert chart.high is not None
    assert chart.expected is not None
    inside = (chart.values >= chart.low) & (chart.values <= chart.high)
    assert 0.85 < inside[np.isfinite(chart.expected)].mean() < 1


def test_a_chart_of_what_nobody_measures_is_none() -> None:
    assert band(_detector(), _sound(), None, "pressure_bar") is None
    assert band(_detector(), _sound(), None, "energy_kwh") is None
    coverage = band(_detector(), _sound(), None, "covered_share")
    assert coverage is not None
    assert coverage.expected is None
