"""What fits into a column of PostgreSQL."""

from math import isnan


def within(value: float, digits: int, decimals: int) -> float | None:
    """The nearest number that a `numeric(digits, decimals)` holds; None for what is no number."""
    most = 10.0 ** (digits - decimals) - 10.0**-decimals
    return None if isnan(value) else max(-most, min(value, most))
