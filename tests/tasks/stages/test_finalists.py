"""Which cells are finalists, and what becomes of a cell that cannot meet the budget."""

from dataclasses import replace

import pytest

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.known_blocks import known_blocks
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig, SearchConfig
from nasgem_core.config.transfer import FinalistsConfig, GemnetConfig
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.search.objective import ProxyNetworks, objective_class
from tasks.stages.finalists import mean_scores, network_of, pick_finalists, read_searched
from tasks.stages.trained import (
    BASELINE,
    BOOTSTRAP_FILE,
    ESTIMATOR_FILE,
    KNOWN,
    RANDOM,
    REPEATS_FILE,
    TOP,
    TrainedCells,
    write_trained,
)
from tests.search.target_networks import target_networks
from tests.tasks.classifiers import SMALL

SPACE = CellsConfig(vertices=8, edge_probability=(0.2, 0.6))
RANDOM_CELLS = sample_cells(SPACE, 8, 0)
BLOCKS = CellBatch.from_cells([block.cell.canonical_form() for block in known_blocks(SPACE)[:2]], SPACE.operations, 8)
CELLS = CellBatch.concatenate([RANDOM_CELLS, BLOCKS])
FAILED, SEARCHED, BEST_BLOCK = 7, 2, 8
NETWORKS = ProxyNetworks(NetworkLayout(width=4, stages=(1, 2), stem_stride=1, image_size=16), 10)
FREE = objective_class("macs").open("macs", NETWORKS, 0.0)
CONFIG = SearchConfig(
    cells=SPACE,
    finalists=FinalistsConfig(cells=4),
    gemnet=GemnetConfig(skeleton="mobile"),
    imagenet=replace(SMALL, image_size=32, macs=(8_000_000,)),
)


def trained(origin, accuracies):
    """Give cells by their numbers with accuracies, which are their scores too; below 0 where the training failed."""
    results = [{"accuracy": a, "failed": a < 0, "reason": "diverged" if a < 0 else ""} for a in accuracies.values()]
    return TrainedCells.of(CELLS[list(accuracies)], results, FREE, origin=origin)


