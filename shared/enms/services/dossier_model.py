"""The dossier's sections about the model: verdict, coefficients, statistics, and what else was tried."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from enms.science.baseline.calendar import date_of
from enms.science.baseline.drivers import OUTDOOR_TEMPERATURE, driver
from enms.science.baseline.names import FORM_NAMES
from enms.services.dossier_html import (
    Html,
    brief,
    code,
    element,
    escape,
    instant,
    joined,
    names,
    number,
    or_nothing,
    paragraph,
    percent,
    probability,
    section,
    status,
    table,
    whole,
)
from enms.services.exports import with_intercept

type Document = Mapping[str, Any]
# Name, value, limit and meaning.
type _Figure = tuple[str, str, str, str]

# How a figure is held against its limit, by the part of its code before the colon.
_RELATIONS = {
    "samples": "≥",
    "r_squared": ">",
    "p_value": "<",
    "range_coverage": "≥",
    "nmbe_percent": "±",
    "residual_change": "≥",
}
_FORMATS = {"samples": whole, "p_value": probability, "residual_change": probability}
_MOST_IN_EQUATION = 12


def zone_of(content: Document) -> ZoneInfo:
    """The factory's zone."""
    return ZoneInfo(content["machine"]["timezone"])


def an_interval(content: Document) -> str:
    """What one observation is, in words."""
    return "an hour" if content["interval"] == "hour" else "a day of the factory"


def verdict(content: Document) -> Html:
    """The judgement with every reason."""
    rows = [
        (status(each["severity"]), code(each["code"]), *_measured(each), each["text"])
        for each in content["verdict"]["reasons"]
    ]
    heads = ("Judgement", "Figure", "Measured", "Limit", "In words")
    return section(
        "2 Verdict",
        paragraph("The worst judgement of all figures is the verdict:", status(content["verdict"]["status"])),
        table("Each figure against its limit, the worst first", heads, rows, {2, 3}),
    )


def coefficients(content: Document) -> Html:
    """The model with all that is known of its coefficients."""
    tests = [
        (code(each["term"]), whole(each["columns"]), number(each["f_value"]), probability(each["p_value"]))
        for each in content["statistics"]["term_tests"]
    ]
    lags = content["statistics"]["newey_west_lags"]
    return section(
        "4 Model",
        *_equation(content),
        _coefficients(content),
        paragraph(
            f"Standard errors, t, p and intervals are Newey and West's over {lags} {content['interval']}s: "
            "they hold where errors remember each other, and the verdict uses them. Plain ones, beside them, "
            "take errors for independent. VIF: variance inflation factor. Contribution: share of the sum of "
            "all standardised coefficients."
        ),
        table("Each term: are all its columns zero?", ("Term", "Columns", "F", "p"), tests, {1, 2, 3}),
    )


def statistics(content: Document) -> Html:
    """All figures of the fit, with the limit where there is one."""
    zone, interval = zone_of(content), content["interval"]
    influential = [
        (
            _begin(each["starts_at"], interval, zone),
            number(each["residual_kwh"]),
            number(each["cooks_distance"], 3),
            number(each["leverage"], 3),
        )
        for each in content["statistics"]["influential"]
    ]
    return section(
        "5 Statistics",
        table(
            "Figures of the fit",
            ("Figure", "Value", "Limit", "What it tells"),
            [*_in_sample(content), *_residuals(content), *_elsewhere(content)],
            {1, 2},
        ),
        table(
            f"The {interval}s that move the coefficients most",
            ("Begins", "Residual, kWh", "Cook's distance", "Leverage"),
            influential,
            {1, 2, 3},
        ),
    )


def out_of_time(content: Document) -> Html:
    """How the model does in blocks of time that it wasn't fitted to."""
    found, zone, interval = content["out_of_time"], zone_of(content), content["interval"]
    rows = [
        (
            _begin(_seconds(each["first"], interval, zone), interval, zone),
            _begin(_seconds(each["last"], interval, zone), interval, zone),
            *_measures(each["goodness"]),
        )
        for each in found["blocks"]
    ]
    rows.append(("All blocks", "", *_measures(found)))
    missed = f"{whole(found['unpredicted'])} {interval}s could not be predicted so."
    return section(
        "7 Out of time",
        paragraph(
            f"The period is cut into {len(found['blocks'])} blocks of time, never shuffled.",
            "Each is predicted by a model of the same form that was fitted to the others.",
            missed if found["unpredicted"] else "",
        ),
        table(
            "Each block, predicted by the others",
            (f"First {interval}", f"Last {interval}", "Count", "R²", "RMSE, kWh", "CV(RMSE), %", "NMBE, %"),
            rows,
            range(2, 7),
        ),
    )


