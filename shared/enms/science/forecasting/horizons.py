"""How far a forecast looks, in which steps, and what of the past it learns from."""

from dataclasses import dataclass, replace

QUARTER_SECONDS, HOUR_SECONDS, DAY_SECONDS = 900, 3_600, 86_400


@dataclass(frozen=True)
class Horizon:
    """A forecast's length.

    Attributes:
        name: As the API and the tables know it.
        step_seconds: Length of a step; a day's is that of the local day, 23 to 25 hours.
        points: How many steps it has.
        training_days: The days before an origin that candidates learn from.
        proof_days: The days before those of an origin from which the rolling backtest takes its origins.
        origin_every_steps: Steps between two origins of the backtest.
    """

    name: str
    step_seconds: int
    points: int
    training_days: int
    proof_days: int
    origin_every_steps: int

    @property
    def steps_per_day(self) -> int:
        """Steps of an ordinary day."""
        return DAY_SECONDS // self.step_seconds

    @property
    def season(self) -> int:
        """Steps of the season by which errors are scaled: a day's, for daily steps a week's."""
        return self.steps_per_day if self.steps_per_day > 1 else 7

    @property
    def week(self) -> int:
        """Steps of a week."""
        return 7 * self.steps_per_day


NEXT_HOUR = Horizon("1h", QUARTER_SECONDS, 4, training_days=28, proof_days=28, origin_every_steps=29)
NEXT_DAY = Horizon("24h", HOUR_SECONDS, 24, training_days=56, proof_days=28, origin_every_steps=24)
# Of overlapping weeks there are enough to choose by, and to make bands of.
NEXT_WEEK = Horizon("7d", DAY_SECONDS, 7, training_days=259, proof_days=140, origin_every_steps=3)
# What the next week's peak and the schedule stand on.
NEXT_WEEK_HOURLY = Horizon(
    "7d-hourly", HOUR_SECONDS, 168, training_days=56, proof_days=56, origin_every_steps=84
)
HORIZONS = {each.name: each for each in (NEXT_HOUR, NEXT_DAY, NEXT_WEEK, NEXT_WEEK_HOURLY)}
# The length of each that people ask for, in seconds.
_SECONDS = {"1h": HOUR_SECONDS, "24h": DAY_SECONDS, "7d": 7 * DAY_SECONDS}


def in_steps(name: str, step_seconds: int) -> Horizon:
    """The horizon of a name, cut into steps of another length.

    Args:
        name: `1h`, `24h` or `7d`.
        step_seconds: 900, 3 600 or 86 400.

    Raises:
        ValueError: The horizon holds no whole number of such steps.
    """
    length = _SECONDS[name]
    if length % step_seconds:
        raise ValueError(f"{name} can't be cut into steps of {step_seconds} s")
    same = [each for each in HORIZONS.values() if each.step_seconds == step_seconds]
    points = length // step_seconds
    exact = next((each for each in same if each.points == points), None)
    return exact or replace(same[0], name=f"{name} in steps of {step_seconds} s", points=points)
