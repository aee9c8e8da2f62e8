"""Choosing drivers by themselves: the error out of time decides, physics and collinearity have a veto."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from enms.science.arrays import Positions, Values
from enms.science.baseline.drivers import DRIVERS, driver
from enms.science.baseline.fit import Fit, fit_terms, refuse_too_many
from enms.science.baseline.forms import DEGREES, degree_terms, linear, searched_knots, term_of
from enms.science.baseline.observations import Observations
from enms.science.baseline.terms import Term, column_spans, design_matrix
from enms.science.baseline.validation import BLOCKS, block_rows
from enms.science.diagnostics.correlation import correlation
from enms.science.problems import UnfitError

# Up to so many candidates every subset is tried; with more, steps forward and backward.
MOST_FOR_ALL_SUBSETS = 12
LEAST_KNOWN_SHARE = 0.9
# Ten is the textbook's warning; whether telling two drivers apart pays is what the error out of time shows.
MOST_VIF = 50.0
MOST_P_VALUE = 0.05
# Fewer parameters are worth this much more error.
_PARSIMONY = 0.002
_DUPLICATE = 0.999
_RANKED = 20
_TRIED = 30


@dataclass(frozen=True)
class Ranked:
    """A set of drivers that was tried.

    Attributes:
        drivers: Their names; none: the mean alone.
        cv_rmse_percent: Out of time.
        parameters: Columns with the intercept.
        veto: Why it was passed over; None where it was chosen or needn't be looked at.
    """

    drivers: tuple[str, ...]
    cv_rmse_percent: float
    parameters: int
    veto: str | None = None


@dataclass(frozen=True)
class Dropped:
    """A candidate that is not among the chosen drivers.

    Attributes:
        driver: Its name.
        code: For programs.
        text: Why, for people.
    """

    driver: str
    code: str
    text: str


@dataclass(frozen=True)
class Selection:
    """What was chosen, and what from.

    Attributes:
        drivers: The chosen ones; none where no driver explains anything.
        ranked: The best sets by error out of time.
        dropped: The other candidates.
    """

    drivers: tuple[str, ...]
    ranked: tuple[Ranked, ...]
    dropped: tuple[Dropped, ...]


@dataclass(frozen=True)
class _Bench:
    """All sets of terms on one set of sums, so that a refit costs no pass over the data.

    Attributes:
        terms: The candidates' terms.
        spans: Their columns.
        whole: X'X, X'y and y'y of all blocks, columns standardised.
        blocks: The same of each block.
        signs: What physics demands of each term: 1, -1 or 0.
        rivals: Pairs of terms that are made of the same driver: degrees and their temperature.
        observations: n.
        mean_kwh: Mean energy.
    """

    terms: tuple[Term, ...]
    spans: tuple[Positions, ...]
    whole: Values
    blocks: Values
    signs: Values
    rivals: tuple[frozenset[int], ...]
    observations: int
    mean_kwh: float


def select_drivers(data: Observations, candidates: Sequence[str], temperature: str) -> Selection:
    """Chooses drivers of a linear baseline; none where the mean alone is as good.

    Args:
        data: Observations; candidates may be unknown in some of them.
        candidates: Names of numeric drivers, degrees and categories.
        temperature: The driver that degrees are made of.

    Raises:
        UnfitError: Of the candidates none can be used, or there are too few observations of all of them.
    """
    usable, dropped = _usable(data, candidates, temperature)
    if not usable:
        reasons = " ".join(each.text for each in dropped)
        raise UnfitError(
            "no-driver", f"No driver can be used. {reasons}", parameter="drivers", given=list(candidates)
        )
    needed = [temperature if name in DEGREES else name for name in usable]
    complete = data.take(data.knows(needed))
    refuse_too_many(len(complete), 2, complete.interval)
    for name in usable:
        if name in complete.categories:
            complete = complete.take(~complete.categories[name].is_rare())
    bench = _bench(complete, usable, temperature)
    ranked = _rank(bench, complete)
    chosen, vetoes = _first_without_veto(complete, ranked, temperature)
    dropped += [_not_chosen(name, vetoes.values()) for name in usable if name not in chosen]
    shown = (
        replace(each, veto=vetoes[each.drivers].text if each.drivers in vetoes else None)
        for each in ranked[:_RANKED]
    )
    return Selection(chosen, tuple(shown), tuple(dropped))


def _usable(
    data: Observations, candidates: Sequence[str], temperature: str
) -> tuple[list[str], list[Dropped]]:
    usable: list[str] = []
    dropped: list[Dropped] = []
    for name in candidates:
        problem = _problem(data, name, temperature)
        if problem:
            dropped.append(problem)
        else:
            usable.append(name)
    numeric = [name for name in usable if name in data.drivers]
    for name, twin in _duplicates(data, numeric):
        usable.remove(name)
        dropped.append(Dropped(name, "collinear", f"{name} says the same as {twin}."))
    return usable, dropped


def _problem(data: Observations, name: str, temperature: str) -> Dropped | None:
    source = temperature if name in DEGREES else name
    if source not in data.drivers and source not in data.categories:
        return Dropped(name, "missing", f"{source} isn't recorded.")
    known = data.knows([source])
    if known.mean() < LEAST_KNOWN_SHARE:
        share = f"{known.mean():.0%}"
        return Dropped(
            name, "missing", f"{source} is known in {share} of the intervals, {LEAST_KNOWN_SHARE:.0%} needed."
        )
    if reason := driver(name).not_chosen:
        return Dropped(name, "not_a_cause", f"{name} isn't chosen: {reason}")
    if name in data.categories:
        varies = data.categories[name].take(known).varies
    else:
        varies = bool(np.ptp(data.drivers[source][known]) > 0)
    if not varies:
        return Dropped(name, "constant", f"{source} has the same value throughout.")
    return None


def _duplicates(data: Observations, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Drivers that another one repeats; of two, one known by name stays, or else the one nearer to energy."""
    gone: set[str] = set()
    nearness = {name: _nearness(data.drivers[name], data.energy_kwh) for name in names}
    for one, other in combinations(names, 2):
        if gone & {one, other} or _nearness(data.drivers[one], data.drivers[other]) < _DUPLICATE:
            continue
        weaker, stronger = sorted((one, other), key=lambda name: (name in DRIVERS, nearness[name]))
        gone.add(weaker)
        yield weaker, stronger


