"""Speed of proxy training, compared with a straightforward implementation, on two cores.

plain       modules as in the paper, default layout, DataLoader with transforms, one training on two threads
one worker  `train_cell` in one process with one thread
two workers `train_cell` in two processes with one thread each, two trainings of the cell in parallel

Each cell is trained in all three ways in turn, so that other processes disturb them equally; the first steps
(allocation, compilation) are left out. Run it with `python benchmarks/proxy_training.py` (laptop layout), `--paper` for
width 16 at full resolution, `--quick` for fewer cells, `--accuracy` to compare accuracies over 5 seeds. A busy machine
slows two threads that wait for each other more than two processes; `--one-core` compares one thread of each by
processor time, which it hardly affects.
"""

import argparse
import multiprocessing
import statistics
import time
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import torch
from plain_proxy import PlainImages, PlainNetwork, first_images
from torch import nn
from torch.utils.data import DataLoader

from nasgem_core.cells.cell import Cell
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig, ProxyConfig
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.training.image_set import ImageSet
from nasgem_core.training.proxy import train_cell
from nasgem_core.training.proxy_images import load_images
from nasgem_core.training.proxy_training import learning_rate_factor

DATA = Path(__file__).parents[1] / "data" / "raw"
LAPTOP = ProxyConfig(width=12, stem_stride=2, epochs=20, augment=True)
PAPER = replace(LAPTOP, width=16, stem_stride=1)


