"""What keeps a forecast from running away."""

from dataclasses import dataclass

import numpy as np

from enms.science.arrays import Values
from enms.science.forecasting.window import Window

# How far above everything that was seen a forecast may lie.
_ABOVE_HISTORY = 1.2
_ABOVE_RATED = 1.1
# What lies so many times over the limit is no forecast of a peak, but a model that runs away.
_RUNAWAY = 3.0


@dataclass(frozen=True)
class Guarded:
    """A forecast inside its limits.

    Attributes:
        power_kw: Shape (h,).
        reason: Why the seasonal naive stands for the model; None where the model's own figures stand.
    """

    power_kw: Values
    reason: str | None


def guarded(power_kw: Values, window: Window) -> Guarded:
    """Holds a model's figures between zero and what the load can be; the naive's where they run away."""
    limit_kw = highest_kw(window)
    if not np.isfinite(power_kw).all():
        return Guarded(seasonal_naive(window), "its figures are not finite")
    if len(power_kw) and np.abs(power_kw).max() > _RUNAWAY * limit_kw:
        worst_kw = np.abs(power_kw).max()
        return Guarded(
            seasonal_naive(window), f"it ran away to {worst_kw:.4g} kW where {limit_kw:.4g} kW is the limit"
        )
    return Guarded(np.clip(power_kw, 0.0, limit_kw), None)


def highest_kw(window: Window) -> float:
    """The most that a forecast may say: somewhat above history, and above what the machine is built for."""
    seen_kw = float(window.power_kw.max()) if len(window) else 0.0
    if window.rated_power_kw is None:
        return _ABOVE_HISTORY * seen_kw
    # A machine that draws more than its plate says is believed.
    return max(min(_ABOVE_HISTORY * seen_kw, _ABOVE_RATED * window.rated_power_kw), seen_kw)


def seasonal_naive(window: Window, season: int | None = None) -> Values:
    """What was one season ago, shape (h,); the last value where the past is shorter than that."""
    season = season or (window.week if len(window) >= window.week else window.season)
    if len(window) < season:
        return np.full(window.points, window.power_kw[-1] if len(window) else 0.0)
    return window.power_kw[len(window) - season + np.arange(window.points) % season]
