"""A demo factory without a database: its machines' series, baselines, and the faults that they really had.

    from benchmarks.anomaly_factory import factory

    for case in factory(seed=3):                            # faulty=False: a month without faults
        series, deviations = case.until(case.tested_from)   # 90 days with a fault or two that nobody marked
        detector = train(series, deviations, np.zeros(len(series), dtype=bool))
        found = detect(detector, case.series, case.deviations, case.tested_from, case.series.end)
        case.truth                                          # the faults of the 30 days that followed

Seeds 1 to 20 are there to develop with; the bench takes 3000 and up, which nobody has looked at.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import numpy as np

from benchmarks import anomaly_faults
from benchmarks.anomaly_faults import MINUTES_PER_DAY, ZONE, Wanted, Window
from benchmarks.anomaly_series import HOUR_SECONDS, Aggregates, quarters_between, starts_between
from enms.science.anomalies.deviations import Deviations
from enms.science.anomalies.series import MachineSeries
from enms.science.baseline.build import Request, build
from enms.science.baseline.deviation import Comparison, compare
from enms.science.baseline.model import Baseline
from enms.science.baseline.observations import Observations
from enms.science.baseline.refusals import Quality, judge
from enms.science.baseline.verdict import Limits
from enms.services.baseline_settings import RULES
from enms_local.demo.faults import Fault
from enms_local.demo.model import simulate
from enms_local.demo.plant import MACHINES, TIMEZONE, DemoMachine

REFERENCE_DAYS = 90
TEST_DAYS = 30
# Ends of the history by seed: high summer, both changes of the clock, winter, autumn.
ENDS = (date(2026, 6, 30), date(2026, 4, 12), date(2025, 11, 12), date(2026, 2, 5), date(2026, 9, 20))


@dataclass(frozen=True)
class FactoryCase:
    """One machine over 90 days of reference and 30 days of test.

    Attributes:
        machine: Which one.
        series: All 120 days by quarters.
        deviations: The hours of them that could be judged, against a baseline of the reference.
        truth: The faults of the test, by start.
        former: Faults of the reference that nobody marked.
        tested_from: Where the test begins, epoch seconds.
        zone: The factory's.
    """

    machine: DemoMachine
    series: MachineSeries
    deviations: Deviations
    truth: list[Fault]
    former: list[Fault]
    tested_from: int
    zone: str = field(default=TIMEZONE)

    def until(self, end: int, start: int = 0) -> tuple[MachineSeries, Deviations]:
        """What is known of [start, end), epoch seconds: whole intervals only."""
        last_hour = end // HOUR_SECONDS * HOUR_SECONDS
        rows = starts_between(self.deviations.starts_at, start, last_hour)
        return quarters_between(self.series, start, end), _taken(self.deviations, rows)


def factory(
    seed: int, *, faulty: bool = True, machines: Sequence[DemoMachine] = MACHINES
) -> Iterator[FactoryCase]:
    """The factory's machines.

    Args:
        seed: Chooses weather, orders, noise, faults and the season.
        faulty: Whether the test has faults. The reference has its one or two in any case.
        machines: Those that are wanted; what one does doesn't depend on the others.
    """
    random = np.random.default_rng(seed)
    wanted = anomaly_faults.wanted_faults(random, len(MACHINES))
    for machine, theirs in zip(MACHINES, wanted, strict=True):
        own_random = np.random.default_rng([seed, MACHINES.index(machine)])
        if machine in machines:
            yield _case(machine, theirs if faulty else [], seed, own_random)


def _case(
    machine: DemoMachine, wanted: Sequence[Wanted], seed: int, random: np.random.Generator
) -> FactoryCase:
    first, split, end = _minutes(ENDS[seed % len(ENDS)])
    sound = simulate(machine, first, end, [], seed)
    window = Window(sound.minutes, sound.mode == 1)
    former_days = window.part(first, split - MINUTES_PER_DAY)
    former = anomaly_faults.place(random, anomaly_faults.former_faults(random), former_days)
    truth = anomaly_faults.place(random, wanted, window.part(split, end))
    faults = [*former, *truth]
    aggregates = Aggregates(machine, simulate(machine, first, end, faults, seed), faults)
    observations, quality = aggregates.hours()
    return FactoryCase(
        machine,
        aggregates.quarters(),
        _deviations(machine, observations, quality, split // 60),
        truth,
        former,
        split * 60,
    )


def _minutes(end: date) -> tuple[int, int, int]:
    """First minute, first minute of the test, the minute after the last; local midnights."""
    midnights = [end - timedelta(days=days) for days in (REFERENCE_DAYS + TEST_DAYS, TEST_DAYS, 0)]
    first, split, last = (
        int(datetime(each.year, each.month, each.day, tzinfo=ZONE).timestamp()) // 60 for each in midnights
    )
    return first, split, last


def _deviations(machine: DemoMachine, data: Observations, quality: Quality, split_hour: int) -> Deviations:
    """All hours against a baseline of the reference, with the drivers that the machine really has."""
    reference = data.positions < split_hour
    drivers = tuple(machine.coefficients)
    built = build(data.take(reference), _quality_of(quality, reference), Request(drivers), Limits(), RULES)
    baseline = Baseline.of(built)
    judged = judge(data, quality, baseline.needed, **vars(RULES))
    usable = data.take(judged.usable)
    return Deviations(compare(baseline, usable), usable.positions * HOUR_SECONDS)


def _quality_of(quality: Quality, rows: np.ndarray) -> Quality:
    arrays = {name: each[rows] for name, each in vars(quality).items() if isinstance(each, np.ndarray)}
    return replace(quality, **arrays)


def _taken(deviations: Deviations, rows: slice) -> Deviations:
    held = deviations.comparison
    comparison = Comparison(
        held.baseline,
        held.data.take(np.arange(len(held.data))[rows]),
        held.design[rows],
        held.predicted_kwh[rows],
        held.deviation_kwh[rows],
        held.std_error_kwh[rows],
        held.is_beyond[rows],
        {name: distance[rows] for name, distance in held.beyond.items()},
    )
    return Deviations(comparison, deviations.starts_at[rows])
