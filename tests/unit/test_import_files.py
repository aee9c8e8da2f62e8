"""Delimited files: what can be read, and what is said where not."""

import gzip
from pathlib import Path

import pytest

from enms.errors import InvalidInputError
from enms.services import import_files
from enms.services.import_files import open_delimited


def _rows(path: Path, **options: str) -> list[tuple[int, list[str]]]:
    with open_delimited(path, **options) as file:
        return [pair for chunk in file.chunks() for pair in zip(chunk.lines, chunk.rows, strict=True)]


def test_lines_are_numbered_across_blank_lines_quotes_and_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_files, "ROWS_PER_CHUNK", 2)
    path = tmp_path / "a.csv"
    path.write_bytes(b'\xef\xbb\xbft;v\r\n1;2\r\n\r\n"3\r\nx";"4;5"\r\n6;7\r\n')
    assert _rows(path) == [(2, ["1", "2"]), (5, ["3\r\nx", "4;5"]), (6, ["6", "7"])]


def test_gzip_is_recognised_by_content(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(gzip.compress(b"t,v\n1,2\n"))
    assert _rows(path) == [(2, ["1", "2"])]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv.gz", b"t,v\n1,2\n", "isn't gzip"),
        ("a.csv.gz", gzip.compress(b"t,v\n" + bytes(range(33, 120)) * 900)[:-30], "damaged or cut off"),
        ("a.csv", b"t,v\n1,\xff\n", "isn't utf-8 text"),
        ("a.csv", b't,v\n1,"2\n', "isn't delimited text"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match=message):
        _rows(path)


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no file"):
        _rows(tmp_path / "missing.csv")
    with pytest.raises(InvalidInputError, match="can't be read"):
        _rows(tmp_path)


def test_an_unknown_column_lists_those_there_are(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("t, v ,v\n")
    with open_delimited(path) as file:
        assert file.column("t") == 0
        with pytest.raises(InvalidInputError, match="no column 'power'; it has t, v, v"):
            file.column("power")
        with pytest.raises(InvalidInputError, match="2 columns 'v'"):
            file.column("v")
