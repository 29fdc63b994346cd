"""Letters that the font of the figures can draw, and what is drawn in place of others."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import matplotlib

FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
"""The font of the plots: matplotlib brings it to every machine, and it has most alphabets, but no Chinese or emoji."""


@cache
def _letters() -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(str(FONT)).get_charmap())


def can_draw(text: str) -> bool:
    """Return whether the font has every letter of a text; of others it would draw boxes."""
    return all(letter.isspace() or ord(letter) in _letters() for letter in text)


def lettered(text: str) -> str:
    r"""Return a text whose letters that the font lacks are written out, such as \u732b."""
    if can_draw(text):
        return text
    return "".join(letter if can_draw(letter) else letter.encode("unicode_escape").decode("ascii") for letter in text)


def drawn_names(names: Sequence[str]) -> dict[str, str]:
    """Return what is drawn for each name: the name, or its place, as "#3" for the third, if the font lacks a letter."""
    return {name: name if can_draw(name) else f"#{place}" for place, name in enumerate(names, start=1)}


def numbers_remark(drawn: Mapping[str, str]) -> str:
    """Return one line on the names that are drawn as numbers, "" if there are none."""
    numbered = [f"{number} {name}" for name, number in drawn.items() if name != number]
    return f"drawn as numbers, because the font lacks their letters: {', '.join(numbered)}" if numbered else ""
