"""What an episode is told in: one plain sentence, names and units of what drove it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from enms.science.anomalies.findings import Contribution, Episode, Kind
from enms.science.baseline.drivers import driver

_HOUR = 3_600
_VARIATION, _SIGMA = "_variation", "_sigma"
# Metric or feature → what people call it, in the middle of a sentence, and its unit.
_NAMES: Mapping[str, tuple[str, str | None]] = {
    "energy_kwh": ("energy", "kWh"),
    "power_kw": ("power", "kW"),
    "covered_share": ("share of the time with readings", None),
    "power_against_load_kw": ("power beside what is usual at the same load", "kW"),
    "ramp_kw": ("change of power", "kW"),
    "deviation_sigma": ("deviation from the baseline", "σ"),
    "sec_against_usual_percent": ("specific energy beside what is usual", "%"),
    "standby_power_kw": ("standby power beside what is usual", "kW"),
    "mode_change": ("change of operating mode", None),
}
# By the end of a name, somebody's own names too.
_UNITS: Mapping[str, str] = {
    "_units_per_hour": "units/h",
    "_percent": "%",
    "_seconds": "s",
    "_hours": "h",
    "_m3h": "m³/h",
    "_mm_s": "mm/s",
    "_kwh": "kWh",
    "_bar": "bar",
    "_kw": "kW",
    "_c": "°C",
}
_WORDS: Mapping[str, str] = {"temp": "temperature", "setpoint": "set point", "cop": "COP"}
_ADVICE: Mapping[Kind, str] = {
    "power_spike": "look for what was started then, a jam or a defrost",
    "power_drop": "look for a stage that doesn't run, a bypass or a meter that reads too low",
    "efficiency_drop": "look at filters, lubrication, wear and heat exchangers",
    "baseload_increase": "look for a leak or a load left on",
    "pressure_anomaly": "look at the regulator, the dryer and the receiver, and for a leak",
    "temperature_spike": "look at cooling, airflow and bearings",
    "unusual_pattern": "look at what was done differently then",
    "sensor_fault": "check the device and its line",
    "data_gap": "check the gateway and the network",
}
_USUAL_BY: Mapping[str, str] = {
    "baseline_deviation": "its baseline expects",
    "cusum": "its baseline expects",
    "load_model": "usual at the same load",
    "power_profile": "in the same hours of earlier weeks",
}


def sentence(machine_name: str, episode: Episode, zone: str, cost: float | None, currency: str | None) -> str:
    """What was seen, when, how much, and where to look first; of a level that stays, what to do then.

    Args:
        machine_name: Whose it is.
        episode: The episode.
        zone: The factory's zone, by whose clock it is told.
        cost: What the deviation cost; None where nothing tells it.
        currency: Of the cost.
    """
    when = _when(episode, zone)
    match episode.kind:
        case "data_gap":
            seen = _gap(machine_name, episode, when)
        case "sensor_fault":
            seen = _fault(machine_name, episode, when)
        case "power_spike" | "power_drop" | "efficiency_drop" | "baseload_increase":
            seen = _power(machine_name, episode, when) + _amount(episode, cost, currency)
        case "unusual_pattern" if episode.metric_name in ("power_kw", "energy_kwh"):
            seen = _pattern(machine_name, episode, when)
        case _:
            seen = _sensor(machine_name, episode, when)
    return f"{seen}: {_ADVICE[episode.kind]}.{_new_baseline(episode, zone)}"


def unit_of(name: str) -> str | None:
    """The unit of a metric or feature; None where it has none, or nobody knows it."""
    if name in _NAMES:
        return _NAMES[name][1]
    if name.endswith(_SIGMA):
        return "σ"
    variable = name.removesuffix(_VARIATION)
    known = driver(variable).unit
    return known or next((unit for end, unit in _UNITS.items() if variable.endswith(end)), None)


def label_of(name: str) -> str:
    """What people call a metric or feature, in the middle of a sentence."""
    if name in _NAMES:
        return _NAMES[name][0]
    if name.endswith(_SIGMA):
        return f"{label_of(name.removesuffix(_SIGMA))} beside what is usual"
    if name.endswith(_VARIATION):
        return f"restlessness of {label_of(name.removesuffix(_VARIATION))}"
    # Which table somebody's own value came with says nothing.
    stem = name.rpartition(".")[2]
    stem = next((stem.removesuffix(end) for end in _UNITS if stem.endswith(end)), stem)
    return " ".join(_WORDS.get(word, word) for word in stem.split("_") if word)


def contribution_shown(contribution: Contribution) -> dict[str, Any]:
    """A contribution as the API shows it."""
    label = label_of(contribution.feature)
    return {
        "feature": contribution.feature,
        "label": label[:1].upper() + label[1:],
        "unit": unit_of(contribution.feature),
        "share": round(contribution.share, 4),
        "value": contribution.value,
        "expected_value": contribution.expected_value,
        "sigma": contribution.sigma,
    }


def _power(machine_name: str, episode: Episode, when: str) -> str:
    extra_kw = _extra_kw(episode)
    direction = "less" if episode.kind == "power_drop" else "more"
    amount = direction if extra_kw is None else f"{_figure(extra_kw)} kW {direction}"
    usual = next((_USUAL_BY[method] for method in episode.methods if method in _USUAL_BY), "usual")
    shape = {
        "efficiency_drop": ", in proportion to its load",
        "baseload_increase": ", whatever its load",
    }.get(episode.kind, "")
    used = "has used" if episode.is_ongoing else "used"
    return f"{machine_name} {used} {amount} than {usual} {when}{shape}"


def _amount(episode: Episode, cost: float | None, currency: str | None) -> str:
    """The energy and its cost in brackets; nothing where they aren't known or contradict the kind."""
    if episode.deviation_kwh is None or _is_contrary(episode, episode.deviation_kwh):
        return ""
    parts = [f"{_figure(episode.deviation_kwh)} kWh"]
    if cost is not None and currency is not None and cost > 0:
        parts.append(f"{cost:.2f} {currency}")
    return f" ({', '.join(parts)}{' so far' if episode.is_ongoing else ''})"


