"""What a solver chooses for a job: where its blocks start, or in which quarters it runs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from ortools.sat.python import cp_model

    from enms.science.arrays import Flags, Positions, Values
    from enms.science.load_shifting.plan import Job, Placement

type ValueOf = Callable[[cp_model.IntVar], int]


@dataclass(frozen=True)
class Block:
    """Quarters that run in one piece.

    Attributes:
        profile_kw: Their powers.
        chosen: A literal of each start; one is true.
        start: The quarter of the one that is.
    """

    profile_kw: Values
    chosen: dict[int, cp_model.IntVar]
    start: cp_model.IntVar

    @property
    def length(self) -> int:
        """How many quarters there are."""
        return len(self.profile_kw)


@dataclass(frozen=True)
class Choice:
    """The variables of a job.

    Attributes:
        job: Whose they are.
        blocks: Pieces in their order; none for a job of one power that may pause.
        running: Of such a job a literal of each quarter in which it may run.
    """

    job: Job
    blocks: tuple[Block, ...]
    running: dict[int, cp_model.IntVar]

    def placement(self, value: ValueOf) -> Placement:
        """The quarters that were chosen."""
        if self.running:
            return np.array([at for at, literal in self.running.items() if value(literal)], dtype=np.int64)
        return np.concatenate([np.arange(block.length) + value(block.start) for block in self.blocks])

    def hint(self, model: cp_model.CpModel, placement: Placement) -> None:
        """Tells the solver where it may begin to look."""
        taken = set(placement.tolist())
        for at, literal in self.running.items():
            model.add_hint(literal, at in taken)
        first = 0
        for block in self.blocks:
            model.add_hint(block.start, int(placement[first]))
            for start, literal in block.chosen.items():
                model.add_hint(literal, start == placement[first])
            first += block.length

    def covering(self) -> dict[int, list[cp_model.IntVar]]:
        """By quarter the literals that say that the job runs in it; at most one of them is true."""
        covering: dict[int, list[cp_model.IntVar]] = {at: [literal] for at, literal in self.running.items()}
        for block in self.blocks:
            for start, literal in block.chosen.items():
                for at in range(start, start + block.length):
                    covering.setdefault(at, []).append(literal)
        return covering


def choose(model: cp_model.CpModel, job: Job) -> Choice:
    """Makes a job's variables and what holds between them."""
    if job.is_interruptible and job.has_one_power:
        return Choice(job, (), _running(model, job))
    if not job.is_interruptible:
        return Choice(job, (_block(model, job.profile_kw, job.starts),), {})
    # A job of uneven power pauses where a multiple of its shortest run is done.
    length = job.min_run
    cuts = [*range(0, job.length - length + 1, length), job.length]
    profiles = [job.profile_kw[first:last] for first, last in pairwise(cuts)]
    blocks = tuple(_block(model, profile, _starts(job.allowed, len(profile))) for profile in profiles)
    for former, latter in pairwise(blocks):
        model.add(latter.start >= former.start + former.length)
    return Choice(job, blocks, {})


def _starts(allowed: Flags, length: int) -> Positions:
    opened = np.concatenate([[0], np.cumsum(allowed)])
    return np.flatnonzero(opened[length:] - opened[:-length] == length)


def _block(model: cp_model.CpModel, profile_kw: Values, starts: Positions) -> Block:
    chosen = {start: model.new_bool_var("") for start in starts.tolist()}
    model.add_exactly_one(chosen.values())
    start = model.new_int_var(int(starts[0]), int(starts[-1]), "")
    model.add(start == sum(at * literal for at, literal in chosen.items()))
    return Block(profile_kw, chosen, start)


def _running(model: cp_model.CpModel, job: Job) -> dict[int, cp_model.IntVar]:
    running = {at: model.new_bool_var("") for at in job.places.tolist()}
    model.add(sum(running.values()) == job.length)
    if job.min_run > 1:
        for at, literal in running.items():
            before = running.get(at - 1)
            for later in range(at + 1, at + job.min_run):
                ahead = [] if before is None else [before]
                following = running.get(later)
                # Who begins goes on for the shortest run.
                model.add_bool_or([literal.negated(), *ahead, *([] if following is None else [following])])
    return running
