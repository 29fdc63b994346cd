"""Bootstrap optimisation (paper 3.3, Eq. 15): draw very many cells with replacement, predict, keep the best."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.config.search import CellsConfig
from nasgem_core.encoders.fitted import FittedEncoder
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.search.candidates import Edited, candidate_chunks
from nasgem_core.search.objective import Objective
from nasgem_core.search.perceptron import FittedPredictor
from nasgem_core.search.scorer import EmbeddingScorer, Scorer

HISTOGRAM_BINS = 50


@dataclass(frozen=True, eq=False)
class Candidates:
    """The best distinct cells found, best first.

    Args:
        cells: K of them; fewer than asked for when no more distinct ones were sampled.
        keys: their canonical keys.
        predicted: float32 [K], their predicted efficiency scores.
        macs: int64 [K], multiply-adds, whatever the score charges.
        sampled: number of cells that were sampled.
        score_mean: mean predicted score of the sampled cells.
        score_edges: [51] bin edges of the predicted scores of all sampled cells. They span the first chunk's
            scores with half their range on either side; the outermost bins also hold what lies beyond.
        score_counts: [50] int64, cells per bin.
        ruled_out: how many cells would have been among the best and cannot be part of the search, for each obstacle.
    """

    cells: CellBatch
    keys: tuple[str, ...]
    predicted: np.ndarray
    macs: np.ndarray
    sampled: int
    score_mean: float
    score_edges: np.ndarray
    score_counts: np.ndarray
    ruled_out: dict[str, int]


@dataclass(frozen=True, eq=False)
class ScoredSample:
    """Sampled cells with all that was computed for them, for figures (paper, figure 4).

    Args:
        cells: B cells.
        embeddings: float32 [B, d].
        predicted: float32 [B].
    """

    cells: CellBatch
    embeddings: np.ndarray
    predicted: np.ndarray


@dataclass(frozen=True, eq=False)
class _Chunk:
    """Sampled cells with their predicted scores, float32 [B]."""

    cells: CellBatch
    predicted: np.ndarray


def bootstrap(
    scorer: Scorer,
    space: CellsConfig,
    objective: Objective,
    *,
    count: int,
    top: int,
    seed: int,
    max_macs: int | None = None,
    exclude_keys: Collection[str] = (),
    edited: Edited | None = None,
    on_progress: Callable[[int, dict[str, float]], None] | None = None,
) -> Candidates:
    """Return the `top` sampled cells with the highest predicted efficiency score.

    Args:
        scorer: predicts scores.
        space: the law that cells are drawn by.
        objective: what the score charges, with lambda of Eq. 5.
        count: number of cells to sample.
        top: number of distinct (not isomorphic) cells to keep.
        seed: of the sampled cells.
        max_macs: budget; cells with more multiply-adds are left out.
        exclude_keys: canonical keys of cells to leave out, those already trained.
        edited: which of the cells are edited copies of given ones; not in the paper.
        on_progress: called after each chunk with the cells sampled and the best predicted score so far.

    Raises:
        ParameterError: `count` or `top` is below 1, or the penalty is not the predictor's.
        DataError: every sampled cell is excluded.
    """
    for name, value in (("candidates", count), ("top", top)):
        if value < 1:
            raise ParameterError(f"bootstrap.{name} = {value}: must be at least 1")
    excluded = frozenset(exclude_keys)
    best = _Best(CellBatch.from_cells([], space.operations, space.vertices), [], np.empty(0, np.float32))
    sampled, total = 0, 0.0
    ruled_out: Counter[str] = Counter()

    def obstacle(cell: CellBatch) -> str:
        reason = objective.obstacles(cell)[0]
        ruled_out[reason] += bool(reason)
        return reason

    edges, counts = np.empty(0), np.zeros(HISTOGRAM_BINS, dtype=np.int64)
    for chunk in _scored(scorer, objective, candidate_chunks(space, count, seed, edited)):
        if not sampled:
            edges = _bin_edges(chunk.predicted)
        bins = np.searchsorted(edges, chunk.predicted, side="right") - 1
        counts += np.bincount(np.clip(bins, 0, HISTOGRAM_BINS - 1), minlength=HISTOGRAM_BINS)
        best = best.updated(_within(chunk, objective, max_macs), top, excluded, obstacle)
        sampled += len(chunk.cells)
        total += float(chunk.predicted.sum(dtype=np.float64))
        if on_progress:
            on_progress(sampled, {"best_predicted": float(best.predicted[0])} if best.keys else {})
    if not best.keys:
        budget = f", or have more than {max_macs} MACs" if max_macs is not None else ""
        budget += f", or cannot be ({', '.join(+ruled_out)})" if +ruled_out else ""
        raise DataError(
            f"all {sampled} sampled cells have been trained already{budget}: "
            "raise bootstrap.candidates, cells.vertices or the budget"
        )
    macs = objective.networks.complexity(best.cells).macs
    return Candidates(
        best.cells, tuple(best.keys), best.predicted, macs, sampled, total / sampled, edges, counts, dict(+ruled_out)
    )


def score_sample(
    encoder: FittedEncoder,
    predictor: FittedPredictor,
    space: CellsConfig,
    objective: Objective,
    *,
    count: int,
    seed: int,
) -> ScoredSample:
    """Return the first `count` cells that `bootstrap` draws from this seed without edited copies, with predictions."""
    scorer = EmbeddingScorer(encoder, predictor)
    chunks = list(_scored(scorer, objective, candidate_chunks(space, count, seed)))
    return ScoredSample(
        CellBatch.concatenate([chunk.cells for chunk in chunks]),
        np.concatenate([encoder.embed(chunk.cells) for chunk in chunks]),
        np.concatenate([chunk.predicted for chunk in chunks]),
    )


def _scored(scorer: Scorer, objective: Objective, chunks: Iterable[CellBatch]) -> Iterator[_Chunk]:
    for cells in chunks:
        costs = objective.predicted_costs(cells) if scorer.needs_costs else None
        yield _Chunk(cells, scorer.score(cells, costs, objective.penalty))


def _within(chunk: _Chunk, objective: Objective, max_macs: int | None) -> _Chunk:
    if max_macs is None:
        return chunk
    kept = objective.networks.complexity(chunk.cells).macs <= max_macs
    return _Chunk(chunk.cells[kept], chunk.predicted[kept])


@dataclass(frozen=True, eq=False)
class _Best:
    """The best distinct cells so far, best first."""

    cells: CellBatch
    keys: list[str]
    predicted: np.ndarray

    def updated(
        self, chunk: _Chunk, top: int, excluded: frozenset[str], obstacle: Callable[[CellBatch], str]
    ) -> "_Best":
        """Return the best of this list and a chunk. Keys and obstacles are those of cells that could enter the list."""
        threshold = self.predicted[-1] if len(self.keys) == top else -np.inf
        hopeful = np.flatnonzero(chunk.predicted > threshold)
        hopeful = hopeful[np.argsort(-chunk.predicted[hopeful], kind="stable")]
        chosen: dict[str, int] = {}
        for start in range(0, len(hopeful), 2 * top):
            block = hopeful[start : start + 2 * top]
            for key, index in zip(chunk.cells[block].keys, block, strict=True):
                if key not in excluded and key not in chosen and not obstacle(chunk.cells[[index]]):
                    chosen[key] = int(index)
                if len(chosen) == top:
                    break
            if len(chosen) == top:
                break
        if not chosen:
            return self
        new = np.array(list(chosen.values()))
        cells = CellBatch.concatenate([self.cells, chunk.cells[new]])
        keys = [*self.keys, *chosen]
        predicted = np.concatenate([self.predicted, chunk.predicted[new]])
        order = np.argsort(-predicted, kind="stable")
        first: dict[str, int] = {}
        for i in order:
            first.setdefault(keys[i], int(i))
        kept = list(first.values())[:top]
        return _Best(cells[kept], [keys[i] for i in kept], predicted[kept])


def _bin_edges(scores: np.ndarray) -> np.ndarray:
    low, high = float(scores.min()), float(scores.max())
    margin = max((high - low) / 2, 1e-6)
    return np.linspace(low - margin, high + margin, HISTOGRAM_BINS + 1)
