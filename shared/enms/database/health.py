"""What /health asks."""

from enms.database.connection import Database


def count_active_models(database: Database) -> int:
    """How many baselines are active: also the proof that the database answers and is migrated."""
    row = database.row("SELECT count(*) AS active FROM energy_baselines WHERE is_active")
    return int(row["active"]) if row else 0
