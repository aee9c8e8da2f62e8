"""How an evaluation of detection is told: JSON, a table, and the scores as CSV."""

import csv
from dataclasses import asdict
from datetime import UTC, datetime, timedelta, timezone
from math import isfinite, log10
from pathlib import Path
from typing import Any

import typer

from enms.errors import InvalidInputError
from enms_local.cli.output import print_table
from enms_local.evaluate.anomalies import AnomalyEvaluation
from enms_local.evaluate.anomaly_episodes import FileEpisode

_LEAST_RATE = 1e-30


def as_data(found: AnomalyEvaluation) -> dict[str, Any]:
    """All figures, for programs."""
    file = found.file
    return {
        "points": len(found.flags),
        "flagged_points": int(found.flags.sum()),
        "episodes": [_episode(found, each) for each in found.episodes],
        "labels": asdict(found.labels) if found.labels else None,
        "interval_seconds": file.step_seconds,
        "training_days": round(file.training_days, 3),
        "seasons": list(found.judged.seasons),
        "warnings": list(found.warnings),
    }


def print_anomalies(found: AnomalyEvaluation) -> None:
    """What people look for first."""
    share = found.flags.mean()
    typer.echo(
        f"{len(found.episodes)} episodes in {len(found.flags)} points; {found.flags.sum()} of them flagged "
        f"({share:.2%}).\n"
    )
    episodes = [_episode(found, each) for each in found.episodes]
    columns = ("start", "end", "type", "severity", "score", "value", "expected_value")
    rows = [[_short(each[name]) for name in columns] for each in episodes]
    if rows:
        print_table(columns, rows)
    labels = found.labels
    if labels:
        typer.echo(
            f"\nLabels: {labels.events_found} of {labels.events} events found; "
            f"{labels.false_alarms_per_week:.2f} false alarms a week, {labels.falsely_flagged_share:.2%} of "
            "the points outside events flagged."
        )


def write_scores(found: AnomalyEvaluation, path: Path) -> None:
    """Writes time, score and flag of each row after training, in order of time.

    Raises:
        InvalidInputError: The file can't be written.
    """
    stamps = [stamp for stamp, is_later in zip(found.file.stamps, found.file.later, strict=True) if is_later]
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("time", "score", "flag"))
            for stamp, score, flag in zip(stamps, found.scores, found.flags, strict=True):
                writer.writerow((stamp, f"{score:.4f}", int(flag)))
    except OSError as error:
        raise InvalidInputError(f"--scores: '{path}' can't be written: {error.strerror}.") from error


def _episode(found: AnomalyEvaluation, episode: FileEpisode) -> dict[str, Any]:
    start, end = episode.run
    return {
        "start": _time(found, start),
        "end": _time(found, end - 1, found.file.step_seconds),
        "type": episode.kind,
        "severity": episode.severity,
        "score": round(-log10(max(episode.per_week, _LEAST_RATE)), 4),
        "method": episode.method,
        "false_alarms_per_week": episode.per_week,
        "value": _finite(episode.value),
        "expected_value": _finite(episode.expected_value),
    }


def _time(found: AnomalyEvaluation, place: int, later_seconds: int = 0) -> str:
    """An instant as the file tells it: by its clock, with the offset from UTC where it has one."""
    file = found.file
    at = int(file.starts_at[place]) + later_seconds
    if not file.has_offset:
        return datetime.fromtimestamp(at, UTC).replace(tzinfo=None).isoformat()
    offset = timedelta(seconds=int(file.clock[place] - file.starts_at[place]))
    return datetime.fromtimestamp(at, timezone(offset)).isoformat()


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None


def _short(value: object) -> object:
    return f"{value:.4g}" if isinstance(value, float) else value
