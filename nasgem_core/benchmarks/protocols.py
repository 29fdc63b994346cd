"""How a table is split into cells for training and cells to rank."""

from nasgem_core.errors import ParameterError

PROPORTIONS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
TRAINING_SHARE = 0.6
"""Tables 3 and 4 of the paper: of 1,000 cells 600 are for training, and of these the proportions are taken."""
_FEWEST, _LEFT = 4, 10
BIAS_CANDIDATES = 50_000
"""Cells that are ranked for Figure 5 of the paper."""


def training_sizes(table: str, rows: int, wanted: tuple[int, ...] = ()) -> tuple[int, ...]:
    """Return the numbers of training cells, ascending: those wanted, or else the paper's proportions.

    Raises:
        ParameterError: one of them leaves fewer than 10 of the table's `rows` to be ranked.
    """
    shares = [max(_FEWEST, round(share * TRAINING_SHARE * rows)) for share in PROPORTIONS]
    sizes = wanted or shares
    for size in sizes:
        if size > rows - _LEFT:
            raise ParameterError(
                f"benchmark.sizes: {size} training cells of table {table!r}, which has {rows}: at least {_LEFT} cells "
                "must be left to rank"
            )
    return tuple(sorted(set(sizes)))
