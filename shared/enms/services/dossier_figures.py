"""The dossier's figures: what the baseline predicts beside what was measured, and what it leaves."""

from collections.abc import Mapping, Sequence
from math import exp, pi, sqrt
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from enms.science.arrays import Values
from enms.science.baseline.drivers import driver
from enms.science.baseline.observations import Observations
from enms.science.baseline.terms import column_spans, needs, term_from_dict
from enms.services.dossier_charts import MOST_DOTS, Plot, every, scale, time_scale
from enms.services.dossier_html import Html, element, joined, number, paragraph, section, whole

type Document = Mapping[str, Any]

_BINS = 40
# Residuals below this are none: documents keep six decimals.
_LEAST_KWH = 1e-5
_LINE_POINTS = 80
_WIDE = 740


def figures(content: Document) -> Html:
    """The section with all figures.

    Args:
        content: The model's document.
    """
    found = content["residuals"]
    step = every(len(found["starts_at"]))
    starts_at: list[int] = found["starts_at"][::step]
    actual = np.array(found["actual_kwh"])
    predicted = np.array(found["predicted_kwh"])
    left = actual - predicted
    rmse: float = content["statistics"]["rmse"]
    drawn = [
        _actual_over_predicted(content, actual[::step], predicted[::step]),
        _over_predicted(predicted[::step], left[::step], rmse),
        _over_time(content, starts_at, left[::step], rmse),
        _histogram(left, rmse),
        _over_driver(content, actual, predicted, step),
    ]
    note = (
        f"Of {whole(len(actual))} {content['interval']}s one in {step} is drawn as a dot, so that no chart "
        f"has more than {whole(MOST_DOTS)}."
        if step > 1
        else f"Each dot is one of the {whole(len(actual))} {content['interval']}s that were used."
    )
    return section(
        "6 Figures",
        paragraph("A residual is actual less predicted energy: above zero the machine used more.", note),
        Html('<div class="figures">'),
        *drawn,
        Html("</div>"),
    )


def _actual_over_predicted(content: Document, actual: Values, predicted: Values) -> Html:
    low, high = _ends(np.concatenate([actual, predicted]))
    axis = scale(low, high)
    plot = Plot("Actual against predicted energy", axis, axis, "predicted, kWh", "actual, kWh")
    marks = (
        plot.dots(predicted.tolist(), actual.tolist()),
        plot.line("fit", (axis.low, axis.high), (axis.low, axis.high)),
    )
    share = number(100 * content["statistics"]["r_squared"], 3)
    return _figure(
        plot.svg(*marks),
        f"Actual against predicted energy. On the line both are equal; the model explains {share} % of the "
        "variation.",
    )


def _over_predicted(predicted: Values, left: Values, rmse: float) -> Html:
    plot = Plot(
        "Residuals over predicted energy", scale(*_ends(predicted)), scale(*_around_zero(left)),
        "predicted, kWh", "residual, kWh",
    )  # fmt: skip
    marks = [plot.dots(predicted.tolist(), left.tolist()), *_band(plot, rmse)]
    return _figure(
        plot.svg(*marks),
        "Residuals over predicted energy. A bend or a funnel would show a form that doesn't fit. "
        "Broken lines: ± 2 RMSE.",
    )


def _over_time(content: Document, starts_at: Sequence[int], left: Values, rmse: float) -> Html:
    zone = content["machine"]["timezone"]
    plot = Plot(
        "Residuals over time", time_scale(starts_at[0], starts_at[-1], ZoneInfo(zone)),
        scale(*_around_zero(left)), f"local time, {zone}", "residual, kWh", _WIDE,
    )  # fmt: skip
    marks = [plot.dots(starts_at, left.tolist()), *_band(plot, rmse)]
    return _figure(
        plot.svg(*marks),
        "Residuals over time. A level that shifts would show a change that no driver explains. "
        "Broken lines: ± 2 RMSE.",
        is_wide=True,
    )


def _histogram(left: Values, rmse: float) -> Html:
    low, high = _around_zero(left)
    counts, edges = np.histogram(left, bins=_BINS, range=(low, high))
    normal_x = np.linspace(low, high, 2 * _LINE_POINTS).tolist() if rmse > _LEAST_KWH else []
    area = len(left) * (high - low) / _BINS
    normal_y = [area * exp(-((x / rmse) ** 2) / 2) / (rmse * sqrt(2 * pi)) for x in normal_x]
    plot = Plot(
        "Distribution of residuals", scale(low, high), scale(0, max([float(counts.max()), *normal_y])),
        "residual, kWh", "count",
    )  # fmt: skip
    marks = [plot.bars(edges.tolist(), counts.tolist())]
    if normal_x:
        marks.append(plot.line("fit", normal_x, normal_y))
    return _figure(
        plot.svg(*marks),
        "How residuals are distributed. The line is the normal distribution with their spread.",
    )


def _over_driver(content: Document, actual: Values, predicted: Values, step: int) -> Html:
    """Nothing for a document that kept no driver beside its residuals."""
    kept = content["residuals"].get("strongest_driver")
    if not kept:
        return Html()
    name, values = kept["name"], np.array(kept["values"])
    xs = np.linspace(values.min(), values.max(), _LINE_POINTS)
    others = predicted - _effect(content, name, values)
    fit = _effect(content, name, xs) + others.mean()
    levelled = actual - others + others.mean()
    unit = driver(name).unit
    plot = Plot(
        "Energy against the strongest driver", scale(*_ends(values)), scale(*_ends(np.append(levelled, fit))),
        f"{name}, {unit}" if unit else name, "actual, others levelled, kWh",
    )  # fmt: skip
    marks = (
        plot.dots(values[::step].tolist(), levelled[::step].tolist()),
        plot.line("fit", xs.tolist(), fit.tolist()),
    )
    return _figure(
        plot.svg(*marks),
        f"Actual energy against {name}, the driver that contributes most, with the model's line. What the "
        "model ascribes to other drivers is levelled to its mean.",
    )


def _effect(content: Document, name: str, values: Values) -> Values:
    """What a driver's terms add to the energy at these values of it."""
    terms = [term_from_dict(each) for each in content["terms"]]
    slopes = np.array([content["intercept"], *(each["value"] for each in content["coefficients"])])
    data = Observations(content["interval"], np.arange(len(values)), np.zeros(len(values)), {name: values})
    added = np.zeros(len(values))
    for term, span in column_spans(terms):
        if needs(term) == name:
            added += term.columns(data) @ slopes[span]
    return added


def _band(plot: Plot, rmse: float) -> tuple[Html, Html, Html]:
    return plot.level("zero", 0), plot.level("limit", 2 * rmse), plot.level("limit", -2 * rmse)


def _ends(values: Values) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def _around_zero(values: Values) -> tuple[float, float]:
    """The same distance to both sides, so that zero lies in the middle."""
    most = max(float(np.abs(values).max()), _LEAST_KWH)
    return -most, most


def _figure(chart: Html, caption: str, *, is_wide: bool = False) -> Html:
    opening = '<figure class="wide">' if is_wide else "<figure>"
    return joined([Html(opening), chart, element("figcaption", caption), Html("</figure>")])
