"""Init of one Lambda execution environment: one thread, one event loop, the standard library only.

LocalStack starts it as a script (``python -I -S init.py …``) with the environment that the function
shall see, and talks to it in frames over an inherited socket. It starts the function's process, serves
the Lambda Runtime API to the ``awslambdaric`` inside it, and enforces time-out and memory limit. It ends,
and the function with it, when LocalStack's end of the socket closes, so nothing outlives LocalStack.

A frame is two lengths, a JSON header and a body. From LocalStack: ``{"request_id", "arn", "trace_id",
"restart"}`` with the event. To LocalStack: ``{"kind"}`` of ``log`` (printed text), ``ready``,
``init_error``, ``response`` and ``error`` with the JSON that Lambda would return.

Modules that the function's process does not wait for are imported after its start: a cold start pays for
what stands at the top only.
"""

import os
import resource
import sys

TYPE_CHECKING = False  # typing itself would cost milliseconds
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Any, NoReturn

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 0x2, 0x4, 0x1000, 0x4000, 0x40000
PR_SET_PDEATHSIG, SIGKILL = 1, 9
TMP = "/tmp"  # noqa: S108 - the folder of which each environment gets its own
TMP_SIZE_MB = 512
"""Lambda's ephemeral storage, unless a function declares more."""
MAX_RESPONSE_BYTES = 6 * 1024 * 1024 + 100
INIT_TIMEOUT_SECONDS = 60.0
WATCH_SECONDS = 0.1
"""How often a running invocation's memory is looked at and its output passed on."""
LOG_CHUNK_BYTES = 64 * 1024
IDLE_LOG_BYTES = 1024 * 1024
ACCEPTED = (
    b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"status":"OK"}'
)
OUT_OF_MEMORY_MARKS = (
    b"MemoryError",
    b"bad_alloc",
    b"Memory allocation still failed",
    b"Cannot allocate memory",
)


def private_tmp(kept_paths: "list[str]") -> None:
    """Gives this process, and all that it starts, a /tmp of its own.

    Args:
        kept_paths: Paths that must stay visible although they lie under the shared /tmp (a checkout there).

    Raises:
        OSError: Where the kernel refuses; the caller then goes on with the shared /tmp and TMPDIR.
    """
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)

    def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
        if libc.mount(source.encode(), target.encode(), kind.encode(), flags, data.encode()) != 0:
            raise OSError(ctypes.get_errno(), f"mount {target}")

    unshare_mounts()
    mount("none", "/", "none", MS_REC | MS_PRIVATE)
    kept = {"/".join(path.split("/")[:3]) for path in kept_paths if path.startswith(f"{TMP}/")}
    opened = {path: os.open(path, os.O_PATH) for path in kept if os.path.isdir(path)}
    mount("tmpfs", TMP, "tmpfs", MS_NOSUID | MS_NODEV, f"size={TMP_SIZE_MB}m,mode=1777")
    for path, fd in opened.items():
        os.mkdir(path)
        mount(f"/proc/self/fd/{fd}", path, "none", MS_BIND | MS_REC)
        os.close(fd)


def unshare_mounts() -> None:
    """Separates this process's mounts; whoever may not do that may in a user namespace of their own."""
    uid, gid = os.getuid(), os.getgid()
    try:
        os.unshare(CLONE_NEWNS)
    except PermissionError:
        os.unshare(CLONE_NEWNS | CLONE_NEWUSER)
        maps = (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1"))
        for name, text in maps:
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)


