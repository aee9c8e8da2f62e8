"""Fitting a baseline to a file, and trying it on what it hasn't seen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from enms.errors import InvalidInputError
from enms.science.arrays import Flags, Values
from enms.science.baseline.build import Built, RefusalRules, Request, build
from enms.science.baseline.drivers import OUTDOOR_TEMPERATURE
from enms.science.baseline.model import Baseline
from enms.science.baseline.refusals import Refusal, judge
from enms.science.baseline.selection import Dropped
from enms.science.baseline.uncertainty import total_error
from enms.science.baseline.verdict import Limits
from enms.science.diagnostics.goodness import Goodness, goodness
from enms.science.problems import UnfitError
from enms_local.evaluate.data import CALENDAR, Data, Target, calendar_terms, read_data, require_varying
from enms_local.evaluate.drivers import Wanted, leak_text, leaks, wanted
from enms_local.evaluate.grid import Grid
from enms_local.evaluate.levels import together
from enms_local.evaluate.periods import Period, parse_period
from enms_local.evaluate.question import FOLDS, Question
from enms_local.evaluate.table import read_table

CONFIDENCE = 0.90
RULES = RefusalRules()


@dataclass(frozen=True)
class Savings:
    """Predicted less actual over the test period.

    Attributes:
        kwh: How much.
        predicted_kwh: What the baseline expects.
        uncertainty_kwh: Half-width of the interval that holds the truth with `CONFIDENCE`.
    """

    kwh: float
    predicted_kwh: float
    uncertainty_kwh: float

    @property
    def is_significant(self) -> bool:
        """Whether the interval leaves zero out."""
        return abs(self.kwh) > self.uncertainty_kwh


@dataclass(frozen=True)
class Fold:
    """A part of the rows that was held out.

    Attributes:
        built: The model of the other parts.
        tested: How many of its rows could be judged.
    """

    built: Built
    tested: int


@dataclass(frozen=True)
class Evaluation:
    """What came of it.

    Attributes:
        question: What was asked.
        target: What is explained.
        built: The model of the training period, or of all rows.
        dropped: Columns that weren't tried, and why.
        test: On the test period, or on all folds together.
        test_refused: Which intervals of it were left out, and why.
        unpredicted: Intervals of it that the model has no answer for: a level that training hadn't.
        savings: Over the test period; None without one.
        folds: The parts that were held out.
        grid: How rows lie in intervals; None of rows as they stand.
        warnings: What the reader should know.
    """

    question: Question
    target: Target
    built: Built
    dropped: tuple[Dropped, ...]
    test: Goodness
    test_refused: tuple[Refusal, ...]
    unpredicted: int
    savings: Savings | None = None
    folds: tuple[Fold, ...] = ()
    grid: Grid | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Prediction:
    """What a baseline says of intervals that it hasn't seen."""

    data: Data
    predicted: Values
    refused: tuple[Refusal, ...]
    unpredicted: int
    warnings: tuple[str, ...] = field(default=())


def evaluate(question: Question) -> Evaluation:
    """Fits a baseline to a file and tries it.

    Raises:
        InvalidInputError: The file can't be read, or no baseline can be fitted to it; says why.
    """
    _check(question)
    periods = _periods(question)
    table = read_table(question.path, question.delimiter, question.encoding)
    table.cells(question.target)
    if question.time_column:
        table.cells(question.time_column)
    target = Target.of(question.target, question.target_kind)
    asked = wanted(question, table)
    data, grid = read_data(question, table, target, asked.columns)
    try:
        if periods:
            result = _by_periods(question, target, asked, data, *periods)
        else:
            result = _by_folds(question, target, asked, data)
    except UnfitError as error:
        raise InvalidInputError(error.message, code=error.code, **error.details) from error
    return replace(result, grid=grid)


def _by_periods(
    question: Question, target: Target, asked: Wanted, data: Data, training: Period, testing: Period
) -> Evaluation:
    inside = training.intervals(data)
    data, joined = _joined(data, data.take(inside))
    train, test = data.take(inside), data.take(testing.intervals(data))
    request, dropped, warnings = _request(question, target, asked, train, "the training period")
    built = _build(train, request)
    baseline = Baseline.of(built)
    found = _predict(baseline, test)
    if not len(found.data):
        reasons = "; ".join(f"{each.count} × {each.text}" for each in found.refused)
        reasons = reasons or f"{found.unpredicted} have a level that training has not"
        raise InvalidInputError(
            f"None of the {len(test)} {built.data.interval}s of the test period {testing.text} can be "
            f"judged: {reasons}."
        )
    if testing.start < training.end and training.start < testing.end:
        warnings.append("The test period overlaps with training: its figures flatter the model.")
    return Evaluation(
        question=question,
        target=target,
        built=built,
        dropped=dropped,
        test=goodness(found.data.observations.energy_kwh, found.predicted, 0),
        test_refused=found.refused,
        unpredicted=found.unpredicted,
        savings=_savings(baseline, found, target),
        warnings=(*joined, *warnings, *found.warnings),
    )


def _by_folds(question: Question, target: Target, asked: Wanted, data: Data) -> Evaluation:
    """Contiguous parts of the rows held out in turn, drivers and form chosen anew without each."""
    count = question.folds or FOLDS
    if count > len(data):
        raise InvalidInputError(f"{count} folds of {len(data)} rows: there can't be more folds than rows.")
    data, joined = _joined(data, data)
    request, dropped, warnings = _request(question, target, asked, data, "the file")
    built = _build(data, request)
    folds: list[Fold] = []
    found: list[_Prediction] = []
    for rows in np.array_split(np.arange(len(data)), count):
        seen = np.ones(len(data), dtype=bool)
        seen[rows] = False
        of_others = _build(data.take(seen), request)
        found.append(_predict(Baseline.of(of_others), data.take(~seen)))
        folds.append(Fold(of_others, len(found[-1].data)))
    actual = np.concatenate([each.data.observations.energy_kwh for each in found])
    predicted = np.concatenate([each.predicted for each in found])
    if not len(actual):
        raise InvalidInputError("No row can be predicted by the others: each has a level of its own.")
    return Evaluation(
        question=question,
        target=target,
        built=built,
        dropped=dropped,
        test=goodness(actual, predicted, 0),
        test_refused=_together(found),
        unpredicted=sum(each.unpredicted for each in found),
        folds=tuple(folds),
        warnings=(*joined, *warnings),
    )


