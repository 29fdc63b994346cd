"""Large counts, such as multiply-adds, as text: with k, M or G and without exponents or commas."""

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

UP, DOWN, NEAREST = ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN
_DIGITS = 4
_MOST = 10**24
_UNITS = {"G": 9, "M": 6, "k": 3}


def count_text(count: int, rounding: str | None = None) -> str:
    """Return a count as text, such as 463M or 84.51G.

    Args:
        count: at least 0.
        rounding: `UP`, `DOWN` or `NEAREST` to four digits; by default every digit is written.
    """
    value = Decimal(int(count))
    if rounding:
        value = value.quantize(Decimal(1).scaleb(max(value.adjusted() + 1 - _DIGITS, 0)), rounding)
    unit, power = next(((unit, power) for unit, power in _UNITS.items() if value >= 10**power), ("", 0))
    return f"{value.scaleb(-power).normalize():f}{unit}"


def read_count(text: str) -> int | None:
    """Return the count in a text such as 10M, 1.5G or 800k; None where it is not one of at least 1 and below 10^24."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kKmMgG]?)", text.strip())
    if match is None:
        return None
    powers = {unit.lower(): power for unit, power in _UNITS.items()}
    value = float(match[1]) * 10 ** powers.get(match[2].lower(), 0)
    return round(value) if value < _MOST and round(value) >= 1 else None
