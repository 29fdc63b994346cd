"""The same numbers: networks on the CPU and on the device, and trainings by graphs and without them.

`forward` and `gradient` are norms of differences as shares of the norms on the CPU, for each cell: of the logits, and
of all gradients together. In float64 a difference is an error of ours; in float32 it is rounding, which a deep network
amplifies, so TF32 is off.

A training by graphs is compared with one without them, and that one with its own repetition, by the largest relative
difference of the loss of an epoch.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.gpu_checks.setting import Clock, Figures, OutOfTimeError, Setting, relative, spread
from benchmarks.plain_proxy import first_images
from nasgem_core.cells.cell import Cell
from nasgem_core.networks.cell_network import CellNetwork
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.training.augmentation import ImageTensor, draw_views
from nasgem_core.training.proxy import Mode, train_cell

TOLERANCE = {
    "forward, float64": 1e-9,
    "gradient, float64": 1e-8,
    "forward, float32": 1e-3,
    "gradient, float32": 1e-2,
}


def parity(setting: Setting, known: Figures, clock: Clock) -> Iterator[tuple[str, Any]]:
    """Compare."""
    yield "tolerance", TOLERANCE
    cells = setting.cells(setting.size(20, 2))
    for dtype in (torch.float64, torch.float32):
        name = str(dtype).removeprefix("torch.")
        if f"gradient, {name}" not in known:
            pairs = [_differences(setting, cell, dtype) for cell in cells]
            yield f"forward, {name}", spread([forward for forward, _ in pairs])
            yield f"gradient, {name}", spread([gradient for _, gradient in pairs])
    if "graph against eager" not in known:
        rows = []
        for cell in cells[:: max(1, len(cells) // setting.size(6, 1))]:
            if clock.left < 10:
                raise OutOfTimeError(f"{len(rows)} cells were trained with and without graphs")
            rows.append(_trained(setting, cell))
        yield "graph against eager", rows


def _differences(setting: Setting, cell: Cell, dtype: torch.dtype) -> tuple[float, float]:
    """Return how far the plain modules on the device are from the fused kernels on the CPU, forward and backward."""
    images = setting.images
    source = ImageTensor.from_arrays(
        images.train_images[:32], images.train_labels[:32], (images.mean, images.std), torch.device("cpu")
    )
    (views,) = draw_views(torch.arange(32), 32, torch.Generator().manual_seed(0))
    inputs, labels = source.batch(views).to(dtype), source.labels
    expected, slopes = _results(_network(setting, cell, dtype), inputs, labels)
    network = _network(setting, cell, dtype).to(setting.device, memory_format=torch.channels_last)
    network.forward = network.forward_modules
    moved = inputs.to(setting.device, memory_format=torch.channels_last), labels.to(setting.device)
    logits, gradient = _results(network, *moved)
    return relative(logits, expected), relative(gradient, slopes)


def _network(setting: Setting, cell: Cell, dtype: torch.dtype) -> CellNetwork:
    torch.manual_seed(0)
    layout = NetworkLayout.from_proxy(setting.config, setting.images.image_size)
    return CellNetwork(cell, layout, len(setting.images.classes)).to(dtype)


def _results(network: nn.Module, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return logits, and all gradients one after the other."""
    with _exact():
        logits = network(inputs)
        nn.functional.cross_entropy(logits, labels).backward()
    # Gradients of several layouts, each in the order of its indices.
    return logits.detach(), torch.cat([parameter.grad.reshape(-1).cpu() for parameter in network.parameters()])


@contextmanager
def _exact() -> Iterator[None]:
    """Compute in the whole precision of a type."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            yield
    finally:
        torch.set_float32_matmul_precision(before)


def _trained(setting: Setting, cell: Cell) -> dict[str, float]:
    """Return the largest relative difference of a loss: by graphs and without them, and without them twice."""
    images = first_images(setting.images, setting.size(1280, 64), 32)
    config = setting.epochs(2)
    losses = []
    with torch.backends.cudnn.flags(enabled=True, deterministic=True):
        for graphs in (True, False, False):
            found = train_cell(cell, images, config, 0, device=setting.device, mode=Mode(graphs=graphs))
            if found.note:
                raise RuntimeError(found.note)
            losses.append(found.epoch_losses)
    graph, eager, again = losses
    return {"graph": _largest(graph, eager), "repeat": _largest(again, eager)}


def _largest(found: tuple[float, ...], expected: tuple[float, ...]) -> float:
    return max(abs(a - b) / abs(b) for a, b in zip(found, expected, strict=True))
