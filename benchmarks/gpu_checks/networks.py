"""Training of large networks: images a second of GEMNet-A and MobileNetV2x1.4, and a step of both detectors.

The classifiers are trained by `nasgem_core.training.loop` with the paper's recipe on random images of 224 pixels, 256
at a time; the first steps, in which kernels are chosen, are left out. Detectors take two images of 800 x 1333 pixels,
an eighth of the paper's batch. Latency is that of one image, with and without a graph.
"""

import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.gpu_checks.setting import Clock, Figures, OutOfTimeError, Setting
from nasgem_core.backbones.counting import count_costs
from nasgem_core.backbones.layout import IMAGENET
from nasgem_core.backbones.published.catalogue import published_network
from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.backbones.width import fit_to_budget
from nasgem_core.cells.cell import Cell
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.deployment.engines import for_engine
from nasgem_core.deployment.fast_form import CUDA_GRAPH, TORCH
from nasgem_core.deployment.latency import Setting as LatencySetting
from nasgem_core.deployment.latency import TimedNetwork, measure_latency
from nasgem_core.detection.detector import Detector
from nasgem_core.detection.settings import DetectorSettings
from nasgem_core.training.distributed import World
from nasgem_core.training.execution import Precision
from nasgem_core.training.loop import train
from nasgem_core.training.recipe import TrainingRecipe

MACS, CLASSES, CATEGORIES = 463_000_000, 1000, 80
RIVAL = "mobilenet_v2_1_4"
SKIPPED = 5
"""Steps before the timed ones."""


def networks(setting: Setting, known: Figures, clock: Clock) -> Iterator[tuple[str, Any]]:
    """Measure."""
    side = setting.size(224, 64)
    cell, origin = chosen_cell(setting)
    gemnet = fit_to_budget(
        "gemnet_a", cell, IMAGENET, num_classes=CLASSES, image_size=(side, side), macs=setting.size(MACS, 5_000_000)
    )
    yield "cell", f"{origin}, {cell.num_vertices} vertices, {cell.num_edges} edges"
    builds = {"gemnet_a": gemnet.build, RIVAL: lambda: published_network(RIVAL, CLASSES)}
    for name, build in builds.items():
        if name not in known:
            _require(clock, setting, name)
            yield name, _rate(setting, build(), side)
    if "latency" not in known:
        _require(clock, setting, "latency")
        yield "latency", {name: _latency(setting, build(), name, side) for name, build in builds.items()}
    for kind in ("retinanet", "faster_rcnn"):
        if kind not in known:
            _require(clock, setting, kind)
            yield kind, _detector_step(setting, gemnet, kind)


def chosen_cell(setting: Setting) -> tuple[Cell, str]:
    """Return the cell in the setting's file, or else a sampled one with 6 vertices."""
    if setting.cell is not None:
        document = json.loads(setting.cell.read_text(encoding="utf-8"))
        return Cell.from_dict(document.get("cell", document)), setting.cell.name
    cells = sample_cells(CellsConfig(), 200, 0)
    return min(cells, key=lambda cell: (abs(cell.num_vertices - 6), cell.num_edges)), "a sampled cell"


class RandomImages:
    """A number of equal steps on random images that are on the device."""

    equal_shapes = True

    def __init__(self, model: nn.Module, batch: int, side: int, steps: int) -> None:
        self.model, self.steps = model, steps
        self.identity = {"network": "speed"}
        self._shape = batch, 3, side, side

    def steps_per_epoch(self):
        return self.steps

    def batches(self, epoch, world, first_step):
        images = torch.randn(self._shape, device=world.device).to(memory_format=torch.channels_last)
        labels = torch.randint(0, CLASSES, self._shape[:1], device=world.device)
        return ((images, labels) for _ in range(first_step, self.steps))

    def loss(self, model, batch):
        return nn.functional.cross_entropy(model(batch[0]).float(), batch[1], label_smoothing=0.1)

    def names(self, batch):
        return ["random"] * len(batch[1])

    def evaluate(self, model, world):
        return {}


