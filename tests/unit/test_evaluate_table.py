"""Columns of a file: what is a number, what is missing, what is a level."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from enms.errors import InvalidInputError
from enms.science.baseline.observations import Category
from enms_local.evaluate.table import Table, read_table, words_of


def table(tmp_path: Path, text: str) -> Table:
    path = tmp_path / "file.csv"
    path.write_text(text)
    return read_table(path, None, "utf-8")


def test_numbers_and_what_is_missing(tmp_path: Path) -> None:
    read = table(tmp_path, "t;kwh\na;1.5\nb;\nc;NaN\nd;inf\ne;n/a\nf; 2e3 \n")
    numbers = read.column("kwh")
    assert isinstance(numbers, np.ndarray)
    assert np.isnan(numbers).tolist() == [False, True, True, True, True, False]
    assert numbers[[0, 5]].tolist() == [1.5, 2000.0]


def test_texts_are_levels(tmp_path: Path) -> None:
    read = table(tmp_path, "x,product\n1, b\n2,a\n3,\n4,b \n")
    column = read.column("product")
    assert isinstance(column, Category)
    assert column.levels == ("a", "b")
    assert column.codes.tolist() == [1, 0, -1, 1]


def test_a_text_among_numbers_is_refused_with_its_line(tmp_path: Path) -> None:
    read = table(tmp_path, "kwh\n1\n2\nbroken\n")
    with pytest.raises(InvalidInputError, match=r"Line 4 .* kwh is 'broken'"):
        read.column("kwh")
    with pytest.raises(InvalidInputError, match="isn't a number"):
        read.numbers("kwh")


def test_an_unknown_column_is_refused_with_those_there_are(tmp_path: Path) -> None:
    read = table(tmp_path, "a,b,b\n1,2,3\n")
    with pytest.raises(InvalidInputError, match="no column 'c'; it has a, b, b"):
        read.cells("c")
    with pytest.raises(InvalidInputError, match="2 columns 'b'"):
        read.cells("b")
    assert read.unique_names == ("a",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("a,b\n", "no rows"),
        ("a,b\n1,2\n1,2,3\n", "Line 3 of .* has 3 fields"),
        ('a\n"1', "isn't delim"),
    ],
)
def test_what_is_no_table(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        table(tmp_path, text)


def test_gzip_and_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "file.csv.gz"
    path.write_bytes(gzip.compress(b"a\n1\n"))
    assert read_table(path, None, "utf-8").numbers("a").tolist() == [1.0]
    path = tmp_path / "file.bin"
    path.write_bytes(b"\xff\xfe\x80a\n")
    with pytest.raises(InvalidInputError, match="isn't utf-8 text"):
        read_table(path, None, "utf-8")
    with pytest.raises(InvalidInputError, match="There is no file"):
        read_table(tmp_path / "none.csv", None, "utf-8")


def test_words_of_names() -> None:
    assert words_of("Usage_kWh") == ["usage", "kwh"]
    assert words_of("Load [MW]") == ["load", "mw"]
    assert words_of("zone2_kw") == ["zone2", "kw"]
    assert words_of("co2_t")[0] == "co2"
