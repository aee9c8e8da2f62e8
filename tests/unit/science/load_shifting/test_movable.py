"""What of a load looks movable, and what does not."""

from datetime import UTC, datetime

import numpy as np
import pytest

from enms.science.baseline.calendar import local_time, utc_offsets
from enms.science.load_shifting.movable import Movable, movable

ZONE = "Europe/Berlin"
# Four weeks from a Monday on; in the second the clocks change.
FIRST = int(datetime(2026, 3, 15, 23, tzinfo=UTC).timestamp())
STARTS_AT = FIRST + 900 * np.arange(28 * 96 - 4, dtype=np.int64)
LOCAL = local_time(STARTS_AT, ZONE)
QUARTER_OF_DAY = (STARTS_AT + utc_offsets(STARTS_AT, ZONE)) % 86_400 // 900


def parts(power_kw: np.ndarray, *, on_weekends: bool = False) -> list[Movable]:
    return movable(power_kw, LOCAL, QUARTER_OF_DAY, on_weekends=on_weekends)


def runs(starts: np.ndarray, length: int, power_kw: float = 60.0, base_kw: float = 10.0) -> np.ndarray:
    """A run each day from the quarter of the day on that `starts` has of it."""
    begin = starts[LOCAL.days - LOCAL.days[0]]
    is_on = (begin <= QUARTER_OF_DAY) & (begin + length > QUARTER_OF_DAY)
    return np.where(is_on, power_kw, base_kw)


def test_batches_that_started_at_different_times() -> None:
    starts = np.tile([32, 36, 40, 44, 48, 32, 32], 4)
    (part,) = parts(runs(starts, 8))
    assert (part.length, part.usual, part.is_share) == (8, 40, False)
    assert (part.first, part.last) == (32, 48 + 8)
    assert part.power_kw == pytest.approx(50)
    assert (part.days, part.of_days) == (20, 20)


def test_batches_that_always_start_at_the_same_time_stay() -> None:
    assert parts(runs(np.full(28, 40), 8)) == []


def test_runs_of_one_machine_do_not_overlap() -> None:
    # On some days the second run begins early, on others the first one late.
    first = runs(np.tile([24, 30, 36, 24, 36, 24, 24], 4), 8)
    second = runs(np.tile([36, 40, 46, 34, 46, 36, 36], 4), 8)
    early, late = parts(np.maximum(first, second))
    assert late.usual >= early.usual + early.length
    assert late.first <= late.usual <= late.last - late.length


def test_a_share_of_a_long_shift() -> None:
    (part,) = parts(runs(np.full(28, 24), 64))
    assert part.is_share
    assert (part.first, part.last, part.length) == (24, 88, 8)
    assert part.power_kw == pytest.approx(0.15 * 50)


def test_days_of_the_weekend_are_looked_at_by_themselves() -> None:
    starts = np.tile([32, 36, 40, 44, 48, 60, 80], 4)
    working = runs(starts, 8)
    (weekend,) = parts(working, on_weekends=True)
    assert (weekend.first, weekend.of_days) == (60, 8)


@pytest.mark.parametrize(
    "power_kw",
    [np.full(len(STARTS_AT), 50.0), np.full(len(STARTS_AT), np.nan), np.zeros(len(STARTS_AT))],
    ids=["steady", "unknown", "off"],
)
def test_nothing_to_move(power_kw: np.ndarray) -> None:
    assert parts(power_kw) == []


def test_too_short_a_history() -> None:
    power_kw = runs(np.tile([32, 36, 40, 44, 48, 32, 32], 4), 8)
    power_kw[3 * 96 :] = np.nan
    assert parts(power_kw) == []
