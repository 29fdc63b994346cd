"""Random cells: sub-graphs of the complete DAG on n vertices (paper, sections 3.2 and 4).

The paper says "randomly sample"; the distribution is our choice. For each cell, an edge probability is drawn
log-uniformly; each of the n(n-1)/2 possible edges exists with that probability; the operation of each vertex is drawn
uniformly; and the graph is pruned. Graphs in which nothing follows the input are drawn again.
"""

import math

import numpy as np
from numba import njit

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.codes import FIRST_OPERATION_CODE, INPUT_CODE
from nasgem_core.cells.pruning import prune_into
from nasgem_core.cells.random_streams import below, next_word, start_stream, uniform
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import ParameterError
from nasgem_core.seeding import derive_seed

_CHUNK, _TRIES = 256, 400
_S16, _MASK16 = np.uint64(16), np.uint64(0xFFFF)


@njit(cache=True)
def _sample(
    seed: np.uint64, adjacency: np.ndarray, codes: np.ndarray, log_low: float, log_high: float, num_operations: int
) -> None:
    batch, size = codes.shape
    graph = np.zeros((size, size), dtype=np.uint8)
    drawn = np.zeros(size, dtype=np.uint8)
    state = np.zeros(1, dtype=np.uint64)
    for b in range(batch):
        start_stream(state, seed, b)
        kept = 0
        while kept < 2:
            probability = math.exp(log_low + (log_high - log_low) * uniform(state))
            # Each edge compares 16 random bits with this, so one 64-bit word serves four edges.
            threshold = np.uint64(round(probability * 65536.0))
            word, left = np.uint64(0), 0
            for u in range(size):
                for v in range(u + 1, size):
                    if left == 0:
                        word, left = next_word(state), 4
                    graph[u, v] = (word & _MASK16) < threshold
                    word >>= _S16
                    left -= 1
            drawn[0] = INPUT_CODE
            for v in range(1, size):
                drawn[v] = FIRST_OPERATION_CODE + below(state, num_operations)
            kept = prune_into(graph, drawn, size, adjacency[b], codes[b])


def sample_cells(config: CellsConfig, count: int, seed: int) -> CellBatch:
    """Draw `count` cells with replacement; cell i depends only on the seed and on i.

    Returns a batch of width `config.vertices`: pruned cells, compacted to the front, padded with zeros.
    """
    size = config.vertices
    adjacency = np.empty((count, size, size), dtype=np.uint8)
    codes = np.empty((count, size), dtype=np.uint8)
    low, high = config.edge_probability
    _sample(np.uint64(seed), adjacency, codes, math.log(low), math.log(high), len(config.operations))
    return CellBatch(adjacency, codes, config.operations)


def sample_distinct_cells(config: CellsConfig, count: int, seed: int) -> CellBatch:
    """Draw cells until `count` of them differ up to isomorphism; the first k do not depend on `count`.

    Raises:
        ParameterError: the search space seems to have fewer cells than that.
    """
    kept: dict[str, CellBatch] = {}
    for chunk in range(_TRIES + count // 16):
        batch = sample_cells(config, _CHUNK, derive_seed(seed, "chunk", chunk))
        for i, key in enumerate(batch.keys):
            kept.setdefault(key, batch[i])
        if len(kept) >= count:
            return CellBatch.concatenate(list(kept.values())[:count])
    raise ParameterError(
        f"only {len(kept)} different cells were found, but {count} are needed: "
        "ask for fewer, raise cells.vertices or widen cells.edge_probability"
    )
