"""What a model has to offer to compete."""

from typing import Any, Protocol

from enms.science.arrays import Values
from enms.science.forecasting.window import Window


class Fitted(Protocol):
    """A model with its parameters, ready at any later origin without being fitted again."""

    def forecast(self, window: Window) -> Values:
        """Mean power in kW of the window's coming steps, shape (h,), from the past that the window holds.

        Imports numpy at most. The window may begin and end later than the one that was learned from.
        """
        ...

    def document(self) -> dict[str, Any]:
        """The parameters as JSON has them; the candidate's `load` makes the same model of it."""
        ...


class Candidate(Protocol):
    """A kind of model."""

    @property
    def name(self) -> str:
        """As tables show it."""
        ...

    @property
    def cost(self) -> int:
        """What it takes to fit and to keep, by rank: of equals the cheaper is chosen."""
        ...

    @property
    def least_days(self) -> float:
        """The days of past that it needs to be fitted."""
        ...

    @property
    def uses_regressors(self) -> bool:
        """Whether a window's regressors change its forecast."""
        ...

    def fit(self, window: Window) -> Fitted:
        """Learns from a window's past; heavy libraries are imported here.

        Raises:
            UnfitError: This past doesn't tell its parameters.
        """
        ...

    def load(self, document: dict[str, Any]) -> Fitted:
        """The model of a document; numpy only."""
        ...