def _request(
    question: Question, target: Target, asked: Wanted, train: Data, where: str
) -> tuple[Request, tuple[Dropped, ...], list[str]]:
    """What the science is asked, columns that it doesn't get to see, and warnings of those that it does."""
    temperature = question.temperature_column or OUTDOOR_TEMPERATURE
    interval = train.observations.interval
    too_fine = [name for name in asked.names if name in CALENDAR and name not in calendar_terms(interval)]
    too_fine = [name for name in too_fine if name not in asked.columns]
    leaking = leaks(train, asked.names)
    texts = {name: leak_text(name, target.name, size) for name, size in leaking.items()}
    if not question.is_auto:
        if too_fine:
            raise InvalidInputError(f"{too_fine[0]} needs hours, and these are days: weekday fits them.")
        require_varying(train, asked.names, where)
        return Request(asked.names, (), question.form, temperature), asked.dropped, list(texts.values())
    dropped = tuple(Dropped(name, "leak", text) for name, text in texts.items())
    names = tuple(name for name in asked.names if name not in leaking and name not in too_fine)
    if not names:
        reasons = " ".join(each.text for each in (*dropped, *asked.dropped))
        raise InvalidInputError(f"There is no driver to choose from. {reasons}".strip())
    return Request(None, names, question.form, temperature), (*asked.dropped, *dropped), []


def _joined(data: Data, train: Data) -> tuple[Data, list[str]]:
    observations, texts = together(data.observations, train.observations)
    return replace(data, observations=observations), texts


def _build(data: Data, request: Request) -> Built:
    return build(data.observations, data.quality, request, Limits(), RULES)


def _predict(baseline: Baseline, data: Data) -> _Prediction:
    """Predicts the intervals that can be judged by the rules of the training."""
    judged = judge(data.observations, data.quality, baseline.needed, **vars(RULES))
    usable = data.take(judged.usable)
    predicted = baseline.predict_kwh(usable.observations)
    told = np.isfinite(predicted)
    kept = usable.take(told)
    return _Prediction(
        kept, predicted[told], judged.refusals, int((~told).sum()), tuple(_beyond(baseline, kept))
    )


def _beyond(baseline: Baseline, data: Data) -> Iterator[str]:
    for name, distances in baseline.beyond_range(data.observations).items():
        outside: Flags = distances != 0
        if outside.any():
            low, high = baseline.ranges[name]
            yield (
                f"In {outside.mean():.1%} of the test's {data.observations.interval}s {name} lies outside "
                f"its range in training ({low:.4g} to {high:.4g}), by up to {np.abs(distances).max():.3g}."
            )


def _savings(baseline: Baseline, found: _Prediction, target: Target) -> Savings:
    observations = found.data.observations
    error = total_error(
        baseline.errors, baseline.covariance, observations.positions, baseline.design(observations)
    )
    factor = target.interval_kwh(observations.interval)
    return Savings(
        float((found.predicted - observations.energy_kwh).sum()) * factor,
        float(found.predicted.sum()) * factor,
        error.half_width(CONFIDENCE) * factor,
    )


def _together(found: Sequence[_Prediction]) -> tuple[Refusal, ...]:
    """Refusals of all folds, those for the same reason as one."""
    sums: dict[tuple[str, str | None, str], int] = {}
    for each in found:
        for refusal in each.refused:
            key = (refusal.code, refusal.driver, refusal.text)
            sums[key] = sums.get(key, 0) + refusal.count
    return tuple(Refusal(code, driver, count, text) for (code, driver, text), count in sums.items())


def _periods(question: Question) -> tuple[Period, Period] | None:
    if question.train is None or question.test is None:
        return None
    return parse_period("training", question.train), parse_period("test", question.test)


def _check(question: Question) -> None:
    """Refuses what can't go together.

    Raises:
        InvalidInputError: Something can't.
    """
    rules = (
        (question.is_auto and question.drivers,
         "--driver names the drivers and --auto chooses them: give one of the two."),
        (question.candidates and not question.is_auto,
         "--candidate is what --auto chooses from: add --auto."),
        (not question.is_auto and not question.drivers and not question.temperature_column,
         "Which drivers? Name them by --driver (or --temperature-column), or let --auto choose."),
        (question.form in ("change_point", "time_of_week_temperature") and not question.temperature_column,
         f"A model of the form {question.form} needs --temperature-column."),
        (question.form == "time_of_week_temperature" and not question.time_column,
         "A model of the form time_of_week_temperature needs --time-column."),
        ((question.train is None) is not (question.test is None),
         "--train and --test go together: give both, or neither (then --folds parts are held out in turn)."),
        (question.train and not question.time_column,
         "--train and --test need --time-column; rows as they stand are tried by --folds."),
        (question.train and question.folds is not None,
         "--folds and --test are two ways to try a model: give one of them."),
        (question.folds is not None and question.folds < 2, "--folds: at least 2."),
        (question.time_column == question.target,
         f"{question.target} can't be both the time and the target."),
    )  # fmt: skip
    for strikes, text in rules:
        if strikes:
            raise InvalidInputError(text)
