"""How a table is usually split: the numbers of training cells that publications report."""

from nasgem_core.benchmarks import nasbench101, nasbench201
from nasgem_core.errors import ParameterError

USUAL_SIZES = {
    nasbench101.NAME: (100, 172, 424, 4236),
    nasbench201.NAMES["contracted"]: (78, 156, 469, 1563),
}
"""About .02, .04, .1 and 1 % of NAS-Bench-101; .5, 1, 3 and 10 % of NAS-Bench-201."""
PROPORTIONS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
TRAINING_SHARE = 0.6
"""Tables 3 and 4 of the paper: of 1,000 cells 600 are for training, and of these the proportions are taken."""
_FEWEST, _LEFT = 4, 10
BIAS_SIZES = (200, 500, 1000, 2000)
BIAS_CANDIDATES = 50_000
"""Figure 5 of the paper."""


def training_sizes(table: str, rows: int, wanted: tuple[int, ...] = ()) -> tuple[int, ...]:
    """Return the numbers of training cells, ascending: those wanted, or the usual ones, or the paper's proportions.

    Raises:
        ParameterError: one of them leaves fewer than 10 of the table's `rows` to be ranked.
    """
    shares = [max(_FEWEST, round(share * TRAINING_SHARE * rows)) for share in PROPORTIONS]
    sizes = wanted or USUAL_SIZES.get(table) or shares
    for size in sizes:
        if size > rows - _LEFT:
            raise ParameterError(
                f"benchmark.sizes: {size} training cells of table {table!r}, which has {rows}: at least {_LEFT} cells "
                "must be left to rank"
            )
    return tuple(sorted(set(sizes)))
