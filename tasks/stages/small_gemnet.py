"""Task "small GEMNet training": the accuracy of a cell in the network that judges it in a search at a budget."""

from dataclasses import asdict
from typing import Any

from nasgem_core.backbones.frame import Frame
from nasgem_core.backbones.gemnet import GEMNet
from nasgem_core.cells.cell import Cell
from nasgem_core.config.search import ProxyConfig
from nasgem_core.seeding import derive_seed
from nasgem_core.training.proxy import train_network
from tasks.run.placement import Placement
from tasks.stages.proxy_images import open_unchanged_images
from tasks.store.caching import cached_task


@cached_task("small GEMNet training")
def train_small_gemnet(
    cell: Cell,
    *,
    frame: Frame,
    channels: tuple[int, ...],
    images_hash: str,
    config: ProxyConfig,
    seed: int,
    placement: Placement,
) -> dict[str, Any]:
    """Train the GEMNet of a cell with these channels on the proxy images; returns accuracy, curves, or why it failed.

    Give the canonical representative of a cell, so that isomorphic cells share one record.
    """
    images = open_unchanged_images(config, images_hash, placement)
    found = train_network(
        lambda: GEMNet(cell, frame.layout, channels, frame.num_classes),
        images,
        config,
        derive_seed(seed, "proxy", cell.canonical_key),
        device=placement.own_device(),
        channels_last=True,
    )
    return asdict(found)
