"""`enms logs`: which logs there are, and following one across its rotation."""

from pathlib import Path

import pytest

from enms.errors import NotFoundError
from enms_local.stack import logs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "functions").mkdir()
    (tmp_path / "postgres.log").write_text("".join(f"line {i}\n" for i in range(10_000)))
    (tmp_path / "functions" / "enms-analytics-kpi.log").write_text("START\nEND\n")
    return tmp_path


def test_shows_the_last_lines(folder: Path) -> None:
    assert list(logs.show(folder, "postgres", 2)) == ["line 9998", "line 9999"]
    assert len(list(logs.show(folder, "postgres", 20_000))) == 10_000
    assert list(logs.show(folder, "postgres", 0)) == []


def test_a_function_goes_by_its_own_name(folder: Path) -> None:
    assert list(logs.show(folder, "kpi", 5)) == ["START", "END"]
    assert list(logs.show(folder, "enms-analytics-kpi", 1)) == ["END"]


def test_all_functions_together_say_whose_line_it_is(folder: Path) -> None:
    assert list(logs.show(folder, "functions", 1)) == ["kpi: END"]


def test_an_unknown_name_lists_the_known_ones(folder: Path) -> None:
    with pytest.raises(NotFoundError, match="postgres, functions, kpi"):
        list(logs.show(folder, "nope", 1))


def test_follows_new_lines_rotation_and_new_functions(folder: Path) -> None:
    kpi = folder / "functions" / "enms-analytics-kpi.log"
    catalog = folder / "functions" / "enms-analytics-catalog.log"

    def add() -> None:
        with kpi.open("a") as file:
            file.write("whole\nhal")

    def rotate() -> None:
        kpi.rename(kpi.with_suffix(".log.1"))
        kpi.write_text("after rotation\n")

    def begin_another() -> None:
        catalog.write_text("hello\n")

    changes = iter([add, rotate, begin_another])

    def until() -> bool:
        change = next(changes, None)
        if change:
            change()
        return change is None

    seen = list(logs.follow(folder, "functions", 1, until))

    assert seen == ["kpi: END", "kpi: whole", "kpi: after rotation", "catalog: hello"]