def tried(content: Document) -> Html:
    """Forms and sets of drivers that were compared."""
    forms = [
        (FORM_NAMES[each["form"]], each["detail"], number(each["cv_rmse_percent"]), or_nothing(each["text"]))
        for each in content["contenders"]
    ]
    margin = content["settings"]["limits"]["challenger_margin_percent"]
    selection = content["selection"]
    given = paragraph("The drivers were given; others weren't tried.")
    return section(
        "8 What was tried",
        paragraph(
            "Error is CV(RMSE) out of time.",
            f"A form that isn't linear is taken only where its error is {brief(margin)} % smaller at least.",
        ),
        table("Forms", ("Form", "Shape or drivers", "Error, %", "Why not"), forms, {2}),
        *(_selection(selection) if selection else [given]),
    )


def _measured(reason: Mapping[str, Any]) -> tuple[str, str]:
    """The figure and its limit, each in the form that suits it."""
    kind = reason["code"].partition(":")[0]
    measured = _FORMATS.get(kind, number)(reason["measured"])
    return measured, f"{_RELATIONS.get(kind, '≤')} {brief(reason['limit'])}"


def _equation(content: Document) -> Iterator[Html]:
    """The sum, where it can be read, and what its columns are made of."""
    parts = content["coefficients"]
    if len(parts) <= _MOST_IN_EQUATION:
        added = "".join(
            f" {'−' if each['value'] < 0 else '+'} {number(abs(each['value']))} · {code(each['name'])}"
            for each in parts
        )
        start = f"kWh per {content['interval']} = {number(content['intercept'])}"
        yield Html(f'<p class="equation">{start}{added}</p>')
    explained = [each for each in map(_explained, content["terms"]) if each]
    if explained:
        yield joined([Html("<ul>"), *(element("li", each) for each in explained), Html("</ul>")])


def _explained(term: Mapping[str, Any]) -> Html | None:
    """What a column stands for that isn't a driver itself: knots and levels."""
    match term:
        case {"kind": "hinge", "name": name, "driver": source, "knot": knot, "is_above": is_above}:
            inside = f"{code(source)} − {number(knot)}" if is_above else f"{number(knot)} − {code(source)}"
            place = f"{number(knot)} {escape(driver(source).unit or '')}".strip()
            return Html(
                f"{code(name)} = max(0, {inside}): the balance point, {place}, was found by search and "
                "counts as a parameter."
            )
        case {"kind": "segments", "driver": source, "knots": knots}:
            limits = ", ".join(number(each) for each in knots)
            return Html(f"{code(source)}: a broken line with knots at {limits}; its outer segments are open.")
        case {"kind": "indicators", "category": category, "reference": reference}:
            return Html(f"{code(category)}: each level beside {code(reference)}, the intercept's.")
    return None


def _coefficients(content: Document) -> Html:
    units = _units(content)
    rows = [
        (
            code(each["name"]),
            units[each["term"]],
            number(each["value"]),
            number(each.get("low")),
            number(each.get("high")),
            number(each["std_error"], 3),
            number(each.get("t_value"), 3),
            probability(each.get("p_value")),
            number(each.get("plain_std_error"), 3),
            probability(each.get("plain_p_value")),
            number(each.get("vif"), 3),
            number(each.get("contribution_percent"), 3),
        )
        for each in with_intercept(content)
    ]
    heads = (
        "Column", "Unit", "Value", "95 % from", "to", "Std error", "t", "p", "Plain error", "Plain p", "VIF",
        "Contrib., %",
    )  # fmt: skip
    return table("Coefficients in physical units", heads, rows, range(2, 12))


def _units(content: Document) -> dict[str, str]:
    """Unit of each term's coefficients."""
    units = {"intercept": "kWh"}
    for term in content["terms"]:
        match term["kind"]:
            case "indicators":
                units[term["category"]] = "kWh"
            case "segments":
                units[f"{term['driver']} segments"] = _per(term["driver"])
            case "hinge":
                units[term["name"]] = _per(term["driver"])
            case _:
                units[term["driver"]] = _per(term["driver"])
    return units


def _per(name: str) -> str:
    if name == OUTDOOR_TEMPERATURE:
        return "kWh/K"
    return {None: "kWh per 1", "units": "kWh/unit"}.get(driver(name).unit, f"kWh per {driver(name).unit}")


