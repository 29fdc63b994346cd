import numpy as np
import pytest
import torch
from torch import nn

from nasgem_core.benchmarks.nasbench101 import _KERNEL_SIZES
from nasgem_core.benchmarks.nasbench101_cells import OPERATIONS
from nasgem_core.benchmarks.nasbench101_costs import nasbench101_costs, vertex_channels
from nasgem_core.cells.batch import CellBatch
from tests.benchmarks.official import official


def batch(matrix, codes) -> CellBatch:
    size = len(codes)
    adjacency, padded = np.zeros((1, 7, 7), np.uint8), np.zeros((1, 7), np.uint8)
    adjacency[0, :size, :size], padded[0, :size] = matrix, codes
    return CellBatch(adjacency, padded, OPERATIONS)


def sample(count: int) -> tuple[CellBatch, dict[str, np.ndarray]]:
    with np.load(official("nasbench101.npz")) as archive:
        rows = np.random.default_rng(2).choice(len(archive["ops"]), count, replace=False)
        arrays = {name: archive[name][rows] for name in ("adjacency", "ops", "params", "macs")}
    codes = np.where(arrays["ops"] == 255, 0, arrays["ops"] + 1).astype(np.uint8)
    return CellBatch(arrays["adjacency"], codes, OPERATIONS), arrays


def test_channels_are_divided_among_the_vertices_before_the_output():
    # Vertices 2, 3 and 4 feed the output, 128 = 43 + 43 + 42; 1 is as wide as 4, which it feeds; the input feeds all.
    matrix = np.zeros((6, 6), int)
    matrix[0, 1:] = 1
    matrix[1, 4] = matrix[2, 5] = matrix[3, 5] = matrix[4, 5] = 1
    assert vertex_channels(batch(matrix, (1, 2, 2, 3, 4, 5)), 128).tolist() == [[0, 42, 43, 43, 42, 128, 0]]


def test_an_empty_cell_is_one_projection():
    # The stem, and a 1x1 projection with normalisation for each of nine cells, and the dense layer.
    pairs = [(128, 128, 32), *[(128, 128, 32)] * 2, (128, 256, 16), *[(256, 256, 16)] * 2, (256, 512, 8)]
    pairs += [(512, 512, 8)] * 2
    params, macs = nasbench101_costs(batch([[0, 1], [0, 0]], (1, 5)), _KERNEL_SIZES)
    assert params == 27 * 128 + 256 + sum(i * o + 2 * o for i, o, _ in pairs) + 5130
    assert macs == 27 * 128 * 1024 + sum(i * o * side**2 for i, o, side in pairs) + 5120


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def conv(c_in: int, c_out: int, side: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(c_in, c_out, side, bias=False), nn.BatchNorm2d(c_out))


@pytest.mark.parametrize("code", [2, 3, 4])
def test_params_are_those_of_layers(code):
    # input -> operation -> output, and input -> output: two projections and the operation.
    matrix = [[0, 1, 1], [0, 0, 1], [0, 0, 0]]
    layers, c_in = [conv(3, 128, 3), nn.Linear(512, 10)], 128
    for channels in (128, 256, 512):
        for _ in range(3):
            layers += [conv(c_in, channels, 1), conv(c_in, channels, 1)]
            layers += [conv(channels, channels, {2: 3, 3: 1}[code])] if code != 4 else []
            c_in = channels
    with torch.no_grad():
        assert nasbench101_costs(batch(matrix, (1, code, 5)), _KERNEL_SIZES)[0] == sum(count(x) for x in layers)


def test_params_are_the_benchmarks_own():
    cells, arrays = sample(20_000)
    assert np.array_equal(nasbench101_costs(cells, _KERNEL_SIZES)[0], arrays["params"])


def test_macs_leave_out_what_the_file_adds_for_normalisation():
    cells, arrays = sample(20_000)
    normalised = np.full(len(cells), 128 * 32**2, dtype=np.int64)
    for channels, side in ((128, 32), (256, 16), (512, 8)):
        widths = vertex_channels(cells, channels)
        convolved = np.where(_KERNEL_SIZES[cells.codes] > 0, widths, 0) + cells.adjacency[:, 0] * widths
        normalised += 3 * side**2 * convolved.sum(axis=1)
    assert np.array_equal(nasbench101_costs(cells, _KERNEL_SIZES)[1] + 2 * normalised, arrays["macs"])
