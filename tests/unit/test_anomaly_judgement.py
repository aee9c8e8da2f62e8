"""The bench's judge of detection: what counts as found, as split, as false, and how late it is."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from benchmarks.anomaly_factory import FactoryCase, factory
from benchmarks.anomaly_judgement import RUNS_AFTER_SECONDS, delay_seconds, judge, median_delays
from benchmarks.anomaly_replay import replayed

from enms.science.anomalies.findings import Episode, Kind, Severity
from enms_local.demo.faults import Fault
from enms_local.demo.plant import MACHINES

DAY = 86_400
HOUR = 3_600
# Of the test, in which the clock goes forward.
WEEKS = (30 * DAY - HOUR) / (7 * DAY)


@pytest.fixture(scope="module")
def sound() -> FactoryCase:
    """A machine's months, the last of them without faults."""
    (case,) = factory(1, faulty=False, machines=MACHINES[:1])
    return case


def fault(case: FactoryCase, day: int, hours: float, kind: str = "leak", size: float = 0.2) -> Fault:
    start_at = datetime.fromtimestamp(case.tested_from + day * DAY, UTC)
    return Fault(kind, start_at, start_at + timedelta(hours=hours), size)


def episode(
    case: FactoryCase,
    hours_from: float,
    hours: float,
    kind: Kind = "baseload_increase",
    severity: Severity = "warning",
    confidence: float = 0.95,
) -> Episode:
    start = int(case.tested_from + hours_from * HOUR)
    return Episode(
        start, int(start + hours * HOUR), False, kind, severity, ("baseline_deviation",), "energy_kwh",
        12.0, 10.0, 3.0, confidence, 0.1, start, 2.0, (),
    )  # fmt: skip


def with_faults(case: FactoryCase, *faults: Fault) -> FactoryCase:
    return replace(case, truth=list(faults))


def test_an_episode_is_true_that_overlaps_a_fault_or_the_hour_after_it(sound: FactoryCase) -> None:
    case = with_faults(sound, fault(sound, day=1, hours=4))
    late, too_late, before = episode(case, 28.9, 2), episode(case, 29.1, 2), episode(case, 20, 4)

    judged = judge([(case, [late, too_late, before])])

    assert [match.episodes for match in judged.matches] == [(late,)]
    assert judged.false == (too_late, before)
    assert judged.recall == 1
    assert judged.precision == pytest.approx(1 / 3)


def test_several_episodes_of_a_fault_are_one_find_that_is_split(sound: FactoryCase) -> None:
    case = with_faults(sound, fault(sound, day=1, hours=20))

    judged = judge([(case, [episode(case, 36, 3), episode(case, 25, 2), episode(case, 41, 1)])])

    assert (judged.found, judged.split, len(judged.false)) == (1, 2, 0)
    assert (judged.precision, judged.recall) == (1, 1)


def test_an_episode_over_two_faults_finds_both_and_is_of_the_one_that_it_overlaps_most(
    sound: FactoryCase,
) -> None:
    case = with_faults(sound, fault(sound, day=1, hours=4), fault(sound, day=3, hours=10, kind="drop"))

    judged = judge([(case, [episode(case, 26, 60, kind="power_drop")])])

    assert (judged.found, judged.right_kind) == (2, 1)


def test_a_missed_fault_lowers_recall_and_nothing_else(sound: FactoryCase) -> None:
    case = with_faults(sound, fault(sound, day=1, hours=4), fault(sound, day=4, hours=4))

    judged = judge([(case, [episode(case, 24, 4)])])

    assert (judged.recall, judged.precision) == (0.5, 1)


def test_false_ones_are_held_against_every_size(sound: FactoryCase) -> None:
    case = with_faults(
        sound,
        fault(sound, day=1, hours=4, size=0.1),
        fault(sound, day=4, hours=4, size=0.4),
        fault(sound, day=7, hours=4, kind="gap"),
    )
    episodes = [episode(case, 24, 4), episode(case, 96, 4), episode(case, 300, 4)]

    judged = judge([(case, episodes)])

    assert [judged.of_sizes(size).precision for size in ("small", "large")] == [0.5, 0.5]
    assert (judged.of_sizes(None).recall, judged.of_sizes("small", "large").recall) == (0, 1)


def test_kinds_are_judged_by_what_each_fault_should_be_taken_for(sound: FactoryCase) -> None:
    case = with_faults(sound, fault(sound, day=1, hours=4), fault(sound, day=4, hours=4, kind="spike"))
    episodes = [episode(case, 24, 4), episode(case, 96, 4, kind="baseload_increase"), episode(case, 300, 4)]

    judged = judge([(case, episodes)])

    assert judged.right_kind == 0.5
    assert (judged.of_kind("spike").right_kind, judged.of_kind("leak").right_kind) == (0, 1)
    assert (len(judged.of_kind("spike").false), len(judged.of_kind("leak").false)) == (0, 1)


