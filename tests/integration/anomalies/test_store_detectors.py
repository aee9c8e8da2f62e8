"""Versions of detectors, what they aren't to learn from, and until where machines were looked at."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg2
import pytest
from integration.anomalies.looks import at, odd
from integration.baselines.works import MACHINE

from enms.database import detectors, watermarks
from enms.database.detectors import NewDetector
from enms.services import anomaly_life, anomaly_suppressions


def train(database, *, energy_type="electrical", **changes):
    """What a training does at its end."""
    with detectors.life(database, MACHINE, energy_type) as connection:
        version = detectors.next_version(connection, MACHINE, energy_type)
        given = {
            "artifact_key": f"detectors/{version}", "artifact_sha256": "ab" * 32, "baseline_id": None,
            "trained_from": at(0), "trained_to": at(336), "features": ("power_kw", "ramp_kw"),
            "confidence_cap": 0.7, "trained_by": "anna",
        }  # fmt: skip
        return detectors.insert(
            connection,
            NewDetector(machine_id=MACHINE, energy_type=energy_type, version=version, **(given | changes)),
        )


def test_a_new_version_comes_into_use(works, database):
    assert detectors.active(database, MACHINE, "electrical") is None
    run_id = uuid4()
    first = train(database, run_id=run_id)
    assert (first["version"], first["is_active"], first["has_baseline"]) == (1, True, False)
    assert (first["features"], first["confidence_cap"]) == (["power_kw", "ramp_kw"], 0.7)
    assert (first["trained_from"], first["trained_to"], first["run_id"]) == (at(0), at(336), run_id)

    second = train(database)

    assert detectors.active(database, MACHINE, "electrical") == second
    with database.connection() as connection:
        assert detectors.active(connection, MACHINE, "electrical")["version"] == 2
    assert detectors.active(database, MACHINE, "natural_gas") is None
    assert detectors.get(database, first["id"]) == first | {"is_active": False}
    assert detectors.get(database, uuid4()) is None
    assert train(database, energy_type="natural_gas")["version"] == 1


def test_eight_at_once_get_consecutive_versions_and_one_is_in_use(works, database):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: train(database), range(8)))
    found = works.rows("SELECT version, is_active FROM analytics.anomaly_detectors ORDER BY created_at")
    assert found == [(version, version == 8) for version in range(1, 9)]


def test_two_in_use_are_refused_by_the_database_itself(works, database):
    train(database)
    train(database)
    with pytest.raises(psycopg2.errors.UniqueViolation):
        works.rows("UPDATE analytics.anomaly_detectors SET is_active = true")


def test_a_detector_outlives_its_baseline_but_not_its_machine(works, database):
    baseline_id = works.one(
        """INSERT INTO energy_baselines (machine_id, energy_type, model_name, model_version,
               training_start_date, training_end_date, training_samples, coefficients, feature_names)
           VALUES (%s, 'electrical', 'x', 1, '2026-01-01', '2026-02-01', 700, '{}', '{}') RETURNING id""",
        (MACHINE,),
    )
    detector = train(database, baseline_id=baseline_id)
    assert detector["has_baseline"] is True
    works.rows("DELETE FROM energy_baselines")
    assert detectors.get(database, detector["id"])["has_baseline"] is False

    works.rows("DELETE FROM machines")
    assert detectors.get(database, detector["id"]) is None


def test_known_anomalies_and_planned_stops_are_not_learned_from_but_false_alarms_are(looks):
    looks.one(odd(8, 10, goes_on=True))
    for start, outcome in ((20, "fixed"), (30, "expected"), (40, "false_alarm")):
        anomaly = looks.one(odd(start, start + 2))
        anomaly_life.resolve(looks.database, anomaly["id"], "anna", None, outcome)
    level = looks.one(odd(44, 48, "power_drop", percent=-20.0, is_lasting=True))
    anomaly_life.resolve(looks.database, level["id"], "anna", "from now on", "expected")
    looks.one(odd(60, 62), energy_type="natural_gas")
    anomaly_suppressions.add(looks.database, looks.machine_id, at(50), at(56), "holidays", "bert")
    gone = anomaly_suppressions.add(looks.database, looks.machine_id, at(70), at(76), "holidays", "bert")
    anomaly_suppressions.withdraw(looks.database, gone["id"], "bert")

    def excluded(start, end):
        with looks.database.connection() as connection:
            found = detectors.excluded_periods(connection, looks.machine_id, "electrical", at(start), at(end))
        return [((first - at(0)).total_seconds() / 3600, (last - at(0)).total_seconds() / 3600)
                for first, last in found]  # fmt: skip

    assert excluded(0, 100) == [(8, 10), (20, 22), (30, 32), (50, 56)]
    assert excluded(10, 21) == [(20, 22)]


def test_a_watermark_never_goes_back(works, database):
    other = uuid4()
    works.add_machine(other, "Other")

    with database.transaction() as connection:
        for hours in (5, 9, 7):
            watermarks.advance(connection, MACHINE, "electrical", at(hours))
        watermarks.advance(connection, MACHINE, "natural_gas", at(3))

    found = watermarks.of_active_machines(database, "electrical")
    assert [(row["machine_name"], row["detected_until"]) for row in found] == [
        ("Other", None),
        ("Press", at(9)),
    ]
    works.rows("UPDATE machines SET is_active = false WHERE id = %s", (other,))
    assert [row["machine_id"] for row in watermarks.of_active_machines(database, "electrical")] == [MACHINE]
