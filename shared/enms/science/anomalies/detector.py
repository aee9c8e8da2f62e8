"""A trained detector: what it knows of a machine, and its bytes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from enms.science.anomalies.deviations import DeviationModel
from enms.science.anomalies.forest import Forest
from enms.science.anomalies.load import LoadModel
from enms.science.anomalies.profile import Season
from enms.science.anomalies.rules import Rules
from enms.science.anomalies.sensors import SensorModel
from enms.science.anomalies.tail import Tail
from enms.science.anomalies.tracks import Scale, Track
from enms.science.anomalies.trees import Trees

DOCUMENT_VERSION = 1
# A detector is made of text and numbers, which skops trusts by itself; anything else is refused.
TRUSTED_TYPES: tuple[str, ...] = ()
_CAP_WITHOUT_BASELINE = 0.6
_DAY = 86_400
_LOOKBACK_DAYS, _LOOKBACK_DAYS_OF_PROFILE = 14, 56
_LITTLE_HISTORY_DAYS = 28


@dataclass(frozen=True)
class Models:
    """What a machine's scores are computed with.

    Attributes:
        load: Power at the same load; None where nothing bears one.
        load_scale: Scatter of its studentised residuals.
        sensors: Sensors that show what the machine does.
        deviation: Scatter of the deviation from the baseline; None without one.
        season: What repeats in the power, by which it is judged where there is no baseline; else None.
    """

    load: LoadModel | None
    load_scale: Scale | None
    sensors: tuple[SensorModel, ...]
    deviation: DeviationModel | None
    season: Season | None


@dataclass(frozen=True)
class Detector:
    """Everything that detection knows of a machine.

    Attributes:
        step_seconds: Of the series that it learned from.
        trained_from: First instant of the reference window, seconds since 1970.
        trained_to: The instant after its last.
        models: See there.
        tails: How often each track's scores come of themselves, by `key`.
        rules: What needs no statistics.
        forest: None with too little to grow one.
    """

    step_seconds: int
    trained_from: int
    trained_to: int
    models: Models
    tails: Mapping[str, Tail]
    rules: Rules
    forest: Forest | None

    @property
    def has_baseline(self) -> bool:
        """Whether it looks at the deviation from a baseline."""
        return self.models.deviation is not None

    @property
    def lookback_seconds(self) -> int:
        """How much history detection wants before a period: of earlier weeks where there is no baseline."""
        return (_LOOKBACK_DAYS if self.has_baseline else _LOOKBACK_DAYS_OF_PROFILE) * _DAY

    @property
    def features(self) -> tuple[str, ...]:
        """What the forest looks at."""
        return self.forest.features if self.forest else ()

    @property
    def confidence_cap(self) -> float:
        """No finding is more certain than this."""
        has_little = self.trained_to - self.trained_from < _LITTLE_HISTORY_DAYS * _DAY
        return 1.0 if self.has_baseline and not has_little else _CAP_WITHOUT_BASELINE

    def to_bytes(self) -> bytes:
        """The detector as skops writes it: a head in JSON, and the forest's trees."""
        from skops.io import dumps

        content: dict[str, Any] = {"head": json.dumps(self._head(), separators=(",", ":"))}
        if self.forest:
            content["forest"] = self.forest.trees.as_arrays()
        written: bytes = dumps(content)
        return written

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Of a detector's bytes.

        Raises:
            ValueError: They hold a type that isn't trusted, or are of another version of the document.
        """
        from skops.io import get_untrusted_types, loads

        unknown = set(get_untrusted_types(data=content)) - set(TRUSTED_TYPES)
        if unknown:
            raise ValueError(f"A detector holds no {', '.join(sorted(unknown))}.")
        found = loads(content, trusted=list(TRUSTED_TYPES))
        head, trees = json.loads(found["head"]), found.get("forest")
        if head["version"] != DOCUMENT_VERSION:
            raise ValueError(f"The document's version is {head['version']}, not {DOCUMENT_VERSION}.")
        return cls._of(head, None if trees is None else Trees.from_arrays(trees))

    def _head(self) -> dict[str, Any]:
        models, forest = self.models, self.forest
        return {
            "version": DOCUMENT_VERSION,
            "step_seconds": self.step_seconds,
            "trained_from": self.trained_from,
            "trained_to": self.trained_to,
            "load": models.load and models.load.as_dict(),
            "load_scale": models.load_scale and models.load_scale.as_dict(),
            "sensors": [each.as_dict() for each in models.sensors],
            "deviation": models.deviation and models.deviation.as_dict(),
            "season": models.season,
            "tails": {name: tail.as_dict() for name, tail in self.tails.items()},
            "rules": self.rules.as_dict(),
            "forest": forest
            and {
                "features": list(forest.features),
                "centres": forest.centres.tolist(),
                "spreads": forest.spreads.tolist(),
                "quantile_scores": forest.quantile_scores.tolist(),
            },
        }

    @classmethod
    def _of(cls, head: Mapping[str, Any], trees: Trees | None) -> Self:
        load, scale, deviation, forest = (
            head[name] for name in ("load", "load_scale", "deviation", "forest")
        )
        return cls(
            step_seconds=head["step_seconds"],
            trained_from=head["trained_from"],
            trained_to=head["trained_to"],
            models=Models(
                LoadModel.from_dict(load) if load else None,
                Scale.from_dict(scale) if scale else None,
                tuple(SensorModel.from_dict(each) for each in head["sensors"]),
                DeviationModel.from_dict(deviation) if deviation else None,
                head["season"],
            ),
            tails={name: Tail.from_dict(each) for name, each in head["tails"].items()},
            rules=Rules.from_dict(head["rules"]),
            forest=None if trees is None else _forest_of(forest, trees),
        )


def _forest_of(head: Mapping[str, Any], trees: Trees) -> Forest:
    columns = (np.array(head[name]) for name in ("centres", "spreads", "quantile_scores"))
    return Forest(trees, tuple(head["features"]), *columns)


def key(track: Track) -> str:
    """The name of a track in a detector's document."""
    return f"{track.method}:{track.metric}:{track.sign:+d}"
