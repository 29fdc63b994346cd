import numpy as np
import pytest

from nasgem_core.cells.sampling import sample_distinct_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.predictors import process_scorer
from nasgem_core.search.candidates import Edited
from nasgem_core.search.objective import ProxyNetworks, objective_class
from tasks.stages import bootstrap as module
from tasks.stages.bootstrap import Draw, Found, best_candidates, bootstrap_task
from tasks.stages.objective import objective_value
from tasks.stages.scorer import fit_process_task, scorer_of
from tasks.stages.trained import TrainedCells
from tasks.store.serialization import decode, encode

SPACE = CellsConfig(vertices=6)
NETWORKS = ProxyNetworks(NetworkLayout(width=4, stages=(1, 2), stem_stride=1, image_size=16), 10)
CELLS = sample_distinct_cells(SPACE, 12, 0)
ACCURACY = np.random.default_rng(0).uniform(0.3, 0.6, 12)


@pytest.fixture(autouse=True)
def _small_reference(monkeypatch):
    monkeypatch.setattr(process_scorer, "_REFERENCE", 200)


@pytest.mark.parametrize("name", ["macs", "params", "memory"])
def test_new_cells_are_found_and_scored_by_the_objective(name):
    objective = objective_class(name).open(name, NETWORKS, 0.2)
    scorer = {"process": fit_process_task.fn(CELLS, objective.measured(CELLS, ACCURACY), SPACE, "accuracy", 1)}
    budget = int(np.median(NETWORKS.complexity(CELLS).macs))
    draw = Draw(count=80, top=3, seed=5, max_macs=budget)
    value = bootstrap_task.fn(scorer, SPACE, objective_value(objective), draw, trained=sorted(CELLS.keys))
    found = Found.of(decode(encode(value)))
    assert found.sampled == 80 and 0 < len(found.cells) <= 3 and found.cells.keys == value["keys"]
    assert not set(found.cells.keys) & set(CELLS.keys) and (found.macs <= budget).all()
    costs = objective.predicted_costs(found.cells)
    np.testing.assert_allclose(found.predicted, scorer_of(scorer).score(found.cells, costs, 0.2), atol=1e-5)


@pytest.mark.parametrize("edited", [0.0, 0.5])
def test_edited_copies_are_of_the_cells_of_which_the_predictor_expects_most(monkeypatch, edited):
    objective = objective_class("macs").open("macs", NETWORKS, 0.2)
    results = [{"accuracy": value, "failed": place == 0, "reason": ""} for place, value in enumerate(ACCURACY)]
    trained = TrainedCells.of(CELLS, results, objective, origin="random")
    scorer = {"process": fit_process_task.fn(CELLS, objective.measured(CELLS, ACCURACY), SPACE, "accuracy", 1)}
    given = []

    class Noted(Edited):
        def __post_init__(self) -> None:
            given.append(self)

    monkeypatch.setattr(module, "PARENTS", 4)
    monkeypatch.setattr(module, "Edited", Noted)
    monkeypatch.setattr(module, "bootstrap_task", bootstrap_task.fn)
    found = best_candidates(scorer, SPACE, objective, Draw(count=300, top=3, seed=5, edited=edited), trained)
    assert len(found.cells) == 3 and not set(found.cells.keys) & set(CELLS.keys) and len(given) == (edited > 0)
    expected = scorer_of(scorer).score(CELLS, objective.predicted_costs(CELLS), 0.2)[1:]
    best = CELLS[1 + np.argsort(-expected)[:4]].keys
    assert [(one.parents.keys, one.share) for one in given] == [(best, 0.5)] * (edited > 0), (
        "a failed cell is no parent"
    )
