"""What answers to a choice of model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from enms.science.arrays import Values
from enms.science.forecasting.conformal import PastErrors
from enms.science.forecasting.selection import Choice


@dataclass(frozen=True)
class Serving:
    """Members with their weights, and how far off they were.

    Attributes:
        choice: The members.
        past: Their errors at origins of the past.
    """

    choice: Choice
    past: PastErrors

    def as_dict(self) -> dict[str, Any]:
        """For a document; four digits of an error tell enough, what is unknown is null."""
        return {
            "members": list(self.choice.members),
            "weights": list(self.choice.weights),
            "reason": self.choice.reason,
            "first_steps": self.past.first_steps.tolist(),
            "points_kw": _rounded(self.past.points_kw),
            "errors_kw": _rounded(self.past.errors_kw),
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Of a document."""
        choice = Choice(tuple(document["members"]), tuple(document["weights"]), document["reason"])
        first_steps = np.array(document["first_steps"], dtype=np.int64)
        return cls(
            choice,
            PastErrors(first_steps, _values(document["points_kw"]), _values(document["errors_kw"])),
        )


def _rounded(values: Values) -> list[list[float | None]]:
    return [[None if np.isnan(each) else float(f"{each:.4g}") for each in row] for row in values.tolist()]


def _values(rows: Sequence[Sequence[float | None]]) -> Values:
    return np.array([[np.nan if each is None else each for each in row] for row in rows], dtype=np.float64)
