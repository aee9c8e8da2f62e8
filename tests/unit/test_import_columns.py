"""Units, intervals, and values of files."""

import math

import pytest

from enms.errors import InvalidInputError
from enms.services.import_columns import numbers, optional_values, our_column, parse_interval, parse_unit
from enms.services.registry import hours_of_day, known_timezone, weekdays


@pytest.mark.parametrize(
    ("text", "seconds"), [("15min", 900), ("1h", 3600), ("30s", 30), ("1 d", 86_400), ("60 sec", 60)]
)
def test_intervals(text: str, seconds: float) -> None:
    assert parse_interval(text) == seconds


@pytest.mark.parametrize("text", ["", "15", "min", "-5min", "0s", "2d", "15 parsecs"])
def test_what_is_no_interval(text: str) -> None:
    with pytest.raises(InvalidInputError, match="such as 30s"):
        parse_interval(text)


def test_units() -> None:
    assert parse_unit("MW") == ("power", 1000)
    assert parse_unit("wh") == ("energy", 0.001)
    with pytest.raises(InvalidInputError, match="there are W, kW"):
        parse_unit("BTU")


def test_numbers_that_must_be_there() -> None:
    reasons: dict[int, str] = {}
    values = numbers(
        ["1.5", " -2 ", "", "abc", "nan", "inf", "1_0", "1e9"], "kW", reasons, decimal_comma=False, limit=1e8
    )
    assert values[:2].tolist() == [1.5, -2]
    assert all(math.isnan(value) for value in values[2:])
    assert reasons[2] == "kW is missing"
    assert reasons[3] == "kW 'abc' isn't a number"
    assert reasons[7] == "kW '1e9' is too large"
    assert sorted(reasons) == [2, 3, 4, 5, 6, 7]


def test_decimal_commas() -> None:
    reasons: dict[int, str] = {}
    assert numbers(["1,5", "1.234,5"], "kW", reasons, decimal_comma=True, limit=1e8)[0] == 1.5
    assert list(reasons) == [1]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("production_count", "7.0", 7),
        ("operating_mode", "Running", "running"),
        ("shift", "late", "late"),
        ("speed_percent", "NA", None),
        ("material_moisture_percent", "12.5", 12.5),
        ("load_type", "Light_Load", "Light_Load"),
    ],
)
def test_values_of_production(name: str, text: str, value: object) -> None:
    reasons: dict[int, str] = {}
    column = our_column("production", name)
    assert optional_values(column, [text], "theirs", reasons, decimal_comma=False) == [value]
    assert not reasons


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("production_count", "7.5"),
        ("production_count", "99999999999"),
        ("operating_mode", "asleep"),
        ("shift", "x" * 21),
        ("speed_percent", "1000"),
        ("material_moisture_percent", "12..5"),
    ],
)
def test_impossible_values_of_production(name: str, text: str) -> None:
    reasons: dict[int, str] = {}
    optional_values(our_column("production", name), [text], "theirs", reasons, decimal_comma=False)
    assert reasons[0].startswith(f"theirs '{text}' is")


@pytest.mark.parametrize("name", ["Outdoor Temp", "time", "machine_id", "x" * 70, "1st"])
def test_names_that_columns_cannot_have(name: str) -> None:
    with pytest.raises(InvalidInputError, match="can't be a column"):
        our_column("environment", name)


def test_hours_and_weekdays_of_tariffs() -> None:
    assert hours_of_day("22:00-06:00") == (22, 6)
    assert hours_of_day("0-24") == (0, 24)
    assert weekdays("mon-fri") == [1, 2, 3, 4, 5]
    assert weekdays("fri-mon, wed") == [0, 1, 3, 5, 6]


@pytest.mark.parametrize("text", ["", "8", "8-8", "24-3", "8-25", "8:30-20", "a-b", "8-20-22"])
def test_what_are_no_hours(text: str) -> None:
    with pytest.raises(InvalidInputError, match="full hours"):
        hours_of_day(text)


@pytest.mark.parametrize("text", ["", "monday", "mon-", "-fri", "1,2", "mon;fri"])
def test_what_are_no_weekdays(text: str) -> None:
    with pytest.raises(InvalidInputError, match="weekdays"):
        weekdays(text)


def test_a_mistyped_zone_gets_the_likeliest() -> None:
    with pytest.raises(InvalidInputError, match="did you mean Europe/Berlin"):
        known_timezone("europe/berln")
