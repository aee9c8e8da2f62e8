"""What is asked of baselines; without numpy, so that reading a request loads none."""

from dataclasses import dataclass
from uuid import UUID

from enms.science.baseline.names import Interval, Model
from enms.services.periods import Moment


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """What is to be trained.

    Attributes:
        machine_id: Of which machine.
        start: First instant or day of the training period.
        end: The instant after its last, or its last day.
        drivers: Names; None chooses them.
        model: The form.
        interval: What one observation is.
        energy_type: The carrier.
        force: Whether to train anew what is there already, and to make it active whatever the verdict.
        reason: Why, with `force`.
    """

    machine_id: UUID
    start: Moment
    end: Moment
    drivers: tuple[str, ...] | None
    model: Model = "linear"
    interval: Interval = "hour"
    energy_type: str = "electrical"
    force: bool = False
    reason: str | None = None


@dataclass(frozen=True)
class Question:
    """A period of a machine that is asked about.

    Attributes:
        machine_id: The machine.
        start: An instant, or a day of the factory.
        end: Likewise; a day counts wholly.
        energy_type: The carrier.
        model_id: A certain version; None: the active one.
    """

    machine_id: UUID
    start: Moment
    end: Moment
    energy_type: str = "electrical"
    model_id: UUID | None = None


@dataclass(frozen=True)
class FactoryQuestion:
    """A period of a factory's active machines, a page of them.

    Attributes:
        factory_id: The factory.
        start: An instant, or a day of the factory.
        end: Likewise; a day counts wholly.
        energy_type: The carrier.
        limit: How many machines at most.
        offset: How many come before them.
    """

    factory_id: UUID
    start: Moment
    end: Moment
    energy_type: str
    limit: int
    offset: int