def spawn(command: "list[str]", memory_mb: int) -> "tuple[int, int]":
    """Starts the function's process in a group of its own; returns its id and its output's read end."""
    import ctypes

    libc = ctypes.CDLL(None)
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write_end)
        os.set_blocking(read_end, False)
        return pid, read_end
    try:
        os.setsid()
        libc.prctl(PR_SET_PDEATHSIG, SIGKILL)
        os.dup2(write_end, 1)
        os.dup2(write_end, 2)
        # The limit proper is that of resident memory, as on AWS; this one stops a huge allocation at once.
        data_bytes = (memory_mb * 9 // 8 + 16) << 20
        resource.setrlimit(resource.RLIMIT_DATA, (data_bytes, data_bytes))
        os.execv(command[0], command)  # noqa: S606 - its arguments are the executor's own
    except OSError as error:
        os.write(2, f"{command[0]}: {error}\n".encode())
    finally:
        os._exit(127)


def parse_request(buffer: bytearray) -> "tuple[str, bytes, int] | None":
    """First HTTP request in `buffer`: path, body, the request's length; None while incomplete."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(buffer[:end])
    path = head.split(b" ", 2)[1].decode("latin-1")
    headers = head.lower()
    start = end + 4
    if b"\r\ntransfer-encoding: chunked" in headers:
        body = bytearray()
        while True:
            line_end = buffer.find(b"\r\n", start)
            if line_end < 0:
                return None
            size = int(bytes(buffer[start:line_end]).split(b";")[0], 16)
            start = line_end + 2
            if len(buffer) < start + size + 2:
                return None
            body += buffer[start : start + size]
            start += size + 2
            if size == 0:
                return path, bytes(body), start
    _, found, value = headers.partition(b"\r\ncontent-length:")
    length = int(value.split(b"\r\n", 1)[0]) if found else 0
    if len(buffer) < start + length:
        return None
    return path, bytes(buffer[start : start + length]), start + length


def describe_exit(code: int) -> str:
    """An exit code in the words that Lambda uses."""
    import signal

    if code == 0:
        return "Runtime exited without providing a reason"
    why = f"exit status {code}" if code > 0 else f"signal: {(signal.strsignal(-code) or str(-code)).lower()}"
    return f"Runtime exited with error: {why}"


class FunctionProcess:
    """The process that runs the function, and what it has printed."""

    def __init__(self, command: "list[str]", memory_mb: int) -> None:
        self.pid, self.output = spawn(command, memory_mb)
        self.pidfd = os.pidfd_open(self.pid)
        self.status = os.open(f"/proc/{self.pid}/status", os.O_RDONLY)

    def read(self) -> "tuple[bytes, bool]":
        """What it has printed by now, and whether its output has ended."""
        parts: list[bytes] = []
        while True:
            try:
                part = os.read(self.output, 1 << 16)
            except BlockingIOError:
                return b"".join(parts), False
            if not part:
                return b"".join(parts), True
            parts.append(part)

    def peak_memory_mb(self) -> int:
        """Largest resident memory so far, in MB rounded up; 0 once it has ended."""
        _, found, rest = os.pread(self.status, 4096, 0).partition(b"VmHWM:")
        return -(-int(rest.split(None, 1)[0]) // 1024) if found else 0

    def end(self) -> int:
        """Ends it and what it has started; returns its exit code."""
        try:
            os.killpg(self.pid, SIGKILL)
        except ProcessLookupError:
            os.kill(self.pid, SIGKILL)  # not yet the leader of a group of its own
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def close(self) -> None:
        """Gives the descriptors back."""
        for fd in (self.output, self.pidfd, self.status):
            os.close(fd)


class Invocation:
    """One event on its way through the function."""

    def __init__(self, header: "dict[str, Any]", event: bytes, started: float) -> None:
        self.request_id: str = header["request_id"]
        self.header = header
        self.event = event
        self.started = started
        self.delivered = False
        self.deadline = started + INIT_TIMEOUT_SECONDS


class Environment:
    """The execution environment: one function process after another, one invocation at a time."""

    def __init__(
        self, control_fd: int, api_fd: int, memory_mb: int, timeout_seconds: float, command: "list[str]"
    ) -> None:
        self.memory_mb, self.timeout_seconds, self.command = memory_mb, timeout_seconds, command
        self.version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        process = FunctionProcess(command, memory_mb)  # it loads while the modules below do

        import json
        import selectors
        import socket
        import time

        self.json, self.time, self.selectors = json, time, selectors
        self.selector = selectors.DefaultSelector()
        self.control = socket.socket(fileno=control_fd)
        self.frames = self.control.makefile("rb")
        self.api = socket.socket(fileno=api_fd)
        self.watch(self.control, self.on_control)
        self.watch(self.api, self.on_connection)
        self.printed = bytearray()
        self.announced = False
        self.invocation: Invocation | None = None
        self.look_at = 0.0
        self.process: FunctionProcess | None = None
        self.adopt(process)

    def run(self) -> None:
        """Serves until LocalStack goes away."""
        while True:
            events = self.selector.select(self.next_look())
            # The end of a process comes last: it may have answered just before.
            for key, _ in sorted(events, key=lambda event: event[0].data == self.on_exit):
                if self.selector.get_map().get(key.fd) is key:  # no earlier event of this round closed it
                    key.data()
            if self.invocation:
                self.look_after(self.invocation)

    def watch(self, file: "socket.socket | int", callback: "Callable[[], None]") -> None:
        """Has the callback called whenever the file can be read."""
        self.selector.register(file, self.selectors.EVENT_READ, callback)

    # The function's process

    def adopt(self, process: FunctionProcess) -> None:
        """Takes charge of a started process."""
        self.process = process
        self.process_started = self.time.monotonic()
        self.init_ms: float | None = None
        self.init_reported = False
        self.waiting: socket.socket | None = None
        self.connections: set[socket.socket] = set()
        self.init_error: bytes | None = None
        self.watch(process.output, self.on_output)
        self.watch(process.pidfd, self.on_exit)

    def end_process(self) -> "tuple[int, int]":
        """Ends the process, if any; returns its exit code and its peak memory in MB."""
        process, self.process = self.process, None
        if process is None:
            return 0, 0
        peak_mb = process.peak_memory_mb()
        code = process.end()
        self.printed += process.read()[0]
        for fd in (process.output, process.pidfd, *(each.fileno() for each in self.connections)):
            if fd in self.selector.get_map():
                self.selector.unregister(fd)
        for connection in self.connections:
            connection.close()
        process.close()
        self.waiting = None
        return code, peak_mb

    def leave(self, code: int) -> "NoReturn":
        """Ends the environment."""
        self.end_process()
        sys.exit(code)

    def on_output(self) -> None:
        """The function has printed."""
        assert self.process
        text, ended = self.process.read()
        self.printed += text
        if ended and self.process.output in self.selector.get_map():
            self.selector.unregister(self.process.output)
        if self.invocation is None:
            del self.printed[:-IDLE_LOG_BYTES]
        elif len(self.printed) >= LOG_CHUNK_BYTES:
            self.pass_log_on()

    def on_exit(self) -> None:
        """The process has ended by itself."""
        code, peak_mb = self.end_process()
        self.fail_by_exit(code, peak_mb)

    def fail_by_exit(self, code: int, peak_mb: int) -> None:
        """The process ended without an answer: tells LocalStack what Lambda would tell."""
        out_of_memory = peak_mb > self.memory_mb or any(
            mark in self.printed[-4096:] for mark in OUT_OF_MEMORY_MARKS
        )
        why = "Runtime exited with error: signal: killed" if out_of_memory else describe_exit(code)
        if self.invocation is None:
            if not self.announced:
                self.refuse_start(self.init_error or self.error("Runtime.ExitError", f"Error: {why}"))
            return  # the next invocation starts a new one
        message = f"RequestId: {self.invocation.request_id} Error: {why}"
        self.printed += f"{message}\nRuntime.ExitError\n".encode()
        reported = "Runtime.OutOfMemory" if out_of_memory else "Runtime.ExitError"
        body = self.init_error or self.error("Runtime.ExitError", message)
        self.finish("error", body, peak_mb, f"Status: error\tError Type: {reported}")

    def refuse_start(self, body: bytes) -> None:
        """The function can't be loaded: the environment ends before it has served anything."""
        self.send(("log", self.take_log(everything=True)), ("init_error", body))
        self.leave(1)

    def error(self, kind: str, message: str) -> bytes:
        """An error as Lambda returns it."""
        return self.json.dumps({"errorType": kind, "errorMessage": message}).encode()

    # LocalStack

    def on_control(self) -> None:
        """LocalStack sends an event, or has gone."""
        lengths = self.frames.read(8)
        if len(lengths) < 8:
            self.leave(0)
        header = self.json.loads(self.frames.read(int.from_bytes(lengths[:4])))
        event = self.frames.read(int.from_bytes(lengths[4:]))
        self.invocation = Invocation(header, event, self.time.monotonic())
        self.look_at = self.invocation.started + WATCH_SECONDS
        if header.get("restart"):
            self.end_process()
        if self.process is None:
            self.adopt(FunctionProcess(self.command, self.memory_mb))
        self.deliver()

    def send(self, *frames: "tuple[str, bytes]") -> None:
        """Sends frames of a kind and a body each, in one go."""
        parts = []
        for kind, body in frames:
            head = self.json.dumps({"kind": kind}).encode()
            parts += [len(head).to_bytes(4) + len(body).to_bytes(4), head, body]
        try:
            self.control.sendall(b"".join(parts))
        except BrokenPipeError:
            self.leave(0)

    def pass_log_on(self) -> None:
        """Sends what can be sent of the log while the call goes on."""
        if text := self.take_log():
            self.send(("log", text))

    def take_log(self, *, everything: bool = False) -> bytes:
        """The complete lines printed so far, or everything."""
        size = len(self.printed)
        if not everything and size < 4 * LOG_CHUNK_BYTES:
            size = self.printed.rfind(b"\n") + 1
        text = bytes(self.printed[:size])
        del self.printed[:size]
        return text

    # The Runtime API

    def on_connection(self) -> None:
        """The runtime connects."""
        connection, _ = self.api.accept()
        import socket

        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        buffer = bytearray()
        self.connections.add(connection)
        self.watch(connection, lambda: self.on_request(connection, buffer))

    def on_request(self, connection: "socket.socket", buffer: bytearray) -> None:
        """The runtime asks for an event, or brings an answer or an error."""
        try:
            part = connection.recv(1 << 18)
        except ConnectionResetError:
            part = b""
        if not part:
            self.selector.unregister(connection)
            self.connections.discard(connection)
            connection.close()
            return
        buffer += part
        if buffer.endswith(b"\r\n\r\n") and b"100-continue" in buffer:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        request = parse_request(buffer)
        if request is None:
            return
        path, body, length = request
        del buffer[:length]
        if path.endswith("/invocation/next"):
            self.on_next(connection)
            return
        if path.endswith("/init/error"):
            self.init_error = body
            self.fail_by_exit(*self.end_process())
        elif self.invocation and self.invocation.delivered and f"/{self.invocation.request_id}/" in path:
            self.on_answer(path.rsplit("/", 1)[1], body)
        if connection.fileno() >= 0:  # the process may have been ended for its answer
            connection.sendall(ACCEPTED)

    def on_next(self, connection: "socket.socket") -> None:
        """The function is ready for an event: the first time, that is what LocalStack waits for."""
        if self.init_ms is None:
            self.init_ms = (self.time.monotonic() - self.process_started) * 1000
        self.waiting = connection
        if not self.announced:
            self.announced = True
            self.send(("ready", b""))
        self.deliver()

    def deliver(self) -> None:
        """Hands the event to the function once both are there; from here on its time runs."""
        invocation, connection = self.invocation, self.waiting
        if invocation is None or connection is None or invocation.delivered:
            return
        self.waiting = None
        invocation.delivered = True
        invocation.started = self.time.monotonic()
        invocation.deadline = invocation.started + self.timeout_seconds
        self.look_at = min(invocation.started + WATCH_SECONDS, invocation.deadline)
        deadline_ms = int((self.time.time() + self.timeout_seconds) * 1000)
        self.on_output()  # printed before this event
        self.printed += f"START RequestId: {invocation.request_id} Version: {self.version}\n".encode()
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(invocation.event)}\r\n"
            f"Lambda-Runtime-Aws-Request-Id: {invocation.request_id}\r\n"
            f"Lambda-Runtime-Deadline-Ms: {deadline_ms}\r\n"
            f"Lambda-Runtime-Invoked-Function-Arn: {invocation.header['arn']}\r\n"
            f"Lambda-Runtime-Trace-Id: {invocation.header['trace_id']}\r\n\r\n"
        )
        try:
            connection.sendall(head.encode() + invocation.event)
        except (BrokenPipeError, ConnectionResetError):
            return  # the process has just ended; its exit is the next thing to be seen

    def on_answer(self, kind: str, body: bytes) -> None:
        """The function answered, or raised."""
        assert self.process
        peak_mb = self.process.peak_memory_mb()
        if peak_mb > self.memory_mb or (kind == "error" and self.is_memory_error(body)):
            self.on_output()
            self.end_process()
            self.fail_by_exit(-SIGKILL, self.memory_mb + 1)
        elif kind == "response" and len(body) > MAX_RESPONSE_BYTES:
            message = (
                f"Response payload size ({len(body)} bytes) exceeded maximum allowed payload size "
                f"({MAX_RESPONSE_BYTES} bytes)."
            )
            body = self.error("Function.ResponseSizeTooLarge", message)
            self.finish("error", body, peak_mb, "Status: error\tError Type: Function.ResponseSizeTooLarge")
        else:
            self.finish(kind, body, peak_mb)

    def is_memory_error(self, body: bytes) -> bool:
        """Whether the function raised because it had hit the memory limit; AWS would have killed it."""
        try:
            return str(self.json.loads(body).get("errorType", "")).endswith("MemoryError")
        except ValueError:
            return False

    # The end of an invocation

    def next_look(self) -> float | None:
        """Seconds until the running call is looked after; None without one."""
        if self.invocation is None:
            return None
        return max(0.0, self.look_at - self.time.monotonic())

    def look_after(self, invocation: Invocation) -> None:
        """Ends what runs too long or takes too much memory, and passes its output on."""
        now = self.time.monotonic()
        if now < self.look_at:
            return
        self.look_at = min(now + WATCH_SECONDS, invocation.deadline)
        if self.process and self.process.peak_memory_mb() > self.memory_mb:
            self.end_process()
            self.fail_by_exit(-SIGKILL, self.memory_mb + 1)
        elif now >= invocation.deadline:
            _, peak_mb = self.end_process()
            seconds = self.timeout_seconds if invocation.delivered else INIT_TIMEOUT_SECONDS
            message = f"RequestId: {invocation.request_id} Error: Task timed out after {seconds:.2f} seconds"
            at = self.time.strftime("%Y-%m-%dT%H:%M:%SZ", self.time.gmtime())
            text = f"{at} {invocation.request_id} Task timed out after {seconds:.2f} seconds\n"
            self.printed += text.encode()
            self.finish("error", self.error("Sandbox.Timedout", message), peak_mb, "Status: timeout")
        else:
            self.pass_log_on()

    def finish(self, kind: str, body: bytes, peak_mb: int, status: str = "") -> None:
        """Reports the invocation's outcome, its remaining output and its account."""
        assert self.invocation
        invocation, self.invocation = self.invocation, None
        if self.process:
            # The runtime writes its output before it posts its answer, so all of it is in the pipe by now.
            self.printed += self.process.read()[0]
        if self.printed and not self.printed.endswith(b"\n"):
            self.printed += b"\n"
        duration_ms = (self.time.monotonic() - invocation.started) * 1000
        report = [
            f"REPORT RequestId: {invocation.request_id}",
            f"Duration: {duration_ms:.2f} ms",
            f"Billed Duration: {int(duration_ms) + 1} ms",
            f"Memory Size: {self.memory_mb} MB",
            f"Max Memory Used: {min(peak_mb, self.memory_mb)} MB",
        ]
        if self.init_ms is not None and not self.init_reported:
            self.init_reported = True
            report.append(f"Init Duration: {self.init_ms:.2f} ms")
        if status:
            report.append(status)
        account = "\t".join(report)
        self.printed += f"END RequestId: {invocation.request_id}\n{account}\n".encode()
        self.send(("log", self.take_log(everything=True)), (kind, body))


def main(arguments: "list[str]") -> None:
    """Starts the environment that LocalStack describes on the command line."""
    control_fd, api_fd, memory_mb, timeout_seconds, kept_paths, *command = arguments
    for fd in (int(control_fd), int(api_fd)):
        os.set_inheritable(fd, False)
    own_directory = None
    try:
        private_tmp(kept_paths.split(os.pathsep))
    except OSError:
        own_directory = os.environ["TMPDIR"] = f"{TMP}/lambda-{os.getpid()}"
        os.makedirs(own_directory, mode=0o700, exist_ok=True)
    try:
        Environment(int(control_fd), int(api_fd), int(memory_mb), float(timeout_seconds), command).run()
    finally:
        if own_directory:
            import shutil

            shutil.rmtree(own_directory, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
