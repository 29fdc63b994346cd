"""Speed of training GEMNet-A and torchvision's MobileNetV2x1.4 in the same loop, in multiply-adds per second.

Both are trained by `nasgem_core.training.loop` with the paper's recipe on random images of 224 pixels, in turn and
several times, so that other processes disturb them equally; the first step of each turn (allocation, choice of kernels)
is left out. Time is processor time with one thread on the CPU, and wall-clock time on a GPU. The figure to compare is
images per second times MACs per image: multiply-adds per second.

Run it with `python benchmarks/training.py`. `--cell FILE` uses another cell than the one that the search found here,
`--device cuda` a GPU, `--batch 128` larger batches; `--quick` takes less time.
"""

import argparse
import itertools
import statistics
import tempfile
import time
from pathlib import Path

import torch
from torch import nn
from torchvision.models import mobilenet_v2

from flows.cli.show import find_cell
from nasgem_core.backbones.counting import count_costs
from nasgem_core.backbones.layout import IMAGENET
from nasgem_core.backbones.width import fit_to_budget
from nasgem_core.cells.cell import Cell
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.training.distributed import World
from nasgem_core.training.loop import train
from nasgem_core.training.recipe import TrainingRecipe

MACS, SIDE, CLASSES = 463_000_000, 224, 1000
BEST_CELL = Path(__file__).parents[1] / "data" / "bootstrap" / "best_cell.json"


class RandomImages:
    """A given number of equal steps on random images."""

    def __init__(self, model: nn.Module, batch: int, steps: int) -> None:
        self.model, self.steps = model, steps
        self.identity = {"network": "speed"}
        self.images = torch.randn(batch, 3, SIDE, SIDE).to(memory_format=torch.channels_last)
        self.labels = torch.randint(0, CLASSES, (batch,))

    equal_shapes = True

    def steps_per_epoch(self):
        return self.steps

    def batches(self, epoch, world, first_step):
        images, labels = self.images.to(world.device), self.labels.to(world.device)
        return ((images, labels) for _ in range(first_step, self.steps))

    def loss(self, model, batch):
        return nn.functional.cross_entropy(model(batch[0]), batch[1], label_smoothing=0.1)

    def names(self, batch):
        return ["random"] * len(batch[1])

    def evaluate(self, model, world):
        return {}


def images_per_second(model: nn.Module, batch: int, steps: int, device: str) -> float:
    """Return the median rate of all steps except the first."""
    clock = time.process_time if device == "cpu" else time.perf_counter
    ends: list[float] = []
    recipe = TrainingRecipe(epochs=1, report_steps=1, checkpoint_seconds=1e6)
    with tempfile.TemporaryDirectory() as folder:
        train(
            RandomImages(model, batch, steps),
            recipe,
            Path(folder),
            seed=0,
            world=World(device=torch.device(device)),
            on_progress=lambda progress: ends.append(clock()) if "loss" in progress.metrics else None,
        )
    return batch / statistics.median(after - before for before, after in itertools.pairwise(ends))


def chosen_cell(path: Path | None) -> tuple[Cell, str]:
    """Return the cell in a file, that of the search in this folder, or else a sampled one with 6 vertices."""
    for file in (path, BEST_CELL):
        if file is not None and (file == path or file.is_file()):
            return find_cell(str(file), None)[0], file.name
    cells = sample_cells(CellsConfig(), 200, 0)
    return min(cells, key=lambda cell: (abs(cell.num_vertices - 6), cell.num_edges)), "a sampled cell"


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of training GEMNet-A and MobileNetV2x1.4, in MACs per second.")
    parser.add_argument("--cell", type=Path, help="a cell's JSON file")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--batch", type=int, default=16, help="images per step")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 3 steps instead of 5 of 6")
    options = parser.parse_args()
    if options.device == "cpu":
        torch.set_num_threads(1)
    cell, origin = chosen_cell(options.cell)
    gemnet = fit_to_budget("gemnet_a", cell, IMAGENET, num_classes=CLASSES, image_size=(SIDE, SIDE), macs=MACS)
    networks = {"gemnet_a": gemnet.build, "mobilenet_v2 x1.4": lambda: mobilenet_v2(width_mult=1.4)}
    costs = {name: count_costs(build(), (SIDE, SIDE)) for name, build in networks.items()}
    print(f"cell: {origin}, {cell.num_vertices} vertices, {cell.num_edges} edges; {options.batch} images per step")
    rounds, steps = (2, 3) if options.quick else (5, 6)
    rates: dict[str, list[float]] = {name: [] for name in networks}
    for _ in range(rounds):
        for name, build in networks.items():
            torch.manual_seed(0)
            rates[name].append(images_per_second(build(), options.batch, steps, options.device))
    print(f"{'network':<20} {'MACs (M)':>9} {'params (M)':>11} {'images/s':>9} {'GMACs/s':>8}")
    for name, found in rates.items():
        macs, rate = costs[name].macs, statistics.median(found)
        print(f"{name:<20} {macs / 1e6:9.1f} {costs[name].params / 1e6:11.2f} {rate:9.2f} {rate * macs / 1e9:8.2f}")
    ours, theirs = ([rate * costs[name].macs for rate in rates[name]] for name in ("gemnet_a", "mobilenet_v2 x1.4"))
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    print(
        f"in multiply-adds per second, GEMNet-A trains at {statistics.median(ratios):.2f} times MobileNetV2's rate "
        f"(rounds: {', '.join(f'{ratio:.2f}' for ratio in ratios)})"
    )


if __name__ == "__main__":
    main()
