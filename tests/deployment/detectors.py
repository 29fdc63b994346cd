"""Small detectors of each kind, for the tests of this room."""

from dataclasses import replace

import torch

from nasgem_core.backbones.layout import IMAGENET
from nasgem_core.backbones.skeleton import Skeleton
from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.detection.annotations import Category
from nasgem_core.detection.settings import DetectorSettings
from nasgem_core.detection.spec import DetectorSpec, for_detection
from tests.deployment.networks import cell

LAYOUT = replace(IMAGENET, skeleton=Skeleton("small", repeats=(1, 2, 1, 1, 1), head_channels=16))
CATEGORIES = (Category(7, "cat"), Category(9, "dog"))


def detector_spec(*operations, backbone=None, **settings):
    """Return a detector of a small GEMNet, or of another network."""
    backbone = backbone or GEMNetSpec("g", 2, (64, 64), cell(*operations), LAYOUT, 8.0)
    small = {"short_side": 48, "long_side": 64, "pyramid_channels": 8, "box_channels": 16, "group_normalisation": True}
    return DetectorSpec(for_detection(backbone), CATEGORIES, DetectorSettings(**{**small, **settings}))


def detector_weights(spec):
    """Return weights of a seed, with logits that are not all alike."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        detector = spec.build().eval()
    return detector.state_dict()


def pictures(*sizes):
    generator = torch.Generator().manual_seed(2)
    return [torch.rand(3, *size, generator=generator) for size in sizes]
