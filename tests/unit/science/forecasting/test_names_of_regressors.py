"""Regressors may be called anything: no candidate takes a name for one of its own."""

from dataclasses import replace

import numpy as np
import pytest
from unit.science.forecasting.plant import plant

from enms.science.forecasting.candidate import Candidate
from enms.science.forecasting.horizons import HORIZONS
from enms.science.forecasting.pool import candidates_of

NAMES = ("y", "ds", "trend", "holidays", "holiday", "daily", "floor", "a_delim_b", "Außentemperatur (°C)")
USERS = [each for each in candidates_of(HORIZONS["24h"]) if each.uses_regressors]


@pytest.mark.parametrize("candidate", USERS, ids=lambda each: each.name)
def test_a_name_changes_nothing(candidate: Candidate) -> None:
    window = plant(days=28)
    draw = np.random.default_rng(3)
    values = draw.normal(10, 3, len(window) + window.points)
    window = replace(window, power_kw=window.power_kw + 4 * values[: len(window)])
    plain = replace(window, regressors={f"r{n}": values for n, _ in enumerate(NAMES)})
    named = replace(window, regressors=dict.fromkeys(NAMES, values))
    expected = candidate.fit(plain).forecast(plain)
    fitted = candidate.fit(named)
    np.testing.assert_allclose(fitted.forecast(named), expected, rtol=1e-6)
    np.testing.assert_allclose(candidate.load(fitted.document()).forecast(named), expected, rtol=1e-6)
