"""A factory whose machines follow known coefficients, behind the development application.

The press lives through chapters: trained on the first, it is asked about the others.
"""

import asyncio
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import numpy as np
from fastapi import FastAPI
from integration.baselines.works import FACTORY
from integration.local_aws import LocalAws
from numpy.typing import NDArray
from psycopg2.extensions import connection as Connection  # noqa: N812
from pydantic import BaseModel

from enms.artifacts import ModelStore
from enms.database.connection import Database
from enms.web import baseline_models
from enms.web.app import create_app
from enms.web.problems import Problem
from enms_local.development import DevelopmentSettings, routers

PUBLIC = "/api/analytics"
ZONE = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)

PRESS = UUID("c1000000-0000-4000-8000-000000000001")
HALL = UUID("c1000000-0000-4000-8000-000000000002")  # follows temperature and the clock
RECENT = UUID("c1000000-0000-4000-8000-000000000003")  # like the press, the last 95 days
BRIEF = UUID("c1000000-0000-4000-8000-000000000004")  # the same, the last 14 days
EMPTY = UUID("c1000000-0000-4000-8000-000000000005")
UNKNOWN = UUID("00000000-0000-4000-8000-000000000000")

# Chapters of the press: days of the factory, both of which count wholly. In PLAIN clocks go forward.
AUTUMN = ("2025-10-25", "2025-10-27")
TRAINED = ("2025-12-01", "2026-03-15")
PLAIN = ("2026-03-16", "2026-04-14")
LEAKING = ("2026-04-15", "2026-05-14")
SAVING = ("2026-05-15", "2026-06-13")
NEARLY_SAVING = ("2026-06-14", "2026-06-27")
STEPPED = ("2026-06-28", "2026-07-25")
FAULTY = ("2026-07-26", "2026-07-31")
SPRING_DAY, AUTUMN_DAY, RUSH_DAY, STEP_DAY = "2026-03-29", "2025-10-26", "2026-05-20", "2026-07-12"
NOISY_HOUR = datetime(2026, 3, 25, 9, tzinfo=UTC)

LEAK_SHARE, SAVED_SHARE, HARDLY_SAVED_SHARE, STEP_KWH = 0.05, 0.10, 0.0005, 6.0
RUSH_COUNT = 800.0
TRUE = {"production_count": 0.05, "material_moisture_percent": 1.5}
TRUE_INTERCEPT = 10.0
TRUE_GAS = {"outdoor_temp_c": -1.2}
DAY_RATE, NIGHT_RATE = 0.3, 0.2
DRIVERS = list(TRUE)

type Numbers = NDArray[np.float64]


def local(day: str, hour: int = 0) -> datetime:
    """An hour of the factory's clock as an instant."""
    return datetime.fromisoformat(day).replace(hour=hour, tzinfo=ZONE).astimezone(UTC)


def day_after(day: str) -> str:
    """The next day."""
    return (datetime.fromisoformat(day) + timedelta(days=1)).date().isoformat()


def hours_of(first: str, last: str) -> list[datetime]:
    """Starts of the hours of some days, the last included."""
    return hours_between(local(first), local(day_after(last)))


def hours_between(start: datetime, end: datetime) -> list[datetime]:
    """Starts of the hours of [start, end)."""
    return [start + n * HOUR for n in range(int((end - start) / HOUR))]


@dataclass(frozen=True)
class Load:
    """What drives a machine, hour by hour, and what it uses by its coefficients and chance."""

    starts: list[datetime]
    is_running: NDArray[np.bool_]
    production_count: Numbers
    moisture_percent: Numbers
    outdoor_temp_c: Numbers
    energy_kwh: Numbers

    def within(self, first: str, last: str) -> NDArray[np.bool_]:
        """Which hours lie in some days, the last included."""
        start, end = local(first), local(day_after(last))
        return np.array([start <= at < end for at in self.starts])


