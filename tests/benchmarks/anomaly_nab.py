"""Anomalies of NAB's files with labelled events, beside a plain Isolation Forest in the same run.

The files lie beside the checkout; where they don't, the row says so.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.real_data import DATA
from benchmarks.table import Figure
from enms.science.anomalies.rolling import rolling_mean
from enms.science.arrays import Flags, Values
from enms_local.evaluate.anomalies import evaluate_anomalies
from enms_local.evaluate.anomaly_file import AnomalyFile, read_file
from enms_local.evaluate.anomaly_labels import Labels, hold_against
from enms_local.evaluate.anomaly_question import AnomalyQuestion

ROW = "anomaly-nab"
_TRAINING_SHARE = 0.15
_HOUR = 3_600
_TREES = 200
_PLAIN_THRESHOLD = 0.98


def rows() -> Iterator[Figure]:
    """Events found and false alarms of each file."""
    if not DATA.is_dir():
        yield Figure(ROW, "NAB", "-", f"{DATA.parent.name}/{DATA.name} isn't beside the checkout", None)
        return
    ours, plain = _both(DATA / "nab" / "machine_temperature_system_failure.csv")
    yield Figure(
        ROW,
        "NAB machine temperature: events found, points falsely flagged",
        f"3 of 3, ≤ 1.5 % (plain forest, same run: {_told(plain)})",
        _told(ours),
        ours.events_found == ours.events == 3 and ours.falsely_flagged_share <= 0.015,
    )
    ours, plain = _both(DATA / "nab" / "nyc_taxi.csv")
    area = ours.area_under_curve or 0.0
    yield Figure(
        ROW,
        "NAB nyc_taxi: events found, window AUC",
        f"≥ 4 of 5, AUC ≥ 0.70 (plain forest, same run: {_told(plain)})",
        _told(ours),
        ours.events_found >= 4 and area >= 0.7,
    )


def _both(path: Path) -> tuple[Labels, Labels]:
    """Our labels' figures, and those of the plain forest, trained on the same first points."""
    question = AnomalyQuestion(
        path, "timestamp", "value", _stamp_at(path, _TRAINING_SHARE), label_column="label_window"
    )
    ours = evaluate_anomalies(question).labels
    plain = _plain_forest(read_file(question))
    assert ours
    return ours, plain


def _stamp_at(path: Path, share: float) -> str:
    lines = path.read_text().splitlines()[1:]
    return lines[int(share * len(lines))].split(",", 1)[0]


def _plain_forest(file: AnomalyFile) -> Labels:
    """Value and rolling features, fitted on the training, threshold at its top 2 %; points aren't joined."""
    from sklearn.ensemble import IsolationForest

    features = _features(file)
    known = np.isfinite(features).all(axis=1)
    learned = features[: file.training][known[: file.training]]
    forest = IsolationForest(n_estimators=_TREES, random_state=0).fit(learned)
    scores = np.zeros(len(features))
    scores[known] = -forest.score_samples(features[known])
    threshold = np.quantile(-forest.score_samples(learned), _PLAIN_THRESHOLD)
    of_rows = scores[file.places[file.later]]
    flags: Flags = of_rows > threshold
    found = hold_against(file, (), of_rows, flags)
    assert found
    return found


def _features(file: AnomalyFile) -> Values:
    hour = max(_HOUR // file.step_seconds, 2)
    mean = rolling_mean(file.values, hour)
    spread = np.sqrt(np.maximum(rolling_mean(file.values**2, hour) - mean**2, 0))
    ramp = np.concatenate([[np.nan], np.diff(file.values)])
    return np.stack([file.values, mean, spread, ramp], axis=1)


def _told(labels: Labels) -> str:
    area = labels.area_under_curve or 0.0
    return (
        f"{labels.events_found} of {labels.events}, {labels.falsely_flagged_share:.2%} falsely flagged, "
        f"AUC {area:.3f}"
    )
