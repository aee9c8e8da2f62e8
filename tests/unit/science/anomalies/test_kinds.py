"""What extra power is taken for."""

import numpy as np

from enms.science.anomalies.kinds import power_kind

QUARTER = 900
RUNNING = np.tile(np.repeat([0.0, 1.0], 8), 3)
EXPECTED_KW = np.where(RUNNING > 0, np.linspace(30, 50, 48), 5.0)
NOISE_KW = np.random.default_rng(1).normal(size=48) * 0.3


def test_short_and_high_is_a_spike() -> None:
    extra = np.array([0.1, 20.0, 21.0, 20.5, 0.2, 0.1])
    assert power_kind(QUARTER, extra, np.full(6, 30.0), np.ones(6)) == "power_spike"


def test_the_same_while_idle_and_running_is_baseload() -> None:
    assert power_kind(QUARTER, 6 + NOISE_KW, EXPECTED_KW, RUNNING) == "baseload_increase"


def test_more_while_idle_only_is_baseload() -> None:
    extra = 6 * (1 - RUNNING) + NOISE_KW
    assert power_kind(QUARTER, extra, EXPECTED_KW, RUNNING) == "baseload_increase"


def test_more_in_proportion_to_the_load_is_a_loss_of_efficiency() -> None:
    extra = 0.2 * EXPECTED_KW * RUNNING + NOISE_KW
    assert power_kind(QUARTER, extra, EXPECTED_KW, RUNNING) == "efficiency_drop"


def test_a_loss_that_grows_is_a_loss_of_efficiency_too() -> None:
    extra = 0.3 * EXPECTED_KW * np.linspace(0, 1, 48) + NOISE_KW
    assert power_kind(QUARTER, extra, EXPECTED_KW, RUNNING) == "efficiency_drop"


def test_a_night_with_more_is_baseload() -> None:
    extra = np.full(32, 5.0)
    assert power_kind(QUARTER, extra, np.full(32, 4.0), np.zeros(32)) == "baseload_increase"
