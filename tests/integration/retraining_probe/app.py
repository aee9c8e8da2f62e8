"""The functions of the retraining, whose trainings end as the machine's name says; they count their calls.

What trains detectors and forecasts are modules of this probe: the real ones would load scikit-learn first.
"""

import importlib.util
import os
import sys
import types
from pathlib import Path
from typing import Any

from enms import services
from enms.errors import InvalidInputError, UnavailableError
from enms.services import machine_retraining


def retrain(database: Any, store: Any, settings: Any, machine_id: Any, **told: Any) -> dict[str, Any]:
    """What the library's training is called with and answers."""
    assert (told["energy_type"], told["actor"]) == ("electrical", "service:retrain-baselines")
    name = database.row("SELECT name FROM machines WHERE id = %s", [machine_id])["name"]
    calls = database.row("INSERT INTO calls (name) VALUES (%s) RETURNING (SELECT count(*) FROM calls "
                         "WHERE name = %s) AS before", [name, name])["before"]  # fmt: skip
    if name == "Refused":
        raise InvalidInputError("The driver pressure_bar is constant.", stage="fit")
    if name == "Unforeseen":
        raise ZeroDivisionError("a figure that belongs into the log only")
    if name == "Flaky" and calls < 1:
        raise UnavailableError("The database does not answer now: ask again in a moment.")
    if name == "Ends":
        os._exit(1)
    if name == "Short":
        return {"state": "skipped", "reason": "12 samples, 500 are needed."}
    return {"state": "succeeded", "model_id": machine_id, "activated": name == "Good", "verdict": "valid"}


def train_detector(
    database: Any, store: Any, settings: Any, machine_id: Any, *, actor: str, run_id: Any
) -> dict[str, Any]:
    """What the library's training of a detector is called with and answers."""
    assert actor == "service:retrain-baselines"
    name = database.row("SELECT name FROM machines WHERE id = %s", [machine_id])["name"]
    if name == "Short":
        raise InvalidInputError("3 days of readings, 14 are needed.", code="little-history")
    if name == "Refused":
        raise InvalidInputError("No reading can be used.", code="unfit")
    if name == "Worse":
        raise ZeroDivisionError("a figure that belongs into the log only")
    return {"detector_id": machine_id, "version": 3}


def train_forecast(
    database: Any,
    store: Any,
    settings: Any,
    subject: Any,
    horizons: Any,
    energy_type: str,
    actor: str,
    run_id: Any,
) -> dict[str, Any]:
    """What the library's training of a forecast is called with and answers."""
    assert (energy_type, actor) == ("electrical", "service:retrain-baselines")
    (horizon,) = horizons
    if subject.name == "Short":
        raise InvalidInputError("Two days of readings are missing.", code="little-history")
    if subject.name == "Refused" and horizon.name == "7d":
        raise InvalidInputError("No reading can be used.", code="unfit")
    if subject.name == "Ends" and horizon.name == "24h":
        os._exit(1)
    if subject.name == "Worse":
        raise ZeroDivisionError("a figure that belongs into the log only")
    return {"model": {"id": subject.id, "version": 5, "chosen": ["mstl"]}, "created": True}


machine_retraining.retrain = retrain
detectors = sys.modules["enms.services.detectors"] = types.ModuleType("enms.services.detectors")
detectors.train_detector = train_detector  # type: ignore[attr-defined]
services.detectors = detectors  # type: ignore[attr-defined]
forecast_training = sys.modules["enms.services.forecast_training"] = types.ModuleType(
    "enms.services.forecast_training"
)
forecast_training.train = train_forecast  # type: ignore[attr-defined]
services.forecast_training = forecast_training  # type: ignore[attr-defined]

_spec = importlib.util.spec_from_file_location(
    "probed_function", Path(os.environ["CHECKOUT"]) / "functions" / os.environ["PROBED"] / "app.py"
)
assert _spec is not None
assert _spec.loader is not None
_function = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = _function
_spec.loader.exec_module(_function)
handler = _function.handler
