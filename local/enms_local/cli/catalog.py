"""Commands `enms factories|machines|tariffs|carbon-factors …`: what there is, and its prices."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from enms_local.cli.output import JsonOption, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from uuid import UUID

    from enms.database.connection import Database

factories = typer.Typer(help="Factories: time zone, region, contract demand.", no_args_is_help=True)
machines = typer.Typer(help="Machines of the factories.", no_args_is_help=True)
tariffs = typer.Typer(help="Energy tariffs of the factories.", no_args_is_help=True)
carbon_factors = typer.Typer(help="What a kWh emits, by region.", no_args_is_help=True)

FactoryOption = Annotated[str, typer.Option("--factory", help="Name of the factory.")]
_DAY = ["%Y-%m-%d"]
ValidFromOption = Annotated[
    datetime | None,
    typer.Option("--valid-from", formats=_DAY, help="First local day; else 2000-01-01.", show_default=False),
]
ValidToOption = Annotated[
    datetime | None, typer.Option("--valid-to", formats=_DAY, help="Last local day, included; else open.")
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(factories, name="factories")
    app.add_typer(machines, name="machines")
    app.add_typer(tariffs, name="tariffs")
    app.add_typer(carbon_factors, name="carbon-factors")


@factories.command("add")
def add_factory(
    name: Annotated[str, typer.Argument(help="Unlike any other factory's.")],
    timezone: Annotated[str, typer.Option(help="IANA name, e.g. Europe/Berlin.")],
    location: Annotated[str | None, typer.Option(help="Town or address.")] = None,
    country: Annotated[str | None, typer.Option(help="Code of two letters, e.g. DE.")] = None,
    carbon_region: Annotated[
        str | None, typer.Option(help="Region whose carbon factors apply, e.g. EU.")
    ] = None,
    contract_demand_kw: Annotated[
        float | None, typer.Option(help="Demand agreed with the supplier, in kW.")
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Registers a factory."""
    from enms.services import registry

    factory_id = registry.add_factory(
        _database(),
        name,
        timezone,
        location=location,
        country=country,
        carbon_region=carbon_region,
        contract_demand_kw=contract_demand_kw,
    )
    _report("factory", name, factory_id, as_json=as_json)


@factories.command("list")
def list_factories(*, as_json: JsonOption = False) -> None:
    """Lists the factories."""
    from enms.database import catalog

    columns = (
        "name",
        "timezone",
        "location",
        "country",
        "carbon_region",
        "contract_demand_kw",
        "machines",
        "id",
    )
    _print(columns, [row["metadata"] | row for row in catalog.factories(_database())], as_json=as_json)


