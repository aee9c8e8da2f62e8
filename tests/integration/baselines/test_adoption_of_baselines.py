"""A platform that keeps baselines by energy_sources, and has one in use already."""

from dataclasses import replace
from uuid import UUID

import psycopg2
import pytest
from integration.baselines.test_baseline_store import MODEL, train
from integration.baselines.works import Works

from enms.database import baselines, migrate
from enms.database.connection import Database
from enms.errors import ConflictError

COMPRESSOR = UUID("c0000000-0000-4000-8000-000000000001")
COMPLIANCE = "SELECT model_version, compliant FROM v_baseline_compliance ORDER BY 1"


@pytest.fixture
def platform(installed_platform_url):
    connection = psycopg2.connect(installed_platform_url)
    migrate.apply(connection)
    connection.autocommit = True
    yield Works(connection)
    connection.close()


@pytest.fixture
def adopted(platform, installed_platform_url):
    database = Database(lambda: installed_platform_url)
    yield database
    database.close()


def test_their_model_is_named_by_our_carrier_but_is_none_of_ours(platform, adopted):
    assert baselines.active(adopted, COMPRESSOR, "electrical") is None
    theirs = baselines.active_elsewhere(adopted, COMPRESSOR, "electrical")
    assert (theirs["model_version"], theirs["artifact_key"]) == (1, None)
    assert baselines.active_elsewhere(adopted, COMPRESSOR, "natural_gas") is None
    with pytest.raises(ConflictError, match="another program"), adopted.transaction() as connection:
        baselines.activate(connection, theirs["id"], "anna", None)


def test_ours_follows_their_version_and_takes_over(platform, adopted):
    theirs = baselines.active_elsewhere(adopted, COMPRESSOR, "electrical")["id"]

    ours = train(adopted, machine_id=COMPRESSOR, activates=False)
    assert platform.rows(COMPLIANCE) == [(1, True)]
    with adopted.transaction() as connection:
        baselines.activate(connection, ours, "anna", "better")

    row = baselines.active(adopted, COMPRESSOR, "electrical")
    assert (row["id"], row["model_version"]) == (ours, 2)
    assert platform.rows(COMPLIANCE) == [(2, True)]
    assert [e["event"] for e in baselines.events(adopted, theirs)] == ["deactivated"]
    names = "SELECT DISTINCT s.name FROM energy_baselines b JOIN energy_sources s ON s.id = energy_source_id"
    assert platform.rows(names) == [("electricity",)]
    assert [row["actor"] for row in baselines.history(adopted, COMPRESSOR, "electrical", 2)] == [None, "anna"]


def test_what_their_programs_write_later_is_counted(platform, adopted):
    platform.rows(
        """INSERT INTO energy_baselines (machine_id, model_name, model_version, training_start_date,
               training_end_date, training_samples, coefficients, feature_names, energy_source_id)
           SELECT %s, 'gas', 7, '2026-01-01', '2026-02-01', 700, '{}', '{}', id
           FROM energy_sources WHERE name = 'natural_gas'""",
        (COMPRESSOR,),
    )
    with baselines.life(adopted, COMPRESSOR, "natural_gas") as connection:
        assert baselines.next_version(connection, COMPRESSOR, "natural_gas") == 8
    assert baselines.active_elsewhere(adopted, COMPRESSOR, "natural_gas")["model_version"] == 7

    platform.rows(
        "UPDATE energy_baselines SET energy_source_id = (SELECT id FROM energy_sources WHERE name = 'steam')"
        " WHERE model_version = 7"
    )
    assert baselines.active_elsewhere(adopted, COMPRESSOR, "steam")["model_version"] == 7


def test_their_role_needs_no_rights_on_our_schema(platform, adopted):
    platform.rows(
        "CREATE ROLE modelling; GRANT ALL ON ALL TABLES IN SCHEMA public TO modelling; SET ROLE modelling"
    )
    platform.rows("UPDATE energy_baselines SET energy_source_id = energy_source_id, is_active = false")
    platform.rows("RESET ROLE; DROP OWNED BY modelling; DROP ROLE modelling")
    assert baselines.active_elsewhere(adopted, COMPRESSOR, "electrical") is None


def test_a_carrier_that_the_platform_does_not_know_is_a_conflict_that_says_what_to_add(platform, adopted):
    with (
        pytest.raises(ConflictError, match=r"energy_sources.*'district_heat'.*add a row"),
        adopted.transaction() as connection,
    ):
        baselines.insert(connection, replace(MODEL, machine_id=COMPRESSOR, energy_type="district_heat"))
    assert platform.one("SELECT count(*) FROM energy_baselines") == 1


def test_on_our_own_database_a_carrier_needs_no_row(works, database):
    """… and one that is entered and removed later takes no baseline with it."""
    works.rows("INSERT INTO energy_sources (name, unit) VALUES ('natural_gas', 'kWh')")
    ids = [train(database, energy_type=name) for name in ("electrical", "natural_gas", "district_heat")]
    has_row = works.rows("SELECT energy_source_id IS NOT NULL FROM energy_baselines ORDER BY created_at")
    assert has_row == [(False,), (True,), (False,)]

    works.rows("DELETE FROM energy_sources")

    assert [baselines.get(database, id_)["energy_type"] for id_ in ids] == [
        "electrical",
        "natural_gas",
        "district_heat",
    ]
    works.rows("DELETE FROM machines")
    assert works.rows("SELECT * FROM analytics.baseline_events") == []
