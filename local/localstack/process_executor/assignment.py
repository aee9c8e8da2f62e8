"""Which environment serves an invocation."""

import collections
import contextlib
import os
import threading
import time
from collections.abc import Iterator

from localstack.services.lambda_.invocation.assignment import AssignmentService
from localstack.services.lambda_.invocation.execution_environment import ExecutionEnvironment, RuntimeStatus
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InitializationType

PATIENCE_SECONDS = 0.25
FIRST_STARTS = os.cpu_count() or 1
"""How many environments of a function start at once while it has none at all."""


class PatientAssignmentService(AssignmentService):
    """Starts a further environment only if none gets free within a moment.

    Lambda starts one for every call that finds none free. Here all share a few processors: ten clients of
    a function that answers in milliseconds would start ten processes, and wait for these longer than for
    their turn.
    """

    def __init__(self) -> None:
        super().__init__()
        self.changed = threading.Condition()
        self.promised: collections.Counter[str] = collections.Counter()
        """Free environments that a call is about to take, by version."""
        self.starting: collections.Counter[str] = collections.Counter()

    @contextlib.contextmanager
    def get_environment(
        self,
        version_manager_id: str,
        function_version: FunctionVersion,
        provisioning_type: InitializationType,
    ) -> Iterator[ExecutionEnvironment]:
        """An environment for one invocation: a free one, one that gets free soon, or a new one."""
        if provisioning_type != InitializationType.on_demand:
            with super().get_environment(
                version_manager_id, function_version, provisioning_type
            ) as environment:
                yield environment
            return
        count = self._wait_for_turn(version_manager_id)
        assigned = super().get_environment(version_manager_id, function_version, provisioning_type)
        try:
            try:
                environment = assigned.__enter__()
            finally:
                with self.changed:
                    count[version_manager_id] -= 1
                    self.changed.notify_all()
            with contextlib.ExitStack() as stack:
                stack.push(assigned)
                yield environment
        finally:
            with self.changed:
                self.changed.notify_all()

    def _wait_for_turn(self, version_manager_id: str) -> collections.Counter[str]:
        """Waits for a free environment or for leave to start one; counts the call there."""
        last_moment = time.monotonic() + PATIENCE_SECONDS
        with self.changed:
            while True:
                environments = list(self.environments[version_manager_id].values())
                free = sum(environment.status == RuntimeStatus.READY for environment in environments)
                count = None
                if free > self.promised[version_manager_id]:
                    count = self.promised
                elif environments:
                    count = self.starting if time.monotonic() >= last_moment else None
                elif self.starting[version_manager_id] < FIRST_STARTS:
                    count = self.starting
                else:
                    last_moment = time.monotonic() + PATIENCE_SECONDS
                if count is not None:
                    count[version_manager_id] += 1
                    return count
                self.changed.wait(PATIENCE_SECONDS)
