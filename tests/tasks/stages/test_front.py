"""What `nasgem select --pareto` compares, and its table."""

from dataclasses import replace

import pytest

from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig, SearchConfig
from nasgem_core.errors import DataError
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.search.objective import ProxyNetworks, objective_class
from tasks.stages.front import front_table, read_compared
from tasks.stages.imagenet_table import MACS_WORDS, METRICS_FILE
from tasks.stages.trained import (
    BASELINE,
    BOOTSTRAP_FILE,
    ESTIMATOR_FILE,
    KNOWN,
    RANDOM,
    REPEATS_FILE,
    TrainedCells,
    write_trained,
)
from tasks.store.artifacts import write_json

SPACE = CellsConfig(vertices=8)
CELLS = sample_cells(SPACE, 5, 0)
NETWORKS = ProxyNetworks(NetworkLayout(width=4, stages=(1, 2), stem_stride=1, image_size=16), 10)
MEMORY = objective_class("memory").open("memory", NETWORKS, 0.1)
MACS = MEMORY.networks.complexity(CELLS).macs


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def trained(origin, accuracies):
    results = [{"accuracy": a, "failed": a < 0, "reason": ""} for a in accuracies.values()]
    return TrainedCells.of(CELLS[list(accuracies)], results, MEMORY, origin=origin)


def write_search():
    write_trained(
        ESTIMATOR_FILE,
        TrainedCells.concatenate([trained([f"{KNOWN}: MobileNetV1"], {0: 0.1}), trained(RANDOM, {1: 0.4, 2: -1})]),
    )
    write_trained(BOOTSTRAP_FILE, trained(BASELINE, {1: 0.4, 3: 0.5, 4: 0.3}))
    write_trained(REPEATS_FILE, trained(["finalist: run 1"], {1: 0.6}))


def test_without_networks_and_cells_it_is_said_which_stage_is_missing():
    with pytest.raises(DataError, match="nasgem stage bootstrap"):
        read_compared(SearchConfig(cells=SPACE))


def test_cells_have_all_their_trainings_and_all_costs():
    write_search()
    found = read_compared(SearchConfig(cells=SPACE))
    names = [f"{CELLS.keys[0][:8]} (MobileNetV1)", *(CELLS.keys[place][:8] for place in (1, 3, 4))]
    assert [each.name for each in found.compared] == names, "a failed training is left out"
    assert found.compared[1].accuracies == [0.4, 0.6], "one that search and random search share counts once"
    assert list(found.compared[0].costs)[2:] == ["memory MB"] and found.accuracy == "proxy accuracy (%)"
    assert found.compared[2].costs[MACS_WORDS] == MACS[3] / 1e6


def test_the_table_has_the_front_the_known_blocks_and_the_best_of_the_others():
    write_search()
    found = read_compared(SearchConfig(cells=SPACE))
    table = front_table(found, 0)
    words = {row[0]: row[table.header.index("Pareto front of")] for row in table.rows}
    best = [max(found.compared, key=lambda each: each.accuracy).name]
    assert f"{CELLS.keys[0][:8]} (MobileNetV1)" in words and words[best[0]] != "dominated"
    dominated = [each.name for each in found.compared if each.name not in words]
    assert all(word != "dominated" for name, word in words.items() if "MobileNet" not in name)
    assert table.note == (f"{len(dominated)} others are dominated and not listed." if dominated else "")
    assert len(front_table(found, 9).rows) == 4
    costs = [float(row[3]) for row in front_table(found, 9).rows]
    assert costs == sorted(costs)


def test_trained_networks_come_first():
    write_search()
    row = {"macs": 19_000_000, "params": 400_000, "top1": [0.6, 0.7], "latency_ms": 1.5}
    worse = {**row, "top1": [0.5], "latency_ms": 2.0}
    document = {"networks": {"gemnet": row, "mobilenet_v2": worse}, "differences": {}}
    write_json(METRICS_FILE, "nasgem.metrics/1", document)
    found = read_compared(SearchConfig(cells=SPACE))
    table = front_table(found, 0)
    assert [line[-2:] for line in table.rows] == [["MACs, params, latency", 2], ["dominated", 1]]
    assert found.accuracy == "top-1 accuracy (%)"


def test_a_search_at_a_budget_names_it():
    write_search()
    config = SearchConfig(cells=SPACE)
    found = read_compared(replace(config, score=replace(config.score, budget="20M")))
    assert found.title.endswith("score.budget = 20M")
