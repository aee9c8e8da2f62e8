"""Parts of the process executor that need no LocalStack: images, the Runtime API's requests, code changes."""

import pytest
from process_executor import code_watch
from process_executor.images import Configuration, ImageError, image_name
from process_executor.init import describe_exit, parse_request


@pytest.fixture
def configuration(tmp_path) -> Configuration:
    (tmp_path / "functions" / "kpi").mkdir(parents=True)
    entry = {
        "python": "/env/bin/python",
        "task_root": str(tmp_path / "functions" / "{name}"),
        "python_path": ["/shared"],
    }
    return Configuration(images={"enms/*": entry})


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("kpi", "kpi"),
        ("enms/kpi:1.0", "kpi"),
        ("0123.dkr.ecr.eu-central-1.amazonaws.com:5000/enms/daily-kpis:latest", "daily-kpis"),
        ("enms/kpi@sha256:0123", "kpi"),
    ],
)
def test_an_images_name_is_the_last_part_of_its_address(uri, name):
    assert image_name(uri) == name


def test_an_image_is_mapped_to_its_folder_and_handler(configuration, tmp_path):
    image = configuration.image("enms/kpi:1", ["app.handler"])
    assert image.python == "/env/bin/python"
    assert image.task_root == str(tmp_path / "functions" / "kpi")
    assert image.code_paths == (image.task_root, "/shared")
    assert image.command == "app.handler"


@pytest.mark.parametrize(
    ("uri", "command", "message"),
    [
        ("other/kpi:1", ["app.handler"], "other/kpi:1 is not mapped"),
        ("enms/kpi:1", None, "enms/kpi:1 has no command"),
        ("enms/none:1", ["app.handler"], "is not a folder"),
    ],
)
def test_an_image_that_cannot_run_here_says_why(configuration, uri, command, message):
    with pytest.raises(ImageError, match=message):
        configuration.image(uri, command)


def test_requests_of_the_runtime_are_parsed_as_they_arrive():
    request = b"POST /runtime/invocation/1/response HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
    for cut in range(len(request)):
        assert parse_request(bytearray(request[:cut])) is None
    assert parse_request(bytearray(request)) == ("/runtime/invocation/1/response", b"hello", len(request))
    assert parse_request(bytearray(request + b"GET /next")) == (
        "/runtime/invocation/1/response",
        b"hello",
        len(request),
    )


def test_chunked_requests_are_put_together():
    head = b"POST /error HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    request = head + b"3;x=y\r\nabc\r\nC\r\n hello world\r\n0\r\n\r\n"
    for cut in range(len(request)):
        assert parse_request(bytearray(request[:cut])) is None
    assert parse_request(bytearray(request)) == ("/error", b"abc hello world", len(request))


def test_a_request_without_a_body():
    assert parse_request(bytearray(b"GET /next HTTP/1.1\r\n\r\n")) == ("/next", b"", 22)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "Runtime exited without providing a reason"),
        (1, "Runtime exited with error: exit status 1"),
        (-9, "Runtime exited with error: signal: killed"),
        (-11, "Runtime exited with error: signal: segmentation fault"),
    ],
)
def test_exits_are_told_in_lambdas_words(code, words):
    assert describe_exit(code) == words


def test_changed_added_and_removed_files_are_other_code(tmp_path, monkeypatch):
    monkeypatch.setattr(code_watch, "CHECK_SECONDS", 0)
    (tmp_path / "package").mkdir()
    module = tmp_path / "package" / "module.py"
    module.write_text("A = 1")
    version = code_watch.CodeVersion((str(tmp_path),))
    assert version.current() == 0
    module.write_text("A = 22")
    assert version.current() == 1
    (tmp_path / "added.sql").write_text("SELECT 1")
    assert version.current() == 2
    module.unlink()
    assert version.current() == 3
    (tmp_path / "package").rmdir()
    assert version.current() == 3


def test_byte_code_and_hidden_folders_are_no_change(tmp_path, monkeypatch):
    monkeypatch.setattr(code_watch, "CHECK_SECONDS", 0)
    version = code_watch.CodeVersion((str(tmp_path), str(tmp_path / "not-there")))
    for folder in ("__pycache__", ".git"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").write_text("x")
    assert version.current() == 0


def test_code_is_looked_at_once_in_a_while(tmp_path, monkeypatch):
    version = code_watch.CodeVersion((str(tmp_path),))
    (tmp_path / "module.py").write_text("A = 1")
    assert version.current() == 0
    monkeypatch.setattr(version, "next_look", 0.0)
    assert version.current() == 1
