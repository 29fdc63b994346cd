"""Results on the terminal; cheap to import."""

import math
from collections.abc import Sequence

from rich.cells import cell_len
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from nasgem_core.printable import printable
from tasks.run.terminal import Terminal

out = Terminal()
_NARROWEST = 10
"""Letters to which a column of words may be narrowed."""


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table whole, numbers to the right, its title above it.

    On a terminal that is too narrow, words go on in the next line of their column; no number is broken or cut.
    """
    shown = [[printable(cell, lines=False) for cell in row] for row in rows]
    numeric = [bool(shown) and all(_is_number(row[i]) for row in shown) for i in range(len(header))]
    table = _laid_out(header, shown, numeric)
    natural = Measurement.get(out, out.options.update(max_width=10_000), table).maximum
    if out.is_terminal and natural > out.width:
        widths = _narrowed(header, shown, numeric, natural - out.width)
        if widths:
            table, natural = _laid_out(header, shown, numeric, widths), out.width
    # The title of a rich table is wrapped at the width of the table.
    out.print(f"\n{title}", style="italic", soft_wrap=True)
    # Cells cut to fit the terminal would lose digits, so the terminal wraps a table that is still too wide.
    table.width = natural
    out.print(table, crop=False)


def _laid_out(
    header: Sequence[str], rows: list[list[str]], numeric: list[bool], widths: dict[int, int] | None = None
) -> Table:
    """Return a table, with the widths of some columns given by their places."""
    table = Table(box=None, padding=(0, 1), collapse_padding=True, pad_edge=False)
    for place, name in enumerate(header):
        width = (widths or {}).get(place)
        table.add_column(name, justify="right" if numeric[place] else "left", no_wrap=width is None, width=width)
        table.columns[-1].overflow = "fold"
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _narrowed(header: Sequence[str], rows: list[list[str]], numeric: list[bool], excess: int) -> dict[int, int]:
    """Return narrower widths of columns of words, by their places, that save the excess; nothing where none do."""
    widths = {
        place: max(cell_len(words) for words in [name, *(row[place] for row in rows)])
        for place, name in enumerate(header)
        if not numeric[place]
    }
    narrowed: dict[int, int] = {}
    while excess > 0:
        place = max(widths, key=widths.__getitem__, default=None)
        if place is None or widths[place] <= _NARROWEST:
            return {}
        narrowed[place] = widths[place] = widths[place] - 1
        excess -= 1
    return narrowed


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
