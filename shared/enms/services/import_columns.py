"""What a file's columns may be called here, what they hold, and how their texts become values."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from enms.errors import InvalidInputError

type Fact = Literal["energy", "production", "environment"]
type Value = float | int | str | None

_ABSENT = {"", "na", "n/a", "nan", "null", "none", "-"}
_DRIVER_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_UNITS: Mapping[str, tuple[str, float]] = {
    "W": ("power", 1e-3),
    "kW": ("power", 1.0),
    "MW": ("power", 1e3),
    "Wh": ("energy", 1e-3),
    "kWh": ("energy", 1.0),
    "MWh": ("energy", 1e3),
}
_INTERVAL = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|sec|min|m|h|hour|d|day)s?\s*")
_SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hour": 3600, "d": 86_400, "day": 86_400}
_LONGEST_INTERVAL_SECONDS = 86_400
_MOST_WHOLE = 2**31


@dataclass(frozen=True)
class Column:
    """A column of ours.

    Attributes:
        name: Its name.
        kind: What it holds; a mode is one of the operating modes.
        limit: The values that it has no room for: from this on (numbers), or longer than this (texts).
        is_driver: Whether it is kept in `metadata`.
    """

    name: str
    kind: Literal["number", "whole", "text", "mode", "driver"]
    limit: float = float("inf")
    is_driver: bool = False


def _columns(
    kind: Literal["number", "whole", "text", "mode"], limits: Mapping[str, float]
) -> dict[str, Column]:
    return {name: Column(name, kind, limit) for name, limit in limits.items()}


# Limits are those of the contract's types, numeric(5, 2) and so on.
COLUMNS: Mapping[Fact, Mapping[str, Column]] = {
    "energy": _columns(
        "number",
        {"voltage_v": 1e6, "current_a": 1e8, "power_factor": 10, "frequency_hz": 1e3, "quality_score": 10},
    ),
    "production": {
        **_columns(
            "whole",
            dict.fromkeys(
                ("production_count", "production_count_good", "production_count_bad", "downtime_seconds"),
                _MOST_WHOLE,
            ),
        ),
        **_columns("number", {"throughput_units_per_hour": 1e8, "speed_percent": 1e3}),
        **_columns("mode", {"operating_mode": 20}),
        **_columns("text", {"product_id": 100, "batch_id": 100, "shift": 20}),
    },
    "environment": _columns(
        "number",
        {
            "outdoor_temp_c": 1e3,
            "indoor_temp_c": 1e3,
            "machine_temp_c": 1e4,
            "outdoor_humidity_percent": 1e3,
            "indoor_humidity_percent": 1e3,
            "pressure_bar": 1e5,
            "pressure_setpoint_bar": 1e5,
            "flow_rate_m3h": 1e8,
            "supply_air_temp_c": 1e3,
            "return_air_temp_c": 1e3,
            "cop": 1e3,
            "vibration_mm_s": 1e5,
        },
    ),
}
# What --value-column means where it isn't energy.
VALUE_COLUMN: Mapping[Fact, str] = {"production": "production_count", "environment": "outdoor_temp_c"}
OPERATING_MODES = ("idle", "running", "maintenance", "fault", "offline")


def our_column(fact: Fact, name: str) -> Column:
    """The column of that name; a name that isn't a column's is a driver, kept in `metadata`.

    Raises:
        InvalidInputError: The name can't be one.
    """
    if name in COLUMNS[fact]:
        return COLUMNS[fact][name]
    if not _DRIVER_NAME.fullmatch(name) or name in ("time", "machine_id", "metadata", "energy_type"):
        raise InvalidInputError(
            f"'{name}' can't be a column of ours; there are {', '.join(COLUMNS[fact])}, "
            "and drivers of your own in lower-case letters, digits and underscores."
        )
    return Column(name, "driver", is_driver=True)


def parse_unit(text: str) -> tuple[Literal["power", "energy"], float]:
    """What a unit measures, and how many kW or kWh it is.

    Raises:
        InvalidInputError: It is unknown.
    """
    by_lower_case = {name.lower(): name for name in _UNITS}
    name = text if text in _UNITS else by_lower_case.get(text.lower())
    if name is None:
        raise InvalidInputError(f"There is no unit '{text}'; there are {', '.join(_UNITS)}.")
    kind, factor = _UNITS[name]
    return ("power" if kind == "power" else "energy"), factor


def parse_interval(text: str) -> float:
    """Seconds of an interval such as "15min", "1h", "30s" or "1d".

    Raises:
        InvalidInputError: It is something else, or not 1 second to 1 day.
    """
    found = _INTERVAL.fullmatch(text)
    seconds = float(found[1]) * _SECONDS[found[2]] if found else 0
    if not 1 <= seconds <= _LONGEST_INTERVAL_SECONDS:
        raise InvalidInputError(
            f"The interval is 1 second to 1 day, such as 30s, 15min, 1h or 1d, not '{text}'."
        )
    return seconds


def numbers(
    texts: Sequence[str], name: str, reasons: dict[int, str], *, decimal_comma: bool, limit: float
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Numbers that must be there; not-a-number where an entry of `reasons` tells why not."""
    if decimal_comma:
        texts = [text.replace(",", ".") if "." not in text else f"{text}?" for text in texts]
    try:
        values = np.array(list(map(_number, texts)), dtype=np.float64)
    except ValueError:
        values = np.array([_number_or_nan(text) for text in texts], dtype=np.float64)
    for row in np.flatnonzero(~(np.abs(values) < limit)).tolist():
        text = texts[row].strip()
        if not text:
            problem = "is missing"
        elif np.isfinite(values[row]):
            problem = f"'{text}' is too large"
        else:
            problem = f"'{text}' isn't a number"
        reasons.setdefault(row, f"{name} {problem}")
        values[row] = np.nan
    return values


def optional_values(
    column: Column, texts: Sequence[str], their_name: str, reasons: dict[int, str], *, decimal_comma: bool
) -> list[Value]:
    """Values that may be absent; an entry of `reasons` for each text that isn't one."""
    values: list[Value] = [None] * len(texts)
    for row, raw in enumerate(texts):
        text = raw.strip()
        if text.lower() in _ABSENT:
            continue
        try:
            values[row] = _value(column, text, decimal_comma=decimal_comma)
        except ValueError as error:
            reasons.setdefault(row, f"{their_name} '{text}' {error}")
    return values


def _value(column: Column, text: str, *, decimal_comma: bool) -> Value:
    if column.kind == "mode":
        if text.lower() not in OPERATING_MODES:
            raise ValueError(f"isn't an operating mode: {', '.join(OPERATING_MODES)}")
        return text.lower()
    if column.kind == "text":
        if len(text) > column.limit:
            raise ValueError(f"is longer than {column.limit:.0f} characters")
        return text
    value = _number_or_nan(text.replace(",", ".") if decimal_comma else text)
    if not np.isfinite(value):
        # A driver may be a word, such as a load type; a number that went wrong may not.
        if column.kind == "driver" and not any(letter.isdigit() for letter in text) and text.isprintable():
            return text
        raise ValueError("isn't a number")
    if abs(value) >= column.limit:
        raise ValueError("is too large")
    if column.kind == "whole":
        if value != int(value):
            raise ValueError("isn't a whole number")
        return int(value)
    return value


def _number(text: str) -> float:
    # float() reads 1_000 as a thousand; in a file it is a mistake.
    if "_" in text:
        raise ValueError
    return float(text)


def _number_or_nan(text: str) -> float:
    try:
        return _number(text)
    except ValueError:
        return float("nan")
