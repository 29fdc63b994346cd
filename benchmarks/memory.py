"""Memory and time of a training step of GEMNet, side by side with the plain way of writing it.

plain  each vertex concatenates its predecessors, and autograd keeps what it likes
ours   `GEMNet`, which makes concatenations and depthwise convolutions again in the backward pass

Networks of sampled cells with 28 to 30 vertices at 463M MACs and 224x224 pixels. Each is trained for some steps in
processes of its own, one for each way in turn; the memory is the largest resident set of the process during the steps,
less that before the first. Both ways must agree in the loss. Run it with `python benchmarks/memory.py`; `--quick` for a
look.
"""

import argparse
import multiprocessing
import re
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch
from torch import Tensor, nn

from nasgem_core.backbones import cell_block
from nasgem_core.backbones.concatenation import concatenate
from nasgem_core.backbones.layout import IMAGENET
from nasgem_core.backbones.spec import NetworkSpec
from nasgem_core.backbones.width import fit_to_budget
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config import CellsConfig

MACS, SIDE, CLASSES = 463_000_000, 224, 1000
WAYS = ("plain", "ours")


def apply_plainly(layer: nn.Module, parts: list[Tensor]) -> Tensor:
    return layer(concatenate(parts))


def resident(field: str) -> int:
    """Return VmRSS (now) or VmHWM (the largest so far) of this process in bytes."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(rf"{field}:\s+(\d+) kB", status)[1])


def measure(document: str, way: str, batch: int, steps: int) -> tuple[float, float, float]:
    """Return memory (bytes), seconds of the processor a step, and the last loss."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    if way == "plain":
        cell_block.apply_to_concatenation = apply_plainly
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=5)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--quick", action="store_true", help="2 cells, batches of 4")
    arguments = parser.parse_args()
    count, batch = (2, 4) if arguments.quick else (arguments.cells, arguments.batch)
    cells = [cell for cell in sample_cells(CellsConfig(), 500, 0) if cell.num_vertices >= 28][:count]
    context, memory, duration = multiprocessing.get_context("spawn"), [], []
    print(f"batch {batch}, {SIDE}x{SIDE}, {MACS / 1e6:.0f}M MACs, one thread")
    print("vertices edges leaves   plain GB  ours GB  ratio   plain s  ours s  ratio")
    for cell in cells:
        spec = fit_to_budget("benchmark", cell, IMAGENET, CLASSES, (SIDE, SIDE), MACS)
        results = {}
        for way in WAYS:
            with ProcessPoolExecutor(1, mp_context=context) as pool:
                results[way] = pool.submit(measure, spec.to_json(), way, batch, 3).result()
        (plain_memory, plain_time, plain_loss), (our_memory, our_time, our_loss) = (results[way] for way in WAYS)
        if abs(plain_loss - our_loss) > 1e-5 * abs(plain_loss):
            raise SystemExit(f"the losses differ: {plain_loss} and {our_loss}")
        memory.append(plain_memory / our_memory)
        duration.append(plain_time / our_time)
        print(
            f"{cell.num_vertices:8} {cell.num_edges:5} {len(cell.leaves):6}   {plain_memory / 1e9:8.3f} "
            f"{our_memory / 1e9:8.3f} {memory[-1]:6.2f}  {plain_time:8.2f} {our_time:7.2f} {duration[-1]:6.2f}",
            flush=True,
        )
    print(f"geometric mean, plain / ours: memory {statistics.geometric_mean(memory):.2f}, ", end="")
    print(f"time {statistics.geometric_mean(duration):.2f}")


if __name__ == "__main__":
    main()