def _nearness(one: Values, other: Values) -> float:
    return abs(correlation(one, other) or 0.0)


def _bench(data: Observations, usable: Sequence[str], temperature: str) -> _Bench:
    plain = [name for name in usable if name not in DEGREES]
    others = [term_of(name, data) for name in plain]
    # Balance points are sought with all else that may explain energy, then found anew for the chosen set.
    beside = [term for term in others if term.name != temperature]
    degrees = degree_terms(data, beside, [name for name in usable if name in DEGREES], temperature)
    terms = (*others, *degrees)
    design = design_matrix(terms, data)
    slopes = design[:, 1:] - design[:, 1:].mean(axis=0)
    norms = slopes.std(axis=0)
    design[:, 1:] = slopes / np.where(norms > 0, norms, 1.0)
    joined = np.column_stack([design, data.energy_kwh])
    rows = block_rows(len(data), BLOCKS)
    blocks = np.stack([joined[each].T @ joined[each] for each in rows])
    spans = tuple(np.arange(span.start, span.stop) for _, span in column_spans(terms))
    signs = np.array([driver(term.name).sign for term in terms], dtype=np.float64)
    place = {term.name: i for i, term in enumerate(terms)}
    rivals = tuple(
        frozenset({place[temperature], place[name]})
        for name in DEGREES
        if name in place and temperature in place
    )
    return _Bench(
        terms, spans, blocks.sum(axis=0), blocks, signs, rivals, len(data), float(data.energy_kwh.mean())
    )


def _rank(bench: _Bench, data: Observations) -> list[Ranked]:
    """Sets of terms by their error out of time, the best first; those against physics are left out."""
    score = _scores_of_all if len(bench.terms) <= MOST_FOR_ALL_SUBSETS else _scores_of_steps
    ranked = [
        Ranked(
            tuple(bench.terms[i].name for i in members),
            100 * float(np.sqrt(error / bench.observations)) / abs(bench.mean_kwh or 1.0),
            1 + sum(len(bench.spans[i]) for i in members),
        )
        for members, error in score(bench).items()
        if np.isfinite(error)
    ]
    return sorted(ranked, key=lambda each: (each.cv_rmse_percent, len(each.drivers), each.drivers))


def _scores_of_all(bench: _Bench) -> dict[tuple[int, ...], float]:
    count = len(bench.terms)
    by_width: dict[int, list[tuple[int, ...]]] = {}
    for size in range(count + 1):
        for members in combinations(range(count), size):
            if any(pair <= {*members} for pair in bench.rivals):
                continue
            by_width.setdefault(sum(len(bench.spans[i]) for i in members), []).append(members)
    scores: dict[tuple[int, ...], float] = {}
    for width, sets in by_width.items():
        if width + 1 <= bench.observations / 10:
            scores.update(zip(sets, _scores(bench, sets), strict=True))
    return scores


def _scores_of_steps(bench: _Bench) -> dict[tuple[int, ...], float]:
    """Adds or removes the term that helps most, until none does."""
    current: tuple[int, ...] = ()
    best = _scores(bench, [current])[0]
    scores = {current: best}
    while True:
        neighbours = [tuple(sorted({*current} ^ {i})) for i in range(len(bench.terms))]
        fitting = [
            members
            for members in neighbours
            if 1 + sum(len(bench.spans[i]) for i in members) <= bench.observations / 10
            and not any(pair <= {*members} for pair in bench.rivals)
        ]
        for members in fitting:
            if members not in scores:
                scores[members] = _scores(bench, [members])[0]
        step = min(fitting, key=lambda members: scores[members], default=current)
        if not fitting or scores[step] >= best:
            return scores
        current, best = step, scores[step]


