"""Random cells and small layouts for the tests of this room."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from nasgem_core.backbones.layout import GEMNetLayout
from nasgem_core.backbones.skeleton import ACTIVATIONS, CHANNEL_MULTIPLES, NONLINEARITIES, Skeleton
from nasgem_core.cells.cell import Cell
from nasgem_core.cells.known_blocks import MOBILENET_V2_6
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig

OPERATIONS = ("conv1x1", "dwconv3x3", "conv3x3")
SMALL = GEMNetLayout("small", 2, (False, True), Skeleton("small", scales=(0.5, 2.0), repeats=(1, 3), head_channels=16))
"""Two stages, the second of which halves and repeats."""
PARALLEL = Cell(np.array([[0, 1, 1], [0] * 3, [0] * 3]), ("input", "dwconv3x3", "dwconv3x3"))
"""Two leaves on the input alone: linear, unless something follows."""
INVERTED_RESIDUAL = MOBILENET_V2_6.cell
"""MobileNetV2's block: six 1x1 convolutions side by side, a depthwise-separable one on all of them."""


@st.composite
def skeletons(draw):
    """Give the skeleton of `SMALL` blocks of any kind."""
    return replace(
        SMALL.skeleton,
        activation=draw(st.sampled_from(ACTIVATIONS)),
        nonlinearity=draw(st.sampled_from(NONLINEARITIES)),
        squeeze=draw(st.sampled_from([0.0, 0.1, 0.25, 1.0])),
        dropout=draw(st.sampled_from([0.0, 0.2])),
        stochastic_depth=draw(st.sampled_from([0.0, 0.2])),
        channel_multiple=draw(st.sampled_from(CHANNEL_MULTIPLES)),
    )


def random_cell(seed, names=OPERATIONS, vertices=7):
    generator = np.random.default_rng(seed)
    edges = np.triu(generator.random((vertices, vertices)) < generator.uniform(0.2, 0.8), 1)
    edges[0, 1] = True
    return Cell.pruned(edges, ("input", *generator.choice(names, vertices - 1)))


def sampled_cells(count, seed=0):
    """Cells of the search space: at most 30 vertices, two operations."""
    return list(sample_cells(CellsConfig(), count, seed))
