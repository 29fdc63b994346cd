"""Multiply-adds in messages: with k, M or G and without exponents or commas, so that `--macs` can read them."""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

UP, DOWN, NEAREST = ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN
_DIGITS = 4
_UNITS = {"G": 9, "M": 6, "k": 3}


def macs_text(macs: int, rounding: str | None = None) -> str:
    """Return a number of multiply-adds as text, such as 463M or 84.51G.

    Args:
        macs: at least 0.
        rounding: `UP`, `DOWN` or `NEAREST` to four digits; by default every digit is written.
    """
    value = Decimal(int(macs))
    if rounding:
        value = value.quantize(Decimal(1).scaleb(max(value.adjusted() + 1 - _DIGITS, 0)), rounding)
    unit, power = next(((unit, power) for unit, power in _UNITS.items() if value >= 10**power), ("", 0))
    return f"{value.scaleb(-power).normalize():f}{unit}"
