"""Searches of a table with a budget of noisy queries: ours, the paper's bootstrap, evolution, and random search."""

from collections import deque
from collections.abc import Sequence

import numpy as np

from nasgem_core.benchmarks.benchmark import Edits
from nasgem_core.benchmarks.queries import Queries
from nasgem_core.predictors.covariances import COVARIANCES
from nasgem_core.predictors.gp import GaussianProcess
from nasgem_core.predictors.predictor import Predictor
from nasgem_core.predictors.relevances import Relevances
from nasgem_core.predictors.space import Space
from nasgem_core.seeding import derive_seed

_INITIAL, _BATCH = 20, 10
"""Random queries that the processes start from, and queries between two fits."""
_AGAIN = 20
"""Cells that are asked for again in the end: one noisy run cannot tell the best of them apart."""
_NARROWED = 100_000
"""From the second fit on only the cells that looked best are scored again."""
_POPULATION, _TOURNAMENT = 30, 10
_PAPER_INITIAL, _PAPER_ROUNDS, _PAPER_CANDIDATES = 50, 5, 50_000


def random_search(queries: Queries, cells: int, seed: int) -> None:
    """Ask for random cells of a table with `cells` rows."""
    queries.ask(np.random.default_rng(seed).choice(cells, queries.left, replace=False))


def regularised_evolution(queries: Queries, edits: Edits, cells: int, seed: int) -> None:
    """Mutate the best of a random tournament, let the oldest die (Real et al. 2019)."""
    rng = np.random.default_rng(seed)
    population: deque = deque()
    for row in rng.choice(cells, min(_POPULATION, queries.left), replace=False):
        population.append((float(queries.ask(np.array([row]))[0]), edits.graph_of(int(row), rng)))
    while queries.left:
        tournament = [population[i] for i in rng.choice(len(population), _TOURNAMENT, replace=False)]
        child = edits.mutate(max(tournament, key=lambda member: member[0])[1], rng)
        population.append((float(queries.ask(np.array([child.row]))[0]), child))
        population.popleft()


def bootstrap_search(queries: Queries, predictor: Predictor, cells: int, seed: int) -> None:
    """Fit the predictor, sample 50,000 cells, ask for those it ranks highest, and again (paper 3.2, 3.3)."""
    rng = np.random.default_rng(seed)
    queries.ask(rng.choice(cells, min(_PAPER_INITIAL, queries.left), replace=False))
    batch = -(-queries.left // _PAPER_ROUNDS)
    number = 0
    while queries.left:
        predictor.fit(np.array(queries.rows), np.array(queries.observed), derive_seed(seed, "fit", number))
        candidates = np.setdiff1d(rng.integers(0, cells, _PAPER_CANDIDATES), queries.rows)
        best = candidates[np.argsort(-predictor.predict(candidates), kind="stable")]
        queries.ask(best[: min(batch, queries.left)])
        number += 1


def process_search(queries: Queries, space: Space, prior: Relevances, seed: int) -> None:
    """Ask for what two Gaussian processes expect to be best, of all cells; in the end ask again for the best of these.

    The processes are those of the ensemble, their standardised expectations added.
    """
    rng = np.random.default_rng(seed)
    queries.ask(rng.choice(len(space), min(_INITIAL, queries.left), replace=False))
    processes = [GaussianProcess(space, name, prior) for name in COVARIANCES]
    candidates, kept = np.arange(len(space)), min(_AGAIN * queries.repeat_cost, queries.left // 2)
    kept -= kept % max(queries.repeat_cost, 1)
    while queries.left:
        known = np.array(queries.rows)
        for process in processes:
            process.fit(known, np.array(queries.observed), seed)
        if queries.left <= kept:
            break
        order = candidates[np.argsort(-_expected(processes, candidates), kind="stable")]
        new = order[~np.isin(order, known)]
        queries.ask(new[: min(_BATCH, queries.left - kept)])
        candidates = np.sort(order[:_NARROWED])
    if queries.left and queries.repeat_cost:
        for row in known[np.argsort(-_expected(processes, known), kind="stable")][
            : queries.left // queries.repeat_cost
        ]:
            queries.ask_again(int(row))


def _expected(processes: Sequence[Predictor], rows: np.ndarray) -> np.ndarray:
    expected = [process.predict(rows).astype(np.float64) for process in processes]
    return np.sum([(values - values.mean()) / max(values.std(), 1e-12) for values in expected], axis=0)