def _rate(setting: Setting, model: nn.Module, side: int) -> dict[str, float]:
    batch, skipped = setting.size(256, 2), setting.size(SKIPPED, 1)
    macs = count_costs(model, (side, side)).macs
    ends: list[float] = []
    if setting.is_gpu:
        torch.cuda.reset_peak_memory_stats(setting.device)
    with tempfile.TemporaryDirectory() as folder:
        train(
            RandomImages(model, batch, side, skipped + setting.size(20, 2)),
            TrainingRecipe(epochs=1, report_steps=1, checkpoint_seconds=1e6),
            Path(folder),
            seed=0,
            world=World(device=torch.device(setting.device)),
            on_progress=lambda progress: ends.append(time.perf_counter()) if "loss" in progress.metrics else None,
        )
    rate = batch / statistics.median(b - a for a, b in itertools.pairwise(ends[skipped - 1 :]))
    return {
        "images a second": rate,
        "MACs (M)": macs / 1e6,
        "GMACs a second": rate * macs / 1e9,
        "peak GiB": _peak(setting),
    }


def _latency(setting: Setting, model: nn.Module, name: str, side: int) -> dict[str, float]:
    """Return the median milliseconds of one image, in the fast form."""
    engines = (TORCH, CUDA_GRAPH) if setting.is_gpu else (TORCH,)
    runs = [for_engine(model, name, (side, side), engine, 1) for engine in engines]
    timed = [TimedNetwork(name, run, (side, side), getattr(run, "network", None)) for run in runs]
    found = measure_latency(timed, LatencySetting(setting.device, repeats=setting.size(30, 2)))
    return {engine: latency.median_ms for engine, latency in zip(engines, found, strict=True)}


def _detector_step(setting: Setting, gemnet: GEMNetSpec, kind: str) -> dict[str, float]:
    short, long = setting.size(800, 64), setting.size(1333, 96)
    settings = DetectorSettings(kind=kind, short_side=short, long_side=long)
    torch.manual_seed(0)
    device = torch.device(setting.device)
    detector = Detector(gemnet.build(), CATEGORIES, settings).to(device, memory_format=torch.channels_last)
    optimiser = torch.optim.SGD([p for p in detector.parameters() if p.requires_grad], 1e-3, momentum=0.9)
    precision = Precision("auto", device)
    images = [torch.randint(0, 256, (3, short, long), dtype=torch.uint8, device=device) for _ in range(2)]
    box = torch.tensor([[8.0, 8.0, long / 2, short / 2]], device=device)
    targets = [{"boxes": box, "labels": torch.tensor([number], device=device)} for number in range(2)]
    if setting.is_gpu:
        torch.cuda.reset_peak_memory_stats(setting.device)
    seconds = []
    for _ in range(setting.size(6, 1)):
        start = time.perf_counter()
        with precision.autocast():
            loss = torch.stack(list(detector(images, targets).values())).sum()
        precision.scaler.scale(loss).backward()
        precision.scaler.step(optimiser)
        precision.scaler.update()
        optimiser.zero_grad()
        if not loss.isfinite().item():
            raise RuntimeError(f"the loss of {kind} was {loss.item()}")
        if setting.is_gpu:
            torch.cuda.synchronize(setting.device)
        seconds.append(time.perf_counter() - start)
    return {"seconds a step": statistics.median(seconds[-3:]), "images a step": 2, "peak GiB": _peak(setting)}


def _peak(setting: Setting) -> float:
    return torch.cuda.max_memory_allocated(setting.device) / 2**30 if setting.is_gpu else 0.0


def _require(clock: Clock, setting: Setting, what: str) -> None:
    if clock.left < setting.size(15, 1):
        raise OutOfTimeError(f"{what} was not trained")
