"""A baseline as it is kept: one JSON document whose bytes follow from data and settings alone."""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from enms.science.arrays import Positions, Values
from enms.science.baseline.build import Attempt, Built, Contender
from enms.science.baseline.fit import Fit
from enms.science.baseline.observations import Interval, Observations
from enms.science.baseline.terms import Term, design_matrix, needs, term_as_dict, term_from_dict
from enms.science.baseline.validation import OutOfTime
from enms.science.diagnostics.error_model import ErrorModel

FORMAT = 1
# Rounding hides what the order of a sum does to the last digits, so that the bytes are the same everywhere.
_DIGITS = 12
_KWH_DECIMALS = 6
_RANGE_SLACK = 1e-9


@dataclass(frozen=True)
class Baseline:
    """What predictions need of a model's document.

    Attributes:
        interval: What it predicts: an hour's energy or a day's.
        terms: What it is made of.
        coefficients: Intercept first, then each column's.
        covariance: Of the coefficients, by the error model.
        errors: How its errors remember each other.
        ranges: Smallest and largest value of each numeric driver in training.
    """

    interval: Interval
    terms: tuple[Term, ...]
    coefficients: Values
    covariance: Values
    errors: ErrorModel
    ranges: Mapping[str, tuple[float, float]]

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Reads a document."""
        slopes = [each["value"] for each in document["coefficients"]]
        return cls(
            document["interval"],
            tuple(term_from_dict(each) for each in document["terms"]),
            np.array([document["intercept"], *slopes]),
            np.array(document["covariance"]),
            ErrorModel.from_dict(document["errors"]),
            {name: (each["min"], each["max"]) for name, each in document["ranges"].items()},
        )

    @classmethod
    def of(cls, built: Built) -> Self:
        """The same, right after it was built."""
        return cls(
            built.data.interval, built.fit.terms, built.fit.solution.coefficients, built.covariance,
            built.errors, built.fit.ranges,
        )  # fmt: skip

    @cached_property
    def needed(self) -> tuple[str, ...]:
        """Drivers and categories that it is made of."""
        return tuple(dict.fromkeys(needs(term) for term in self.terms))

    def design(self, data: Observations) -> Values:
        """The design matrix of other intervals; NaN in rows where something isn't known."""
        return design_matrix(self.terms, data)

    def predict_kwh(self, data: Observations) -> Values:
        """Energy that the baseline expects of each interval; NaN where something isn't known."""
        predicted: Values = self.design(data) @ self.coefficients
        return predicted

    def beyond_range(self, data: Observations) -> dict[str, Values]:
        """How far each numeric driver lies outside its range in training; 0 inside, above it positive."""
        distances = {}
        for name, (low, high) in self.ranges.items():
            values = data.drivers[name]
            # The document rounds the range: what rounding took off is no extrapolation.
            slack = _RANGE_SLACK * (high - low)
            beyond = np.where(values > high + slack, values - high, 0.0)
            distances[name] = np.where(values < low - slack, values - low, beyond)
        return distances


def document(
    built: Built,
    *,
    energy_type: str,
    machine: Mapping[str, Any],
    period: Mapping[str, Any],
    starts_at: Positions,
    settings: Mapping[str, Any],
    code_version: str,
) -> dict[str, Any]:
    """The model's document.

    Args:
        built: The baseline.
        energy_type: The carrier.
        machine: Whose it is: id, name, factory, zone, country.
        period: What it was trained on: start and end.
        starts_at: Start of each observation, seconds since 1970.
        settings: What was asked for, and the limits.
        code_version: Of this service.
    """
    fit = built.fit
    content = {
        "format": FORMAT,
        "kind": built.form,
        "interval": built.data.interval,
        "energy_type": energy_type,
        "machine": dict(machine),
        "training": {
            **period,
            "intervals": len(built.judged.usable),
            "samples": len(built.data),
            "refused": [asdict(each) for each in built.judged.refusals],
            "data_sha256": data_hash(built.data),
        },
        "terms": [term_as_dict(term) for term in fit.terms],
        "intercept": fit.intercept,
        "intercept_std_error": fit.intercept_std_error,
        "coefficients": [asdict(each) for each in fit.coefficients],
        "ranges": {name: {"min": low, "max": high} for name, (low, high) in fit.ranges.items()},
        "covariance": built.covariance.tolist(),
        "errors": built.errors.as_dict(),
        "statistics": statistics(fit, starts_at),
        "out_of_time": _out_of_time(built.tested),
        "contenders": [contender_as_dict(each) for each in built.contenders],
        "selection": asdict(built.selection) if built.selection else None,
        "verdict": asdict(built.verdict),
        "settings": dict(settings),
        "versions": {"enms": code_version, "numpy": np.__version__, "python": platform.python_version()},
    }
    rounded: dict[str, Any] = _rounded(content)
    rounded["residuals"] = residuals(built, starts_at)
    return rounded