@pytest.fixture(autouse=True)
def _search(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    known = trained([f"{KNOWN}: A", f"{KNOWN}: B"], {8: 0.12, 9: 0.11})
    write_trained(
        ESTIMATOR_FILE,
        TrainedCells.concatenate([known, trained(RANDOM, {0: 0.5, 2: 0.6, 3: 0.4, 4: 0.3, FAILED: -1})]),
    )
    write_trained(
        BOOTSTRAP_FILE, TrainedCells.concatenate([trained(TOP, {5: 0.7}), trained(BASELINE, {0: 0.5, 1: 0.9})])
    )
    again = [trained("finalist: run 1", {5: 0.2, 2: 0.7}), trained("random search finalist: run 1", {2: 0.7, 1: 0.9})]
    write_trained(REPEATS_FILE, TrainedCells.concatenate([*again, trained("chosen cell: run 2", {2: 0.8})]))


def build(config):
    """Give the function that builds the network of a cell."""
    return lambda cell: network_of(cell, config, 3, None)


def keys(places):
    return [CELLS.keys[place] for place in places]


def test_cells_of_the_search_are_ranked_by_the_mean_of_all_their_trainings():
    own, repeats = read_searched(SPACE)
    assert set(own.key) == set(keys([0, 2, 3, 4, 5, 7, 8, 9])) and len(repeats) == 5
    found = mean_scores(own, repeats)
    assert list(found.index) == keys([2, 0, 5, 3, 4, 8, 9])
    # The first, two runs; the one that the search and random search share counts once.
    assert found["mean"].tolist() == pytest.approx([0.7, 0.5, 0.45, 0.4, 0.3, 0.12, 0.11])
    assert found["count"].tolist() == [3, 1, 2, 1, 1, 1, 1]


def test_without_repeated_trainings_single_ones_rank():
    write_trained(REPEATS_FILE, TrainedCells.none(SPACE))
    assert list(mean_scores(*read_searched(SPACE)).index) == keys([5, 2, 0, 3, 4, 8, 9])


def test_the_choice_of_the_search_and_the_best_known_block_are_finalists():
    found = pick_finalists(CONFIG, CELLS.cell(4), build(CONFIG), lambda *_: pytest.fail("ruled out"))
    assert [each.key for each in found] == keys([2, 0, 4, BEST_BLOCK])
    assert [(each.origin, each.trainings) for each in found[::3]] == [(RANDOM, 3), (f"{KNOWN}: A", 1)]
    assert found[0].score == pytest.approx(0.7) and found[0].spec.name == found[0].key[:8]
    few = pick_finalists(
        replace(CONFIG, finalists=FinalistsConfig(cells=1)), CELLS.cell(4), build(CONFIG), lambda *_: None
    )
    assert [each.key for each in few] == keys([4, BEST_BLOCK])
    all_of_them = replace(CONFIG, finalists=FinalistsConfig(cells=100))
    assert len(pick_finalists(all_of_them, CELLS.cell(4), build(CONFIG), lambda *_: None)) == 7


def test_cells_that_cannot_meet_the_budget_make_room_for_the_next():
    def fit(cell):
        if cell.canonical_key in keys([0, BEST_BLOCK]):
            raise ParameterError("imagenet.macs = 8M cannot be met")
        return build(CONFIG)(cell)

    out = []
    found = pick_finalists(CONFIG, CELLS.cell(SEARCHED), fit, lambda *words: out.append(words))
    assert [each.key for each in found] == keys([2, 5, 3, 9])
    assert out == [(key, "imagenet.macs = 8M cannot be met") for key in keys([BEST_BLOCK, 0])]


def test_a_budget_that_no_cell_can_meet_is_refused():
    config = replace(CONFIG, imagenet=replace(CONFIG.imagenet, macs=(1000,)))
    with pytest.raises(ParameterError, match=r"no cell of the search has a network .*: change imagenet\.macs, or set"):
        pick_finalists(config, CELLS.cell(SEARCHED), build(config), lambda *_: None)


def test_a_choice_of_another_search_is_refused():
    with pytest.raises(DataError, match=r"best_cell\.json holds a cell that this search has not trained: .* again"):
        pick_finalists(CONFIG, CELLS.cell(1), build(CONFIG), lambda *_: None)


def test_networks_are_those_of_stage_imagenet():
    spec = network_of(CELLS.cell(2), CONFIG, 3, None)
    assert (spec.image_size, spec.num_classes, spec.layout.name) == ((32, 32), 3, "cifar")
    assert spec.layout.skeleton.name == "mobile"
    built = replace(
        CONFIG, imagenet=replace(CONFIG.imagenet, macs=(0,)), gemnet=GemnetConfig(macs=(500_000_000, 10**9))
    )
    spec = network_of(CELLS.cell(2), built, 3, None)
    assert (spec.image_size, spec.num_classes, spec.layout.skeleton.name) == ((32, 32), 3, "mobile")
    with pytest.raises(ParameterError, match=r"^imagenet\.macs = 1k cannot be met"):
        network_of(CELLS.cell(2), replace(CONFIG, imagenet=replace(CONFIG.imagenet, macs=(1000,))), 3, None)


def test_without_a_budget_of_its_own_the_network_is_that_of_the_search():
    gemnet = GemnetConfig(skeleton="mobile", layout="tiny", image_size=64)
    config = replace(CONFIG, imagenet=replace(CONFIG.imagenet, macs=(0,)), gemnet=gemnet)
    networks = target_networks(20_000_000)
    spec = network_of(CELLS.cell(2), config, 3, networks)
    assert (spec.name, spec.image_size, spec.num_classes) == (CELLS.keys[2][:8], (32, 32), 3)
    assert spec.channels == networks.channels(CELLS.cell(2))


def test_of_several_budgets_finalists_have_the_first():
    both = replace(CONFIG, imagenet=replace(CONFIG.imagenet, macs=(8_000_000, 20_000_000)))
    assert network_of(CELLS.cell(2), both, 3, None) == network_of(CELLS.cell(2), CONFIG, 3, None)
