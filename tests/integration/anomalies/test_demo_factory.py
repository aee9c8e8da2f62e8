"""The bench's factory: faults of all kinds and sizes where they have an effect, and series that fit them."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from benchmarks.anomaly_factory import FactoryCase, factory
from benchmarks.anomaly_faults import APART, SIZELESS, SIZES, size_class

from enms_local.demo.faults import KINDS, Fault
from enms_local.demo.plant import MACHINES

QUARTER = 900
HOUR = 3_600
DAY = 86_400


@pytest.fixture(scope="module")
def cases() -> list[FactoryCase]:
    """A whole factory, whose reference holds the change to summer time."""
    return list(factory(1))


def inside(case: FactoryCase, fault: Fault) -> np.ndarray:
    """Quarters that lie wholly in a fault."""
    starts = case.series.starts_at
    return (starts >= fault.start_at.timestamp()) & (starts + QUARTER <= fault.end_at.timestamp())


def faults_of(cases: list[FactoryCase], kind: str) -> list[tuple[FactoryCase, Fault]]:
    return [(case, fault) for case in cases for fault in case.truth if fault.kind == kind]


def test_every_kind_in_every_size_is_there(cases: list[FactoryCase]) -> None:
    faults = [fault for case in cases for fault in case.truth]
    sized = Counter((fault.kind, size_class(fault)) for fault in faults)

    assert len(faults) >= 40
    assert set(sized) == {(kind, None) for kind in SIZELESS} | {
        (kind, size) for kind in KINDS if kind not in SIZELESS for size in SIZES
    }


def test_faults_of_a_machine_lie_apart_and_in_the_test(cases: list[FactoryCase]) -> None:
    for case in cases:
        assert 1 <= len(case.former) <= 2
        assert all(fault.end_at.timestamp() < case.tested_from for fault in case.former)
        assert all(case.tested_from < fault.start_at.timestamp() for fault in case.truth)
        assert all(fault.end_at.timestamp() < case.series.end for fault in case.truth)
        assert all(later.start_at - former.end_at >= APART for former, later in pairwise(case.truth))


def test_faults_of_a_kind_last_and_lie_as_they_do_in_life(cases: list[FactoryCase]) -> None:
    def running(case: FactoryCase, fault: Fault) -> float:
        return float(case.series.running_share[inside(case, fault)].mean())

    assert all(running(case, fault) > 0.6 for case, fault in faults_of(cases, "drop"))
    assert all(running(case, fault) < 0.4 for case, fault in faults_of(cases, "standby"))
    assert all(running(case, fault) > 0 for case, fault in faults_of(cases, "inefficiency"))
    lengths = [fault.end_at - fault.start_at for _, fault in faults_of(cases, "drift")]
    assert all(timedelta(hours=48) <= length <= timedelta(hours=96) for length in lengths)


def test_the_same_seed_gives_the_same_factory_whichever_machines_are_asked_for(
    cases: list[FactoryCase],
) -> None:
    (again,) = factory(1, machines=MACHINES[3:4])

    assert again.truth == cases[3].truth
    assert np.array_equal(again.series.power_kw, cases[3].series.power_kw, equal_nan=True)


def test_the_grid_has_no_hole_and_knows_the_change_of_the_clock(cases: list[FactoryCase]) -> None:
    series = cases[0].series

    assert set(np.diff(series.starts_at).tolist()) == {QUARTER}
    assert len(series) == 120 * 96 - 4
    midnights = series.starts_at[series.minute_of_day == 0]
    assert set(np.diff(midnights).tolist()) == {DAY, DAY - HOUR}
    assert set(series.weekday.tolist()) == set(range(7))


def test_a_gap_has_no_energy_and_no_cover(cases: list[FactoryCase]) -> None:
    for case, fault in faults_of(cases, "gap"):
        # A reading stands for up to three minutes, so the first quarter may be covered in part.
        rows = np.flatnonzero(inside(case, fault))[1:]
        assert np.isnan(case.series.energy_kwh[rows]).all()
        assert (case.series.covered_share[rows] == 0).all()
        assert np.isnan(case.series.power_kw[rows]).all()


def test_an_outage_has_its_energy_spread(cases: list[FactoryCase]) -> None:
    for case, fault in faults_of(cases, "outage"):
        rows = np.flatnonzero(inside(case, fault))[1:]
        energy = case.series.energy_kwh[rows]
        assert (case.series.spread_share[rows] == 1).all()
        assert (case.series.covered_share[rows] == 0).all()
        assert energy == pytest.approx(energy.mean())
        assert energy.min() > 0


def test_a_stuck_meter_is_flat(cases: list[FactoryCase]) -> None:
    flat = [case.series.is_flat[inside(case, fault)] for case, fault in faults_of(cases, "stuck")]

    assert flat
    assert all(each.all() for each in flat)


def test_pressure_swings_more_in_its_fault(cases: list[FactoryCase]) -> None:
    for case, fault in faults_of(cases, "pressure"):
        spread = case.series.sensor_spread["pressure_bar"]
        assert np.median(spread[inside(case, fault)]) > 5 * np.median(spread)


def test_deviations_are_noise_but_for_the_faults(cases: list[FactoryCase]) -> None:
    for case in cases:
        held, starts_at = case.deviations.comparison, case.deviations.starts_at
        z = held.deviation_kwh / held.std_error_kwh
        tested = starts_at >= case.tested_from
        for fault in case.truth:
            start, end = fault.start_at.timestamp() - HOUR, fault.end_at.timestamp() + HOUR
            tested &= (starts_at < start) | (starts_at > end)
        # Less than 1 where a fault that nobody marked has widened the reference's errors.
        assert 0.3 < z[tested].std() < 1.2
        assert abs(z[tested].mean()) < 0.5


def test_nothing_of_later_is_in_what_is_known_until_then(cases: list[FactoryCase]) -> None:
    case = cases[0]
    until = case.tested_from + 10 * DAY + 1800

    series, deviations = case.until(until, case.tested_from)

    assert series.starts_at[0] == case.tested_from
    assert series.end == until
    assert deviations.starts_at[-1] + HOUR <= until
    assert len(deviations.starts_at) == len(deviations.comparison.data)
    assert len(deviations.comparison.predicted_kwh) == len(deviations.comparison.design)
