"""Which models the commands work on."""

import os
from typing import TYPE_CHECKING

from enms.errors import UnavailableError

if TYPE_CHECKING:
    from enms.artifacts import ModelStore
    from enms.settings import TrainingSettings


def models() -> "tuple[TrainingSettings, ModelStore]":
    """The settings of trainings, and the models: of the bucket that the settings name, or of the local cloud.

    Raises:
        UnavailableError: The local cloud doesn't run.
    """
    from enms.services.connect import model_store
    from enms.settings import TrainingSettings
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
    settings = TrainingSettings.from_environment(environment)
    return settings, model_store(settings)
