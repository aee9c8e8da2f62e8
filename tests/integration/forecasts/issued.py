"""Forecasts put into the database as if a job had made them, and what came."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from integration.baselines.works import MACHINE, Works

from enms.science.arrays import Values


@dataclass(frozen=True)
class Issue:
    """One forecast; NaN in `actual_kw` and `naive_kw` where nothing is known.

    Attributes:
        starts_at: Where steps begin.
        power_kw: What was foretold.
        actual_kw: What came; None: not yet.
        naive_kw: What the naive foretold.
        width_kw: Half the width of the 80 % band; the 95 % band is twice as wide.
    """

    starts_at: Sequence[datetime]
    power_kw: Values
    actual_kw: Values | None
    naive_kw: Values
    width_kw: float = 5.0


@dataclass(frozen=True)
class Issued:
    """Models and forecasts of one machine and horizon."""

    works: Works
    horizon: str = "24h"
    step: timedelta = timedelta(hours=1)
    machine_id: UUID = MACHINE
    scale_kw: float | None = 10.0
    choice: str = "selected"
    backtest: Mapping[str, Any] = field(default_factory=lambda: table())

    def model(self, version: int = 1) -> UUID:
        """A version that serves."""
        self.works.rows(
            "UPDATE analytics.forecast_models SET is_active = false WHERE machine_id = %s AND horizon = %s",
            (self.machine_id, self.horizon),
        )
        model_id: UUID = self.works.one(
            """
            INSERT INTO analytics.forecast_models (
                machine_id, energy_type, horizon, version, artifact_key, artifact_sha256, is_active, chosen,
                reason, choices, backtest, regressors, regressors_left_out, days_of_history,
                share_of_readings, trained_from, trained_to, trained_by)
            VALUES (%s, 'electrical', %s, %s, 'key', 'sha', true, '{arima}', 'best', '{selected}', %s, '{}',
                    '{}', 90, 1, now() - interval '90 days', now(), 'test')
            RETURNING id
            """,
            (self.machine_id, self.horizon, version, json.dumps(self.backtest)),
        )
        return model_id

    def add(self, issue: Issue, model_id: UUID | None = None) -> None:
        """One forecast."""
        power, width = issue.power_kw, issue.width_kw
        actual = None if issue.actual_kw is None else issue.actual_kw.tolist()
        self.works.rows(
            """
            INSERT INTO analytics.forecast_issues (
                model_id, machine_id, energy_type, horizon, choice, made_by, origin_at, ends_at, step_seconds,
                starts_at, power_kw, lower_80_kw, upper_80_kw, lower_95_kw, upper_95_kw, naive_kw, scale_kw,
                peak_at, peak_power_kw, peak_quantiles_kw, members, regressors, notes, days_of_history,
                share_of_readings, actual_kw, scored_at)
            VALUES (%(model_id)s, %(machine_id)s, 'electrical', %(horizon)s, %(choice)s, 'test',
                    %(origin_at)s, %(ends_at)s, %(step_seconds)s, %(starts_at)s, %(power)s::float8[],
                    %(lower_80)s::float8[], %(upper_80)s::float8[], %(lower_95)s::float8[],
                    %(upper_95)s::float8[],
                    %(naive)s::float8[], %(scale_kw)s, %(origin_at)s, 1, '{}', '{}', '{}', '[]', 90, 1,
                    %(actual)s::float8[], %(scored_at)s)
            """,
            {
                "model_id": model_id,
                "machine_id": self.machine_id,
                "horizon": self.horizon,
                "choice": self.choice,
                "origin_at": issue.starts_at[0],
                "ends_at": issue.starts_at[-1] + self.step,
                "step_seconds": int(self.step.total_seconds()),
                "starts_at": list(issue.starts_at),
                "power": power.tolist(),
                "lower_80": (power - width).tolist(),
                "upper_80": (power + width).tolist(),
                "lower_95": (power - 2 * width).tolist(),
                "upper_95": (power + 2 * width).tolist(),
                "naive": issue.naive_kw.tolist(),
                "scale_kw": self.scale_kw,
                "actual": actual,
                "scored_at": None if actual is None else issue.starts_at[-1] + self.step,
            },
        )


def table(mase: float | None = 0.5, naive: str = "week", **choices: float) -> dict[str, Any]:
    """A backtest as a model's row has it: the better naive is that of a day or of a week."""
    naives = {"seasonal naive (day)": 1.1, "seasonal naive (week)": 1.1, f"seasonal naive ({naive})": 1.0}
    rows = {"selected": mase, **choices, **naives}
    return {
        "origins": 28,
        "scale_kw": 10.0,
        "models": [{"name": name, "mase": value, "is_chosen": False} for name, value in rows.items()],
    }


def series(seed: int, count: int, level_kw: float = 50.0, spread_kw: float = 8.0) -> Values:
    """Loads that are made up."""
    drawn: Values = np.random.default_rng(seed).normal(level_kw, spread_kw, count)
    return drawn
