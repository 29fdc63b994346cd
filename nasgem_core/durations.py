"""Durations in whole nanoseconds as text, such as 2 ms, and back."""

import re
from decimal import Decimal

_DIGITS = 4
_POWERS = {"us": 3, "ms": 6, "s": 9}


def duration_text(nanoseconds: float, rounding: str | None = None) -> str:
    """Return a duration in milliseconds as text, such as "2 ms" or "0.625 ms".

    Args:
        nanoseconds: at least 0.
        rounding: of `nasgem_core.counts`, to four digits; by default every digit is written.
    """
    value = Decimal(round(nanoseconds)).scaleb(-_POWERS["ms"])
    if rounding and value:
        value = value.quantize(Decimal(1).scaleb(value.adjusted() + 1 - _DIGITS), rounding)
    return f"{value.normalize():f} ms"


def read_duration(text: str) -> int | None:
    """Return the nanoseconds in a text such as 2ms, 1.5 ms or 800us; None where it is not a duration above 0."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(us|ms|s)", text.strip())
    if match is None:
        return None
    return round(Decimal(match[1]).scaleb(_POWERS[match[2]])) or None
