"""Detection on the demo factory, beside the faults that it really had; and what training costs."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from statistics import median

import numpy as np

from benchmarks.anomaly_factory import TEST_DAYS, FactoryCase, factory
from benchmarks.anomaly_judgement import Judgement, delay_seconds, judge, median_delays
from benchmarks.anomaly_replay import replayed
from benchmarks.load import medians
from benchmarks.table import Figure
from enms.science.anomalies.detection import detect
from enms.science.anomalies.detector import Detector
from enms.science.anomalies.findings import Episode, Severity
from enms.science.anomalies.learning import train
from enms_local.demo.faults import KINDS

ROW = "anomaly-factory"
# Not used while developing, one for each season that the factory has.
SEEDS = range(3000, 3005)
_SURE = 0.9
_WEEKS_PER_MONTH = TEST_DAYS / 7
_TIMED_KINDS = ("spike", "drift")
_FEATURES = 12
_RUNS = 5
_ROUNDS = 5


def demo_factory() -> Iterator[Figure]:
    """Months with faults, and the same months without."""
    judged, delays = _with_faults()
    months = f"{len(SEEDS)} seeds × 8 machines × {TEST_DAYS} days"
    yield _found(
        f"demo factory, {months}, {len(judged.matches)} faults: precision, recall of those ≥ 15 % of load",
        judged.of_sizes("medium", "large"), 0.9, 0.9,
    )  # fmt: skip
    yield _found("the same: those of 7 to 15 %", judged.of_sizes("small"), 0.75, 0.7)
    yield from _kinds(judged)
    yield _delay("spikes", delays["spike"] / 60, 75, "min")
    yield _delay("slow drift", delays["drift"] / 86_400, 3, "days")
    yield _sureness(judged)
    sound = (case for seed in SEEDS for case in factory(seed, faulty=False))
    yield from _false_alarms(judge((case, _whole_test(detector_of(case), case)) for case in sound))


def hourly() -> Iterator[Figure]:
    """One month more as the hourly job lives it: what a run finds too early, no later one takes back."""
    faulty, sound = (
        judge(
            (case, replayed(case, partial(_detected, detector_of(case))))
            for case in factory(SEEDS[0], faulty=is_faulty)
        )
        for is_faulty in (True, False)
    )
    months = f"one seed, 8 machines, {24 * TEST_DAYS} hourly runs each"
    sized = faulty.of_sizes("medium", "large")
    yield Figure(
        "anomaly-hourly", f"{months}: precision, recall of faults ≥ 15 % of load", "-",
        f"{sized.precision:.3f}, {sized.recall:.3f} ({len(faulty.false)} false, {faulty.split} split)", None,
    )  # fmt: skip
    yield Figure(
        "anomaly-hourly", "the same without faults: warnings and worse a machine and week", "-",
        f"{sound.false_per_week('warning'):.2f} ({len(sound.false)} episodes)", None,
    )  # fmt: skip


def training() -> Iterator[Figure]:
    """A detector of 90 days by quarters ÷ a bare forest on as many rows."""
    from sklearn.ensemble import IsolationForest

    case = next(factory(SEEDS[0]))
    series, deviations = case.until(case.tested_from)
    nothing = np.zeros(len(series), dtype=bool)
    table = np.random.default_rng(1).normal(size=(len(series), _FEATURES))
    contenders: list[Callable[[], object]] = [
        lambda: train(series, deviations, nothing),
        lambda: IsolationForest(random_state=0).fit(table),
    ]
    features = len(train(series, deviations, nothing).features)
    ours, bare = medians(partial(_medians_of_one_run, contenders), _RUNS)
    yield Figure(
        "anomaly-training",
        f"training a detector, 90 d of 15 min, {features} features ÷ IsolationForest().fit, "
        f"{len(series)} × {_FEATURES}",
        "≤ 1.5",
        f"{ours / bare:.2f} ({ours * 1e3:.0f} ÷ {bare * 1e3:.0f} ms)",
        ours / bare <= 1.5,
    )


def _with_faults() -> tuple[Judgement, dict[str, float]]:
    found: list[tuple[FactoryCase, Sequence[Episode]]] = []
    delays: list[tuple[str, float | None]] = []
    for seed in SEEDS:
        for case in factory(seed):
            detector = detector_of(case)
            found.append((case, _whole_test(detector, case)))
            replay = partial(_detected, detector)
            delays += [
                (fault.kind, delay_seconds(case, fault, replay))
                for fault in case.truth
                if fault.kind in _TIMED_KINDS
            ]
    return judge(found), dict(median_delays(delays))


def detector_of(case: FactoryCase) -> Detector:
    """Trained on the reference, of which nobody marked anything."""
    series, deviations = case.until(case.tested_from)
    return train(series, deviations, np.zeros(len(series), dtype=bool))


def _whole_test(detector: Detector, case: FactoryCase) -> list[Episode]:
    return _detected(detector, case, case.tested_from, case.series.end, case.series.end)


def _detected(detector: Detector, case: FactoryCase, start: int, end: int, known_until: int) -> list[Episode]:
    series, deviations = case.until(known_until, start - detector.lookback_seconds)
    return detect(detector, series, deviations, start, end)


def _found(what: str, judged: Judgement, precision: float, recall: float) -> Figure:
    return Figure(
        ROW,
        what,
        f"≥ {precision:g}, ≥ {recall:g}",
        f"{judged.precision:.3f}, {judged.recall:.3f} ({judged.found} of {len(judged.matches)} found, "
        f"{len(judged.false)} false, {judged.split} split)",
        judged.precision >= precision and judged.recall >= recall,
    )


def _kinds(judged: Judgement) -> Iterator[Figure]:
    yield Figure(
        ROW, "the same: share of episodes whose kind is right", "≥ 0.80", f"{judged.right_kind:.3f}",
        judged.right_kind >= 0.8,
    )  # fmt: skip
    for kind, (anomaly_type, _) in KINDS.items():
        theirs = judged.of_kind(kind)
        by_size = ", ".join(
            f"{size} {each.found} of {len(each.matches)}"
            for size in ("small", "medium", "large")
            if (each := theirs.of_sizes(size)).matches
        )
        yield Figure(
            ROW, f"the same: {kind} ({anomaly_type}), recall; kind right", "-",
            f"{theirs.recall:.2f} ({by_size or f'{theirs.found} of {len(theirs.matches)}'}); "
            f"{theirs.right_kind:.2f}", None,
        )  # fmt: skip


def _delay(what: str, reached: float, bound: float, unit: str) -> Figure:
    return Figure(
        ROW, f"the same: median from the start of {what} to the hourly run that tells of it",
        f"≤ {bound:g} {unit}", f"{reached:.3g} {unit}", reached <= bound,
    )  # fmt: skip


def _sureness(judged: Judgement) -> Figure:
    bins = judged.confidence()
    sure = [each for each in bins if each.low >= _SURE]
    listed = ", ".join(f"{each.stated:.2f}: {each.true:.2f} of {each.count}" for each in bins)
    true = sum(each.true * each.count for each in sure) / max(1, sum(each.count for each in sure))
    return Figure(
        ROW, f"the same: of episodes with a confidence of {_SURE} and more, those that are true",
        f"≥ {_SURE}", f"{true:.3f} (by confidence {listed})", true >= _SURE,
    )  # fmt: skip


def _false_alarms(judged: Judgement) -> Iterator[Figure]:
    machines = len(SEEDS) * 8
    rates: tuple[tuple[Severity, str, float], ...] = (
        ("warning", "warnings and worse a machine and week", 1.0),
        ("critical", "criticals a machine and month", _WEEKS_PER_MONTH),
    )
    for severity, what, weeks in rates:
        reached = judged.false_per_week(severity) * weeks
        yield Figure(
            ROW, f"{TEST_DAYS} days without faults, {machines} machines: {what}", "≤ 1",
            f"{reached:.2f} ({len(judged.false)} episodes in {judged.weeks:.0f} machine-weeks)",
            reached <= 1,
        )  # fmt: skip


def _medians_of_one_run(contenders: Sequence[Callable[[], object]]) -> Sequence[float]:
    seconds: list[list[float]] = [[] for _ in contenders]
    for _ in range(_ROUNDS):
        for contender, taken in zip(contenders, seconds, strict=True):
            started = time.perf_counter()
            contender()
            taken.append(time.perf_counter() - started)
    return [median(taken) for taken in seconds]
