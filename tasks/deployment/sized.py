"""Networks sized to a budget, to be measured: GEMNets as section `gemnet` describes them, and their rivals."""

import math

import numpy as np

from nasgem_core.backbones.channels import Budget
from nasgem_core.backbones.frame import Frame
from nasgem_core.backbones.published.mobile import SCALABLE
from nasgem_core.backbones.scaled import scaled_to_budget
from nasgem_core.backbones.width import fitted_network
from nasgem_core.cells.cell import Cell
from nasgem_core.cells.known_blocks import known_blocks
from nasgem_core.cells.sampling import sample_distinct_cells
from nasgem_core.config.search import SearchConfig
from nasgem_core.errors import ParameterError
from nasgem_core.seeding import derive_seed
from tasks.deployment.latency import Listed

_SPREAD = 3.0
"""Sampled networks have up to so many times the multiply-adds, or so many times less."""
_MOST_DRAWN = 100
"""Cells that are drawn for each one that is needed, at most."""


def is_rival(name: str) -> bool:
    """Say whether a name is that of a network of any size that has no cells."""
    return name in SCALABLE


def listed_rival(name: str, macs: int, frame: Frame) -> Listed:
    """List a rival with these multiply-adds, for the classes and the images of a frame; raises `ParameterError`."""
    spec = scaled_to_budget(name, frame.num_classes, frame.image_size, macs)
    return Listed(name, spec, "rivals of any size")


def listed_gemnet(name: str, cell: Cell, macs: int, frame: Frame) -> Listed:
    """List the GEMNet of a cell with these multiply-adds; raises `ParameterError` where there is none."""
    return Listed(name, fitted_network(name, cell, frame, Budget(macs)), "GEMNets", cell.canonical_key)


def listed_gemnet_samples(count: int, macs: int, frame: Frame, config: SearchConfig) -> list[Listed]:
    """List GEMNets of random cells and of the known blocks, always the same ones, from a third to three times the size.

    A cell that has no network of its size is left out, and the next random one takes its place.

    Raises:
        ParameterError: too few of very many random cells have one.
    """
    seed = derive_seed(config.seed, "latency", "target")
    rng = np.random.default_rng(seed)
    cells = sample_distinct_cells(config.cells, _MOST_DRAWN * count, seed)
    blocks = [(block.title, block.cell) for block in known_blocks(config.cells)]
    listed: list[Listed] = []
    for place, (name, cell) in enumerate([*blocks, *((cell.canonical_key[:8], cell) for cell in cells)]):
        if place >= len(blocks) and len(listed) >= count + len(blocks):
            break
        size = round(macs * math.exp(rng.uniform(-1, 1) * math.log(_SPREAD)))
        try:
            listed.append(listed_gemnet(name, cell, size, frame))
        except ParameterError:
            continue
    if len(listed) < count:
        raise ParameterError(f"--macs: {len(listed)} of {len(cells)} random cells have networks of this size; raise it")
    return listed
