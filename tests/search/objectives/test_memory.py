import numpy as np
import pytest
import torch

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.sampling import sample_distinct_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.deployment.peak_memory import peak_memory
from nasgem_core.networks.cell_block import graph_of
from nasgem_core.networks.complexity import cell_costs
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.networks.proxy_network import ProxyNetwork
from nasgem_core.operations.registry import OPERATIONS
from nasgem_core.search.objective import ProxyNetworks
from nasgem_core.search.objectives.memory import OBJECTIVE, peak_bytes

EVERY = ("conv1x1", "conv3x3", "dwconv3x3", "dwconv5x5", "maxpool3x3", "skip")
LAYOUTS = [NetworkLayout(6, (1, 2, 4), 1, 16), NetworkLayout(4, (1, 1), 2, 21)]


def cells_of(operations, vertices=9, count=12):
    return sample_distinct_cells(CellsConfig(vertices, operations, (0.15, 0.7)), count, 3)


class Walk:
    """Maps that are alive, by name, in floats; the largest sum that there was."""

    def __init__(self):
        self.alive, self.peak = {}, 0

    def take(self, **maps):
        self.alive |= maps
        self.peak = max(self.peak, sum(self.alive.values()))

    def drop(self, *names):
        for name in names:
            self.alive.pop(name, None)


def walked_bytes(cell, layout, classes):
    """Walk through the pass of one network, map by map."""
    walk, w = Walk(), layout.width
    area = layout.resolutions[0] ** 2
    walk.take(image=3 * layout.image_size**2)
    walk.take(layer=w * area)
    walk.take(stem=w * area)
    walk.drop("layer")
    channels, norms = w, [w]
    for number, (width, resolution) in enumerate(zip(layout.widths, layout.resolutions, strict=True)):
        old, area = area, resolution**2
        if number:
            walk.drop("joined")
            walk.take(input=channels * old, v0=channels * area, positions=2 * channels * area)
            walk.drop("positions")
        c = [channels] + [width] * (cell.num_vertices - 1)
        for v in range(1, cell.num_vertices):
            before = cell.predecessors(v)
            c_in = sum(c[u] for u in before)
            if len(before) > 1:
                walk.take(concatenated=c_in * area)
            layer = OPERATIONS.get(cell.operations[v]).peak_channels(np.array(c_in), np.array(width))
            walk.take(inside=int(layer) * area)
            walk.drop("inside", "concatenated")
            walk.take(layer=width * area)
            walk.take(**{f"v{v}": width * area})
            walk.drop("layer")
            norms.append(width)
        channels = width * len(cell.leaves)
        if len(cell.leaves) > 1:
            walk.take(joined=channels * area)
        walk.drop("input", *(f"v{v}" for v in range(cell.num_vertices)))
        walk.alive["joined"] = channels * area
    params = int(cell_costs(CellBatch.from_cells([cell]), layout, classes).params[0])
    return 4 * (walk.peak + params + 2 * sum(norms)) + 8 * len(norms)


@pytest.mark.parametrize("layout", LAYOUTS, ids=["three stages", "odd sizes"])
@pytest.mark.parametrize("operations", [EVERY[:3], EVERY], ids=["convolutions", "all"])
def test_it_is_what_a_walk_through_the_network_counts(operations, layout):
    cells = cells_of(operations)
    expected = [walked_bytes(cell, layout, 10) for cell in cells]
    assert peak_bytes(cells, ProxyNetworks(layout, 10)).tolist() == expected


@pytest.mark.parametrize("layout", LAYOUTS, ids=["three stages", "odd sizes"])
@pytest.mark.parametrize("operations", [EVERY[:4], EVERY], ids=["convolutions", "all"])
def test_torch_measures_the_same_within_one_percent(operations, layout):
    cells = cells_of(operations, count=6)
    found = peak_bytes(cells, ProxyNetworks(layout, 10))
    for cell, cost in zip(cells, found, strict=True):
        network = ProxyNetwork(*graph_of(cell), **layout.numbers(), num_classes=10).eval()
        with torch.no_grad():
            measured = peak_memory(network, torch.zeros(1, 3, layout.image_size, layout.image_size))
        assert cost == pytest.approx(measured, rel=0.01)


def test_it_is_charged_in_megabytes_and_equal_for_isomorphic_cells():
    objective = OBJECTIVE.open("memory", ProxyNetworks(LAYOUTS[0], 10), 0.1)
    cells = cells_of(("conv1x1", "dwconv3x3"))
    assert objective.formula == "accuracy - 0.1 log10(memory in MB)"
    assert list(objective.columns(cells)) == ["memory_MB"] and objective.costs(cells).dtype == np.int64
    canonical = CellBatch.from_cells([cell.canonical_form() for cell in cells], cells.operation_names, cells.width)
    assert np.array_equal(objective.costs(cells), objective.costs(canonical))
    assert np.array_equal(objective.costs(canonical), objective.predicted_costs(canonical))
