"""Weisfeiler-Lehman similarities by direction and iteration, to be combined with learned weights.

Nine cosines of label counts: labels refined by in-neighbours, by out-neighbours and by both, one to three times. The
similarity to N fixed cells is a sum of table rows, one for each vertex whose label those cells know.
"""

import numpy as np
from numba import njit

from nasgem_core.cells.batch import CellBatch
from nasgem_core.kernel.wl import wl_labels

ITERATIONS = 3
SIMILARITIES = 3 * ITERATIONS


def subtree_labels(cells: CellBatch) -> np.ndarray:
    """Return uint64 [B, 9, V]: row 3 d + t - 1 for direction d (in, out, both) and iteration t; padding is 0."""
    labels = [wl_labels(_reversed(cells), ITERATIONS, "successors")]
    labels += [wl_labels(cells, ITERATIONS, directions) for directions in ("successors", "both")]
    return np.concatenate([direction[:, 1:] for direction in labels], axis=1)


def _reversed(cells: CellBatch) -> CellBatch:
    """Return the cells with all edges turned round, numbered from the last vertex to the first."""
    places, sizes = np.arange(cells.width), cells.num_vertices[:, None]
    order = np.where(places < sizes, sizes - 1 - places, places)
    rows = np.arange(len(cells))[:, None]
    turned = cells.adjacency[rows[:, :, None], order[:, None, :], order[:, :, None]]
    return CellBatch(turned, cells.codes[rows, order], cells.operation_names)


@njit(cache=True)
def _norms(labels: np.ndarray) -> np.ndarray:
    """Return float32 [B, 9], the Euclidean norms of the label counts."""
    batch, kernels, room = labels.shape
    norms = np.zeros((batch, kernels), dtype=np.float32)
    for b in range(batch):
        for k in range(kernels):
            for u in range(room):
                for v in range(room):
                    if labels[b, k, u] != 0 and labels[b, k, u] == labels[b, k, v]:
                        norms[b, k] += 1
    return np.sqrt(norms)


@njit(cache=True, fastmath=True)
def _add_rows(places: np.ndarray, scales: np.ndarray, table: np.ndarray, out: np.ndarray) -> None:
    """Add to out [B, N] the rows of table [L, N] at places [B, V], times scales [B]; a place of -1 has no row."""
    for b in range(len(places)):
        scale = scales[b]
        for v in range(places.shape[1]):
            row = places[b, v]
            if row >= 0:
                for j in range(out.shape[1]):
                    out[b, j] += scale * table[row, j]


class SimilarityTo:
    """The nine similarities of any cells to N fixed ones, or weighted sums of them."""

    def __init__(self, labels: np.ndarray) -> None:
        """Take the labels of the fixed cells, uint64 [N, 9, V]."""
        self._known, self._tables = [], []
        norms = _norms(labels)
        for k in range(SIMILARITIES):
            known, place = np.unique(labels[:, k], return_inverse=True)
            table = np.zeros((len(known), len(labels)), dtype=np.float32)
            np.add.at(table, (place.reshape(labels[:, k].shape), np.arange(len(labels))[:, None]), 1)
            self._known.append(known)
            self._tables.append(table / norms[:, k])

    def combine(self, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return float32 [B, N]: the sum of the similarities of labels [B, 9, V], by weights [9]."""
        out = np.zeros((len(labels), self._tables[0].shape[1]), dtype=np.float32)
        norms = _norms(labels)
        for k in np.flatnonzero(weights):
            known, own = self._known[k], labels[:, k]
            place = np.minimum(np.searchsorted(known, own), len(known) - 1)
            place[(known[place] != own) | (own == 0)] = -1
            _add_rows(place, np.float32(weights[k]) / norms[:, k], self._tables[k], out)
        return out

    def each(self, labels: np.ndarray) -> np.ndarray:
        """Return float64 [9, B, N], the similarities one by one."""
        return np.stack([self.combine(labels, unit) for unit in np.eye(SIMILARITIES)]).astype(np.float64)
