"""Memory and time of a training step of GEMNet, compared with a straightforward implementation.

plain  each vertex concatenates its predecessors, and autograd keeps what it needs
ours   `GEMNet`, which recomputes concatenations and depthwise convolutions in the backward pass

The networks are those of sampled cells with 30 vertices, the largest in the search space, at 463M MACs and 224x224
pixels. Each is trained for a few steps in separate processes, one for each implementation in turn; the memory is the
largest resident set of the process during the steps, minus that before the first. Both must have the same loss. The
last lines are the ranges of memory and time. Run it on an idle machine with `python benchmarks/memory.py`; `--quick`
takes less time.
"""

import argparse
import multiprocessing
import re
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch
from torch import Tensor, nn

from nasgem_core.backbones import gemnet
from nasgem_core.backbones.concatenation import concatenate
from nasgem_core.backbones.layout import IMAGENET
from nasgem_core.backbones.spec import NetworkSpec
from nasgem_core.backbones.width import fit_to_budget
from nasgem_core.cells.cell import Cell
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig

MACS, SIDE, CLASSES = 463_000_000, 224, 1000
WAYS = ("plain", "ours")
DRAWN = 500
"""Cells that are sampled to find some with 30 vertices: most have fewer after pruning."""


def apply_plainly(layer: nn.Module, parts: list[Tensor]) -> Tensor:
    return layer(concatenate(parts))


def resident(field: str) -> int:
    """Return VmRSS (the current) or VmHWM (the largest) resident set of this process in bytes."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(rf"{field}:\s+(\d+) kB", status)[1])


def measure(document: str, way: str, batch: int, steps: int) -> tuple[float, float, float]:
    """Return memory (bytes), processor seconds per step, and the last loss."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    if way == "plain":
        gemnet.apply_to_concatenation = apply_plainly
    network = NetworkSpec.from_json(document).build().to(memory_format=torch.channels_last)
    images = torch.randn(batch, 3, SIDE, SIDE).to(memory_format=torch.channels_last)
    labels = torch.randint(0, CLASSES, (batch,))
    optimiser = torch.optim.SGD(network.parameters(), 0.01)
    before, seconds = resident("VmRSS"), []
    for _ in range(steps):
        start = time.process_time()
        loss = nn.functional.cross_entropy(network(images), labels)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        seconds.append(time.process_time() - start)
    return resident("VmHWM") - before, min(seconds), loss.item()


def largest_cells(cells: Sequence[Cell], count: int, wanted: int) -> list[Cell]:
    """Return the largest cells; print a line if not all of them have the wanted size."""
    chosen = sorted(cells, key=lambda cell: -cell.num_vertices)[:count]
    full = sum(cell.num_vertices == wanted for cell in chosen)
    if full < len(chosen):
        print(f"only {full} of {len(cells)} sampled cells have {wanted} vertices; the others are the next largest")
    return chosen


def span(values: Sequence[float], digits: int) -> str:
    """Return the range of some values."""
    return f"{min(values):.{digits}f} to {max(values):.{digits}f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=5)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--quick", action="store_true", help="2 cells, batches of 4")
    arguments = parser.parse_args()
    count, batch = (2, 4) if arguments.quick else (arguments.cells, arguments.batch)
    config = CellsConfig()
    cells = largest_cells(list(sample_cells(config, DRAWN, 0)), count, config.vertices)
    context = multiprocessing.get_context("spawn")
    memory: dict[str, list[float]] = {way: [] for way in WAYS}
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    print(f"batch {batch}, {SIDE}x{SIDE}, {MACS / 1e6:.0f}M MACs, one thread")
    print("vertices edges leaves   plain GB  ours GB  ratio   plain s  ours s  ratio")
    for cell in cells:
        spec = fit_to_budget("benchmark", cell, IMAGENET, num_classes=CLASSES, image_size=(SIDE, SIDE), macs=MACS)
        losses = []
        for way in WAYS:
            with ProcessPoolExecutor(1, mp_context=context) as pool:
                used, taken, loss = pool.submit(measure, spec.to_json(), way, batch, 3).result()
            memory[way].append(used / 1e9)
            seconds[way].append(taken)
            losses.append(loss)
        if abs(losses[0] - losses[1]) > 1e-5 * abs(losses[0]):
            raise SystemExit(f"the losses differ: {losses[0]} and {losses[1]}")
        figures = [values[way][-1] for values in (memory, seconds) for way in WAYS]
        print(
            f"{cell.num_vertices:8} {cell.num_edges:5} {len(cell.leaves):6}   {figures[0]:8.3f} {figures[1]:8.3f} "
            f"{figures[1] / figures[0]:6.2f}  {figures[2]:8.2f} {figures[3]:7.2f} {figures[3] / figures[2]:6.2f}",
            flush=True,
        )
    for name, unit, digits, values in (("memory", "GB", 2, memory), ("time", "s", 2, seconds)):
        shares = [ours / plain for plain, ours in zip(values["plain"], values["ours"], strict=True)]
        print(
            f"{name}: plain {span(values['plain'], digits)} {unit}, ours {span(values['ours'], digits)} {unit}; "
            f"ours / plain {span(shares, 2)}, geometric mean {statistics.geometric_mean(shares):.2f}"
        )


if __name__ == "__main__":
    main()