def load(starts: list[datetime], seed: int) -> Load:
    """Draws drivers, and the energy that goes with them."""
    random = np.random.default_rng(seed)
    clock = [at.astimezone(ZONE) for at in starts]
    days = np.array([at.timestamp() / 86_400 for at in starts])
    is_running = np.array([6 <= at.hour < 22 and at.weekday() < 6 for at in clock])
    count = np.where(is_running, random.normal(300, 60, len(starts)).round().clip(50), 0.0)
    if local(RUSH_DAY, 8) in starts:
        count[starts.index(local(RUSH_DAY, 8)) :][:4] = RUSH_COUNT
    moisture = (5 + 1.5 * np.sin(days / 2.7) + random.normal(0, 0.5, len(starts))).round(3)
    season = 8 - 9 * np.cos(2 * np.pi * (days - 20_470) / 365)
    weather = np.convolve(random.normal(0, 0.35, len(starts) + 71), np.ones(72), "valid")
    temperature = (season + 4 * np.cos(2 * np.pi * (days - 14 / 24)) + weather).round(2)
    energy = TRUE_INTERCEPT + TRUE["production_count"] * count
    energy = energy + TRUE["material_moisture_percent"] * moisture + random.normal(0, 1, len(starts))
    return Load(starts, is_running, count, moisture, temperature, energy)


@dataclass
class Rows:
    """Rows of the fact tables, put in by one statement each."""

    energy: list[str] = field(default_factory=list)
    production: list[str] = field(default_factory=list)
    environment: list[str] = field(default_factory=list)

    def add_energy(
        self, machine: UUID, starts: Iterable[datetime], kwh: Numbers, energy_type: str = "electrical"
    ) -> None:
        """A reading an hour."""
        for at, value in zip(starts, kwh.tolist(), strict=True):
            self.energy.append(f"{at.isoformat()}\t{machine}\t{energy_type}\t{value:.4f}\t{value:.6f}")

    def add_production(self, machine: UUID, drawn: Load) -> None:
        """Counts, modes, and what else a platform sends: a constant, and a multiple of the count."""
        columns = (drawn.is_running, drawn.production_count, drawn.moisture_percent)
        for at, running, count, moist in zip(drawn.starts, *(x.tolist() for x in columns), strict=True):
            told = json.dumps({"material_moisture_percent": moist, "tool_number": 7, "cycles": 2 * count + 1})
            mode = "running" if running else "idle"
            self.production.append(f"{at.isoformat()}\t{machine}\t{count:.0f}\t{mode}\t{told}")

    def add_environment(self, machine: UUID, drawn: Load) -> None:
        """Temperature, a pressure that is no number now and then, and a light that drives nothing."""
        for n, (at, temperature) in enumerate(zip(drawn.starts, drawn.outdoor_temp_c.tolist(), strict=True)):
            told = json.dumps({"lux": n * 7919 % 997, "outdoor_temp_f": round(1.8 * temperature + 32, 6)})
            pressure = "NaN" if n % 97 == 5 else f"{6 + n * 31 % 17 / 40:.3f}"
            self.environment.append(f"{at.isoformat()}\t{machine}\t{temperature:.2f}\t{pressure}\t{told}")

    def copy_into(self, connection: Connection) -> None:
        """Puts them in."""
        carrier = "time, machine_id, energy_type, power_kw, energy_kwh"
        mode = "time, machine_id, production_count, operating_mode, metadata"
        weather = "time, machine_id, outdoor_temp_c, pressure_bar, metadata"
        with connection.cursor() as cursor:
            for table, columns, lines in (
                ("energy_readings", carrier, self.energy),
                ("production_data", mode, self.production),
                ("environmental_data", weather, self.environment),
            ):
                cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN", io.StringIO("\n".join(lines)))


def press_load() -> Load:
    """The press's hours, as they would be without what the chapters tell."""
    return load([*hours_of(*AUTUMN), *hours_of(TRAINED[0], FAULTY[1])], seed=5)


