"""Text for the dossier: escaped, with numbers and instants in one stable form."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, tzinfo
from html import escape as escape_text
from math import floor, isfinite, log10
from typing import Any, Final

NOTHING: Final = "—"
_NARROW_SPACE = "\u202f"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# Beyond these powers of ten a plain number is hard to read.
_SMALLEST_POWER, _LARGEST_POWER = -4, 8


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def escape(value: object) -> Html:
    """Anything as HTML; what is HTML already stays as it is."""
    return value if isinstance(value, Html) else Html(escape_text(str(value)))


def joined(parts: Iterable[str]) -> Html:
    """Parts on lines of their own, each escaped unless it is HTML."""
    return Html("\n".join(escape(part) for part in parts if part))


def element(name: str, content: object) -> Html:
    """An element without attributes."""
    return Html(f"<{name}>{escape(content)}</{name}>")


def code(name: object) -> Html:
    """A name that programs use; it may break after a colon."""
    return Html(f"<code>{escape(name).replace(':', ':<wbr>')}</code>")


def names(each: Iterable[object]) -> Html:
    """Such names in a row."""
    return Html(", ".join(code(name) for name in each)) or Html(NOTHING)


def status(verdict: str) -> Html:
    """A judgement: `valid`, `caution` or `rejected`."""
    return Html(f'<span class="status {escape(verdict)}">{escape(verdict)}</span>')


def section(title: str, *parts: str) -> Html:
    """A part of the page with its heading."""
    return joined([Html("<section>"), element("h2", title), *parts, Html("</section>")])


def paragraph(*sentences: object) -> Html:
    """Sentences, those that are no HTML escaped."""
    return element("p", Html(" ".join(escape(each) for each in sentences)))


def table(
    caption: object, heads: Sequence[str], rows: Iterable[Sequence[object]], numeric: Collection[int] = ()
) -> Html:
    """A table whose rows begin with their heading.

    Args:
        caption: What it shows.
        heads: Of the columns.
        rows: Cells; those that are no HTML are escaped.
        numeric: Columns that are set right.
    """
    align = [' class="n"' if place in numeric else "" for place in range(len(heads))]
    head = "".join(
        f'<th scope="col"{where}>{escape(each)}</th>' for each, where in zip(heads, align, strict=True)
    )
    lines = (
        f'<tr><th scope="row"{align[0]}>{escape(first)}</th>'
        + "".join(f"<td{where}>{escape(each)}</td>" for each, where in zip(rest, align[1:], strict=True))
        + "</tr>"
        for first, *rest in rows
    )
    body = "\n".join(lines)
    return Html(
        f"<table><caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody></table>"
    )


def facts(pairs: Iterable[tuple[str, object]]) -> Html:
    """Names and what they stand for."""
    lines = (f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in pairs)
    return Html('<dl class="facts">\n' + "\n".join(lines) + "\n</dl>")


def number(value: Any, digits: int = 4) -> str:
    """A figure with so many significant digits; what isn't known or finite is a dash."""
    if value is None or not isfinite(value := float(value)):
        return NOTHING
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits}g}")
    power = floor(log10(abs(rounded)))
    if not _SMALLEST_POWER <= power <= _LARGEST_POWER:
        exponent = str(power).translate(_SUPERSCRIPT)
        return _signed(f"{rounded / 10**power:.{digits - 1}f} × 10{exponent}")
    return _signed(f"{rounded:,.{max(digits - 1 - power, 0)}f}")


def brief(value: Any) -> str:
    """A limit or setting as someone would write it: no zeros behind."""
    return NOTHING if value is None else _signed(f"{float(value):,.10g}")


def or_nothing(value: object) -> object:
    """A dash for what is missing."""
    return NOTHING if value is None or value == "" else value


def whole(value: Any) -> str:
    """A count."""
    return NOTHING if value is None else _signed(f"{int(value):,}")


def probability(value: Any) -> str:
    """A p value."""
    if value is None:
        return NOTHING
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"


def percent(value: Any) -> str:
    """A share of a hundred, with two decimals."""
    # Adding zero takes the sign from a zero.
    return NOTHING if value is None else f"{_signed(f'{round(float(value), 2) + 0.0:,.2f}')} %"


def instant(at: datetime | None, zone: tzinfo) -> str:
    """An instant in the factory's time; its offset tells the two hours of a night in autumn apart."""
    if at is None:
        return NOTHING
    text = at.astimezone(zone).isoformat(sep=" ", timespec="minutes")
    return f"{text[:16]} {_signed(text[16:])}"


def _signed(text: str) -> str:
    """Digits in groups, and a minus that is one."""
    return text.replace(",", _NARROW_SPACE).replace("-", "−")
