"""Small trainings of stage `coco`, and what they need."""

from pathlib import Path

from nasgem_core.config.transfer import CocoConfig
from tests.detection.coco_folder import write_coco_folder
from tests.tasks.backbones import write_classifier

CONFIG = CocoConfig(
    dataset="pictures",
    train="train",
    validation="val",
    backbones=("mobilenet_v2",),
    detectors=("retinanet", "faster_rcnn"),
    short_side=48,
    long_side=64,
    square=True,
    pyramid_channels=8,
    box_channels=8,
    sampled_proposals=16,
    group_normalisation=True,
    epochs=2,
    milestones=(1,),
    batch_size=4,
    learning_rate=0.02,
    warmup_steps=1,
    clip_norm=35.0,
    evaluate_epochs=1,
    measured_train=3,
    samples=2,
)


def write_workplace(root: Path) -> Path:
    """Write a data set and two trained networks below a repository's root, and return that."""
    write_coco_folder(root / "pictures")
    write_classifier(root, 0, 0.25)
    write_classifier(root, 1, 0.75)
    return root
