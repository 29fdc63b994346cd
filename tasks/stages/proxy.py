"""Task "proxy training" (paper 3.2): one cell, one training, once ever for equal settings."""

from dataclasses import asdict
from typing import Any

from nasgem_core.cells.cell import Cell
from nasgem_core.config.search import ProxyConfig
from nasgem_core.seeding import derive_seed
from nasgem_core.training.proxy import train_cell
from tasks.run.placement import Placement
from tasks.stages.proxy_images import open_unchanged_images
from tasks.store.caching import cached_task


@cached_task("proxy training")
def train_proxy(cell: Cell, images_hash: str, config: ProxyConfig, seed: int, placement: Placement) -> dict[str, Any]:
    """Train one cell's network; returns accuracy, curves, or why it failed.

    Give the canonical representative of a cell, so that isomorphic cells share one record.
    """
    images = open_unchanged_images(config, images_hash, placement)
    training_seed = derive_seed(seed, "proxy", cell.canonical_key)
    return asdict(train_cell(cell, images, config, training_seed, device=placement.own_device()))


def run_seed(root: int, run: int) -> int:
    """Return the seed that takes the root's place in the trainings of one run; run 0 has the root itself."""
    return root if run == 0 else derive_seed(root, "run", run)
