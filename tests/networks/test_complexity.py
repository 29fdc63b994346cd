import logging

import numpy as np
import pytest
import torch
from fvcore.nn import FlopCountAnalysis

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.networks.cell_network import CellNetwork, NetworkLayout
from nasgem_core.networks.complexity import cell_costs


def random_cells(count, operations, seed):
    generator = np.random.default_rng(seed)
    for _ in range(count):
        vertices = int(generator.integers(2, 9))
        edges = np.triu(generator.random((vertices, vertices)) < generator.uniform(0.1, 0.9), 1)
        edges[0, 1] = True
        yield Cell.pruned(edges, ("input", *generator.choice(operations, vertices - 1)))


@pytest.mark.parametrize(
    "layout", [NetworkLayout(4, (1, 2, 4), 1, 32), NetworkLayout(6, (1, 3), 2, 19), NetworkLayout(5, (2,), 3, 10)]
)
def test_costs_equal_those_counted_on_the_built_network(layout):
    cells = list(random_cells(10, ("conv1x1", "dwconv3x3", "conv3x3"), layout.width))
    costs = cell_costs(CellBatch.from_cells(cells, width=12), layout, num_classes=7)
    logging.getLogger("fvcore").setLevel(logging.ERROR)
    for i, cell in enumerate(cells):
        network = CellNetwork(cell, layout, 7).eval()
        network.forward = network.forward_modules
        images = torch.zeros(1, 3, layout.image_size, layout.image_size)
        counted = FlopCountAnalysis(network, images).unsupported_ops_warnings(False).uncalled_modules_warnings(False)
        by_kind = counted.by_operator()
        assert costs.macs[i] == by_kind["conv"] + by_kind["linear"]
        assert costs.params[i] == sum(parameter.numel() for parameter in network.parameters())


def test_a_network_worked_out_by_hand():
    cell = Cell(np.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]]), ("input", "conv1x1", "dwconv3x3"))
    costs = cell_costs(CellBatch.from_cells([cell]), NetworkLayout(2, (1,), 1, 4), num_classes=3)
    stem, first, second, head = 9 * 3 * 2, 2 * 2, 9 * 4 + 4 * 2, 2 * 3
    assert costs.macs.tolist() == [16 * (stem + first + second) + head]
    assert costs.params.tolist() == [stem + first + second + 3 * 2 * 2 + head + 3]


def test_paper_scale_costs_do_not_overflow():
    cell = Cell(np.triu(np.ones((250, 250)), 1), ("input", *["conv3x3"] * 249))
    costs = cell_costs(CellBatch.from_cells([cell]), NetworkLayout(1024, (1, 64), 1, 512), num_classes=1000)
    assert costs.macs.dtype == costs.params.dtype == np.int64
    inputs = 1024 + sum(1024 * v for v in range(1, 249)) + 248 * 1024
    assert costs.macs[0] > 9 * inputs * 1024 * 512 * 512 > 0


def test_no_cells_have_no_costs():
    batch = CellBatch(np.zeros((0, 5, 5), np.uint8), np.zeros((0, 5), np.uint8), ("conv1x1",))
    assert cell_costs(batch, NetworkLayout(2, (1,), 1, 4), 3).macs.shape == (0,)
