import logging
from dataclasses import replace

import numpy as np
import pytest
import torch
from fvcore.nn import FlopCountAnalysis
from hypothesis import given, settings
from hypothesis import strategies as st

from nasgem_core.backbones.costs import gemnet_costs, gemnet_part_costs
from nasgem_core.backbones.gemnet import GEMNet
from nasgem_core.backbones.layout import CIFAR, IMAGENET, LAYOUTS, TINY
from nasgem_core.backbones.skeleton import MOBILE
from nasgem_core.cells.cell import Cell
from nasgem_core.errors import ParameterError
from tests.backbones.cells import INVERTED_RESIDUAL, PARALLEL, SMALL, random_cell, sampled_cells, skeletons
from tests.cells.graphs import cells


def counted(network, size):
    logging.getLogger("fvcore").setLevel(logging.ERROR)
    analysis = FlopCountAnalysis(network.eval(), torch.zeros(1, 3, *size))
    by_kind = analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).by_operator()
    return by_kind["conv"] + by_kind["linear"], sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("size", [(32, 32), (37, 61)])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=lambda layout: layout.name)
def test_costs_equal_those_counted_on_the_built_network(layout, size):
    seed = sum(size) + layout.stem_stride
    cell = random_cell(seed, vertices=5)
    channels = tuple(8 * np.random.default_rng(seed).integers(1, 4, 6))
    costs = gemnet_costs(cell, layout, channels, 9, size)
    assert (costs.macs, costs.params) == counted(GEMNet(cell, layout, channels, 9), size)


@pytest.mark.parametrize("cell", [INVERTED_RESIDUAL, PARALLEL], ids=["inverted residual", "parallel"])
def test_costs_of_the_mobile_skeleton(cell):
    layout, channels = replace(TINY, skeleton=MOBILE), (12, 4, 8, 12, 20, 28)
    costs = gemnet_costs(cell, layout, channels, 9, (48, 64))
    assert (costs.macs, costs.params) == counted(GEMNet(cell, layout, channels, 9), (48, 64))


@given(cell=cells(), skeleton=skeletons(), widths=st.lists(st.integers(1, 4), min_size=3, max_size=3))
@settings(max_examples=25)
def test_costs_of_any_cell_and_block(cell, skeleton, widths):
    layout = replace(SMALL, skeleton=skeleton)
    channels = tuple(skeleton.channel_multiple * width for width in widths)
    costs = gemnet_costs(cell, layout, channels, 9, (17, 20))
    assert (costs.macs, costs.params) == counted(GEMNet(cell, layout, channels, 9), (17, 20))


@pytest.mark.slow
@pytest.mark.parametrize(("layout", "size"), [(TINY, (64, 64)), (IMAGENET, (75, 100))])
def test_cells_of_the_search_space(layout, size):
    cell = max(sampled_cells(10), key=lambda cell: cell.num_vertices)
    costs = gemnet_costs(cell, layout, (8, 8, 8, 16, 8, 16), 20, size)
    assert (costs.macs, costs.params) == counted(GEMNet(cell, layout, (8, 8, 8, 16, 8, 16), 20), size)


def test_many_networks_at_once():
    cell, generator = random_cell(4), np.random.default_rng(0)
    channels = 8 * generator.integers(1, 9, (5, 6))
    costs = gemnet_costs(cell, IMAGENET, channels.T, 10, (64, 64))
    for i in range(5):
        alone = gemnet_costs(cell, IMAGENET, tuple(channels[i]), 10, (64, 64))
        assert (costs.macs[i], costs.params[i]) == (alone.macs, alone.params)


def test_a_network_worked_out_by_hand():
    cell = Cell(np.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]]), ("input", "conv1x1", "dwconv3x3"))
    parts = gemnet_part_costs(cell, SMALL, (16, 8, 24), 3, (8, 8))
    stem = 27 * 16
    first = 16 * 8 + 9 * (16 + 8) + (16 + 8) * 8
    second = 8 * 24 + 9 * (8 + 24) + (8 + 24) * 24
    later = 24 * 24 + 9 * 48 + 48 * 24
    head = 24 * 16
    assert [part.part for part in parts] == ["stem", "stage 1", "stage 2", "head", "classifier"]
    assert [int(part.macs) for part in parts] == [16 * stem, 16 * first, 4 * (second + 2 * later), 4 * head, 48]
    norms = [2 * 16, 2 * 2 * 8, 3 * 2 * 2 * 24, 2 * 16]
    assert [int(part.params) for part in parts] == [
        stem + norms[0], first + norms[1], second + 2 * later + norms[2], head + norms[3], 48 + 3
    ]  # fmt: skip


def test_large_networks_do_not_overflow():
    cell = Cell(np.triu(np.ones((250, 250)), 1), ("input", *["conv3x3"] * 249))
    costs = gemnet_costs(cell, CIFAR, (1024,) * 6, 1000, (800, 1333))
    assert costs.macs.dtype == np.int64
    assert costs.macs > 9 * 1024**2 * 800 * 1333 * 248 * 247 // 2 > 0


def test_images_that_are_too_small_are_refused():
    with pytest.raises(ParameterError, match="image_size"):
        gemnet_costs(random_cell(0), IMAGENET, (8,) * 6, 10, (16, 16))
