"""A plan's question: jobs that can move, and the site that they run at, in quarter hours."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from enms.science.arrays import Flags, Positions, Values
from enms.science.tariffs import Prices

# A job's quarter hours of a plan, ascending, shape (number of its quarters,).
type Placement = Positions


@dataclass(frozen=True)
class Job:
    """Work that takes power for a while.

    Attributes:
        id: Its name.
        profile_kw: Mean power of each of its quarter hours, in their order, shape (k,).
        allowed: Whether it may run in each quarter of the plan: inside its window and hours, shape (n,).
        machine: What it runs on, one job at a time; None: nothing that others need.
        is_interruptible: Whether it may pause between two of its quarters.
        min_run: How many quarters it runs at least between two pauses.
        after: Ids of the jobs that have to end before it starts.
        planned: The quarter in which it would start if nobody moved it; None: as soon as it can.
        only: Of its possible starts those that are looked at, ascending; None: all.
    """

    id: str
    profile_kw: Values
    allowed: Flags
    machine: str | None = None
    is_interruptible: bool = False
    min_run: int = 1
    after: tuple[str, ...] = ()
    planned: int | None = None
    only: Positions | None = None

    @property
    def length(self) -> int:
        """How many quarters it runs."""
        return len(self.profile_kw)

    @property
    def has_one_power(self) -> bool:
        """Whether all of its quarters are alike."""
        return bool(np.all(self.profile_kw == self.profile_kw[0]))

    @cached_property
    def starts(self) -> Positions:
        """Quarters in which it can start if it runs in one piece, shape (s,)."""
        if self.only is not None:
            return self.only
        open_ones = np.concatenate([[0], np.cumsum(self.allowed)])
        run = open_ones[self.length :] - open_ones[: -self.length]
        return np.flatnonzero(run == self.length)

    @cached_property
    def places(self) -> Positions:
        """Quarters in which it can run in pieces that are long enough, ascending."""
        edges = np.flatnonzero(np.diff(np.concatenate([[0], self.allowed.astype(np.int8), [0]])))
        pieces = [
            np.arange(start, end)
            for start, end in edges.reshape(-1, 2).tolist()
            if end - start >= self.min_run
        ]
        return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int64)

    def first_placement(self) -> Placement:
        """Where it would run by itself: as planned, or as soon as it can."""
        if self.planned is not None:
            return np.arange(self.planned, self.planned + self.length)
        if len(self.starts):
            return np.arange(self.length) + int(self.starts[0])
        return self.places[: self.length]


@dataclass(frozen=True)
class SoFar:
    """A month's highest quarter hour before the plan begins: up to there demand costs nothing more.

    Attributes:
        peak_kw: Its power.
        charge_per_kw: What a kW of it costs.
    """

    peak_kw: float
    charge_per_kw: float


@dataclass(frozen=True)
class Site:
    """What jobs meet: the other load, prices, and limits.

    Attributes:
        prices: Of each quarter.
        base_kw: The load that doesn't move, shape (n,).
        solar_kw: What is made on site, shape (n,).
        kg_per_kwh: Emissions of bought energy, shape (n,).
        carbon_price_per_kg: What they cost.
        export_price_per_kwh: What surplus is paid; never above the price of energy.
        demand_share: Which share of a month's demand charge counts, 0 to 1.
        so_far: Peaks of months that have begun, by month (counted from January 1970).
        limit_kw: What may be bought at most, margin taken off, shape (n,); None: no limit.
        most_at_once: How many jobs may run beside each other; None: all.
    """

    prices: Prices
    base_kw: Values
    solar_kw: Values
    kg_per_kwh: Values
    carbon_price_per_kg: float = 0.0
    export_price_per_kwh: float = 0.0
    demand_share: float = 1.0
    so_far: Mapping[int, SoFar] | None = None
    limit_kw: Values | None = None
    most_at_once: int | None = None

    @property
    def net_base_kw(self) -> Values:
        """What is bought without jobs; negative where there is surplus, shape (n,)."""
        return self.base_kw - self.solar_kw


@dataclass(frozen=True)
class Plan:
    """Jobs at a site."""

    jobs: tuple[Job, ...]
    site: Site

    @property
    def quarters(self) -> int:
        """How many quarter hours it has."""
        return len(self.site.base_kw)

    @cached_property
    def by_id(self) -> dict[str, int]:
        """The place of each job."""
        return {job.id: place for place, job in enumerate(self.jobs)}

    def load_kw(self, placements: list[Placement]) -> Values:
        """The whole load, shape (n,)."""
        load: Values = self.site.base_kw.copy()
        for job, placement in zip(self.jobs, placements, strict=True):
            load[placement] += job.profile_kw
        return load
