"""A factory with known readings behind the development application, called in process."""

import asyncio
import io
import json
import logging
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg2
import pytest
from fastapi import FastAPI

from enms import observability
from enms.database.connection import Database
from enms.web.app import create_app
from enms_local.development import DevelopmentSettings, routers
from enms_local.postgres import PostgresServer

PUBLIC = "/api/analytics"
FACTORY = "f0000000-0000-4000-8000-000000000001"
PRESS = "a0000000-0000-4000-8000-000000000001"
BOILER = "a0000000-0000-4000-8000-000000000002"
UNKNOWN = "00000000-0000-4000-8000-000000000000"

# Three UTC days; in Berlin clocks go forward in the last night. The press takes 60 and 61 kW by turns of a
# minute, the boiler 30 and 31 until it is switched off at 27T12:00Z.
_READINGS = f"""
INSERT INTO factories (id, name, timezone) VALUES ('{FACTORY}', 'Plant', 'Europe/Berlin');
INSERT INTO machines (id, factory_id, name, type, rated_power_kw, data_interval_seconds, is_active, metadata)
VALUES
    ('{PRESS}', '{FACTORY}', 'Press', 'injection_molding', 90, 60, true, '{{"hall": 3}}'),
    ('{BOILER}', '{FACTORY}', 'Boiler', 'boiler', 60, 60, false, '{{}}');
INSERT INTO energy_tariffs (factory_id, name, rate_per_kwh, currency, is_time_of_use, start_hour, end_hour,
                            valid_from) VALUES
    ('{FACTORY}', 'day', 0.3, 'EUR', true, 6, 22, '2020-01-01'),
    ('{FACTORY}', 'night', 0.2, 'EUR', true, 22, 6, '2020-01-01');
INSERT INTO energy_readings (time, machine_id, power_kw, energy_kwh)
SELECT t, '{PRESS}', p, p / 60.0
FROM generate_series(timestamptz '2026-03-27 00:00Z', '2026-03-29 23:59Z', '1 minute') t,
    LATERAL (SELECT 60 + extract(minute FROM t)::int % 2 AS p) power;
INSERT INTO energy_readings (time, machine_id, power_kw, energy_kwh)
SELECT t, '{BOILER}', p, p / 60.0
FROM generate_series(timestamptz '2026-03-27 00:00Z', '2026-03-27 11:59Z', '1 minute') t,
    LATERAL (SELECT 30 + extract(minute FROM t)::int % 2 AS p) power;
INSERT INTO production_data (time, machine_id, production_count, operating_mode, metadata)
SELECT t, '{PRESS}', 10, CASE WHEN t < '2026-03-29 12:00Z' THEN 'running' ELSE 'idle' END::operating_mode,
    '{{"material_moisture_percent": 4.5, "mould": "A", "pressure_hold_s": 12}}'
FROM generate_series(timestamptz '2026-03-27 00:00Z', '2026-03-29 23:59Z', '1 minute') t;
INSERT INTO environmental_data (time, machine_id, outdoor_temp_c)
SELECT t, '{PRESS}', extract(hour FROM t)
FROM generate_series(timestamptz '2026-03-27 00:00Z', '2026-03-29 23:59Z', '5 minutes') t;
"""


@dataclass(frozen=True)
class Client:
    """Calls an application as a browser would, without a socket."""

    app: FastAPI

    def get(
        self, path: str, prefix: str = PUBLIC, headers: dict[str, str] | None = None, **parameters: Any
    ) -> httpx.Response:
        """One GET."""
        return self.request("GET", f"{prefix}{path}", params=parameters, headers=headers)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any request."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://enms.example") as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())


def client_of(url: str, **settings: Any) -> Client:
    """The development application on a database."""
    groups = list(routers().values())
    return Client(create_app(groups, DevelopmentSettings(**settings), Database(lambda: url)))


@dataclass(frozen=True)
class Log:
    """What was logged."""

    stream: io.StringIO

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Each line's fields."""
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def log() -> Iterator[Log]:
    """The log lines of this test."""
    handler = observability.logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    former = handler.setStream(stream := io.StringIO())
    yield Log(stream)
    handler.setStream(former)


@pytest.fixture(scope="module")
def site_url(postgres: PostgresServer, migrated_template: str) -> Iterator[str]:
    """A migrated database with the factory; tests of a module share it and leave its readings alone."""
    name = f"site_{uuid.uuid4().hex[:12]}"
    server = psycopg2.connect(postgres.url())
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{migrated_template}"')
        with psycopg2.connect(postgres.url(name)) as site, site.cursor() as rows:
            rows.execute(_READINGS)
        site.close()
        yield postgres.url(name)
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    server.close()


@pytest.fixture(scope="module")
def client(site_url: str) -> Iterator[Client]:
    """The development application on that database."""
    client = client_of(site_url)
    yield client
    client.app.state.database.close()