def _extra_kw(episode: Episode) -> float | None:
    """Mean power beside what was expected; None where it isn't known or contradicts the kind."""
    hours = (episode.end - episode.start) / _HOUR
    value, expected = episode.metric_value, episode.expected_value
    if episode.deviation_kwh is not None:
        extra_kw = episode.deviation_kwh / hours
    elif value is None or expected is None:
        return None
    else:
        extra_kw = (value - expected) / (hours if episode.metric_name == "energy_kwh" else 1)
    return None if _is_contrary(episode, extra_kw) else extra_kw


def _is_contrary(episode: Episode, more: float) -> bool:
    return (more >= 0) == (episode.kind == "power_drop")


def _sensor(machine_name: str, episode: Episode, when: str) -> str:
    name, value, expected = episode.metric_name, episode.metric_value, episode.expected_value
    was, unit = "has been" if episode.is_ongoing else "was", unit_of(name)
    if name.endswith(_VARIATION):
        seen = f"{machine_name}'s {label_of(name.removesuffix(_VARIATION))} {was} restless {when}"
        if value is None or expected is None:
            return seen
        return f"{seen} (varying by {_figure(value)} instead of {_with_unit(_figure(expected), unit)})"
    seen = f"{machine_name}'s {label_of(name)} {was}"
    if value is None or expected is None:
        return f"{seen} not what it is at the same load {when}"
    distance = _with_unit(_figure(value - expected), "K" if unit == "°C" else unit)
    side = "above" if value > expected else "below"
    both = _with_unit(f"{_signed(value)} instead of {_signed(expected)}", unit)
    return f"{seen} {distance} {side} what it is at the same load {when} ({both})"


def _pattern(machine_name: str, episode: Episode, when: str) -> str:
    shows = "has shown" if episode.is_ongoing else "showed"
    strongest = [label_of(each.feature) for each in episode.contributions[:2]]
    most = f", most of all in {' and '.join(strongest)}" if strongest else ""
    return f"{machine_name} {shows} a combination of values that is new {when}{most}"


def _fault(machine_name: str, episode: Episode, when: str) -> str:
    name, value = episode.metric_name, episode.metric_value
    device = "meter" if name in ("power_kw", "energy_kwh") else f"sensor of {label_of(name)}"
    has = "has stood still or told" if episode.is_ongoing else "stood still or told"
    shown = "" if value is None else f" ({_with_unit(_signed(value), unit_of(name))})"
    return f"{machine_name}'s {device} {has} what cannot be {when}{shown}"


def _gap(machine_name: str, episode: Episode, when: str) -> str:
    reported = "has reported" if episode.is_ongoing else "reported"
    hours = _figure((episode.end - episode.start) / _HOUR)
    return f"{machine_name} {reported} nothing {when} ({hours} h{' so far' if episode.is_ongoing else ''})"


def _new_baseline(episode: Episode, zone: str) -> str:
    if not episode.is_lasting:
        return ""
    day = datetime.fromtimestamp(episode.start, ZoneInfo(zone))
    return f" If this level is to stay, train a new baseline from {day:%Y-%m-%d} on."


def _when(episode: Episode, zone: str) -> str:
    start, end = (datetime.fromtimestamp(at, ZoneInfo(zone)) for at in (episode.start, episode.end))
    if episode.is_ongoing:
        return f"since {start:%-d %b %H:%M}"
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%-d %b %H:%M}"
    return f"from {start:%-d %b %H:%M} to {until}"


def _with_unit(text: str, unit: str | None) -> str:
    return f"{text} {unit}" if unit else text


def _signed(value: float) -> str:
    return f"−{_figure(value)}" if value < 0 else _figure(value)


def _figure(value: float) -> str:
    """Its size to three digits, never in powers of ten; the decimals of large ones left out."""
    size = abs(value)
    if size >= 100:
        return f"{size:.0f}"
    return f"{size:.3g}" if size >= 1e-3 else "0"
