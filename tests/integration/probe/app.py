"""A function that does what its event says: the executor's tests drive it."""

import base64
import ctypes
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

VERSION = 1


def handler(event, context):
    """Runs the action that the event names; a request of API Gateway names it as its path."""
    if "httpMethod" in event:
        return ACTIONS[event["path"].split("/")[1]](event)
    return ACTIONS[event.pop("action")](**event)


def fail(message="no such key"):
    raise KeyError(message)


def leave(code):
    os._exit(code)


def sleep(seconds, before="", mark=None):
    if before:
        print(before)
    if mark:
        Path(mark).touch()
    time.sleep(seconds)
    return os.getpid()


def sleep_with_child(seconds):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print(f"child {child.pid}")
    time.sleep(seconds)


def fill_memory(megabytes, swallow=False):
    filled = []
    try:
        filled.extend(bytearray(b"x" * (1 << 20)) for _ in range(megabytes))
    except MemoryError:
        if not swallow:
            raise
    return len(filled)


def allocate(megabytes):
    return len(bytearray(megabytes << 20))


def write_file(file):
    present = Path("/tmp", file).exists()
    Path("/tmp", file).write_text("mine")
    return present


def print_after_answer(text):
    threading.Timer(0.2, print, [text]).start()


def print_lines(count):
    for number in range(count):
        print(f"line {number} é")


def print_piece(text):
    sys.stdout.write(text)
    sys.stderr.write("!")


def echo_request(event):
    body = {key: event[key] for key in ("path", "httpMethod", "body", "isBase64Encoded", "headers")}
    body["query"] = event["multiValueQueryStringParameters"]
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}


def binary(event):
    content = base64.b64encode(bytes(range(256))).decode()
    headers = {"Content-Type": "image/png"}
    return {"statusCode": 200, "headers": headers, "body": content, "isBase64Encoded": True}


def page(event):
    """A text of the length asked for, with the headers asked for."""
    query = event["queryStringParameters"]
    headers = {"Content-Type": "text/html; charset=utf-8"} | json.loads(query.get("headers", "{}"))
    return {"statusCode": 200, "headers": headers, "body": "é" * (int(query["bytes"]) // 2)}


ACTIONS = {
    "version": lambda **_: VERSION,
    "pid": os.getpid,
    "fail": lambda event=None, **arguments: fail(**arguments),
    "leave": leave,
    "crash": lambda: ctypes.string_at(0),
    "sleep": sleep,
    "sleep_with_child": sleep_with_child,
    "fill_memory": fill_memory,
    "allocate": allocate,
    "write_file": write_file,
    "exists": lambda path: Path(path).exists(),
    "print_after_answer": print_after_answer,
    "print_lines": print_lines,
    "print_piece": print_piece,
    "environment": lambda: dict(os.environ),
    "length": lambda text: len(text),
    "text": lambda length: "x" * length,
    "echo": echo_request,
    "binary": binary,
    "page": page,
    "created": lambda event: {"statusCode": 201, "headers": {"Location": "/jobs/1"}, "body": "{}"},
    "empty": lambda event: {"statusCode": 204},
    "overrun": lambda event: time.sleep(60),
    "slow": lambda event: {"statusCode": 200, "body": str(sleep(1))},
    "malformed": lambda event: "not an answer",
}
