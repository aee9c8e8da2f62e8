"""What the energy of episodes cost: each at the prices of its own hours."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from enms.database.connection import Connection
from enms.database.drivers import MachineContext
from enms.database.prices import interval_rates
from enms.science.anomalies.deviations import Deviations
from enms.science.anomalies.findings import Episode
from enms.science.arrays import Positions, Values

_HOUR = 3_600


class Cost(NamedTuple):
    """What an episode cost (saved, where negative); None where nothing tells it."""

    amount: float | None
    currency: str | None


def costs_of(
    connection: Connection,
    machine: MachineContext,
    energy_type: str,
    episodes: Sequence[Episode],
    deviations: Deviations | None,
) -> list[Cost]:
    """The cost of each episode, demand charges aside."""
    hours = [np.arange(each.start // _HOUR, -(-each.end // _HOUR)) * _HOUR for each in episodes]
    all_hours = np.unique(np.concatenate(hours)) if hours else np.zeros(0, np.int64)
    if not len(all_hours):
        return []
    rates = interval_rates(connection, machine.factory_id, machine.timezone, energy_type, all_hours)
    if rates.rate_per_kwh is None:
        return [Cost(None, None) for _ in episodes]
    return [
        _cost(each, rates.rate_per_kwh[np.searchsorted(all_hours, own)], own, rates.currency, deviations)
        for each, own in zip(episodes, hours, strict=True)
    ]


def _cost(
    episode: Episode, rates: Values, hours: Positions, currency: str | None, deviations: Deviations | None
) -> Cost:
    if episode.deviation_kwh is None:
        return Cost(None, None)
    weights = _weights(episode, hours, deviations)
    return Cost(episode.deviation_kwh * float(weights @ rates / weights.sum()), currency)


def _weights(episode: Episode, hours: Positions, deviations: Deviations | None) -> Values:
    """How the energy spreads over the hours: as the deviation from the baseline does, else evenly."""
    evenly = np.ones(len(hours))
    if deviations is None or deviations.seconds != _HOUR or not episode.deviation_kwh:
        return evenly
    places = np.searchsorted(deviations.starts_at, hours)
    known = places < len(deviations.starts_at)
    known[known] = deviations.starts_at[places[known]] == hours[known]
    weights = np.zeros(len(hours))
    weights[known] = deviations.comparison.deviation_kwh[places[known]]
    weights = np.maximum(weights if episode.deviation_kwh > 0 else -weights, 0)
    return weights if weights.sum() > 0 else evenly