def to_bytes(content: Mapping[str, Any]) -> bytes:
    """Canonical JSON: the same document gives the same bytes."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def from_bytes(content: bytes) -> dict[str, Any]:
    """A document that was read.

    Raises:
        ValueError: It is none of a format that is known here.
    """
    read: dict[str, Any] = json.loads(content)
    if read.get("format") != FORMAT:
        raise ValueError(f"A model document of format {read.get('format')!r}; {FORMAT} is known here.")
    return read


def statistics(fit: Fit, starts_at: Positions) -> dict[str, Any]:
    """The figures of a fit, in sample."""
    return {
        **asdict(fit.goodness),
        "f_value": fit.f_value,
        "f_p_value": fit.f_p_value,
        "term_tests": [asdict(each) for each in fit.term_tests],
        "durbin_watson": fit.durbin_watson,
        "lag_one_autocorrelation": fit.lag_one,
        "normality": asdict(fit.normality),
        "curvature_share": fit.curvature_share,
        "newey_west_lags": fit.newey_west_lags,
        "influential": [{**asdict(each), "starts_at": int(starts_at[each.row])} for each in fit.influential],
    }


def residuals(built: Built, starts_at: Positions) -> dict[str, Any]:
    """Actual and predicted energy of every observation, by column."""
    actual = built.data.energy_kwh
    return {
        "starts_at": starts_at.tolist(),
        "actual_kwh": _rounded_kwh(actual),
        "predicted_kwh": _rounded_kwh(actual - built.fit.solution.residuals),
        "strongest_driver": _strongest_driver(built),
    }


def data_hash(data: Observations) -> str:
    """SHA-256 of what a model was fitted to: positions, energy, then each series by name, with its levels."""
    digest = hashlib.sha256()
    columns: list[tuple[str, Values | Positions]] = [
        ("positions", data.positions),
        ("energy_kwh", data.energy_kwh),
        *sorted(data.drivers.items()),
    ]
    for name, category in sorted(data.categories.items()):
        named = "\0".join((name, *category.levels))
        columns.append((named, category.codes if category.hours is None else category.hours))
    for name, column in columns:
        kind = "<f8" if column.dtype.kind == "f" else "<i8"
        digest.update(name.encode() + b"\0" + np.ascontiguousarray(column, dtype=kind).tobytes())
    return digest.hexdigest()


def _out_of_time(tested: OutOfTime) -> dict[str, Any]:
    return {
        **asdict(tested.goodness),
        "blocks": [asdict(each) for each in tested.blocks],
        "unpredicted": tested.unpredicted,
    }


def contender_as_dict(contender: Contender) -> dict[str, Any]:
    """A form that was tried, with its error out of time, or why it can't be fitted."""
    attempt = contender.attempt
    outcome = (
        {"cv_rmse_percent": attempt.tested.goodness.cv_rmse_percent, "text": None}
        if isinstance(attempt, Attempt)
        else {"cv_rmse_percent": None, "text": attempt.message}
    )
    return {"form": contender.form, "detail": contender.detail, **outcome}


def _strongest_driver(built: Built) -> dict[str, Any] | None:
    """Values of the numeric driver whose terms contribute most, for a chart; None where there is none."""
    shares = dict.fromkeys(built.fit.ranges, 0.0)
    owners = {term.name: needs(term) for term in built.fit.terms}
    for each in built.fit.coefficients:
        if owners[each.term] in shares:
            shares[owners[each.term]] += each.contribution_percent
    if not shares:
        return None
    name = max(shares, key=lambda each: shares[each])
    return {"name": name, "values": [float(f"{value:.6g}") for value in built.data.drivers[name].tolist()]}


def _rounded_kwh(values: Values) -> list[float]:
    rounded: list[float] = (np.round(values, _KWH_DECIMALS) + 0.0).tolist()
    return rounded


def _rounded(value: Any) -> Any:
    """Floats at twelve digits, tuples as lists; what isn't finite can't be written and is null."""
    if isinstance(value, float):
        # Adding zero takes the sign from a zero, which rounding may give it or not.
        return float(f"{value:.{_DIGITS}g}") + 0.0 if np.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _rounded(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return value