def press_kwh(drawn: Load) -> Numbers:
    """What the press used in fact."""
    kwh = drawn.energy_kwh.copy()
    kwh[drawn.within(*LEAKING)] *= 1 + LEAK_SHARE
    kwh[drawn.within(*SAVING)] *= 1 - SAVED_SHARE
    kwh[drawn.within(*NEARLY_SAVING)] *= 1 - HARDLY_SAVED_SHARE
    kwh[drawn.within(STEP_DAY, STEPPED[1])] += STEP_KWH
    kwh[drawn.starts.index(NOISY_HOUR)] += 12
    return kwh


def hall_kwh(drawn: Load) -> Numbers:
    """What the hall uses: a level while it is open, cooling above 9 °C."""
    random = np.random.default_rng(22)
    is_open = np.array([6 <= at.astimezone(ZONE).hour < 22 for at in drawn.starts])
    cooling = 0.9 * np.maximum(drawn.outdoor_temp_c - 9, 0)
    return 14 + 9.0 * is_open + cooling + random.normal(0, 0.7, len(drawn.starts))


def fill(connection: Connection) -> None:
    """Puts the factory, its machines and their readings in."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO factories (id, name, timezone, metadata)"
            ' VALUES (%s, \'Plant\', \'Europe/Berlin\', \'{"country": "DE", "carbon_region": "DE"}\')',
            (FACTORY,),
        )
        cursor.execute(
            "INSERT INTO energy_tariffs (factory_id, name, rate_per_kwh, currency, is_time_of_use,"
            " start_hour, end_hour, valid_from) VALUES (%(factory)s, 'day', %(day)s, 'EUR', true, 6, 22,"
            " '2020-01-01'), (%(factory)s, 'night', %(night)s, 'EUR', true, 22, 6, '2020-01-01');"
            "INSERT INTO carbon_factors (region, emission_factor_kg_co2_per_kwh, valid_from)"
            " VALUES ('DE', 0.38, '2020-01-01'), ('DE', 0.35, '2026-06-01')",
            {"factory": FACTORY, "day": DAY_RATE, "night": NIGHT_RATE},
        )
        for machine, name in ((PRESS, "Press"), (HALL, "Hall"), (RECENT, "Recent"), (BRIEF, "Brief"),
                              (EMPTY, "Empty")):  # fmt: skip
            cursor.execute(
                "INSERT INTO machines (id, factory_id, name, type, rated_power_kw, data_interval_seconds)"
                " VALUES (%s, %s, %s, 'injection_molding', 90, 3600)",
                (machine, FACTORY, name),
            )
    rows = Rows()
    press = press_load()
    rows.add_energy(PRESS, press.starts, press_kwh(press))
    rows.add_production(PRESS, press)
    rows.add_environment(PRESS, press)
    winter = [n for n, at in enumerate(press.starts) if local(TRAINED[0]) <= at < local("2026-02-01")]
    gas = (
        60
        + TRUE_GAS["outdoor_temp_c"] * press.outdoor_temp_c
        + np.random.default_rng(3).normal(0, 1, len(press.starts))
    )
    rows.add_energy(PRESS, [press.starts[n] for n in winter], gas[winter], "natural_gas")
    hall = load(hours_of(*TRAINED), seed=2)
    rows.add_energy(HALL, hall.starts, hall_kwh(hall))
    rows.add_environment(HALL, hall)
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    for machine, days in ((RECENT, 95), (BRIEF, 14)):
        drawn = load(hours_between(now - timedelta(days=days), now), seed=days)
        rows.add_energy(machine, drawn.starts, drawn.energy_kwh)
        rows.add_production(machine, drawn)
    rows.copy_into(connection)
    _spoil(connection)


def _spoil(connection: Connection) -> None:
    """What can go wrong with readings, day by day of the chapter FAULTY."""
    with connection.cursor() as cursor:
        for day, statement in enumerate(
            (
                "DELETE FROM energy_readings WHERE machine_id = %(machine)s AND time >= %(at)s + '8 h'"
                " AND time < %(at)s + '12 h'",
                # After an outage of six hours all of their energy comes in one row.
                "DELETE FROM energy_readings WHERE machine_id = %(machine)s AND time >= %(at)s + '8 h'"
                " AND time < %(at)s + '14 h'; UPDATE energy_readings SET energy_kwh = 7 * power_kw"
                " WHERE machine_id = %(machine)s AND time = %(at)s + '14 h'",
                "UPDATE production_data SET operating_mode = 'maintenance' WHERE machine_id = %(machine)s"
                " AND time >= %(at)s + '8 h' AND time < %(at)s + '10 h'",
                "DELETE FROM energy_readings WHERE machine_id = %(machine)s AND time >= %(at)s + '8 h'"
                " AND time < %(at)s + '10 h'; INSERT INTO energy_readings (time, machine_id, power_kw,"
                " energy_kwh) SELECT t, %(machine)s, 24, 6 FROM generate_series(%(at)s + '8 h',"
                " %(at)s + interval '9 h 45 min', interval '15 min') t",
                "DELETE FROM production_data WHERE machine_id = %(machine)s AND time >= %(at)s + '8 h'"
                " AND time < %(at)s + '11 h'",
            )
        ):
            at = local(FAULTY[0]) + timedelta(days=day)
            cursor.execute(statement.replace("%(at)s", "%(at)s::timestamptz"), {"machine": PRESS, "at": at})


@dataclass
class Plant:
    """The application on that factory's database and a bucket of its own."""

    url: str
    store: ModelStore
    aws: LocalAws
    settings: dict[str, Any] = field(default_factory=dict)
    app: FastAPI = field(init=False)

    def __post_init__(self) -> None:
        self.database = Database(lambda: self.url)
        settings = DevelopmentSettings(models_bucket=self.store.bucket, log_level="ERROR", **self.settings)
        self.app = create_app(list(routers().values()), settings, self.database)
        self.app.state.model_store = self.store

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any request."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://enms.example") as client:
                return await client.request(method, path, **options)

        path = path if path.startswith("/") else f"{PUBLIC}/api/v1/{path}"
        return asyncio.run(send())

    def get(self, path: str, model: type[BaseModel] | None = None, **parameters: Any) -> Any:
        """An answer, held to its model."""
        return held(self.request("GET", path, params=parameters), 200, model)

    def post(self, path: str, body: Mapping[str, Any], model: type[BaseModel], status: int = 200) -> Any:
        """The same of a POST."""
        return held(self.request("POST", path, json=readable(body)), status, model)

    def train(self, status: int = 201, **changes: Any) -> Any:
        """Trains the press, or what `changes` say."""
        body = training_of(**changes)
        return self.post("baseline/train", body, baseline_models.TrainedBaseline, status)

    def analyze(self, **changes: Any) -> Any:
        """The same, with nothing kept."""
        return self.post("baseline/analyze", training_of(**changes), baseline_models.AnalyzedBaseline)

    def deviation(self, period: tuple[str, str] = PLAIN, **changes: Any) -> Any:
        """The press's deviation over a chapter."""
        return self.get("baseline/deviation", baseline_models.Deviation, **question_of(period, **changes))

    def savings(self, period: tuple[str, str] = SAVING, **changes: Any) -> Any:
        """The press's savings over a chapter."""
        return self.get("baseline/savings", baseline_models.Savings, **question_of(period, **changes))

    def predict(self, **values: Any) -> Any:
        """What the press's baseline expects."""
        asked = {"machine_id": PRESS} | values
        return self.get("baseline/predict", baseline_models.Prediction, **asked)

    def refused(self, method: str, path: str, status: int = 422, **options: Any) -> dict[str, Any]:
        """The problem that a request gets."""
        response = self.request(method, path, **options)
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == "application/problem+json"
        Problem.model_validate_json(response.text)
        problem: dict[str, Any] = response.json()
        if status == 422:
            assert {"parameter", "given", "allowed"} <= problem.keys(), problem
        return problem

    def train_refused(self, status: int = 422, **changes: Any) -> dict[str, Any]:
        """The problem that a training gets, which leaves nothing behind."""
        before = self.traces()
        body = readable(training_of(**changes))
        problem = self.refused("POST", "baseline/train", status, json=body)
        assert self.traces() == before
        return problem

    def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Rows of the database."""
        return self.database.rows(statement, values)

    def events(self, machine: UUID = PRESS) -> list[tuple[int, str, str | None]]:
        """What was done with a machine's baselines: version, event, reason."""
        found = self.rows(
            "SELECT b.model_version, e.event, e.reason FROM analytics.baseline_events e"
            " JOIN energy_baselines b ON b.id = e.baseline_id WHERE b.machine_id = %s ORDER BY e.id",
            machine,
        )
        return [(row["model_version"], row["event"], row["reason"]) for row in found]

    def versions(self, machine: UUID = PRESS, energy_type: str = "electrical") -> dict[int, bool]:
        """A machine's versions, and whether each is the active one."""
        found = self.rows(
            "SELECT model_version, is_active FROM energy_baselines"
            " WHERE machine_id = %s AND energy_type = %s ORDER BY model_version",
            machine, energy_type,
        )  # fmt: skip
        return {row["model_version"]: row["is_active"] for row in found}

    def objects(self) -> dict[str, str]:
        """Keys in the bucket with their entity tags."""
        listed = self.aws.client("s3").list_objects_v2(Bucket=self.store.bucket)
        return {each["Key"]: each["ETag"] for each in listed.get("Contents", ())}

    def traces(self) -> tuple[int, ...]:
        """How much is kept: rows of each table that training writes, and objects."""
        tables = ("energy_baselines", "analytics.baseline_events", "analytics.job_runs")
        counts = [self.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"] for table in tables]
        return (*counts, len(self.objects()))

    def content_of(self, model_id: str) -> bytes:
        """The bytes of a model's document, read past all caches."""
        (row,) = self.rows("SELECT artifact_key FROM energy_baselines WHERE id = %s", model_id)
        found = self.aws.client("s3").get_object(Bucket=self.store.bucket, Key=row["artifact_key"])
        content: bytes = found["Body"].read()
        return content

    def empty(self) -> None:
        """Takes all baselines, adjustments, runs and objects away."""
        for table in ("energy_baselines", "analytics.baseline_adjustments", "analytics.job_runs"):
            self.rows(f"DELETE FROM {table} RETURNING id")
        for key in self.objects():
            self.aws.client("s3").delete_object(Bucket=self.store.bucket, Key=key)
        self.forget()

    def forget(self) -> None:
        """Empties the memory of verified documents, as a new process would have it."""
        self.store = self.app.state.model_store = ModelStore(self.store.bucket)


def held(response: httpx.Response, status: int, model: type[BaseModel] | None) -> Any:
    """An answer's JSON, after its model has taken it: fields that the model lacks are refused."""
    assert response.status_code == status, response.text
    if model is not None:
        model.model_validate_json(response.text)
    return response.json()


def training_of(**changes: Any) -> dict[str, Any]:
    """The body of a training."""
    body = {"machine_id": PRESS, "start_date": TRAINED[0], "end_date": TRAINED[1], "drivers": DRIVERS}
    return body | changes


def question_of(period: tuple[str, str], **changes: Any) -> dict[str, Any]:
    """The query of a period of the press."""
    return {"machine_id": PRESS, "start": period[0], "end": period[1]} | changes


def readable(body: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON has it."""
    return {name: str(value) if isinstance(value, UUID) else value for name, value in body.items()}
