"""Brings the whole local cloud up, whatever of it runs already and however the rest ended."""

import contextlib
import json
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

import typer

from enms.errors import EnmsError, UnavailableError
from enms_local.stack import certificates, feed, objects
from enms_local.stack.cloud import LocalCloud
from enms_local.stack.database import (
    DATABASE,
    connected,
    credentials_of,
    database_url,
    ensure_database,
    own_server,
)
from enms_local.stack.first_answer import example_calls, wait_until_healthy
from enms_local.stack.lock import exclusively
from enms_local.stack.ports import PortNeed, require_free
from enms_local.stack.processes import write_whole
from enms_local.stack.settings import StackSettings
from enms_local.stack.steps import Steps

LEAST_FREE_BYTES = 300_000_000
LEAST_FREE_BYTES_AT_FIRST = 2_000_000_000


class AnotherStepFailedError(EnmsError):
    """This lane of steps stopped because a step beside it failed, which tells the reason."""


@dataclass
class BringUp:
    """One run of `enms up`.

    Attributes:
        settings: What to bring up, and where.
        steps: Prints what is done.
    """

    settings: StackSettings
    steps: Steps = field(default_factory=Steps)
    _database_ready: threading.Event = field(default_factory=threading.Event)
    _failed: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Does all steps, those of the database beside those of the cloud.

        Raises:
            EnmsError: A step failed; what runs is left running, and the next run goes on from there.
        """
        require_disk_space(self.settings)
        with ThreadPoolExecutor(max_workers=2) as lanes:
            futures = [
                lanes.submit(self._lane, steps) for steps in (self._bring_up_database, self._bring_up_cloud)
            ]
        errors = [error for future in futures if (error := future.exception())]
        for error in sorted(errors, key=lambda e: isinstance(e, AnotherStepFailedError)):
            raise error
        self._show_first_answer()

    def _lane(self, steps: Callable[[], None]) -> None:
        try:
            steps()
        except BaseException:
            self._failed.set()
            self._database_ready.set()
            raise

    def _go_on(self) -> None:
        if self._failed.is_set():
            raise AnotherStepFailedError("A step failed.")

    def _bring_up_database(self) -> None:
        existing = self.settings.existing_database_url
        if existing:
            self._leave_existing_database_alone(existing)
            return
        ensure_own_database(self.settings, self.steps)
        self._database_ready.set()
        self._go_on()
        feed.ensure_demo(self.settings, self.steps)

    def _leave_existing_database_alone(self, url: str) -> None:
        with self.steps.step("Database") as step:
            where = credentials_of(url)
            own_server(self.settings).stop()
            feed.process(self.settings).stop()
            step.say(
                f"{where.dbname} on {where.host}:{where.port}, as set: nothing is changed there; "
                "`enms migrate` tells what it lacks"
            )
        self._database_ready.set()

    def _bring_up_cloud(self) -> None:
        from enms_local.stack.deployment import Deployment

        self._make_certificate()
        cloud = LocalCloud(self.settings)
        deployment = Deployment(self.settings, credentials_of(database_url(self.settings)))
        running = cloud.process.find()
        if running and not deployment.is_current(running):
            # Half a deployment, or one of another template: a fresh start is surer than an update.
            cloud.discard()
        self._go_on()
        with self.steps.step("Local AWS") as step:
            started = cloud.ensure_running()
            step.say(f"{'started' if started else 'runs'} on {self.settings.aws_url}")
        self._database_ready.wait()
        self._go_on()
        with self.steps.step("Deployment") as step:
            process = cloud.process.find()
            if not process:
                raise UnavailableError("LocalStack ended after its start (see `enms logs localstack`).")
            if deployment.is_current(process):
                step.say("template.yaml is deployed, unchanged")
                return
            step.say(f"template.yaml by CloudFormation, {deployment.deploy(process)} resources")
        if kept := objects.kept(self.settings):
            self._go_on()
            with self.steps.step("Models") as step:
                objects.put_back(self.settings, kept)
                step.say(f"{len(kept)} objects put back into the local S3")
        if not self.settings.existing_database_url:
            self._go_on()
            with self.steps.step("Function migrate") as step:
                deployment.migrate()
                step.say("finds the database as this version needs it")

    def _make_certificate(self) -> None:
        with self.steps.step("Certificate") as step:
            files, made = certificates.ensure(
                self.settings.tls_dir, self.settings.enms_listen, datetime.now(tz=UTC)
            )
            step.say(f"{'made' if made else 'valid'}: {files.authority}")
            if made:
                LocalCloud(self.settings).discard()

    def _show_first_answer(self) -> None:
        with self.steps.step("Health") as step:
            step.say(wait_until_healthy(self.settings))
        with self.steps.step("First KPI") as step:
            examples = example_calls(self.settings)
            step.say(examples.answer)
        write_whole(
            self.settings.run_dir / "stack.json",
            json.dumps(
                {
                    "http_url": self.settings.http_url,
                    "https_url": self.settings.https_url,
                    "aws_url": self.settings.aws_url,
                    "certificate_authority": str(certificates.files_in(self.settings.tls_dir).authority),
                },
                indent=2,
            ),
        )
        typer.echo(f"\nUp in {self.steps.seconds:.1f} s.\n")
        for line in examples.lines:
            typer.echo(line)


def bring_up(settings: StackSettings) -> None:
    """Brings the local cloud up; two at once do it one after the other."""
    with exclusively(settings.state_dir):
        BringUp(settings).run()


def bring_down(settings: StackSettings) -> None:
    """Stops all parts, cleanly and in the order of who needs whom."""
    steps = Steps()
    with exclusively(settings.state_dir):
        parts: tuple[tuple[str, Callable[[], bool]], ...] = (
            ("Feed", feed.process(settings).stop),
            ("Local AWS", LocalCloud(settings).process.stop),
            ("PostgreSQL", own_server(settings).stop),
        )
        for name, stop in parts:
            with steps.step(name) as step:
                step.say("stopped" if stop() else "didn't run")
        for record in ("deployment.json", "stack.json"):
            (settings.run_dir / record).unlink(missing_ok=True)


def empty_state(settings: StackSettings) -> None:
    """Deletes all state but the environments, after everything was stopped."""
    bring_down(settings)
    for entry in settings.state_dir.iterdir():
        if entry.name in ("env", "uv", "python", "lock"):
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def ensure_own_database(settings: StackSettings, steps: Steps) -> None:
    """Starts our PostgreSQL and migrates it."""
    server = own_server(settings)
    with steps.step("PostgreSQL") as step:
        runs = server.is_running()
        if not runs:
            require_free([PortNeed("ENMS_DATABASE_PORT", "127.0.0.1", settings.enms_database_port)])
        server.start()
        ensure_database(server)
        step.say(f"{'runs' if runs else 'started'} on 127.0.0.1:{settings.enms_database_port}")
    with steps.step("Migrations") as step:
        step.say(migrate_own_database(server.url(DATABASE)))


def migrate_own_database(url: str) -> str:
    """Applies what our database lacks, and says what that was."""
    from enms.database import migrate

    with connected(url) as database:
        applied = migrate.apply(database).pending
    return f"{len(applied)} applied" if applied else "nothing to apply"


def require_disk_space(settings: StackSettings) -> None:
    """Checks that there is room before anything is started.

    Raises:
        UnavailableError: There is too little.
    """
    state_dir = settings.state_dir
    with contextlib.suppress(FileExistsError):
        state_dir.mkdir(parents=True)
    first_time = not (state_dir / "postgres" / "data").exists()
    needed = LEAST_FREE_BYTES_AT_FIRST if first_time else LEAST_FREE_BYTES
    free = shutil.disk_usage(state_dir).free
    if free < needed:
        raise UnavailableError(
            f"The disk of {state_dir} is full: {free / 1e6:.0f} MB free, {needed / 1e6:.0f} MB needed. "
            "Free some space, or set ENMS_STATE_DIR to a folder on another disk."
        )
