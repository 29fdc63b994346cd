import numpy as np
import pytest

from nasgem_core.benchmarks.mutation import Mutation
from nasgem_core.benchmarks.nasbench101 import BENCHMARK
from nasgem_core.benchmarks.prediction_spaces import prediction_space
from nasgem_core.benchmarks.queries import Queries
from nasgem_core.benchmarks.searches import (
    bootstrap_search,
    process_search,
    random_search,
    regularised_evolution,
)
from nasgem_core.predictors.trees import BoostedTrees
from tests.benchmarks.small101 import small_nasbench101

BUDGET = 60


@pytest.fixture(scope="module")
def run():
    table = small_nasbench101()
    space, mutation = prediction_space(table, BENCHMARK), Mutation(table)
    searches = {
        "random": lambda queries, seed: random_search(queries, len(table), seed),
        "evolution": lambda queries, seed: regularised_evolution(queries, mutation, len(table), seed),
        "bootstrap": lambda queries, seed: bootstrap_search(queries, BoostedTrees(space, 1), len(table), seed),
        "process": lambda queries, seed: process_search(queries, space, BENCHMARK.prior, seed),
    }

    def search(name: str, seed: int, budget: int = BUDGET) -> Queries:
        queries = Queries(table, budget, BENCHMARK.runs)
        searches[name](queries, seed)
        return queries

    return search


@pytest.mark.parametrize(
    "name",
    [
        "random",
        "evolution",
        pytest.param("bootstrap", marks=pytest.mark.slow),
        pytest.param("process", marks=pytest.mark.slow),
    ],
)
def test_a_search_spends_its_budget_and_repeats(run, name):
    queries = run(name, 1)
    assert queries.left == 0
    assert len(queries.regret()) == BUDGET
    assert len(set(queries.rows)) == len(queries.rows)
    again = run(name, 1)
    assert (again.rows, again.curve) == (queries.rows, queries.curve)
    assert run(name, 2).rows != queries.rows
    for budget in (7, 8):
        assert len(run(name, 1, budget=budget).curve) == budget


@pytest.mark.slow
def test_what_learns_beats_random_search(run):
    regret = {name: np.mean([run(name, seed).regret()[-1] for seed in range(4)]) for name in ("random", "process")}
    assert regret["process"] < 0.5 * regret["random"]
