"""How an evaluation of forecasts is told: JSON, or a table."""

from dataclasses import asdict
from typing import Any

import typer

from enms_local.cli.output import print_table
from enms_local.evaluate.forecasts import ForecastEvaluation, Score


def as_data(found: ForecastEvaluation) -> dict[str, Any]:
    """All figures, for programs."""
    return {
        "horizon": found.asked,
        "origins": len(found.origins),
        "models": {name: asdict(score) for name, score in found.models.items()},
        "selected": {**asdict(found.selected), "chosen": [_members(each) for each in found.chosen]},
        "step_minutes": found.horizon.step_seconds // 60,
        "training_days": found.horizon.training_days,
        "origin_times": list(found.origins),
        "regressors_used": list(found.regressors_used),
        "regressors_left_out": [
            {"name": name, "reason": reason} for name, reason in found.regressors_left_out.items()
        ],
        "refusals": dict(found.refusals),
        "warnings": list(found.warnings),
    }


def print_forecasts(found: ForecastEvaluation) -> None:
    """Models by their error, the best first."""
    first, last = found.origins[0], found.origins[-1]
    typer.echo(
        f"{found.horizon.points} steps of {found.horizon.step_seconds // 60} min at {len(found.origins)} "
        f"origins, {first} to {last}.\n"
    )
    models = {**found.models, "selected": found.selected}
    by_error = sorted(models, key=lambda name: (models[name].mase is None, models[name].mase or 0.0))
    columns = ("model", "MASE", "MAPE %", "MAE kW", "in 80 %", "in 95 %", "fit s", "forecast s")
    print_table(columns, [_row(name, models[name]) for name in by_error])
    for name, reason in found.refusals.items():
        typer.echo(f"Mind: {name}: {reason.rstrip('.')}.", err=True)


def _row(name: str, score: Score) -> tuple[object, ...]:
    figures = (score.mase, score.mape, score.mae, score.coverage_80, score.coverage_95)
    return (
        name,
        *(None if each is None else f"{each:.4g}" for each in figures),
        *(None if each is None else f"{each:.2g}" for each in (score.fit_s, score.predict_s)),
    )


def _members(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"mean of {', '.join(names[:-1])} and {names[-1]}"
