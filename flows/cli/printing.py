"""Results on the terminal; cheap to import."""

import math
from collections.abc import Sequence

from rich.cells import cell_len
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from nasgem_core.printable import printable
from tasks.run.terminal import Terminal, between_words

out = Terminal()
_NARROWEST = 10
"""Letters to which a column of words may be narrowed."""


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table whole, numbers to the right, its title above it.

    On a terminal that is too narrow, words go on in the next line of their column. Where that does not suffice, columns
    go on below, each part beginning with the first column. No number is broken or cut.
    """
    shown = [[printable(cell, lines=False) for cell in row] for row in rows]
    numeric = [bool(shown) and all(_is_number(row[i]) for row in shown) for i in range(len(header))]
    # The title of a rich table is wrapped at the width of the table.
    out.print(f"\n{between_words(title, out.width) if out.is_terminal else title}", style="italic", soft_wrap=True)
    table = _laid_out(header, shown, numeric)
    excess = _natural(table) - out.width
    if not out.is_terminal or excess <= 0:
        _print(table)
    elif widths := _narrowed(header, shown, numeric, excess):
        _print(_laid_out(header, shown, numeric, widths))
    else:
        for number, part in enumerate(_parts(header, shown, out.width)):
            if number:
                out.print()
            cells = [[row[place] for place in part] for row in shown]
            _print(_laid_out([header[place] for place in part], cells, [numeric[place] for place in part]))


def _print(table: Table) -> None:
    # A cell that is cut to fit the terminal would lose digits, so the terminal wraps one that is still too wide.
    table.width = _natural(table)
    out.print(table, crop=False)


def _natural(table: Table) -> int:
    """Return the columns of the terminal that a table would like to have."""
    return Measurement.get(out, out.options.update(max_width=10_000), table).maximum


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


def _parts(header: Sequence[str], rows: list[list[str]], width: int) -> list[list[int]]:
    """Return the places of columns that fit next to each other; the first column begins each part."""
    widths = [max(map(cell_len, column)) + 1 for column in zip(header, *rows, strict=True)]
    parts = [[0]]
    for place in range(1, len(widths)):
        if len(parts[-1]) > 1 and sum(widths[other] for other in parts[-1]) + widths[place] - 1 > width:
            parts.append([0])
        parts[-1].append(place)
    return parts


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
