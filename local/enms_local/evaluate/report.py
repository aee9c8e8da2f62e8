"""How an evaluation is told: as JSON for programs, as tables for people."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from math import isfinite
from typing import Any

import typer

from enms.science.baseline.model import contender_as_dict
from enms.science.baseline.terms import Hinge
from enms.science.diagnostics.goodness import Goodness
from enms_local.cli.output import print_table
from enms_local.evaluate.evaluation import CONFIDENCE, Evaluation, Savings
from enms_local.evaluate.table import words_of

_FAHRENHEIT = ("f", "degf", "fahrenheit")


def as_data(evaluation: Evaluation) -> dict[str, Any]:
    """All figures, for programs; None where one isn't finite."""
    built, target = evaluation.built, evaluation.target
    content = {
        "model": {
            "kind": built.form,
            "intercept": built.fit.intercept,
            "coefficients": {each.name: each.value for each in built.fit.coefficients},
            "coefficient_details": [asdict(each) for each in built.fit.coefficients],
            "term_tests": [asdict(each) for each in built.fit.term_tests],
            "knots": {name: {"at": at, "unit": unit} for name, (at, unit) in _knots(evaluation).items()},
        },
        "train": _goodness(built.fit.goodness),
        "test": _goodness(evaluation.test),
        "savings": _savings(evaluation.savings),
        "verdict": asdict(built.verdict),
        "target": {"name": target.name, "kind": target.kind, "unit": target.unit},
        "temperature_unit": _temperature_unit(evaluation),
        "interval": built.data.interval,
        "rows": _rows(evaluation),
        "refused": {
            "train": [asdict(each) for each in built.judged.refusals],
            "test": [asdict(each) for each in evaluation.test_refused],
            "test_unpredicted": evaluation.unpredicted,
        },
        "folds": [
            {"kind": fold.built.form, "terms": [term.name for term in fold.built.fit.terms], "n": fold.tested}
            for fold in evaluation.folds
        ],
        "contenders": _contenders(evaluation),
        "selection": asdict(built.selection) if built.selection else None,
        "not_tried": [asdict(each) for each in evaluation.dropped],
        "warnings": list(evaluation.warnings),
    }
    finite: dict[str, Any] = _finite(content)
    return finite


def print_evaluation(evaluation: Evaluation) -> None:
    """What people look for first."""
    built, target = evaluation.built, evaluation.target
    kind = built.form.replace("_", " ")
    typer.echo(f"{target.name} ({target.unit} per {built.data.interval}) by a {kind} model:\n")
    rows: list[tuple[object, ...]] = [
        ("intercept", _short(built.fit.intercept), _short(built.fit.intercept_std_error), None, None)
    ]
    rows += [
        (each.name, _short(each.value), _short(each.std_error), f"{each.p_value:.2g}", f"{each.vif:.1f}")
        for each in built.fit.coefficients
    ]
    print_table(("term", "coefficient", "std. error", "p", "VIF"), rows)
    for name, (knot, unit) in _knots(evaluation).items():
        typer.echo(f"{name}: counted from {knot:.4g} {unit or ''}".rstrip())
    typer.echo("")
    tried = f"{len(evaluation.folds)} folds" if evaluation.folds else "test"
    columns = ("", "n", "R²", "adj. R²", "RMSE", "CV(RMSE) %", "NMBE %")
    print_table(columns, [_row("train", built.fit.goodness), _row(tried, evaluation.test)])
    typer.echo("")
    for line in _remarks(evaluation):
        typer.echo(line)
    typer.echo(f"Verdict: {built.verdict.status}")
    for reason in built.verdict.reasons:
        typer.echo(f"  {reason.severity}: {reason.text}")


def _remarks(evaluation: Evaluation) -> Iterator[str]:
    savings, built = evaluation.savings, evaluation.built
    if savings:
        certain = "" if savings.is_significant else "; not significant: it may as well be nothing"
        yield (
            f"Savings over the test period: {savings.kwh:,.0f} ± {savings.uncertainty_kwh:,.0f} kWh at "
            f"{CONFIDENCE:.0%} confidence{_of_predicted(savings)}{certain}."
        )
    for name, refusals in (("training", built.judged.refusals), ("test", evaluation.test_refused)):
        yield from (f"Left out of {name}: {each.count} × {each.text}." for each in refusals)
    if evaluation.unpredicted:
        yield f"Left out of test: {evaluation.unpredicted} × its level doesn't occur in training."
    selection = built.selection
    dropped = (*evaluation.dropped, *(selection.dropped if selection else ()))
    yield from (f"Not a driver: {each.text}" for each in dropped)
    for each in _contenders(evaluation):
        error = each["cv_rmse_percent"]
        outcome = each["text"] if error is None else f"{error:.2f} % out of time"
        yield f"Tried: {each['form'].replace('_', ' ')} ({each['detail']}): {outcome}"


def _row(name: str, found: Goodness) -> tuple[object, ...]:
    return (
        name, found.observations, f"{found.r_squared:.4f}", f"{found.adjusted_r_squared:.4f}",
        _short(found.rmse), f"{found.cv_rmse_percent:.2f}", f"{found.nmbe_percent:.2f}",
    )  # fmt: skip


def _goodness(found: Goodness) -> dict[str, float]:
    return {
        "n": found.observations,
        "r2": found.r_squared,
        "adj_r2": found.adjusted_r_squared,
        "cv_rmse_percent": found.cv_rmse_percent,
        "nmbe_percent": found.nmbe_percent,
        "rmse": found.rmse,
        "mae": found.mae,
    }


def _savings(found: Savings | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "kwh": found.kwh,
        "percent": 100 * found.kwh / found.predicted_kwh if found.predicted_kwh else None,
        "uncertainty_percent": 100 * found.uncertainty_kwh / abs(found.kwh) if found.kwh else None,
        "confidence": round(100 * CONFIDENCE),
        "uncertainty_kwh": found.uncertainty_kwh,
        "significant": found.is_significant,
    }


def _of_predicted(savings: Savings) -> str:
    return f" ({savings.kwh / savings.predicted_kwh:.1%} of the baseline)" if savings.predicted_kwh else ""


def _rows(evaluation: Evaluation) -> dict[str, Any] | None:
    grid = evaluation.grid
    if grid is None:
        return None
    return {
        "step_seconds": grid.step_seconds,
        "stamps_tell": "end" if grid.is_end else "start",
        "repeated_stamps": grid.repeated,
    }


def _knots(evaluation: Evaluation) -> dict[str, tuple[float, str | None]]:
    """Balance and change points by term, each with its unit."""
    unit = _temperature_unit(evaluation)
    written = f"°{unit}" if unit else None
    return {term.name: (term.knot, written) for term in evaluation.built.fit.terms if isinstance(term, Hinge)}


def _temperature_unit(evaluation: Evaluation) -> str | None:
    """As was said, else as the column's name tells."""
    question = evaluation.question
    if question.temperature_column is None:
        return None
    is_fahrenheit = (words_of(question.temperature_column) or [""])[-1] in _FAHRENHEIT
    return question.temperature_unit or ("F" if is_fahrenheit else "C")


def _contenders(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The forms that were tried, if there were several."""
    tried = evaluation.built.contenders
    return [contender_as_dict(each) for each in tried] if len(tried) > 1 else []


def _short(value: float) -> str:
    return f"{value:.6g}"


def _finite(value: Any) -> Any:
    """What isn't finite can't be written as JSON and is null."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return value
