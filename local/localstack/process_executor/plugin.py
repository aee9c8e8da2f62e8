"""What LocalStack finds of this package."""

import gc
import os
import threading

from localstack.runtime import hooks
from localstack.runtime.server.core import RuntimeServer, RuntimeServerPlugin
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

SHUTDOWN_SECONDS = 1.0


class ProcessRuntimeExecutorPlugin(RuntimeExecutorPlugin):
    """Chosen by ``LAMBDA_RUNTIME_EXECUTOR=process``."""

    name = "process"

    def load(self, *args: object, **kwargs: object) -> type[RuntimeExecutor]:
        """The executor's class."""
        from process_executor.executor import ProcessRuntimeExecutor

        return ProcessRuntimeExecutor


@hooks.on_infra_start()
def take_shortcuts() -> None:
    """Spares invocations the detours over LocalStack's own HTTP gateway; has rules fire at their minute."""
    from process_executor import schedules, shortcuts

    shortcuts.install()
    schedules.install()
    if folder := os.environ.get("OBJECTS_DIR"):
        from process_executor import objects

        objects.install(folder, os.environ.get("OBJECTS_BUCKETS", "*"))


@hooks.on_infra_ready()
def freeze_heap() -> None:
    """Spares the garbage collector what start-up has built: it would walk through it again and again."""
    gc.collect()
    gc.freeze()


@hooks.on_infra_shutdown(priority=1000)
def end_soon() -> None:
    """Ends the process within a second of the signal.

    There is nothing to save: all state is in memory, and environments end by themselves. LocalStack waits
    for seconds, and for ever if a service is loaded while it ends.
    """
    end = threading.Timer(SHUTDOWN_SECONDS, os._exit, [0])
    end.daemon = True
    end.start()


class FrontDoorServerPlugin(RuntimeServerPlugin):
    """Chosen by ``GATEWAY_SERVER=front_door``."""

    name = "front_door"

    def load(self, *args: object, **kwargs: object) -> RuntimeServer:
        """The server that LocalStack's main loop runs."""
        from process_executor.front_door import FrontDoorServer

        return FrontDoorServer()
