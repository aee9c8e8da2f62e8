"""The fitted models of a forecaster, and what they say together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from enms.science.arrays import Values
from enms.science.forecasting.candidate import Candidate, Fitted
from enms.science.forecasting.guards import guarded, seasonal_naive
from enms.science.forecasting.proof import Proof
from enms.science.forecasting.selection import Choice
from enms.science.forecasting.window import Window
from enms.science.problems import UnfitError


@dataclass(frozen=True)
class Members:
    """Models by name.

    Attributes:
        fitted: As they serve.
        bare: Those that use regressors, fitted without, for when these are unknown.
        least_days: Days of past that each needs.
    """

    fitted: Mapping[str, Fitted]
    bare: Mapping[str, Fitted]
    least_days: Mapping[str, float]

    @classmethod
    def fit(cls, candidates: Sequence[Candidate], window: Window, proof: Proof) -> Self:
        """On the latest past; where that doesn't tell a model's parameters, as it was proven last."""
        fitted = {each.name: _fitted(each, window, proof) for each in candidates}
        return cls(fitted, _bare(candidates, window), {each.name: each.least_days for each in candidates})

    def point(self, choice: Choice, window: Window, regressors: Sequence[str]) -> tuple[Values, list[str]]:
        """What the members of a choice say together, and what a reader should know of it.

        Args:
            choice: Names and weights.
            window: What they forecast from.
            regressors: Those that were learned from.

        Returns:
            Mean power in kW of the steps to come, shape (h,); the naive's where no member says anything.
        """
        unknown = [name for name in regressors if name not in window.regressors]
        fitted = {**self.fitted, **self.bare} if unknown else self.fitted
        notes = [f"Made without {name}: its coming values are unknown." for name in unknown]
        made: dict[str, Values] = {}
        for name in choice.members:
            made[name], reason = _said(fitted[name], self.least_days[name], window)
            if reason is not None:
                notes.append(f"{name} is left out of this forecast: {reason}.")
        point = choice.combined(made)
        if np.isnan(point).any():
            notes.append("The same time of the last week stands in for it.")
            point = seasonal_naive(window)
        return point, notes

    def as_dict(self) -> dict[str, Any]:
        """For a document."""
        return {
            "fitted": {name: each.document() for name, each in self.fitted.items()},
            "bare": {name: each.document() for name, each in self.bare.items()},
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], candidates: Sequence[Candidate]) -> Self:
        """Of a document, by the candidates that a horizon has."""
        by_name = {each.name: each for each in candidates}
        fitted, bare = (
            {name: by_name[name].load(each) for name, each in document[kind].items()}
            for kind in ("fitted", "bare")
        )
        return cls(fitted, bare, {name: by_name[name].least_days for name in fitted})


def _said(fitted: Fitted, least_days: float, window: Window) -> tuple[Values, str | None]:
    """What a member says, or NaN and why it says nothing."""
    nothing = np.full(window.points, np.nan)
    if len(window) < least_days * window.steps_per_day:
        return nothing, f"it needs {least_days:g} days of readings"
    inside = guarded(fitted.forecast(window), window)
    return (inside.power_kw, None) if inside.reason is None else (nothing, inside.reason)


def _fitted(candidate: Candidate, window: Window, proof: Proof) -> Fitted:
    try:
        return candidate.fit(window)
    except UnfitError:
        proven = proof.rolling.fitted(candidate, int(proof.trials.origins[-1]))
        if proven is None:
            raise
        return proven


def _bare(candidates: Sequence[Candidate], window: Window) -> dict[str, Fitted]:
    if not window.regressors:
        return {}
    without = window.without_regressors()
    found: dict[str, Fitted] = {}
    for each in candidates:
        if each.uses_regressors:
            try:
                found[each.name] = each.fit(without)
            except UnfitError:  # Then it can't serve where the regressors are unknown.
                continue
    return found
