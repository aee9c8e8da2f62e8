"""Which columns of a file a baseline is made of, and why others are left alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from enms.errors import InvalidInputError
from enms.science.baseline.forms import DEGREES
from enms.science.baseline.observations import Category
from enms.science.baseline.selection import Dropped
from enms.science.diagnostics.correlation import correlation
from enms_local.evaluate.data import CALENDAR, Data
from enms_local.evaluate.question import Question
from enms_local.evaluate.table import Column, Table, words_of

LEAK = 0.999
_MOST_LEVELS = 50
# Words of names that tell of a meter, or of something that is computed from one.
_CONSEQUENCES = frozenset(
    (
        "wh", "kwh", "mwh", "gwh", "kw", "mw", "gw", "kva", "kvah", "mva", "kvar", "kvarh", "mvar", "mvarh",
        "pf", "amps", "ampere", "energy", "power", "consumption", "co2", "emission", "emissions", "cost",
    )
)  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """The columns that are read.

    Attributes:
        names: What was asked for or may be chosen: columns, calendar terms, degrees.
        columns: The columns among them, and the temperature, by name.
        dropped: Columns that aren't tried though all were to be.
    """

    names: tuple[str, ...]
    columns: dict[str, Column]
    dropped: tuple[Dropped, ...] = ()


def wanted(question: Question, table: Table) -> Wanted:
    """The drivers that were named, or the candidates.

    Raises:
        InvalidInputError: A name is none, or can't be a driver.
    """
    temperature = question.temperature_column
    if question.is_auto and not question.candidates:
        return _everything(question, table)
    named = question.candidates if question.is_auto else question.drivers
    if temperature and (question.is_auto or not named):
        named = (*named, temperature)
    names = tuple(dict.fromkeys(named))
    of_file = [*names, *((temperature,) if temperature else ())]
    for name in of_file:
        _refuse_name(question, table, name)
    columns = {name: table.column(name) for name in dict.fromkeys(of_file) if name in table.header}
    for name, column in columns.items():
        _refuse_texts(name, column, len(table), temperature)
    return Wanted(names, columns)


def leaks(data: Data, names: Sequence[str]) -> dict[str, float]:
    """Numeric drivers that say the same as the target, with their correlation."""
    energy = data.observations.energy_kwh
    found = {}
    for name in names:
        values = data.observations.drivers.get(name)
        likeness = correlation(values, energy) if values is not None else None
        if likeness is not None and abs(likeness) > LEAK:
            found[name] = likeness
    return found


def leak_text(name: str, target: str, likeness: float) -> str:
    """What is wrong with a driver that says the same as the target."""
    return f"{name} goes with {target} all but exactly (r = {likeness:.5f}): it seems to be made of it."


def _everything(question: Question, table: Table) -> Wanted:
    """All columns but those that follow from energy rather than causing it."""
    names: list[str] = []
    columns: dict[str, Column] = {}
    dropped: list[Dropped] = []
    for name in table.unique_names:
        if name in (question.target, question.time_column):
            continue
        if name != question.temperature_column and not _CONSEQUENCES.isdisjoint(words_of(name)):
            text = (
                f"By its name {name} follows from energy rather than causing it; --candidate {name} tries it."
            )
            dropped.append(Dropped(name, "not_a_cause", text))
            continue
        try:
            column = table.column(name)
        except InvalidInputError as error:
            dropped.append(Dropped(name, "unreadable", error.message))
            continue
        if isinstance(column, Category) and len(column.levels) > _MOST_LEVELS:
            text = f"{name} has {len(column.levels)} different texts; up to {_MOST_LEVELS} are tried."
            dropped.append(Dropped(name, "too_many_levels", text))
            continue
        names.append(name)
        columns[name] = column
    return Wanted(tuple(names), columns, tuple(dropped))


def _refuse_texts(name: str, column: Column, rows: int, temperature: str | None) -> None:
    if not isinstance(column, Category):
        return
    if name == temperature:
        raise InvalidInputError(f"The temperature {name} holds texts such as '{column.levels[0]}'.")
    if len(column.levels) > rows / 10:
        raise InvalidInputError(
            f"{name} has {len(column.levels)} different texts in {rows} rows: nothing can be learned from "
            "texts that hardly repeat (at most a tenth of the rows)."
        )


def _refuse_name(question: Question, table: Table, name: str) -> None:
    if name == question.target:
        raise InvalidInputError(f"{name} is what the baseline explains, so it can't be a driver of it.")
    if name == question.time_column:
        raise InvalidInputError(
            f"{name} holds the time stamps, which can't be a driver; {', '.join(CALENDAR)} can."
        )
    if name in table.header:
        table.cells(name)
    elif name in DEGREES:
        if question.temperature_column is None:
            raise InvalidInputError(f"{name} are made of a temperature: name it by --temperature-column.")
    elif name in CALENDAR:
        if question.time_column is None:
            raise InvalidInputError(f"{name} needs the rows' time: name it by --time-column.")
    else:
        others = [each for each in table.header if each not in (question.target, question.time_column)]
        also = f", and by the calendar {', '.join(CALENDAR)}" if question.time_column else ""
        raise InvalidInputError(
            f"The file '{table.path}' has no column '{name}'; it has {', '.join(others)}{also}."
        )
