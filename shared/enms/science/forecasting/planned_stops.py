"""Stops that people planned: their effect is told, since a first one has nothing to be learned from."""

from enms.science.arrays import Values

# Steps of which a stop took more than this away tell nothing of the usual load.
LEARNED_SHARE = 0.05


def taken_off(point: Values, stopped_share: Values | None) -> tuple[Values, list[str]]:
    """A forecast less what planned stops take away, and what to say of it.

    Args:
        point: Mean power of the steps to come, as if nothing stopped, shape (h,).
        stopped_share: Share of the load that is taken away, 0 to 1, shape (h,); None: no stop is planned.
    """
    if stopped_share is None or not stopped_share.any():
        return point, []
    steps = int((stopped_share > 0).sum())
    remaining: Values = point * (1 - stopped_share)
    return remaining, [f"A stop is planned in {steps} of the {len(point)} steps to come: it is taken off."]
