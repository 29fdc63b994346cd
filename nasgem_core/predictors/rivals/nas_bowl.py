"""NAS-BOWL's surrogate (Ru et al. 2021): a Gaussian process whose covariance is the Weisfeiler-Lehman kernel.

The kernel of Eq. 1 of the paper, over all iterations up to h, normalised. h, amplitude and noise maximise the marginal
likelihood. In the optimal-assignment form (Kriege et al. 2016), which NAS-BOWL takes on NAS-Bench-101, a label that two
cells have a and b times adds min(a, b) and not a b. Both kernels are inner products of counts: in the second form, of
labels that carry how many equal ones come before them, each once per cell. So the posterior mean is a sum of one weight
for each label, and scoring costs the same whatever the number of labelled cells. A label has 64 bits; labels that
differ are taken for equal with a chance of about 2^-64 a pair.
"""

from typing import Self

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_array

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.random_streams import GOLDEN, mix_words
from nasgem_core.kernel.wl import wl_labels
from nasgem_core.predictors.predictor import normal_scores
from nasgem_core.predictors.recipe import Recipe
from nasgem_core.predictors.space import Space

MOST_ITERATIONS = 4
"""h is chosen from 0 to this, as in NAS-BOWL."""
_LEARNED_ROWS = 1000
"""h and noise are learned on at most so many of the cells: their eigenvalues cost the third power of the number."""
_LOG_NOISE = (-8.0, 4.0)
"""Bounds of the logarithm of noise over amplitude."""
_CHUNK = 8192
_PLACE = np.uint64(1 << 32)


def counted_labels(cells: CellBatch, iterations: int, directions: str, assignment: bool) -> np.ndarray:
    """Return labels whose counts have the kernel as their inner product, uint64 [B, h + 1, V]; padding is 0.

    Labels of different iterations differ. With `assignment`, equal labels of one cell are told apart by their place.
    """
    labels = wl_labels(cells, iterations, directions)
    marks = np.arange(1, iterations + 2, dtype=np.uint64)[:, None]
    if assignment:
        equal = labels[..., :, None] == labels[..., None, :]
        earlier = np.tril(np.ones((cells.width, cells.width), dtype=bool), -1)
        marks = marks + _PLACE * (equal & earlier).sum(-1).astype(np.uint64)
    return np.where(labels == 0, labels, mix_words(labels ^ (marks * GOLDEN)))


def counts_of(labels: np.ndarray, known: np.ndarray) -> csr_array:
    """Return how often each of `known` [L], ascending, occurs in labels [B, ...], as a sparse float64 [B, L]."""
    flat = labels.reshape(len(labels), -1)
    place = np.minimum(np.searchsorted(known, flat), len(known) - 1)
    cell, slot = np.nonzero((known[place] == flat) & (flat != 0))
    shape = (len(flat), len(known))
    return csr_array((np.ones(len(cell)), (cell, place[cell, slot])), shape=shape)


def squared_norms(labels: np.ndarray) -> np.ndarray:
    """Return k(G, G) of labels [B, h + 1, V]: the squares of their counts, summed, float64 [B]."""
    equal = (labels[..., :, None] == labels[..., None, :]) & (labels != 0)[..., None]
    return equal.sum((1, 2, 3)).astype(np.float64)


class WeisfeilerLehmanProcess:
    """The posterior mean; after `fit`, `iterations` is the h that was chosen and `noise` its noise over amplitude.

    Args:
        space: the cells.
        directions: the neighbours that labels see, "both" or "successors".
        assignment: take the optimal-assignment form.
    """

    def __init__(self, space: Space, directions: str, assignment: bool) -> None:
        self._space, self._directions, self._assignment = space, directions, assignment

    def fit(self, rows: np.ndarray, labels: np.ndarray, seed: int) -> Self:
        """Learn from the normal scores of the labels; see `Predictor.fit`. Nothing is drawn: the seed is not read."""
        targets = normal_scores(rows, labels)
        counted = self._labels(self._space.cells[rows], MOST_ITERATIONS)
        few = counted[:_LEARNED_ROWS]
        trials = []
        for iterations in range(MOST_ITERATIONS + 1):
            kernel = gram(few[:, : iterations + 1])
            trials.append((*marginal_likelihood(kernel, targets[:_LEARNED_ROWS]), iterations))
        _, self.noise, self.iterations = max(trials)
        counted = counted[:, : self.iterations + 1]
        kernel = gram(counted)
        kernel[np.diag_indices_from(kernel)] += self.noise
        weights = cho_solve(cho_factor(kernel, lower=True, overwrite_a=True, check_finite=False), targets)
        self._known = _known(counted)
        self._weights = counts_of(counted, self._known).T @ (weights / np.sqrt(squared_norms(counted)))
        return self

    def predict(self, rows: np.ndarray, space: Space | None = None) -> np.ndarray:
        """Return the posterior means over the amplitude, float64 [rows]; see `Predictor.predict`."""
        cells, parts = (space or self._space).cells, [np.empty(0)]
        for start in range(0, len(rows), _CHUNK):
            labels = self._labels(cells[rows[start : start + _CHUNK]], self.iterations)
            parts.append(counts_of(labels, self._known) @ self._weights / np.sqrt(squared_norms(labels)))
        return np.concatenate(parts)

    def _labels(self, cells: CellBatch, iterations: int) -> np.ndarray:
        return counted_labels(cells, iterations, self._directions, self._assignment)


def _known(labels: np.ndarray) -> np.ndarray:
    known = np.unique(labels)
    return known[known != 0]


def gram(labels: np.ndarray) -> np.ndarray:
    """Return the normalised kernel of all pairs of cells, float64 [N, N], from labels [N, h + 1, V]."""
    counts = counts_of(labels, _known(labels))
    norms = np.sqrt(squared_norms(labels))
    return (counts @ counts.T).toarray() / (norms[:, None] * norms)


def marginal_likelihood(kernel: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """Return the highest log marginal likelihood, up to a constant, and the noise over amplitude that reaches it.

    The best amplitude for a noise ratio r is the mean of the targets' squared coordinates along the eigenvectors over
    (eigenvalue + r), which leaves one variable.
    """
    values, vectors = np.linalg.eigh(kernel)
    squares = (vectors.T @ targets) ** 2

    def loss(log_noise: float) -> float:
        shifted = np.maximum(values, 0) + np.exp(log_noise)
        return 0.5 * (len(targets) * np.log(np.mean(squares / shifted)) + np.log(shifted).sum())

    best = minimize_scalar(loss, bounds=_LOG_NOISE, method="bounded")
    return -float(best.fun), float(np.exp(best.x))


RECIPE = Recipe(build=lambda space, *_: WeisfeilerLehmanProcess(space, "both", assignment=True))
