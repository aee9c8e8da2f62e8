"""Which errors of the past tell something of a step: those at alike steps."""

import numpy as np

from enms.science.arrays import Flags, Positions, Values

# Errors further apart than these count less: hours of the day, share of the leads, rank among the forecasts.
_HOURS, _LEADS, _RANKS = 2.0, 1 / 3, 0.15
# What an error on a working day tells of one on a weekend's, and the other way round.
_OTHER_KIND_OF_DAY = 0.3
# The weights have to leave so many errors, or else what counts as near is widened.
_ENOUGH_ERRORS = 25.0
_WIDER, _WIDEST = 1.5, 20.0
# Origins whose truth has to have come before another's intervals are looked back at.
_LEAST_ORIGINS = 5
# Ranks are looked up in a table of so many places.
_PLACES = 128


class Nearness:
    """Earlier errors, ascending, and how alike their steps are to others'.

    Attributes:
        points: h, the leads of an origin.
        period: Steps after which an origin tells something new: a horizon's, or a day's.
        errors: Those that are known, ascending, shape (n,).
        row: The origin of each, shape (n,).
    """

    def __init__(
        self, first_steps: Positions, points_kw: Values, errors_kw: Values, steps_per_day: int
    ) -> None:
        """Of k origins.

        Args:
            first_steps: The first step of each on the local clock, ascending, shape (k,).
            points_kw: What was forecast, shape (k, h).
            errors_kw: Truth less that, NaN where unknown, shape (k, h).
            steps_per_day: Steps of a day.
        """
        self.points = errors_kw.shape[1]
        self.period = max(self.points, steps_per_day)
        self._per_day = steps_per_day
        self._first_steps, self._points_kw, self._errors_kw = first_steps, points_kw, errors_kw
        rows, leads = np.nonzero(~np.isnan(errors_kw))
        order = np.argsort(errors_kw[rows, leads], kind="stable")
        self.row, self._lead = rows[order], leads[order]
        self.errors = errors_kw[self.row, self._lead]
        self._step = first_steps[self.row] + self._lead
        self._levels = np.sort(points_kw[self.row, self._lead])
        self._place = self._rank(points_kw[self.row, self._lead])
        # By whether a step is on a weekend: what the errors of both kinds of day tell of it.
        on_weekend = self._is_weekend(self._step)
        self._kind = np.where([~on_weekend, on_weekend], 1.0, _OTHER_KIND_OF_DAY)
        self._set_width(1.0)
        self._widen()

    def weights(self, origin: int, point: Values) -> Values:
        """Of the errors, for each step of a forecast from `origin`, shape (h, n)."""
        kind = self._kind[self._is_weekend(origin + np.arange(len(point))).astype(np.int64)]
        weights: Values = self._by_time(origin, len(point)) * kind
        weights *= self._by_rank[self._rank(point)].take(self._place, axis=1)
        return weights

    def recency(self, origin: int, half_life: float) -> Values:
        """What is left of each error's weight at an origin after half-lives in periods, shape (n,)."""
        left: Values = 0.5 ** ((origin - self._first_steps) / (half_life * self.period))
        return left[self.row]

    def errors_at(self, weights: Values, shares: Values) -> Values:
        """The errors up to which some shares of their weights lie.

        Args:
            weights: Of the errors, by step, shape (h, n).
            shares: 0 to 1, shape (m, h).

        Returns:
            Shape (m, h).
        """
        summed = np.cumsum(weights, axis=1)
        summed /= summed[:, -1:]
        places = [np.searchsorted(row, share) for row, share in zip(summed, shares.T, strict=True)]
        errors: Values = self.errors[np.minimum(np.array(places), len(self.errors) - 1)].T
        return errors

    def levels_that_hold(self, row: int, half_life: float) -> Values:
        """The least levels whose intervals, from what had come by then, would have held an origin's truths.

        Args:
            row: The origin.
            half_life: As `recency` has it.

        Returns:
            One for each known truth, 0 to 1; none where too little had come.
        """
        at = int(self._first_steps[row])
        had_come = self._first_steps[self.row] + self.points <= at
        if np.count_nonzero(had_come) < _LEAST_ORIGINS * self.points:
            return np.zeros(0)
        shares = self._share_below(row, had_come * self.recency(at, half_life))
        held: Values = np.abs(2 * shares[~np.isnan(shares)] - 1)
        return held

    def latest_known(self, most: int) -> list[int]:
        """The latest origins of whose steps all are known, ascending."""
        known = np.flatnonzero(~np.isnan(self._errors_kw).any(axis=1))
        latest: list[int] = known[-most:].tolist()
        return latest

    def share_below(self, row: int) -> Values:
        """The share of the other origins' errors that lie below each of an origin's, shape (h,)."""
        return self._share_below(row, (self.row != row).astype(np.float64))

    def _share_below(self, row: int, counts: Values) -> Values:
        own = self._errors_kw[row]
        weights = self.weights(int(self._first_steps[row]), self._points_kw[row]) * counts
        summed = np.concatenate([np.zeros((len(own), 1)), np.cumsum(weights, axis=1)], axis=1)
        steps = np.flatnonzero(~np.isnan(own) & (summed[:, -1] > 0))
        # Of errors that are the same, half lie below.
        first, last = (np.searchsorted(self.errors, own[steps], side) for side in ("left", "right"))
        shares = np.full(len(own), np.nan)
        shares[steps] = (summed[steps, first] + summed[steps, last]) / (2 * summed[steps, -1])
        return shares

    def _by_time(self, origin: int, count: int) -> Values:
        """Weights by lead and hour of the day, shape (count, n); the same for origins at the same hour."""
        phase = origin % self._per_day
        if phase not in self._times:
            leads = np.arange(max(count, self.points))[:, None]
            hours = 24 * ((phase + leads - self._step) % self._per_day) / self._per_day
            apart = (np.minimum(hours, 24 - hours) / _HOURS) ** 2
            apart += ((leads - self._lead) / (_LEADS * self.points)) ** 2
            self._times[phase] = np.exp(-apart / (2 * self._width**2))
        return self._times[phase][:count]

    def _set_width(self, width: float) -> None:
        self._width = width
        self._times: dict[int, Values] = {}
        apart = np.subtract.outer(np.arange(_PLACES), np.arange(_PLACES)) / (_PLACES * _RANKS * width)
        self._by_rank = np.exp(-(apart**2) / 2)

    def _widen(self) -> None:
        """Takes more as near until there are errors enough, as seen from the latest origin."""
        while self._width < _WIDEST:
            weights = self.weights(int(self._first_steps[-1]), self._points_kw[-1])
            total = weights.sum(axis=1)
            if ((total > 0) & (total**2 >= _ENOUGH_ERRORS * (weights**2).sum(axis=1))).all():
                return
            self._set_width(_WIDER * self._width)

    def _rank(self, point: Values) -> Positions:
        places = np.searchsorted(self._levels, point) * _PLACES // len(self._levels)
        return np.minimum(places, _PLACES - 1)

    def _is_weekend(self, steps: Positions) -> Flags:
        # 1970-01-01 was a Thursday.
        weekend: Flags = (steps // self._per_day + 3) % 7 >= 5
        return weekend
