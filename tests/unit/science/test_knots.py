"""Balance points and change points: found where they are, in any unit."""

import numpy as np
import pytest

from enms.science.arrays import Values
from enms.science.baseline.knots import Knots, best_knots


def _search(
    values: Values, target: Values, kinds: tuple[bool, bool, bool], base: Values | None = None,
    *, rising: bool = False,
) -> Knots:  # fmt: skip
    below, above, same = kinds
    base = np.ones((len(values), 1)) if base is None else base
    return best_knots(values, target, base, below=below, above=above, same=same, rising=rising)


HEATING, COOLING, ONE, TWO = (
    (True, False, False), (False, True, False), (True, True, True), (True, True, False)
)  # fmt: skip


def _temperatures(count: int = 1000) -> Values:
    return np.random.default_rng(30).uniform(-10, 30, count)


def _signature(values: Values, below: float, above: float, slopes: tuple[float, float]) -> Values:
    signature: Values = (
        50 + slopes[0] * np.maximum(below - values, 0) + slopes[1] * np.maximum(values - above, 0)
    )
    return signature


@pytest.mark.parametrize(
    ("kinds", "below", "above", "slopes"),
    [
        (HEATING, 14.2, 14.2, (2.0, 0.0)),
        (COOLING, 18.7, 18.7, (0.0, 3.0)),
        (ONE, 16.0, 16.0, (2.0, 3.0)),
        (ONE, 16.0, 16.0, (-1.0, 3.0)),
        (TWO, 12.3, 21.4, (2.0, 3.0)),
    ],
)
def test_known_knots_are_found(
    kinds: tuple[bool, bool, bool], below: float, above: float, slopes: tuple[float, float]
) -> None:
    values = _temperatures()
    noise = np.random.default_rng(31).normal(size=1000)
    exact = _search(values, _signature(values, below, above, slopes), kinds)
    noisy = _search(values, _signature(values, below, above, slopes) + noise, kinds)
    for found, near in ((exact, 0.05), (noisy, 0.5)):
        assert (found.below is None, found.above is None) == (not kinds[0], not kinds[1])
        if found.below is not None:
            assert found.below == pytest.approx(below, abs=near)
        if found.above is not None:
            assert found.above == pytest.approx(above, abs=near)
    assert exact.squared_error < 2
    assert noisy.squared_error == pytest.approx(noise @ noise, rel=0.02)


def test_one_knot_is_one_and_two_are_in_order() -> None:
    values = _temperatures()
    target = _signature(values, 15, 15, (1.0, 2.0)) + np.random.default_rng(32).normal(size=1000)
    one, two = _search(values, target, ONE), _search(values, target, TWO)
    assert one.below == one.above
    assert two.below is not None
    assert two.above is not None
    assert two.below <= two.above
    assert two.squared_error <= one.squared_error * 1.0001


def test_the_squared_error_is_that_of_the_least_squares_fit() -> None:
    values = _temperatures()
    other = np.random.default_rng(33).normal(size=1000)
    base = np.column_stack([np.ones(1000), other])
    target = _signature(values, 12, 20, (2.0, 3.0)) + 5 * other + np.random.default_rng(34).normal(size=1000)
    found = _search(values, target, TWO, base)
    assert found.below is not None
    assert found.above is not None
    hinges = np.maximum(found.below - values, 0), np.maximum(values - found.above, 0)
    squares = np.linalg.lstsq(np.column_stack([base, *hinges]), target, rcond=None)[1][0]
    assert found.squared_error == pytest.approx(squares, rel=1e-8)


def test_other_columns_are_taken_into_account() -> None:
    values = _temperatures()
    # A driver that follows the temperature hides the knot from who looks at temperature alone.
    other = values + np.random.default_rng(35).normal(size=1000)
    target = _signature(values, 0, 18, (0.0, 2.0)) - 2 * other
    found = _search(values, target, COOLING, np.column_stack([np.ones(1000), other]))
    assert found.above == pytest.approx(18, abs=0.1)


def test_a_knot_has_observations_on_both_sides() -> None:
    values = _temperatures()
    target = np.where(values > 29.9, 100.0, 50.0)
    found = _search(values, target, COOLING)
    assert found.above is not None
    assert (values > found.above).mean() >= 0.02


def test_degrees_never_mean_less_energy() -> None:
    values = _temperatures()
    target = _signature(values, 12, 20, (-2.0, 3.0))
    free, rising = _search(values, target, TWO), _search(values, target, TWO, rising=True)
    assert free.squared_error < 1
    assert rising.squared_error > 100
    falling = _signature(values, 0, 10, (0.0, -2.0))
    nothing = _search(values, falling, COOLING, rising=True)
    assert nothing.squared_error == pytest.approx(((falling - falling.mean()) ** 2).sum())


@pytest.mark.parametrize(("scale", "offset"), [(1.8, 32.0), (1.0, 273.15), (1e-3, 0.0)])
@pytest.mark.parametrize("kinds", [HEATING, COOLING, ONE, TWO])
def test_the_unit_makes_no_difference(kinds: tuple[bool, bool, bool], scale: float, offset: float) -> None:
    values = _temperatures()
    target = _signature(values, 12, 20, (2.0, 3.0)) + np.random.default_rng(36).normal(size=1000)
    ours = _search(values, target, kinds)
    other = _search(scale * values + offset, 1000 * target, kinds)
    assert other.squared_error == pytest.approx(1e6 * ours.squared_error, rel=1e-8)
    if ours.below is not None:
        assert other.below == pytest.approx(scale * ours.below + offset, rel=1e-9)
    if ours.above is not None:
        assert other.above == pytest.approx(scale * ours.above + offset, rel=1e-9)


def test_a_mirror_swaps_heating_and_cooling() -> None:
    values = _temperatures()
    target = _signature(values, 12, 20, (2.0, 3.0)) + np.random.default_rng(37).normal(size=1000)
    ours, mirrored = _search(values, target, TWO), _search(-values, target, TWO)
    assert ours.below is not None
    assert ours.above is not None
    assert mirrored.below == pytest.approx(-ours.above, abs=1e-6)
    assert mirrored.above == pytest.approx(-ours.below, abs=1e-6)
