"""Small trainings of stage `imagenet`, and the networks that stage `gemnet` leaves for it."""

import numpy as np

from nasgem_core.backbones.layout import IMAGENET
from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.cells.cell import Cell
from nasgem_core.config.transfer import ImagenetConfig
from tasks.stages.imagenet_networks import GEMNET_FOLDER

CELL = Cell(np.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]]), ("input", "dwconv3x3", "conv1x1"))
SMALL = ImagenetConfig(
    networks=("mobilenet_v2",),
    macs=(8_310_000,),
    image_size=64,
    seeds=2,
    epochs=2,
    least_steps=0,
    batch_size=8,
    learning_rates=(0.1,),
    warmup_epochs=0.5,
    averaging=0.999,
    crop_area=(0.08, 1.0),
    centre_share=0.875,
)


def write_gemnets(root):
    """Write two GEMNets of `CELL` below a repository's root."""
    (root / GEMNET_FOLDER).mkdir(parents=True)
    for name, width in (("gemnet_a", 32.0), ("gemnet_b", 40.0)):
        spec = GEMNetSpec(name, 1000, (224, 224), CELL, IMAGENET, width)
        (root / GEMNET_FOLDER / f"{name}.json").write_text(spec.to_json())
