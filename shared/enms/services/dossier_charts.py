"""Charts of the dossier as inline SVG: a frame with two axes, dots, lines and bars in it.

Thousands of dots are one path, each a stroke of no length with a round end: a fraction of the bytes that
circles take.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from math import ceil, floor, gcd, log10
from typing import Final
from zoneinfo import ZoneInfo

from enms.services.dossier_html import Html, escape

MOST_DOTS: Final = 3_000
_FEW_DOTS = 500
_WEEK_HOURS = 168
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 12, 12, 44
_TICK_STEPS = (1, 2, 2.5, 5, 10)
_DAY_STEPS = (1, 2, 7, 14, 28, 56, 112)
_DAY = timedelta(days=1)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Scale:
    """One axis.

    Attributes:
        low: Value at its beginning.
        high: Value at its end.
        ticks: Values that are marked, with their labels.
    """

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]

    def place(self, value: float, begin: float, end: float) -> float:
        """Where a value lies between two places."""
        return begin + (value - self.low) / (self.high - self.low) * (end - begin)


@dataclass(frozen=True)
class Plot:
    """A chart's area.

    Attributes:
        title: What the chart shows, for those who don't see it.
        x: The axis from left to right.
        y: The axis from bottom to top.
        x_label: What it is, with its unit.
        y_label: The same of the other.
        width: Of the whole, in pixels.
        height: Of the whole.
    """

    title: str
    x: Scale
    y: Scale
    x_label: str
    y_label: str
    width: int = 360
    height: int = 270

    def dots(self, xs: Sequence[float], ys: Sequence[float]) -> Html:
        """A dot for each pair; those that fall on one place are drawn once."""
        places = dict.fromkeys(self._at(x, y) for x, y in zip(xs, ys, strict=True))
        kind = "dots" if len(places) > _FEW_DOTS else "dots few"
        return _path(kind, "".join(f"M{place}h0" for place in places))

    def line(self, kind: str, xs: Sequence[float], ys: Sequence[float]) -> Html:
        """A line through points, drawn as `kind` says."""
        return _path(kind, "M" + "L".join(self._at(x, y) for x, y in zip(xs, ys, strict=True)))

    def level(self, kind: str, y: float) -> Html:
        """A line from left to right."""
        return self.line(kind, (self.x.low, self.x.high), (y, y))

    def bars(self, edges: Sequence[float], heights: Sequence[float]) -> Html:
        """Bars that stand on zero, one between each two edges."""
        parts = [
            f"M{self._at(left, 0)}L{self._at(left, height)}L{self._at(right, height)}L{self._at(right, 0)}Z"
            for left, right, height in zip(edges, edges[1:], heights, strict=False)
            if height
        ]
        return _path("bars", "".join(parts))

    def svg(self, *marks: str) -> Html:
        """The chart with these marks; what lies outside the area is cut off."""
        name = "".join(each if each.isalnum() else "-" for each in self.title.lower())
        area = (
            f'x="{_LEFT}" y="{_TOP}" width="{self.width - _LEFT - _RIGHT}" '
            f'height="{self.height - _TOP - _BOTTOM}"'
        )
        return Html(
            f'<svg viewBox="0 0 {self.width} {self.height}" role="img" aria-labelledby="{name}">'
            f'<title id="{name}">{escape(self.title)}</title>\n'
            f'<clipPath id="{name}-area"><rect {area}/></clipPath>\n'
            f'{self._axes()}\n<g clip-path="url(#{name}-area)">\n' + "\n".join(marks) + "\n</g></svg>"
        )

    def _at(self, x: float, y: float) -> str:
        across = self.x.place(x, _LEFT, self.width - _RIGHT)
        up = self.y.place(y, self.height - _BOTTOM, _TOP)
        return f"{across:.1f} {up:.1f}"

    def _axes(self) -> str:
        right, bottom = self.width - _RIGHT, self.height - _BOTTOM
        parts = []
        for value, label in self.x.ticks:
            at = self.x.place(value, _LEFT, right)
            parts.append(f'<path class="grid" d="M{at:.1f} {_TOP}V{bottom}"/>')
            parts.append(f'<text x="{at:.1f}" y="{bottom + 15}" text-anchor="middle">{label}</text>')
        for value, label in self.y.ticks:
            at = self.y.place(value, bottom, _TOP)
            parts.append(f'<path class="grid" d="M{_LEFT} {at:.1f}H{right}"/>')
            parts.append(f'<text x="{_LEFT - 6}" y="{at + 3.5:.1f}" text-anchor="end">{label}</text>')
        parts.append(f'<path class="axis" d="M{_LEFT} {_TOP}V{bottom}H{right}"/>')
        middle, up = (_LEFT + right) / 2, (_TOP + bottom) / 2
        parts.append(
            f'<text x="{middle:.1f}" y="{self.height - 8}" text-anchor="middle">{escape(self.x_label)}</text>'
            f'<text transform="translate(13 {up:.1f}) rotate(-90)" text-anchor="middle">'
            f"{escape(self.y_label)}</text>"
        )
        return "\n".join(parts)


def scale(low: float, high: float, most_ticks: int = 6) -> Scale:
    """An axis that holds both values, its ends and ticks on round numbers."""
    if high <= low:
        margin = abs(low) * 0.05 or 1.0
        low, high = low - margin, high + margin
    step = _round_step((high - low) / (most_ticks - 1))
    first, last = floor(low / step), ceil(high / step)
    decimals = max(0, -floor(log10(step)) + (1 if f"{step:e}".startswith("2.5") else 0))
    ticks = tuple((each * step, _label(each * step, decimals)) for each in range(first, last + 1))
    return Scale(first * step, last * step, ticks)


def time_scale(first: int, last: int, zone: ZoneInfo) -> Scale:
    """An axis of instants in seconds since 1970, marked at midnights of the factory."""
    begin, end = (datetime.fromtimestamp(at, zone) for at in (first, max(last, first + 1)))
    days = (end - begin) / _DAY
    step = next((each for each in _DAY_STEPS if days / each <= 7), _DAY_STEPS[-1] * ceil(days / 784))
    day = begin.date() + (_DAY if begin.timestamp() > _midnight(begin, zone) else timedelta())
    ticks = []
    while (at := datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) <= end.timestamp():
        ticks.append((at, f"{day.day} {_MONTHS[day.month - 1]}"))
        day += step * _DAY
    return Scale(first, max(last, first + 1), tuple(ticks))


def every(dots: int) -> int:
    """Which dots are drawn, so that a chart has no more than it can show: every so manieth.

    No step shares a factor with the hours of a week, or only some hours of the day would be drawn.
    """
    return next(step for step in count(max(1, ceil(dots / MOST_DOTS))) if gcd(step, _WEEK_HOURS) == 1)


def _midnight(at: datetime, zone: ZoneInfo) -> float:
    return datetime(at.year, at.month, at.day, tzinfo=zone).timestamp()


def _round_step(least: float) -> float:
    power: float = 10.0 ** floor(log10(least))
    return next(each * power for each in _TICK_STEPS if each * power >= least * (1 - 1e-9))


def _label(value: float, decimals: int) -> str:
    text = f"{value:,.{decimals}f}".replace(",", "\u202f")
    return text.removeprefix("-") if float(f"{value:.{decimals}f}") == 0 else text.replace("-", "−")


def _path(kind: str, drawn: str) -> Html:
    return Html(f'<path class="{kind}" d="{drawn}"/>')