@machines.command("add")
def add_machine(
    name: Annotated[str, typer.Argument(help="Unlike any other machine's of the factory.")],
    factory: FactoryOption,
    machine_type: Annotated[
        str,
        typer.Option(
            "--type", help="compressor, hvac, motor, pump, injection_molding, conveyor, boiler or other."
        ),
    ],
    rated_kw: Annotated[float, typer.Option(help="Rated power in kW.")],
    interval_seconds: Annotated[
        int | None, typer.Option(help="How often it reports; else the first import of energy sets it.")
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Registers a machine."""
    from enms.services import registry

    machine_id = registry.add_machine(_database(), name, factory, machine_type, rated_kw, interval_seconds)
    _report("machine", name, machine_id, as_json=as_json)


@machines.command("list")
def list_machines(
    factory: Annotated[str | None, typer.Option(help="Of this factory only.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Lists the machines."""
    from enms.database import catalog

    wanted = catalog.MachineFilter(factory=factory)
    _, rows = catalog.machines(_database(), wanted, limit=100_000, offset=0)
    columns = (
        "name", "factory_name", "type", "rated_power_kw", "data_interval_seconds", "is_active", "status", "id"
    )  # fmt: skip
    _print(columns, rows, as_json=as_json)


@tariffs.command("add")
def add_tariff(
    name: Annotated[str, typer.Argument(help="E.g. day; may start again on another day with another rate.")],
    factory: FactoryOption,
    rate: Annotated[float, typer.Option(help="Price of a kWh.")],
    currency: Annotated[str, typer.Option(help="Code of three letters, e.g. EUR.")] = "USD",
    hours: Annotated[
        str | None, typer.Option(help="Factory-local hours, e.g. 8-20, or 22-6 past midnight; else all day.")
    ] = None,
    weekdays: Annotated[str | None, typer.Option(help="E.g. mon-fri or sat,sun; else all.")] = None,
    valid_from: ValidFromOption = None,
    valid_to: ValidToOption = None,
    demand_charge: Annotated[
        float | None, typer.Option(help="Price of a kW of the month's billing peak.")
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Registers a tariff of a factory."""
    from enms.services import registry

    tariff = registry.NewTariff(
        name=name,
        factory=factory,
        rate_per_kwh=rate,
        currency=currency,
        hours=hours,
        weekdays=weekdays,
        valid_from=_day(valid_from) or registry.SINCE_ALWAYS,
        valid_to=_day(valid_to),
        demand_charge_per_kw=demand_charge,
    )
    _report("tariff", name, registry.add_tariff(_database(), tariff), as_json=as_json)


@tariffs.command("list")
def list_tariffs(*, as_json: JsonOption = False) -> None:
    """Lists the tariffs."""
    from enms.database import registry
    from enms.services.registry import WEEKDAYS

    rows = registry.tariffs(_database())
    if as_json:
        print_json(rows)
        return
    for row in rows:
        days = row["applicable_days"]
        row["hours"] = None if row["start_hour"] is None else f"{row['start_hour']}-{row['end_hour']}"
        row["weekdays"] = ",".join(WEEKDAYS[day] for day in days) if days else None
    columns = (
        "factory_name", "name", "rate_per_kwh", "currency", "hours", "weekdays", "demand_charge_per_kw",
        "valid_from", "valid_to", "is_active",
    )  # fmt: skip
    _print(columns, rows, as_json=False)


@carbon_factors.command("add")
def add_carbon_factor(
    region: Annotated[str, typer.Argument(help="As in a factory's carbon region, or 'default'.")],
    factor: Annotated[float, typer.Option(help="kg of CO2 per kWh.")],
    grid_name: Annotated[str | None, typer.Option(help="The grid that it is of.")] = None,
    source: Annotated[str | None, typer.Option(help="Who published it.")] = None,
    valid_from: ValidFromOption = None,
    valid_to: ValidToOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Registers a carbon factor of a region."""
    from enms.services import registry

    new = registry.NewCarbonFactor(
        region=region,
        kg_co2_per_kwh=factor,
        grid_name=grid_name,
        source=source,
        valid_from=_day(valid_from) or registry.SINCE_ALWAYS,
        valid_to=_day(valid_to),
    )
    _report("carbon factor", region, registry.add_carbon_factor(_database(), new), as_json=as_json)


@carbon_factors.command("list")
def list_carbon_factors(*, as_json: JsonOption = False) -> None:
    """Lists the carbon factors."""
    from enms.database import registry

    columns = (
        "region", "emission_factor_kg_co2_per_kwh", "grid_name", "source", "valid_from", "valid_to",
        "is_active",
    )  # fmt: skip
    _print(columns, registry.carbon_factors(_database()), as_json=as_json)


def _database() -> "Database":
    from enms.database.connection import Database
    from enms_local.cli.database import database_url

    return Database(database_url)


def _day(moment: datetime | None) -> "date | None":
    return moment.date() if moment else None


def _report(what: str, name: str, added_id: "UUID", *, as_json: bool) -> None:
    if as_json:
        print_json({"id": added_id, "name": name})
    else:
        typer.echo(f"Added {what} '{name}' ({added_id}).")


def _print(columns: "Sequence[str]", rows: "Sequence[dict[str, Any]]", *, as_json: bool) -> None:
    if as_json:
        print_json(rows)
    else:
        print_table(columns, [[row.get(column) for column in columns] for row in rows])
