"""What `enms evaluate baseline` is asked."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from enms.science.baseline.names import Interval, Model

type TargetKind = Literal["energy", "power"]
type StampKind = Literal["start", "end"]
type TemperatureUnit = Literal["C", "F"]

FOLDS = 10


@dataclass(frozen=True)
class Question:
    """A baseline to be fitted to a file and tried on what it hasn't seen.

    Attributes:
        path: The file.
        target: Column of energy or power.
        time_column: Column of the stamps; None: rows as they stand.
        drivers: Columns, calendar terms and degrees; empty with `is_auto`, or where temperature is the
            driver.
        is_auto: Whether drivers are chosen among `candidates`.
        candidates: What is chosen from, beside the temperature; empty: every column that may be a cause.
        model: The form; None: `auto` with `is_auto`, else `linear`.
        interval: What is predicted; None: what the distance of the stamps suggests.
        temperature_column: What degrees, change points and segments are made of.
        temperature_unit: Its unit; None: by its name.
        train: First and last day or instant of the training period.
        test: Likewise of the test period.
        folds: How many parts are held out in turn, where no periods are given.
        target_kind: None: by the unit in the column's name.
        stamp: Whether stamps tell the start or the end of a row's interval; None: by the first and last one.
        time_format: A strptime format; None: ISO 8601, or a usual one that fits all stamps.
        delimiter: None: what the header has most of.
        encoding: Of the text.
    """

    path: Path
    target: str
    time_column: str | None = None
    drivers: tuple[str, ...] = ()
    is_auto: bool = False
    candidates: tuple[str, ...] = ()
    model: Model | None = None
    interval: Interval | None = None
    temperature_column: str | None = None
    temperature_unit: TemperatureUnit | None = None
    train: tuple[str, str] | None = None
    test: tuple[str, str] | None = None
    folds: int | None = None
    target_kind: TargetKind | None = None
    stamp: StampKind | None = None
    time_format: str | None = None
    delimiter: str | None = None
    encoding: str = "utf-8"

    @property
    def form(self) -> Model:
        """The form that is asked for."""
        return self.model or ("auto" if self.is_auto else "linear")
