"""The dossier's sections about the record: whose baseline it is, its data, where it holds, its history."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from enms.database.connection import Row
from enms.science.baseline.drivers import driver
from enms.science.baseline.names import FORM_NAMES
from enms.science.baseline.terms import needs, term_from_dict
from enms.science.diagnostics.error_model import ErrorModel
from enms.services.dossier_html import (
    NOTHING,
    Html,
    brief,
    code,
    element,
    escape,
    facts,
    instant,
    joined,
    names,
    number,
    or_nothing,
    paragraph,
    percent,
    section,
    status,
    table,
    whole,
)
from enms.services.dossier_model import Document, an_interval, zone_of

_VERDICTS = {
    "valid": "The baseline may be used: every figure keeps to its limit.",
    "caution": "The baseline may be used with care: no figure forbids it, but those marked so in section 2 "
    "lie beyond their limit and belong beside every result that rests on it.",
    "rejected": "The baseline must not be used to judge energy performance: the figures marked so in "
    "section 2 lie beyond their limit.",
}


def head(content: Document, row: Row, events: Sequence[Row]) -> Html:
    """Title, verdict, and what identifies the baseline."""
    machine, zone = content["machine"], zone_of(content)
    rated = machine.get("rated_power_kw")
    return joined(
        [
            Html('<header>\n<p class="kind">Energy baseline · dossier</p>'),
            element("h1", f"{machine['name']}, version {row['model_version']}"),
            *_judgement(content, row, events),
            facts(
                [
                    ("Machine", machine["name"]),
                    ("Type", or_nothing(machine.get("type"))),
                    ("Rated power", f"{brief(rated)} kW" if rated else NOTHING),
                    ("Factory", machine["factory_name"]),
                    ("Carrier", content["energy_type"]),
                    ("Model", f"{FORM_NAMES[content['kind']]}, by {content['interval']}"),
                    ("Trained", instant(row["created_at"], zone)),
                    ("Trained by", or_nothing(row["trained_by"])),
                    ("In use", "yes, the active baseline" if row["is_active"] else "no"),
                ]
            ),
            paragraph(
                f"All times are local times of the factory ({machine['timezone']}), each with its offset "
                "from UTC."
            ),
            Html("</header>"),
        ]
    )


def purpose(content: Document) -> Html:
    """What the baseline is for."""
    machine, settings = content["machine"], content["settings"]
    variables = dict.fromkeys(needs(term_from_dict(each)) for each in content["terms"])
    return section(
        "1 Purpose",
        paragraph(
            "This document is the record of an energy baseline as ISO 50001:2018, clause 6.5, asks for, "
            "normalised for relevant variables as ISO 50006 describes.",
            f"It states how much {content['energy_type']} energy {machine['name']} "
            f"({machine['factory_name']}) is expected to use in {an_interval(content)}, given",
            Html(f"{names(variables)}."),
            "What the machine really uses, held against it, shows how its energy performance has changed.",
        ),
        paragraph(
            "The drivers were chosen by the service: those with the least error in time that a model hasn't "
            "seen (section 8)."
            if settings["drivers"] == "auto"
            else "The drivers were named by whoever asked for this baseline."
        ),
    )


def data(content: Document) -> Html:
    """What the baseline was fitted to, and what was refused."""
    training, zone, interval = content["training"], zone_of(content), content["interval"]
    start, end = (datetime.fromisoformat(training[each]) for each in ("start", "end"))
    total, used = training["intervals"], training["samples"]
    return section(
        "3 Data",
        facts(
            [
                ("First instant", instant(start, zone)),
                ("End, not included", instant(end, zone)),
                ("Length", f"{brief(round((end - start) / timedelta(days=1), 2))} days"),
                (f"{interval.capitalize()}s in it", whole(total)),
                ("Used", f"{whole(used)} ({percent(100 * used / total)})"),
                ("Refused", f"{whole(total - used)} ({percent(100 * (total - used) / total)})"),
            ]
        ),
        _refused(content) if training["refused"] else paragraph(f"No {interval} was refused."),
    )


def ranges(content: Document) -> Html:
    """Where the baseline knows its machine, and what it is worth elsewhere."""
    rows = [
        (code(name), or_nothing(driver(name).unit), number(each["min"]), number(each["max"]))
        for name, each in sorted(content["ranges"].items())
    ]
    return section(
        "9 Range of validity",
        paragraph(
            "The baseline was fitted where its drivers lay between these values. Beyond them nothing was "
            "measured: a prediction there extends a line into the unknown. The service flags each such "
            f"{content['interval']}, for each driver with the distance, and states savings from there apart."
        ),
        table("Range of each numeric driver in training", ("Driver", "Unit", "Least", "Most"), rows, {2, 3})
        if rows
        else paragraph("The model has no numeric driver."),
    )


def uncertainty(content: Document) -> Html:
    """The model of the errors."""
    errors = ErrorModel.from_dict(content["errors"])
    interval = content["interval"]
    order = len(errors.phi)
    memory = (
        f"Errors remember each other: an autoregression of order {order}, whose innovations have a standard "
        f"deviation of {number(errors.sigma)} kWh."
        if order
        else f"Errors are taken for independent, with a standard deviation of {number(errors.sigma)} kWh."
    )
    rhythm = "day" if interval == "hour" else "week"
    cycle = (
        f"Beside it a cycle repeats every {rhythm}, up to {number(abs(errors.cycle.profile).max())} kWh, "
        "which no driver explains; what it does to the coefficients is allowed for."
        if errors.cycle.present
        else f"No cycle repeats in them every {rhythm}."
    )
    return section(
        "10 Uncertainty",
        paragraph(
            memory,
            cycle,
            f"A single {interval}'s error has a standard deviation of {number(errors.marginal_std)} kWh.",
            "Deviations and savings over a period are judged by the error of their total under this model, "
            "the coefficients' uncertainty included.",
        ),
    )


def record(content: Document, row: Row, history: Sequence[Row], events: Sequence[Row]) -> Html:
    """Hashes, versions, settings; which versions came before, and what was done with this one."""
    settings = content["settings"]
    held = sorted(settings["limits"].items()) + sorted(settings["rules"].items())
    return section(
        "11 Record",
        facts(
            [
                ("Model id", code(row["id"])),
                ("Machine id", code(content["machine"]["id"])),
                ("Asked for", _asked(settings)),
                *((f"Version of {name}", value) for name, value in sorted(content["versions"].items())),
                *_standby(settings),
            ]
        ),
        table(
            "Hashes (SHA-256)",
            ("Of", "Hexadecimal"),
            [
                ("the data that it was fitted to", code(content["training"]["data_sha256"])),
                ("the model's document", code(row["artifact_sha256"])),
            ],
        ),
        _history(content, history),
        _events(content, events),
        element("h3", "Limits and rules that held"),
        facts((code(name), brief(value)) for name, value in held),
    )


def _judgement(content: Document, row: Row, events: Sequence[Row]) -> Iterator[Html]:
    verdict = content["verdict"]["status"]
    opening = Html(f'<p class="verdict {escape(verdict)}">')
    yield Html(f"{opening}<strong>{status(verdict)}</strong> {escape(_VERDICTS[verdict])}</p>")
    activated = [each for each in events if each["event"] == "activated"]
    if verdict == "rejected" and row["is_active"] and activated:
        last = activated[-1]
        yield paragraph(
            f"It is in use all the same, since {instant(last['at'], zone_of(content))}, by {last['actor']}:",
            f"“{last['reason']}”.",
        )


def _refused(content: Document) -> Html:
    total = content["training"]["intervals"]
    rows = [
        (
            each["text"],
            code(each["driver"]) if each["driver"] else "energy, machine",
            whole(each["count"]),
            percent(100 * each["count"] / total),
        )
        for each in content["training"]["refused"]
    ]
    caption = f"Why {content['interval']}s were refused; each counts once, for the first reason that applies"
    return table(caption, ("Reason", "About", "Count", "Share"), rows, {2, 3})


def _history(content: Document, history: Sequence[Row]) -> Html:
    zone = zone_of(content)
    heads = ("Version", "Form", "By", "From", "To", "Samples", "R²", "Verdict", "Trained", "By whom", "Why")
    rows = [
        (
            whole(each["model_version"]),
            FORM_NAMES.get(each["model_type"], or_nothing(each["model_type"])),
            or_nothing(each["interval"]),
            instant(each["training_start_date"], zone),
            instant(each["training_end_date"], zone),
            whole(each["training_samples"]),
            number(each["r_squared"]),
            or_nothing(each["verdict"]),
            instant(each["created_at"], zone),
            or_nothing(each["actor"] or each["trained_by"]),
            or_nothing(each["reason"]),
        )
        for each in history
    ]
    return table("Versions of this machine and carrier up to this one", heads, rows, {5, 6})


def _events(content: Document, events: Sequence[Row]) -> Html:
    zone = zone_of(content)
    rows = [
        (
            instant(each["at"], zone),
            each["event"],
            each["actor"],
            or_nothing(each["reason"]),
            code(each["run_id"]) if each["run_id"] else NOTHING,
        )
        for each in events
    ]
    return table("What was done with this version", ("When", "What", "Who", "Why", "Run"), rows)


def _asked(settings: Mapping[str, Any]) -> Html:
    drivers = settings["drivers"]
    wanted = "automatic drivers" if drivers == "auto" else f"drivers {names(drivers)}"
    return Html(f"{wanted}; model {code(settings['model'])}")


def _standby(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if settings["standby_power_kw"] is not None:
        yield "Counts as running above", f"{number(settings['standby_power_kw'])} kW"