def _scores(bench: _Bench, sets: Sequence[tuple[int, ...]]) -> list[float]:
    """Squared error out of time of sets with equally many columns; infinite against physics."""
    columns = np.array(
        [[0, *(column for i in members for column in bench.spans[i])] for members in sets], dtype=np.int64
    )
    errors = np.zeros(len(sets))
    for block in bench.blocks:
        seen = _solutions(bench.whole - block, columns)
        inner = block[columns[:, :, None], columns[:, None, :]]
        products = block[columns, -1]
        errors += block[-1, -1] - 2 * np.einsum("ij,ij->i", seen, products)
        errors += np.einsum("ij,ijk,ik->i", seen, inner, seen)
    whole = _solutions(bench.whole, columns)
    sign_of_column = np.zeros(bench.whole.shape[0])
    for i, span in enumerate(bench.spans):
        sign_of_column[span] = bench.signs[i]
    against = (whole * sign_of_column[columns] < 0).any(axis=1)
    scores: list[float] = np.where(against, np.inf, np.maximum(errors, 0.0)).tolist()
    return scores


def _solutions(sums: Values, columns: Positions) -> Values:
    """Coefficients of many sets at once; a hair of ridge keeps exact combinations from failing."""
    inner = sums[columns[:, :, None], columns[:, None, :]]
    ridge = 1e-9 * sums[0, 0] * np.eye(columns.shape[1])
    solved: Values = np.linalg.solve(inner + ridge, sums[columns, -1][:, :, None])[:, :, 0]
    return solved


def _first_without_veto(
    data: Observations, ranked: Sequence[Ranked], temperature: str
) -> tuple[tuple[str, ...], dict[tuple[str, ...], Dropped]]:
    """The smallest of the sets near the least error that significance, signs and collinearity let pass.

    Where none of them passes, the best set loses what is vetoed, driver by driver, until it passes.

    Returns:
        The set, and what spoke against those that were looked at before.
    """
    if not ranked:
        return (), {}
    near = [each for each in ranked if each.cv_rmse_percent <= ranked[0].cv_rmse_percent * (1 + _PARSIMONY)]
    near.sort(key=lambda each: (len(each.drivers), each.cv_rmse_percent))
    vetoes: dict[tuple[str, ...], Dropped] = {}
    chosen: tuple[str, ...] = ()
    for each in near[:_TRIED]:
        veto = _veto(data, each.drivers, temperature)
        if veto is None:
            chosen = each.drivers
            break
        vetoes[each.drivers] = veto
    else:
        chosen = ranked[0].drivers
        while chosen and (veto := vetoes.get(chosen) or _veto(data, chosen, temperature)):
            vetoes[chosen] = veto
            chosen = tuple(name for name in chosen if name != veto.driver)
    return chosen, vetoes


def _veto(data: Observations, drivers: Sequence[str], temperature: str) -> Dropped | None:
    """The driver that speaks against a set, and why; None lets it pass."""
    if not drivers:
        return None
    terms = linear(drivers, temperature)(data)
    try:
        fit = fit_terms(data, terms, searched_knots(terms))
    except UnfitError as error:
        return Dropped(drivers[-1], error.code, error.message)
    return _insignificant(fit) or _wrong_sign(fit) or _inflated(fit)


def _insignificant(fit: Fit) -> Dropped | None:
    worst = max(fit.term_tests, key=lambda test: test.p_value)
    if worst.p_value < MOST_P_VALUE:
        return None
    text = f"{worst.term} isn't significant beside the others (p = {worst.p_value:.2g})."
    return Dropped(worst.term, "insignificant", text)


def _wrong_sign(fit: Fit) -> Dropped | None:
    for each in fit.coefficients:
        if each.value * driver(each.term).sign < 0:
            text = f"More {each.name} would mean less energy, which physics rules out."
            return Dropped(each.term, "wrong_sign", text)
    return None


def _inflated(fit: Fit) -> Dropped | None:
    numeric = [each for each in fit.coefficients if each.term == each.name]
    worst = max(numeric, key=lambda each: each.vif, default=None)
    if worst is None or worst.vif <= MOST_VIF:
        return None
    # Of drivers that can't be told apart the one that says less goes.
    least = min((each for each in numeric if each.vif > MOST_VIF), key=lambda each: abs(each.t_value))
    text = f"{least.name} can hardly be told from the others (VIF {least.vif:.0f}, at most {MOST_VIF:g})."
    return Dropped(least.term, "collinear", text)


def _not_chosen(name: str, vetoes: Iterable[Dropped]) -> Dropped:
    """Why a candidate isn't in: the veto that met a set because of it, or that it doesn't help."""
    for veto in vetoes:
        if veto.driver == name:
            return Dropped(name, "vetoed", veto.text)
    text = f"{name} doesn't lower the error out of time by more than {_PARSIMONY:.1%}."
    return Dropped(name, "no_gain", text)
