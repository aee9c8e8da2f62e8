"""Registering factories, machines and prices by command: what is written, and what is refused."""

import json
from collections.abc import Callable

import psycopg2
import pytest
from typer.testing import CliRunner, Result

from enms.errors import EnmsError
from enms_local.cli import create_app, describe, exit_code

FACTORY = ("factories", "add", "Plant", "--timezone", "Europe/Berlin")
MACHINE = ("machines", "add", "Press", "--factory", "Plant", "--type", "motor", "--rated-kw", "75")
TARIFF = ("tariffs", "add", "day", "--factory", "Plant", "--rate", "0.2")

Enms = Callable[..., Result]


@pytest.fixture
def enms(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Enms:
    """Runs `enms …` on this test's database."""
    monkeypatch.setenv("ENMS_DATABASE_URL", database_url)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(create_app(), arguments)

    return run


def _rows(url: str, query: str) -> list[tuple]:
    connection = psycopg2.connect(url)
    cursor = connection.cursor()
    cursor.execute(query)
    found = cursor.fetchall()
    connection.close()
    return found


def test_a_factory_with_all_that_it_can_have(enms: Enms, database_url: str) -> None:
    options = (
        "--country",
        "DE",
        "--carbon-region",
        "EU",
        "--contract-demand-kw",
        "400",
        "--location",
        "Hamburg",
    )
    assert enms(*FACTORY, *options).exit_code == 0
    assert _rows(database_url, "SELECT name, timezone, location, metadata FROM factories") == [
        (
            "Plant",
            "Europe/Berlin",
            "Hamburg",
            {"country": "DE", "carbon_region": "EU", "contract_demand_kw": 400},
        )
    ]
    [listed] = json.loads(enms("factories", "list", "--json").stdout)
    assert (listed["name"], listed["carbon_region"], listed["contract_demand_kw"]) == ("Plant", "EU", 400)


def test_a_machine_tells_whether_its_interval_was_given(enms: Enms, database_url: str) -> None:
    enms(*FACTORY)
    assert enms(*MACHINE).exit_code == 0
    assert enms("machines", "add", "Fan", *MACHINE[3:], "--interval-seconds", "60").exit_code == 0
    assert _rows(
        database_url,
        "SELECT name, data_interval_seconds, metadata ->> 'interval_given' FROM machines ORDER BY name",
    ) == [("Fan", 60, None), ("Press", 10, "false")]
    listed = json.loads(enms("machines", "list", "--json").stdout)
    assert [machine["name"] for machine in listed] == ["Fan", "Press"]


def test_a_tariff_with_hours_past_midnight(enms: Enms, database_url: str) -> None:
    enms(*FACTORY)
    options = (
        "--currency", "EUR", "--hours", "20-8", "--weekdays", "mon-fri", "--valid-from", "2026-01-01",
        "--valid-to", "2026-12-31", "--demand-charge", "11.5",
    )  # fmt: skip
    assert enms(*TARIFF, *options).exit_code == 0
    assert _rows(
        database_url,
        "SELECT is_time_of_use, start_hour, end_hour, applicable_days, demand_charge_per_kw::float8,"
        " currency, valid_from::text, valid_to::text FROM energy_tariffs",
    ) == [(True, 20, 8, [1, 2, 3, 4, 5], 11.5, "EUR", "2026-01-01", "2026-12-31")]
    assert "20-8" in enms("tariffs", "list").stdout


def test_a_carbon_factor(enms: Enms, database_url: str) -> None:
    assert enms("carbon-factors", "add", "EU", "--factor", "0.22", "--source", "EEA").exit_code == 0
    assert _rows(
        database_url, "SELECT region, emission_factor_kg_co2_per_kwh::float8, source FROM carbon_factors"
    ) == [("EU", 0.22, "EEA")]
    assert "0.22" in enms("carbon-factors", "list").stdout


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ((*FACTORY[:3], "--timezone", "Europe/Berln"), "Europe/Berlin"),
        (FACTORY, "Plant"),
        ((*FACTORY[:2], "Other", *FACTORY[3:], "--contract-demand-kw", "-4"), "-4"),
        ((*FACTORY[:2], "Other", *FACTORY[3:], "--country", "Germany"), "Germany"),
        (("machines", "add", "Fan", "--factory", "Nowhere", *MACHINE[5:]), "Nowhere"),
        (MACHINE, "Press"),
        ((*MACHINE[:2], "Fan", *MACHINE[3:5], "--type", "rocket", "--rated-kw", "75"), "compressor"),
        ((*MACHINE[:2], "Fan", *MACHINE[3:7], "--rated-kw", "-75"), "-75"),
        ((*MACHINE[:2], "Fan", *MACHINE[3:], "--interval-seconds", "0"), "0"),
        (("tariffs", "add", "day", "--factory", "Nowhere", "--rate", "0.2"), "Nowhere"),
        ((*TARIFF[:5], "--rate", "nan"), "nan"),
        ((*TARIFF, "--hours", "8-25"), "8-25"),
        ((*TARIFF, "--hours", "noon"), "noon"),
        ((*TARIFF, "--weekdays", "mon-funday"), "funday"),
        ((*TARIFF, "--currency", "Euro"), "Euro"),
        ((*TARIFF, "--valid-from", "2026-02-01", "--valid-to", "2026-01-01"), "2026-01-01"),
        (("carbon-factors", "add", "EU", "--factor", "-1"), "-1"),
    ],
    ids=lambda value: " ".join(value[-2:]) if isinstance(value, tuple) else "",
)
def test_what_kpis_could_not_use_is_refused_in_one_sentence(
    enms: Enms, database_url: str, command: tuple[str, ...], said: str
) -> None:
    for right in (FACTORY, MACHINE):
        assert enms(*right).exit_code == 0
    everything = (
        "SELECT (SELECT count(*) FROM factories), (SELECT count(*) FROM machines),"
        " (SELECT count(*) FROM energy_tariffs), (SELECT count(*) FROM carbon_factors)"
    )
    error = enms(*command).exception

    assert isinstance(error, EnmsError)
    assert exit_code(error) == 2
    assert said in describe(error)
    assert "\n" not in describe(error)
    assert _rows(database_url, everything) == [(1, 1, 0, 0)]