def _in_sample(content: Document) -> Iterator[_Figure]:
    fit, limits = content["statistics"], content["settings"]["limits"]
    interval = content["interval"]
    most = f"≤ {brief(limits[f'most_cv_rmse_percent_{interval}'])} %"
    source = "ASHRAE Guideline 14" if interval == "hour" else "a choice of this service"
    yield "R²", number(fit["r_squared"]), f"> {brief(limits['least_r_squared'])}", "share that is explained"
    yield (
        "Adjusted R²",
        number(fit["adjusted_r_squared"]),
        "",
        "the same, less what more parameters add anyhow",
    )
    yield "RMSE", f"{number(fit['rmse'])} kWh", "", f"typical error of {an_interval(content)}"
    yield "MAE", f"{number(fit['mae'])} kWh", "", "mean absolute error"
    yield "CV(RMSE)", percent(fit["cv_rmse_percent"]), most, f"RMSE beside the mean; the limit is {source}'s"
    yield "NMBE", percent(fit["nmbe_percent"]), "", "zero by construction, so it is judged out of time"
    yield "F, all drivers", number(fit["f_value"]), "", f"against none: p {_equals(fit['f_p_value'])}"


def _residuals(content: Document) -> Iterator[_Figure]:
    fit, limits = content["statistics"], content["settings"]["limits"]
    normality = fit["normality"]
    moments = f"skewness {number(normality['skewness'], 3)}, kurtosis {number(normality['kurtosis'], 3)}"
    neighbours, bend = (f"≤ {brief(limits[each])}" for each in ("caution_lag_one", "caution_curvature_share"))
    yield "Durbin-Watson", number(fit["durbin_watson"]), "", "2 where neighbouring errors are independent"
    yield (
        "Autocorrelation",
        number(fit["lag_one_autocorrelation"]),
        neighbours,
        "of neighbouring errors; every stated uncertainty allows for it",
    )
    yield (
        "Bend in the residuals",
        number(fit["curvature_share"]),
        bend,
        "share of them that a curve would explain (after Ramsey 1969)",
    )
    yield (
        "Normality",
        number(normality["statistic"]),
        "",
        f"Jarque-Bera: p {_equals(normality['p_value'])}; {moments} (normal: 0, 3); for the record",
    )


def _elsewhere(content: Document) -> Iterator[_Figure]:
    fit, tested, limits = content["statistics"], content["out_of_time"], content["settings"]["limits"]
    inside, outside = fit["cv_rmse_percent"], tested["cv_rmse_percent"]
    ratio = outside / inside if inside and outside is not None else None
    caution, most = (brief(limits[each]) for each in ("caution_error_ratio", "most_error_ratio"))
    bias, most_bias = (brief(limits[each]) for each in ("caution_nmbe_percent", "most_nmbe_percent"))
    yield "CV(RMSE) out of time", percent(tested["cv_rmse_percent"]), "", "in blocks that the fit hasn't seen"
    yield (
        "Beside that in sample",
        number(ratio),
        f"≤ {caution}, at most {most}",
        "out of time ÷ in sample: does it hold where it wasn't fitted?",
    )
    yield (
        "NMBE out of time",
        percent(tested["nmbe_percent"]),
        f"± {bias} %, at most ± {most_bias} %",
        "above zero it predicts too little",
    )


def _equals(p_value: float | None) -> str:
    text = probability(p_value)
    return text if text.startswith("<") else f"= {text}"


def _measures(goodness: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        whole(goodness["observations"]),
        number(goodness["r_squared"]),
        number(goodness["rmse"]),
        number(goodness["cv_rmse_percent"]),
        number(goodness["nmbe_percent"], 3),
    )


def _selection(selection: Mapping[str, Any]) -> Iterator[Html]:
    chosen = list(selection["drivers"])
    ranked = [
        (
            whole(place),
            names(each["drivers"]),
            whole(each["parameters"]),
            number(each["cv_rmse_percent"]),
            "chosen" if list(each["drivers"]) == chosen else or_nothing(each["veto"]),
        )
        for place, each in enumerate(selection["ranked"], 1)
    ]
    heads = ("Rank", "Drivers", "Parameters", "Error, %", "What became of it")
    yield table("Sets of drivers, the least error out of time first", heads, ranked, {2, 3})
    dropped = [(code(each["driver"]), each["text"]) for each in selection["dropped"]]
    if dropped:
        yield table("Candidates that were left out", ("Driver", "Why"), dropped)


def _seconds(position: int, interval: str, zone: ZoneInfo) -> int:
    """When the interval at a place of the grid begins, seconds since 1970."""
    if interval == "hour":
        return position * 3600
    day = date_of(position)
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def _begin(seconds: int, interval: str, zone: ZoneInfo) -> str:
    at = datetime.fromtimestamp(seconds, zone)
    return instant(at, zone) if interval == "hour" else at.date().isoformat()
