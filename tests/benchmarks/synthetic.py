"""A table of random cells whose accuracy follows a known rule, with noise on the label."""

import numpy as np

from nasgem_core.benchmarks.rows import key_hashes
from nasgem_core.benchmarks.table import TabularSpace
from nasgem_core.cells.sampling import sample_distinct_cells
from nasgem_core.config.search import CellsConfig


def synthetic_table(rows: int, *, noise: float = 0.01, params: bool = True, name: str = "synthetic") -> TabularSpace:
    """Return a table of distinct cells: the truth grows with the share of one operation and with the edges a vertex."""
    cells = sample_distinct_cells(CellsConfig(vertices=10), rows, 0)
    vertices, edges = cells.num_vertices, cells.adjacency.sum((1, 2))
    truth = 0.5 + 0.2 * (cells.codes == 3).sum(1) / vertices + 0.05 * edges / vertices
    label = truth + noise * np.random.default_rng(0).normal(size=rows)
    metrics = {"label": label, "truth": truth}
    if params:
        metrics["params"] = 100.0 * vertices + edges
    columns = {metric: values.astype(np.float32) for metric, values in metrics.items()}
    return TabularSpace(name, cells, columns, "label", "truth", key_hashes(cells))