def train_plainly(cell: Cell, images: ImageSet, config: ProxyConfig, seed: int, threads: int) -> tuple[float, float]:
    """Return the accuracy after training and the images per second from the second epoch on.

    With one thread the time is processor time.
    """
    clock = time.process_time if threads == 1 else time.perf_counter
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    network = PlainNetwork(cell, NetworkLayout.from_proxy(config, images.image_size), len(images.classes))
    optimiser = torch.optim.Adam(network.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    train = PlainImages(images.train_images, images.train_labels, images, augment=True)
    loader = DataLoader(train, config.batch_size, shuffle=True, drop_last=True)
    steps = len(loader) * config.epochs
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: learning_rate_factor(step, steps))
    start = clock()
    for epoch in range(config.epochs):
        if epoch == 1:
            start = clock()
        for inputs, labels in loader:
            loss = nn.functional.cross_entropy(network(inputs), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    seconds = clock() - start
    network.eval()
    validation = PlainImages(images.validation_images, images.validation_labels, images, augment=False)
    with torch.no_grad():
        hits = [
            (network(inputs).argmax(1) == labels).float()
            for inputs, labels in DataLoader(validation, config.batch_size)
        ]
    return torch.cat(hits).mean().item(), _rate(images, config, seconds)


def train_ours(
    cell: Cell, images: ImageSet, config: ProxyConfig, seed: int, processor: bool = False
) -> tuple[float, float]:
    """Return the same figures for `train_cell`, by processor time if `processor` is set."""
    clock = time.process_time if processor else time.perf_counter
    ends: list[float] = []
    result = train_cell(cell, images, config, seed, on_progress=lambda *_: ends.append(clock()))
    return result.accuracy, _rate(images, config, ends[-1] - ends[0])


def _rate(images: ImageSet, config: ProxyConfig, seconds: float) -> float:
    per_epoch = len(images.train_labels) // config.batch_size * config.batch_size
    return per_epoch * max(1, config.epochs - 1) / seconds if seconds else float("nan")


def measure_speed(cells: list[Cell], config: ProxyConfig, steps: int, pools: list[ProcessPoolExecutor]) -> None:
    """Train each cell for a few steps in all three ways and print the rates and their ratios."""
    config = replace(config, epochs=3)
    images = first_images(load_images(config, DATA), steps * config.batch_size, 2)
    for pool in pools:
        pool.submit(train_ours, cells[0], images, config, 0).result()
    rates: list[tuple[float, float, float]] = []
    print(f"{'vertices':>8} {'edges':>6} {'plain':>9} {'one worker':>11} {'two workers':>12} {'ratio':>6}  (images/s)")
    for cell in cells:
        plain = pools[0].submit(train_plainly, cell, images, config, 0, 2).result()[1]
        one = pools[0].submit(train_ours, cell, images, config, 0).result()[1]
        both: list[Future] = [pool.submit(train_ours, cell, images, config, seed) for seed, pool in enumerate(pools)]
        two = sum(future.result()[1] for future in both)
        rates.append((plain, one, two))
        size = f"{cell.num_vertices:8} {cell.num_edges:6}"
        print(f"{size} {plain:9.0f} {one:11.0f} {two:12.0f} {two / plain:6.2f}", flush=True)
    plain_time, one_time, two_time = (sum(1 / rate[i] for rate in rates) for i in range(3))
    print(f"all cells, by total time: two workers / plain {plain_time / two_time:.2f}, / one {one_time / two_time:.2f}")
    ratios = [two / plain for plain, _, two in rates]
    print(f"per cell: two workers / plain mean {statistics.mean(ratios):.2f}, median {statistics.median(ratios):.2f}")


def measure_one_core(cells: list[Cell], config: ProxyConfig, steps: int, pools: list[ProcessPoolExecutor]) -> None:
    """Train each cell for a few steps on one thread in both ways and print the rates by processor time."""
    config = replace(config, epochs=3)
    images = first_images(load_images(config, DATA), steps * config.batch_size, 2)
    pools[0].submit(train_ours, cells[0], images, config, 0).result()
    rates: list[tuple[float, float]] = []
    print(f"{'vertices':>8} {'edges':>6} {'plain':>9} {'ours':>9} {'ratio':>6}  (images/s of one processor)")
    for cell in cells:
        plain = pools[0].submit(train_plainly, cell, images, config, 0, 1).result()[1]
        ours = pools[0].submit(train_ours, cell, images, config, 0, processor=True).result()[1]
        rates.append((plain, ours))
        print(f"{cell.num_vertices:8} {cell.num_edges:6} {plain:9.0f} {ours:9.0f} {ours / plain:6.2f}", flush=True)
    plain_time, ours_time = (sum(1 / rate[i] for rate in rates) for i in range(2))
    mean = statistics.mean(ours / plain for plain, ours in rates)
    print(f"ours / plain by total time {plain_time / ours_time:.2f}, mean over cells {mean:.2f}")


def measure_accuracy(cells: list[Cell], config: ProxyConfig, pools: list[ProcessPoolExecutor]) -> None:
    """Train cells in both ways with 5 seeds and print mean and deviation of the validation accuracy."""
    config = replace(config, epochs=3)
    images = load_images(config, DATA)
    for cell in cells:
        plain = [pools[0].submit(train_plainly, cell, images, config, seed, 1) for seed in range(5)]
        ours = [pools[1].submit(train_ours, cell, images, config, seed) for seed in range(5)]
        for name, futures in (("plain", plain), ("ours", ours)):
            values = [future.result()[0] for future in futures]
            print(
                f"{cell.num_vertices:3} vertices  {name:5}  accuracy {statistics.mean(values):.4f} "
                f"+- {statistics.stdev(values):.4f} over 5 seeds",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of proxy training against a straightforward implementation.")
    parser.add_argument("--quick", action="store_true", help="8 cells instead of 20")
    parser.add_argument("--paper", action="store_true", help="width 16 at full resolution instead of the laptop layout")
    parser.add_argument("--accuracy", action="store_true", help="compare accuracies over 5 seeds instead of speed")
    parser.add_argument("--one-core", action="store_true", help="one thread of each, by processor time")
    options = parser.parse_args()
    config = PAPER if options.paper else LAPTOP
    cells = list(sample_cells(CellsConfig(), 8 if options.quick else 20, 0))
    context = multiprocessing.get_context("spawn")
    pools = [ProcessPoolExecutor(1, mp_context=context) for _ in range(2)]
    try:
        if options.accuracy:
            by_size = sorted(cells, key=lambda cell: cell.num_edges)
            measure_accuracy([by_size[len(cells) // 4], by_size[len(cells) // 2]], config, pools)
        elif options.one_core:
            measure_one_core(cells, config, 2 if options.paper else 4, pools)
        else:
            measure_speed(cells, config, 2 if options.paper else 4, pools)
    finally:
        for pool in pools:
            pool.shutdown()


if __name__ == "__main__":
    main()
