"""Results on the terminal; cheap to import."""

import math
from collections.abc import Sequence

from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from nasgem_core.printable import printable
from tasks.run.terminal import Terminal

out = Terminal()


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table whole, numbers to the right, its title above it."""
    table = Table(box=None, padding=(0, 1), collapse_padding=True, pad_edge=False)
    for name in header:
        numeric = rows and all(_is_number(row[header.index(name)]) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(printable(cell, lines=False)) for cell in row))
    # The title of a rich table is wrapped at the width of the table.
    out.print(f"\n{title}", style="italic", soft_wrap=True)
    # Cells cut to fit the terminal would lose digits, so the terminal wraps a table that is too wide.
    table.width = Measurement.get(out, out.options.update(max_width=10_000), table).maximum
    out.print(table, crop=False)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
