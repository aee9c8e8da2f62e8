"""Which values of a regressor can be taken: one unbroken stretch of numbers that reaches into the future."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from enms.database.forecast_regressors import RegressorKind
from enms.errors import InvalidInputError
from enms.services.forecast_periods import instant
from enms.services.periods import Moment, moment_text

KINDS: tuple[RegressorKind, ...] = ("schedule", "temperature", "planned_stop", "other")
# 400 days of quarter hours.
MOST_VALUES = 40_000
LONGEST_SOURCE = 200
_NAME = re.compile(r"\w[\w .-]{0,99}")

type Stretch = list[tuple[datetime, datetime, float]]


@dataclass(frozen=True)
class NewValue:
    """A value that holds over a period.

    Attributes:
        start: Its first instant, or a day of the factory.
        end: The instant after its last; a day counts wholly.
        value: In the regressor's own unit, which stays the same; of a planned stop the share of the load
            that it takes away, 1 for a whole stop.
    """

    start: Moment
    end: Moment
    value: float


@dataclass(frozen=True, kw_only=True)
class NewRegressor:
    """Values of something that moves a load.

    Attributes:
        machine_id: Whose; or else
        factory_id: of which whole factory.
        name: Its name.
        kind: One of `KINDS`.
        values: One stretch without holes.
        source: Who tells it.
        is_history: Whether they may lie wholly in the past.
    """

    machine_id: UUID | None = None
    factory_id: UUID | None = None
    name: str
    kind: str
    values: Sequence[NewValue]
    source: str | None = None
    is_history: bool = False


def check_name(name: str, kind: str, source: str | None) -> RegressorKind:
    """The kind, where name and source can be kept as well.

    Raises:
        InvalidInputError: One of them can't be.
    """
    if not _NAME.fullmatch(name):
        raise _refused(
            "name", f"{name!r} can't be a name.", name,
            "letters, digits, spaces and _ . - with a letter or digit first, at most 100",
        )  # fmt: skip
    if source is not None and (len(source) > LONGEST_SOURCE or not source.isprintable()):
        raise _refused(
            "source", "it is too long, or can't be printed.", source,
            f"at most {LONGEST_SOURCE} printable characters",
        )  # fmt: skip
    for known in KINDS:
        if kind == known:
            return known
    raise _refused("kind", f"there is no kind {kind!r}.", kind, ", ".join(KINDS))


def stretch(
    values: Sequence[NewValue], kind: RegressorKind, zone: ZoneInfo, at_most: int | None = MOST_VALUES
) -> Stretch:
    """The values by time, as one stretch without holes and overlaps.

    Between planned stops nothing is planned: there the holes become values of 0.

    Raises:
        InvalidInputError: They can't be one; the message tells the first that is wrong.
    """
    if not values:
        raise _refused("values", "there are none.", 0, "at least one value")
    if at_most is not None and len(values) > at_most:
        raise _refused(
            "values", f"{len(values)} values are too many at once.", len(values), f"at most {at_most}"
        )
    found = sorted((_checked(value, kind, zone) for value in values), key=lambda each: each[0])
    without_holes: Stretch = found[:1]
    for before, after in pairwise(found):
        if after[0] < before[1]:
            raise _refused(
                "values", f"two values hold from {_text(after[0])} on, so it isn't clear which counts.",
                _text(after[0]), "periods that don't overlap",
            )  # fmt: skip
        if after[0] > before[1]:
            if kind != "planned_stop":
                raise _refused(
                    "values", f"nothing is told from {_text(before[1])} to {_text(after[0])}: fill the hole, "
                    "or post the parts on their own.", _text(before[1]), "periods that follow on each other",
                )  # fmt: skip
            without_holes.append((before[1], after[0], 0.0))
        without_holes.append(after)
    return without_holes


def check_future(values: Stretch, now: datetime, *, is_history: bool) -> None:
    """Refuses values that lie wholly in the past, unless they are said to be history.

    Who posts a forecast of last week by mistake (a wrong year, an old file) would else wait for its effect in
    vain. Past values that come with later ones are welcome: models learn from them.

    Raises:
        InvalidInputError: Nothing of them lies ahead.
    """
    until = values[-1][1]
    if until <= now and not is_history:
        raise _refused(
            "values", f"all of them lie in the past: the last one ends at {_text(until)}, it is {_text(now)} "
            "now. Post what is to come as well, or say `history` where they are only to be learned from.",
            _text(until), f"values beyond {_text(now)}, or history: true",
        )  # fmt: skip


def _checked(value: NewValue, kind: RegressorKind, zone: ZoneInfo) -> tuple[datetime, datetime, float]:
    start, end = instant(value.start, zone), instant(value.end, zone, is_end=True)
    if end <= start:
        raise _refused(
            "values", f"the one from {moment_text(value.start)} to {moment_text(value.end)} has no length.",
            moment_text(value.end), f"an end after {moment_text(value.start)}",
        )  # fmt: skip
    if not math.isfinite(value.value):
        raise _refused(
            "values", f"the one from {moment_text(value.start)} is {value.value}, which is no number: leave "
            "out what isn't known.", str(value.value), "finite numbers",
        )  # fmt: skip
    if kind == "planned_stop" and not 0 <= value.value <= 1:
        raise _refused(
            "values", f"the planned stop from {moment_text(value.start)} takes away {value.value:g} of the "
            "load.", value.value, "0 (none) to 1 (all of it)",
        )  # fmt: skip
    return start, end, float(value.value)


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _refused(parameter: str, what: str, given: object, allowed: str) -> InvalidInputError:
    return InvalidInputError(f"{parameter}: {what}", parameter=parameter, given=given, allowed=allowed)
