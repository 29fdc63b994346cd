"""Small networks of each kind, for the tests of this room."""

import numpy as np
import torch
from PIL import Image

from nasgem_core.backbones.layout import GEMNetLayout
from nasgem_core.backbones.skeleton import Skeleton
from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.cells.cell import Cell
from nasgem_core.deployment.card import NetworkCard
from nasgem_core.deployment.proxy_spec import ProxySpec
from nasgem_core.deployment.specs import build_network
from nasgem_core.networks.layout import NetworkLayout

SKELETON = Skeleton("small", scales=(0.5, 1.0), repeats=(1, 2), head_channels=16)
LAYOUT = GEMNetLayout("small", 2, (False, True), SKELETON)


def cell(*operations):
    """Return a cell with a branch, a concatenation and two leaves."""
    adjacency = np.zeros((5, 5), dtype=np.uint8)
    for u, v in ((0, 1), (0, 2), (1, 3), (2, 3), (0, 4), (2, 4)):
        adjacency[u, v] = 1
    return Cell(adjacency, ("input", *(operations or ("conv1x1", "dwconv3x3", "conv3x3", "conv1x1"))))


def gemnet_spec(*operations):
    return GEMNetSpec("GEMNet-S", 3, (32, 32), cell(*operations), LAYOUT, 16.0)


def proxy_spec():
    return ProxySpec(cell(), NetworkLayout(width=4, stages=(1, 2), stem_stride=1, image_size=8), 3)


def card(spec, **fields):
    size = spec.image_size[0]
    own = {"classes": ("cat", "dog", "a 'third' class"), "image_size": size, "centre_share": 0.875}
    moments = {"mean": (0.5, 0.4, 0.3), "std": (0.2, 0.25, 0.3), "metrics": {"top1": 0.5}}
    return NetworkCard(**{"name": spec.name, "network": spec.to_dict(), **own, **moments, **fields})


def trained(spec):
    """Return a network whose normalisations have seen images."""
    network = build_network(spec).train()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for _ in range(3):
            network(torch.randn(8, 3, *spec.image_size, generator=generator))
    return network.eval()


def images(spec, count=2):
    return torch.randn(count, 3, *spec.image_size, generator=torch.Generator().manual_seed(2))


def photo(width=1200, height=900, seed=0):
    """Return a picture with coarse and fine structure: noise at several scales, the finest a pixel wide."""
    random, total = np.random.default_rng(seed), np.zeros((height, width, 3))
    for step in (1, 3, 10, 40, 200):
        coarse = random.integers(0, 256, (max(2, height // step), max(2, width // step), 3), dtype=np.uint8)
        total += np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), float)
    low, high = total.min(), total.max()
    return Image.fromarray(((total - low) / (high - low) * 255).astype(np.uint8))


def loaded(text, folder):
    """Import an exported Python file and return it."""
    import importlib.util

    path = folder / "network.py"
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("exported_network", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
