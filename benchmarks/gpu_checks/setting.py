"""What all parts of the check share: the device, the sizes, the clock, and what one part reports."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.plain_proxy import first_images
from nasgem_core.cells.cell import Cell
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig, ProxyConfig
from nasgem_core.training.image_set import ImageSet
from nasgem_core.training.proxy_images import load_images

ROOT = Path(__file__).parents[2]
PAPER = ProxyConfig(width=16, stem_stride=1, epochs=20, least_steps=0, augment=True)
"""Section `proxy` of profiles/paper.yaml."""
PAPER_TRAININGS, PAPER_GPU_DAYS = 1_020, 0.4
"""Trainings of the paper profile's search (500, then 5 rounds of 100, then 20), and the paper's cost of its search."""
TINY = ProxyConfig(width=4, stages=(1, 2), stem_stride=4, epochs=2, least_steps=0, batch_size=16, augment=True)

Figures = dict[str, Any]
Part = Callable[["Setting", Figures, "Clock"], Iterator[tuple[str, Any]]]
"""A part yields its figures by name as soon as it has them; it is given those of an earlier start, to go on from."""


@dataclass(frozen=True)
class Setting:
    """Where and on what the parts run.

    Args:
        device: a torch device.
        reduced: a form that takes a minute on a CPU and shows that everything runs; its figures mean nothing.
        cell: file of the cell that GEMNet-A is built from; without one a cell is sampled.
    """

    device: str
    reduced: bool = False
    cell: Path | None = None

    @property
    def is_gpu(self) -> bool:
        """Whether the device is a GPU."""
        return torch.device(self.device).type == "cuda"

    def size(self, whole: int, reduced: int) -> int:
        """Return a number that the reduced form has smaller."""
        return reduced if self.reduced else whole

    @property
    def config(self) -> ProxyConfig:
        """How cells are trained."""
        return TINY if self.reduced else PAPER

    @cached_property
    def images(self) -> ImageSet:
        """The bundled tenth of CIFAR-10, or a little of it."""
        images = load_images(PAPER, ROOT / "data" / "raw")
        return first_images(images, 64, 32) if self.reduced else images

    def release_memory(self) -> None:
        """Give back what this process holds of the GPU: processes of the next part need it."""
        if self.is_gpu:
            torch.cuda.empty_cache()

    def cells(self, count: int) -> list[Cell]:
        """Return cells drawn by the law of the search, those with most edges first: they take longest."""
        drawn = list(sample_cells(CellsConfig(), count, 0))
        return sorted(drawn, key=lambda cell: -cell.num_edges)

    def epochs(self, count: int) -> ProxyConfig:
        """Return how cells are trained, for another number of epochs."""
        return replace(self.config, epochs=count)


class Clock:
    """The time that a part may take.

    Args:
        seconds: from now on.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self._end - time.monotonic()


class OutOfTimeError(Exception):
    """A part has no time for what comes next; another start goes on with it."""


def relative(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Return the norm of a difference as a share of the norm of what is expected."""
    found, expected = found.double().cpu(), expected.double().cpu()
    return float((found - expected).norm() / expected.norm().clamp_min(1e-30))


def spread(values: list[float]) -> dict[str, float]:
    """Return smallest, median and largest."""
    return {"min": float(np.min(values)), "median": float(np.median(values)), "max": float(np.max(values))}
