from dataclasses import dataclass

import numpy as np

from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig, ProxyConfig
from nasgem_core.seeding import derive_seed
from nasgem_core.training.image_set import ImageSet
from tasks.run.placement import Placement
from tasks.stages import proxy

CELLS = sample_cells(CellsConfig(vertices=4), 3, 0)
CONFIG = ProxyConfig(width=2, stages=(1,), epochs=1, least_steps=0, batch_size=8, augment=False)
GENERATOR = np.random.default_rng(0)
IMAGES = ImageSet(
    *(
        part
        for _ in range(2)
        for part in (GENERATOR.integers(0, 256, (16, 8, 8, 3), dtype=np.uint8), np.arange(16) % 2)
    ),
    ("a", "b"),
)


@dataclass
class Result:
    accuracy: float


def test_a_cell_is_trained_from_the_seed_of_its_key(monkeypatch):
    given = []

    def train_cell(*values, device):
        given.extend([*values, device])
        return Result(0.5)

    monkeypatch.setattr(proxy, "open_unchanged_images", lambda *_: IMAGES)
    monkeypatch.setattr(proxy, "train_cell", train_cell)
    cell = CELLS.cell(0).canonical_form()
    found = proxy.train_proxy.fn(cell, IMAGES.content_hash, CONFIG, 5, Placement())
    assert found == {"accuracy": 0.5}
    assert given == [cell, IMAGES, CONFIG, derive_seed(5, "proxy", cell.canonical_key), "cpu"]


def test_runs_have_seeds_of_their_own():
    seeds = {proxy.run_seed(root, run) for root in (0, 1) for run in range(5)}
    assert len(seeds) == 10 and proxy.run_seed(7, 0) == 7
