"""Analytic features of cells: what a person would read off the drawing, in numbers.

All are functions of the labelled graph alone, so isomorphic cells have equal features. A feature's name is
`group:detail`, with the group up to the last colon; each block of groups has a module of its own.
"""

from collections.abc import Callable

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.codes import FIRST_OPERATION_CODE
from nasgem_core.predictors.features.channels import channel_names, write_channels
from nasgem_core.predictors.features.counts import count_names, write_counts
from nasgem_core.predictors.features.motifs import motif_names, write_motifs
from nasgem_core.predictors.features.places import place_names, write_places
from nasgem_core.predictors.features.sequences import sequence_names, write_sequences
from nasgem_core.predictors.features.subsets import subset_names, write_subsets
from nasgem_core.predictors.features.visits import visit_names, write_visits
from nasgem_core.predictors.notation import Notation

_BLOCKS: tuple[tuple[Callable[[int], list[str]], Callable[..., None]], ...] = (
    (count_names, write_counts),
    (subset_names, write_subsets),
    (visit_names, write_visits),
    (channel_names, write_channels),
    (sequence_names, write_sequences),
    (motif_names, write_motifs),
    (place_names, write_places),
)


def feature_names(kinds: int) -> list[str]:
    """Return the names of all F features of spaces with K = `kinds` operations, as `cell_features` orders them."""
    return [name for names, _ in _BLOCKS for name in names(kinds)]


def cell_features(cells: CellBatch, notation: Notation) -> np.ndarray:
    """Return float32 [B, F] of cells that `notation.lay_out` gave.

    Every block is a function, compiled inside, of the adjacency [B, V, V], the operations [B, V] as 0..K-1 (what is at
    the input, the output and in the padding is not read), the sizes [B], the operations' costs [K] and whether the
    output divides its channels; it fills its own columns, which are 0 before.
    """
    costs = np.array(notation.costs)
    operations = cells.codes.astype(np.int64) - FIRST_OPERATION_CODE
    sizes, divided = cells.num_vertices, notation.divides_output
    blocks = [len(names(len(costs))) for names, _ in _BLOCKS]
    features = np.zeros((len(cells), sum(blocks)), dtype=np.float32)
    start = 0
    for length, (_, write) in zip(blocks, _BLOCKS, strict=True):
        write(cells.adjacency, operations, sizes, costs, divided, features[:, start : start + length])
        start += length
    return features