def test_false_alarms_are_counted_by_machine_and_week(sound: FactoryCase) -> None:
    episodes = [episode(sound, 50, 1), episode(sound, 90, 1), episode(sound, 400, 1, severity="critical")]

    judged = judge([(sound, episodes), (sound, [])])

    assert judged.weeks == pytest.approx(2 * WEEKS)
    assert judged.false_per_week("warning") == pytest.approx(3 / (2 * WEEKS))
    assert judged.false_per_week("critical") == pytest.approx(1 / (2 * WEEKS))


def test_nothing_judged_is_no_figure(sound: FactoryCase) -> None:
    judged = judge([(sound, [])])

    assert np.isnan([judged.recall, judged.precision, judged.right_kind]).all()
    assert judged.confidence() == []


def test_confidence_stands_beside_the_share_that_is_true(sound: FactoryCase) -> None:
    case = with_faults(sound, fault(sound, day=1, hours=4), fault(sound, day=4, hours=4))
    episodes = [
        episode(case, 24, 4, confidence=0.95),
        episode(case, 96, 4, confidence=0.9),
        episode(case, 300, 4, confidence=1.0),
        episode(case, 500, 4, confidence=0.55),
    ]

    low, high = judge([(case, episodes)]).confidence()

    assert (low.low, low.count, low.stated, low.true) == (0.5, 1, 0.55, 0)
    assert (high.low, high.count) == (0.9, 3)
    assert high.stated == pytest.approx(0.95)
    assert high.true == pytest.approx(2 / 3)


def test_the_delay_is_told_by_the_first_hourly_run_that_knows_enough(sound: FactoryCase) -> None:
    starts_late = fault(sound, day=1, hours=6)
    starts_late = replace(starts_late, start_at=starts_late.start_at + timedelta(minutes=20))
    case = with_faults(sound, starts_late)
    asked: list[tuple[int, int, int]] = []

    def from_the_third_hour_on(_: FactoryCase, start: int, end: int, known_until: int) -> Sequence[Episode]:
        asked.append((start, end, known_until))
        return [episode(case, 24, 3)] if len(asked) == 3 else []

    delay = delay_seconds(case, starts_late, from_the_third_hour_on)

    first = case.tested_from + DAY
    assert asked == [(first + h * HOUR, first + (h + 1) * HOUR, first + (h + 1) * HOUR) for h in range(3)]
    assert delay == 3 * HOUR - 20 * 60 + RUNS_AFTER_SECONDS


def test_a_fault_that_no_run_tells_of_is_endlessly_late(sound: FactoryCase) -> None:
    leak = fault(sound, day=1, hours=4)

    delay = delay_seconds(sound, leak, lambda *_: [])

    assert delay is None
    assert median_delays([("leak", delay), ("leak", 600.0), ("leak", 1200.0), ("drop", None)]) == {
        "leak": 1200.0,
        "drop": float("inf"),
    }


def test_hourly_runs_leave_one_episode_of_what_grows_and_changes_its_name(sound: FactoryCase) -> None:
    def grows(case: FactoryCase, start: int, end: int, _: int) -> list[Episode]:
        hours = (end - case.tested_from) // HOUR
        if not 24 < hours <= 30:
            return []
        kind: Kind = "power_spike" if hours < 27 else "baseload_increase"
        return [episode(case, 24, hours - 24, kind, "critical" if hours == 28 else "warning")]

    (left,) = replayed(sound, grows)

    assert (left.start, left.end) == (sound.tested_from + 24 * HOUR, sound.tested_from + 30 * HOUR)
    assert (left.kind, left.severity) == ("baseload_increase", "critical")


def test_hourly_runs_leave_what_a_later_run_no_longer_finds(sound: FactoryCase) -> None:
    def once_each(case: FactoryCase, start: int, end: int, _: int) -> list[Episode]:
        hours = (end - case.tested_from) // HOUR
        return [episode(case, hours - 1, 1)] if hours in (10, 40) else []

    left = replayed(sound, once_each)

    assert [(each.start - sound.tested_from) // HOUR for each in left] == [9, 39]


def test_two_episodes_that_a_third_joins_are_one(sound: FactoryCase) -> None:
    def joined(case: FactoryCase, start: int, end: int, _: int) -> list[Episode]:
        hours = (end - case.tested_from) // HOUR
        found = {10: (9, 1), 16: (15, 1), 17: (9, 8)}.get(hours)
        return [episode(case, *found)] if found else []

    (left,) = replayed(sound, joined)

    assert ((left.end - left.start) // HOUR, left.start) == (8, sound.tested_from + 9 * HOUR)
