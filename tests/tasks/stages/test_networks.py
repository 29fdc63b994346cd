from dataclasses import replace

import numpy as np
import pytest

from nasgem_core.backbones.channels import Budget
from nasgem_core.cells.known_blocks import MOBILENET_V2_6
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.score import ScoreConfig
from nasgem_core.config.search import CellsConfig, ProxyConfig, SearchConfig
from nasgem_core.config.transfer import GemnetConfig
from nasgem_core.errors import ParameterError
from nasgem_core.networks.complexity import cell_costs
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.training.image_set import ImageSet
from tasks.stages.networks import gemnet_layout, proxy_networks, search_networks, target_frame
from tasks.stages.objective import objective_of, objective_value, open_objective
from tasks.stages.target_latency import fit_target_latency
from tasks.store.serialization import decode, encode
from tests.tasks.stages.latency_tables import write_table_of

IMAGES = ImageSet(
    *(part for _ in range(2) for part in (np.zeros((4, 32, 32, 3), np.uint8), np.arange(4))), tuple("abcd")
)
GEMNET = GemnetConfig(layout="tiny", skeleton="mobile", image_size=64, dropout=0.2, squeeze=0.25, classes=7)
CONFIG = SearchConfig(score=ScoreConfig(budget="20M"), gemnet=GEMNET, proxy=ProxyConfig(macs_share=0.25))


def test_without_a_budget_they_are_those_of_the_proxy_task():
    networks, config = search_networks(SearchConfig(), IMAGES), ProxyConfig()
    assert networks == proxy_networks(config, IMAGES)
    cells = sample_cells(CellsConfig(vertices=4), 3, 0)
    found, expected = networks.complexity(cells), cell_costs(cells, NetworkLayout.from_proxy(config, 32), 4)
    assert np.array_equal(found.macs, expected.macs) and np.array_equal(found.params, expected.params)


def test_with_a_budget_they_are_those_of_section_gemnet_for_the_classes_of_the_images():
    networks = search_networks(replace(CONFIG, proxy=replace(CONFIG.proxy, network="gemnet")), IMAGES)
    assert (networks.budget, networks.share) == (Budget(20_000_000), 0.25)
    assert networks.target == replace(networks.small, image_size=(64, 64))
    assert (networks.small.image_size, networks.small.num_classes) == ((32, 32), 4)
    layout = gemnet_layout(GEMNET)
    assert networks.target.layout == replace(layout, skeleton=replace(layout.skeleton, dropout=0.0))
    assert layout.skeleton.squeeze == 0.25


def test_a_short_one_has_one_cell_per_stage():
    networks = search_networks(CONFIG, IMAGES)
    assert networks.small.layout.skeleton.repeats == (1,) * 5
    assert networks.target.layout.skeleton.repeats == (1, 2, 2, 3, 2)


def test_a_budget_of_latency_has_the_model_of_the_table(tmp_path):
    frame = target_frame(CONFIG, IMAGES)
    write_table_of(frame, tmp_path)
    path = str(tmp_path / "latency.parquet")
    config = replace(CONFIG, score=ScoreConfig(objective="latency", budget="1ms", latency_table=path))
    networks = search_networks(config, IMAGES)
    assert networks.target == frame and networks.budget.words == "1 ms latency"
    assert networks.budget.latency == fit_target_latency(config, frame)[0]
    found = networks.channels(MOBILENET_V2_6.cell)
    assert networks.budget.latency.predict(MOBILENET_V2_6.cell, frame, found) == pytest.approx(1e6, rel=0.01)
    objective = open_objective(config, networks)
    assert objective.formula == "accuracy at 1 ms latency" and "median error 0 %" in objective.remark()
    again = objective_of(decode(encode(objective_value(objective))))
    assert again.networks == networks


def test_what_contradicts_itself_names_the_section():
    with pytest.raises(ParameterError, match=r"section gemnet of params.yaml: skeleton = 'paper' is the paper's"):
        search_networks(replace(CONFIG, gemnet=replace(GEMNET, skeleton="paper")), IMAGES)
    with pytest.raises(ParameterError, match=r"section proxy .* image_size = \[8, 8\] is too small"):
        search_networks(CONFIG, SMALL)


SMALL = ImageSet(*(part for _ in range(2) for part in (np.zeros((4, 8, 8, 3), np.uint8), np.arange(4))), tuple("abcd"))
