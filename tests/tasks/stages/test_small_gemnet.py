import numpy as np
import pytest
import torch

from nasgem_core.backbones.frame import Frame
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig, ProxyConfig
from nasgem_core.errors import DataError
from nasgem_core.training.image_set import ImageSet
from tasks.run.placement import Placement
from tasks.stages import proxy_images
from tasks.stages.small_gemnet import train_small_gemnet
from tests.search.target_networks import SHORT

CELL = sample_cells(CellsConfig(vertices=4), 1, 0).cell(0).canonical_form()
CONFIG = ProxyConfig(epochs=2, least_steps=0, batch_size=8)
GENERATOR = np.random.default_rng(0)
LABELS = np.arange(32) % 2
PIXELS = (GENERATOR.integers(0, 80, (32, 32, 32, 3)) + 120 * LABELS[:, None, None, None]).astype(np.uint8)
IMAGES = ImageSet(PIXELS, LABELS, PIXELS, LABELS, ("dark", "bright"))
NETWORK = {"frame": Frame(SHORT, 2, (32, 32)), "channels": (8, 4, 8, 8, 8, 8)}


@pytest.fixture(autouse=True)
def _images(monkeypatch):
    monkeypatch.setattr(proxy_images, "open_images", lambda *_: IMAGES)


def trained(seed, images_hash=IMAGES.content_hash):
    given = {"images_hash": images_hash, "config": CONFIG, "seed": seed, "placement": Placement()}
    found = train_small_gemnet.fn(CELL, **NETWORK, **given)
    return {name: value for name, value in found.items() if name not in ("seconds", "images_per_second")}


def test_an_easy_task_is_learned_and_equal_seeds_give_equal_bits():
    found = trained(0)
    assert found["accuracy"] > 0.6 and not found["failed"] and len(found["epoch_losses"]) == 2
    torch.rand(1)  # the state of the global generator makes no difference
    assert trained(0) == found
    assert trained(1) != found


def test_images_that_changed_meanwhile_are_refused():
    with pytest.raises(DataError, match="changed while the search was running"):
        trained(0, "another hash")
