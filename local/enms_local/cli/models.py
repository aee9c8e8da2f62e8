"""Which models the commands work on."""

import os
from typing import TYPE_CHECKING

from enms.errors import UnavailableError

if TYPE_CHECKING:
    from enms.artifacts import ModelStore
    from enms.settings import DetectionSettings, TrainingSettings


def models() -> "tuple[TrainingSettings, ModelStore]":
    """The settings of trainings, and the models: of the bucket that the settings name, or of the local cloud.

    Raises:
        UnavailableError: The local cloud doesn't run.
    """
    from enms.settings import TrainingSettings

    return _read(TrainingSettings)


def models_for_detection() -> "tuple[DetectionSettings, ModelStore]":
    """The settings of detections, and the models, likewise; events go to the bus that is named with them.

    Raises:
        UnavailableError: The local cloud doesn't run.
    """
    from enms.settings import DetectionSettings

    return _read(DetectionSettings)


def _read[Read: "TrainingSettings"](kind: "type[Read]") -> "tuple[Read, ModelStore]":
    from enms.services.connect import model_store

    settings = kind.from_environment(_environment())
    return settings, model_store(settings)


def _environment() -> dict[str, str]:
    from enms_local.stack.cloud import LocalCloud
    from enms_local.stack.objects import with_models
    from enms_local.stack.settings import StackSettings, whole_environment

    given, stack = whole_environment(), StackSettings.load()
    environment = with_models(given, stack)
    if environment != given and not LocalCloud(stack).is_healthy():
        raise UnavailableError("Models lie in the local cloud, which isn't running: `make up` starts it.")
    # Where the AWS client reads its address and credentials.
    os.environ.update({name: value for name, value in environment.items() if name.startswith("AWS_")})
    for name in given.keys() - environment.keys():
        os.environ.pop(name, None)
    return environment
