"""Which candidates serve at an origin, by what had come true before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from enms.science.arrays import Values
from enms.science.forecasting.backtest import Trials
from enms.science.forecasting.candidate import Candidate

NAIVE_COST = 0
# Trials from which something can be concluded.
_LEAST_TRIALS = 3
# A candidate's weight in the mean falls with this power of its error; where few trials make errors part luck,
# with a lower one: half of it at so many trials.
_POWER, _HALF_AT = 16.0, 8
_MOST_MEMBERS, _LEAST_SHARE = 4, 0.05
# Errors within this of each other are equal.
_TIE = 0.01


@dataclass(frozen=True)
class Choice:
    """What serves, and why.

    Attributes:
        members: Names of the candidates whose weighted mean serves, the heaviest first.
        weights: Their weights, which sum to 1.
        reason: In plain words.
    """

    members: tuple[str, ...]
    weights: tuple[float, ...]
    reason: str

    def combined(self, forecasts: Mapping[str, Values]) -> Values:
        """The members' weighted mean; of those only that made a forecast.

        Args:
            forecasts: By candidate, shape (h,) or (k, h), NaN where there is none.
        """
        stacked = np.array([forecasts[name] for name in self.members])
        weights = np.array(self.weights).reshape(-1, *[1] * (stacked.ndim - 1)) * ~np.isnan(stacked)
        total = weights.sum(axis=0)
        made: Values = (np.nan_to_num(stacked) * weights).sum(axis=0) / np.where(total > 0, total, np.nan)
        return made


def choose(trials: Trials, candidates: Sequence[Candidate]) -> Choice:
    """The candidate that erred least, or a weighted mean of the best where that erred less still.

    Weights that fall steeply with the error hedge against a winner by luck (after Bates & Granger 1969, The
    combination of forecasts); a candidate that is clearly the best serves alone.

    Args:
        trials: Of the past of an origin.
        candidates: Whose trials they are; the naive ones have a cost of `NAIVE_COST`.
    """
    errors = _errors(trials, candidates)
    naives = [each.name for each in candidates if each.cost == NAIVE_COST]
    judged = [name for name in naives if name in errors]
    if len(trials.origins) < _LEAST_TRIALS or not judged:
        serving = min(judged, key=lambda name: errors[name]) if judged else naives[-1]
        return Choice((serving,), (1.0,), f"There is too little history to prove a model: {serving} serves.")
    best = min(errors.values())
    equals = [each for each in candidates if errors.get(each.name, np.inf) <= best * (1 + _TIE)]
    single = min(equals, key=lambda each: each.cost).name
    naive = min(judged, key=lambda name: errors[name])
    mean = _mean_of_best(trials, errors)
    if len(mean.members) > 1:
        error = _error(trials, mean.combined(trials.forecast_kw))
        if error < best:
            return Choice(mean.members, mean.weights, _why_mean(trials, mean, error, best, naive, errors))
    return Choice((single,), (1.0,), _why_single(trials, single, naive, errors))


def _errors(trials: Trials, candidates: Sequence[Candidate]) -> dict[str, float]:
    """Mean scaled error by candidate, of those that were there in most trials."""
    found: dict[str, float] = {}
    reference = next((each.name for each in candidates if each.cost == NAIVE_COST), None)
    for each in candidates:
        made = ~np.isnan(trials.forecast_kw[each.name]).any(axis=1)
        if not made.any() or made.mean() < 0.5:
            continue
        error = _error(trials, trials.forecast_kw[each.name])
        if reference is not None and not made.all():
            # By the naive's errors in the same trials, which may have been easy or hard ones.
            whole = trials.forecast_kw[reference]
            same = _error(trials, np.where(made[:, None], whole, np.nan))
            error = error * _error(trials, whole) / same if same > 0 else error
        if np.isfinite(error):
            found[each.name] = error
    return found


def _error(trials: Trials, forecast_kw: Values) -> float:
    """Mean of the trials' mean scaled errors; NaN where none is known."""
    off = np.abs(forecast_kw - trials.actual_kw)
    known = ~np.isnan(off)
    counts = known.sum(axis=1)
    sums = np.where(known, off, 0.0).sum(axis=1)
    judged = (counts > 0) & (trials.scale_kw > 0)
    if not judged.any():
        return float("nan")
    return float(np.mean(sums[judged] / counts[judged] / trials.scale_kw[judged]))


def _mean_of_best(trials: Trials, errors: Mapping[str, float]) -> Choice:
    count = len(trials.origins)
    power = _POWER * count / (count + _HALF_AT)
    ranked = sorted(errors, key=lambda name: errors[name])[:_MOST_MEMBERS]
    least = max(errors[ranked[0]], 1e-12)
    shares = np.array([(max(errors[name], 1e-12) / least) ** -power for name in ranked])
    shares = np.where(shares < _LEAST_SHARE * shares.sum(), 0, shares)
    shares /= shares.sum()
    kept = [(name, float(share)) for name, share in zip(ranked, shares, strict=True) if share]
    return Choice(tuple(name for name, _ in kept), tuple(share for _, share in kept), "")


def _why_mean(
    trials: Trials, mean: Choice, error: float, best: float, naive: str, errors: Mapping[str, float]
) -> str:
    names = f"{', '.join(mean.members[:-1])} and {mean.members[-1]}"
    return (
        f"The weighted mean of {names} erred {_less(error, best)} than the best of them, and "
        f"{_less(error, errors[naive])} than {naive}, at {len(trials.origins)} origins of the past."
    )


def _why_single(trials: Trials, single: str, naive: str, errors: Mapping[str, float]) -> str:
    count = f"at {len(trials.origins)} origins of the past"
    if single == naive:
        others = [name for name in errors if name != naive]
        nearest = min(others, key=lambda name: errors[name], default=None)
        if nearest is None:
            return f"Only {naive} could be tried."
        difference = _less(errors[nearest], errors[naive])
        return f"No model beat {naive} {count}: it serves. The nearest, {nearest}, erred {difference}."
    return f"{single} erred {_less(errors[single], errors[naive])} than {naive} {count}; no mean was better."


def _less(error: float, than: float) -> str:
    """`12 % less`, `3 % more` or `as much`."""
    percent = round(100 * (1 - error / than)) if than > 0 else 0
    if percent == 0:
        return "no less" if error >= than else "slightly less"
    return f"{abs(percent)} % {'less' if percent > 0 else 'more'}"
