"""Levels of a text column that can't be told apart by their hours, taken together."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from enms.science.arrays import Values
from enms.science.baseline.observations import Category, Observations

# Of what a level's hours vary by: what is left beside the other levels, below which they say all of it.
_NOTHING_LEFT = 1e-7


def together(data: Observations, train: Observations) -> tuple[Observations, list[str]]:
    """Joins levels whose hours follow from those of others throughout the training.

    Where every working day has 6 h of peak load and 8 h of medium load, nobody can tell what an hour of
    either costs, but what an hour of both does: the column remains a driver.

    Args:
        data: All intervals.
        train: Those that are learned from.

    Returns:
        The intervals with such levels joined, and what was joined.
    """
    categories, texts = dict(data.categories), []
    for name, category in data.categories.items():
        learned = train.categories[name]
        if category.hours is None or learned.hours is None:
            continue
        known = learned.hours[(learned.codes >= 0) & np.isfinite(train.energy_kwh)]
        groups = _groups(known)
        if len(groups) < len(category.levels):
            categories[name] = _joined(category, groups)
            texts += [
                f"{name}: in training the hours of {' and '.join(category.levels[i] for i in group)} follow "
                "from each other, so they are taken together."
                for group in groups
                if len(group) > 1
            ]
    return replace(data, categories=categories), texts


def _groups(hours: Values) -> list[list[int]]:
    """The levels, those that can't be told apart in one group; the most frequent first, as the reference.

    A level that follows from the ones before is joined to that whose hours rise with its own.
    """
    totals = hours.sum(axis=0)
    order = np.argsort(-totals, kind="stable").tolist()
    groups: list[list[int]] = []
    kept = np.ones((len(hours), 1))
    for level in order:
        column = hours[:, level : level + 1]
        if totals[level] == 0 or not groups:
            groups.append([level])
        elif _says_its_own(column, kept):
            groups.append([level])
            kept = np.hstack([kept, column])
        else:
            sums = np.stack([hours[:, group].sum(axis=1) for group in groups], axis=1)
            groups[_nearest(column[:, 0], sums)].append(level)
    return groups


def _says_its_own(column: Values, kept: Values) -> bool:
    left = column - kept @ np.linalg.lstsq(kept, column, rcond=None)[0]
    centred = column - column.mean()
    return bool(np.linalg.norm(left) > _NOTHING_LEFT * np.linalg.norm(centred) + _NOTHING_LEFT)


def _nearest(column: Values, sums: Values) -> int:
    products = (sums - sums.mean(axis=0)).T @ (column - column.mean())
    spreads = sums.std(axis=0)
    return int(np.argmax(np.where(spreads > 0, products / np.where(spreads > 0, spreads, 1), -np.inf)))


def _joined(category: Category, groups: Sequence[Sequence[int]]) -> Category:
    assert category.hours is not None
    hours = np.stack([category.hours[:, list(group)].sum(axis=1) for group in groups], axis=1)
    codes = np.where(category.codes < 0, -1, hours.argmax(axis=1)).astype(np.int64)
    levels = tuple(" + ".join(category.levels[i] for i in group) for group in groups)
    return Category(levels, codes, hours)
