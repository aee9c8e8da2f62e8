"""The hourly job in a process of its own: `python -m benchmarks.anomaly_job INSTANT …`, a line a firing."""

import json
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from benchmarks.anomaly_machines import DAYS, hundred
from enms.artifacts import ModelStore
from enms.database.connection import Database
from enms.services import hourly_detection, training
from enms.services.baseline_requests import TrainingRequest
from enms.services.connect import connect, model_store
from enms.settings import DetectAnomaliesSettings

_DRIVERS = ("production_count", "operating_hours", "outdoor_temp_c")


def main(firings: Sequence[datetime]) -> None:
    """Trains baselines, then goes through the machines once a firing, each when a line is read."""
    settings = DetectAnomaliesSettings.from_environment()
    database, store = connect(settings), model_store(settings)
    _train_baselines(database, store, settings, firings[0])
    for fired_at in firings:
        sys.stdin.readline()
        started = time.perf_counter()
        run_id = hourly_detection.run_scheduled(database, store, settings, fired_at)
        print(json.dumps({"run_id": str(run_id), "seconds": time.perf_counter() - started}), flush=True)


def _train_baselines(
    database: Database, store: ModelStore, settings: DetectAnomaliesSettings, end_at: datetime
) -> None:
    start_at = end_at - timedelta(days=DAYS - 1)
    for machine_id, _ in hundred():
        request = TrainingRequest(machine_id, start_at, end_at, _DRIVERS)
        training.train(database, store, settings, request, "bench")


if __name__ == "__main__":
    main([datetime.fromisoformat(each) for each in sys.argv[1:]])
