"""What is asked of the detection of anomalies; without numpy, so that reading a request loads none."""

from dataclasses import dataclass
from uuid import UUID

from enms.services.periods import Moment


@dataclass(frozen=True, kw_only=True)
class DetectionRequest:
    """A period of a machine in which anomalies are looked for.

    Attributes:
        machine_id: The machine.
        start: An instant, or a day of the factory.
        end: Likewise; a day counts wholly.
        contamination: Share of intervals, (0, 0.5], that the forest may take for odd.
        energy_type: The carrier.
        with_budget: Whether false alarms are held to their budget; else every 2 σ and 3 σ candidate counts.
        is_stored: Whether what is found is kept; else it is only told.
    """

    machine_id: UUID
    start: Moment
    end: Moment
    contamination: float = 0.1
    energy_type: str = "electrical"
    with_budget: bool = True
    is_stored: bool = True
