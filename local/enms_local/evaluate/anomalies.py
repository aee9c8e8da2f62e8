"""Detection on a file: the later part judged by the earlier, and held against labels."""

from dataclasses import dataclass

import numpy as np

from enms.science.arrays import Flags, Values
from enms_local.evaluate.anomaly_episodes import FileEpisode, episodes_of
from enms_local.evaluate.anomaly_explained import unexplained
from enms_local.evaluate.anomaly_file import AnomalyFile, read_file
from enms_local.evaluate.anomaly_labels import Labels, hold_against
from enms_local.evaluate.anomaly_question import AnomalyQuestion
from enms_local.evaluate.anomaly_scores import Judged, judge

_DAY = 86_400
# What detection on machines asks for at least.
_ENOUGH_DAYS = 14
# A score fades by two powers of ten a day: what was odd this morning is worth a look in the evening. What
# comes of itself once in two years fades from there: nothing is odd for a week.
_FADES_A_DAY = 2.0
_FADES_FROM = 2.0
_LEAST_RATE = 1e-30


@dataclass(frozen=True)
class AnomalyEvaluation:
    """What came of it.

    Attributes:
        question: What was asked.
        file: The intervals.
        judged: What the detectors make of each.
        episodes: What was found after training.
        scores: Of each row after training, in order of time: −log10 of the false alarms a week that an
            interval as odd would make, which fades where that falls.
        flags: Whether each of these rows lies in an episode.
        labels: Held against the label column; None without one.
        warnings: What the reader should know.
    """

    question: AnomalyQuestion
    file: AnomalyFile
    judged: Judged
    episodes: tuple[FileEpisode, ...]
    scores: Values
    flags: Flags
    labels: Labels | None
    warnings: tuple[str, ...]


def evaluate_anomalies(question: AnomalyQuestion) -> AnomalyEvaluation:
    """Judges the later part of a file.

    Raises:
        InvalidInputError: The file can't be read or judged; says why.
    """
    file = read_file(question)
    values = unexplained(file)
    judged = judge(file, values)
    episodes = episodes_of(file, judged, values, question.target)
    inside = np.zeros(len(file.values), dtype=bool)
    for episode in episodes:
        inside[slice(*episode.run)] = True
    places = file.places[file.later]
    scores, flags = _fading(judged.per_week, file.step_seconds)[places], inside[places]
    return AnomalyEvaluation(
        question,
        file,
        judged,
        tuple(episodes),
        scores,
        flags,
        hold_against(file, episodes, scores, flags),
        _warnings(file, judged),
    )


def _fading(per_week: Values, step_seconds: int) -> Values:
    """−log10, the largest of those before less what they faded by."""
    most = np.log10(7 * _DAY / step_seconds)
    scores = np.where(np.isfinite(per_week), -np.log10(np.maximum(per_week, _LEAST_RATE)), -most)
    faded = _FADES_A_DAY * np.arange(len(scores)) * step_seconds / _DAY
    lasting = np.maximum.accumulate(np.minimum(scores, _FADES_FROM) + faded) - faded
    return np.maximum(scores, lasting)


def _warnings(file: AnomalyFile, judged: Judged) -> tuple[str, ...]:
    found = []
    if file.training_days < _ENOUGH_DAYS:
        found.append(
            f"Training holds {file.training_days:.1f} days; with less than {_ENOUGH_DAYS} what is usual, and "
            "how often something odd comes of itself, is told roughly."
        )
    untold = np.isnan(judged.per_week[file.training :]).mean()
    if untold > 0:
        found.append(
            f"{untold:.1%} of the intervals after training can't be judged: the quantity is unknown."
        )
    return tuple(found)
