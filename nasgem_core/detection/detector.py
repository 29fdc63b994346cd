"""Detectors on any backbone: RetinaNet and Faster R-CNN with a feature pyramid, as Table 2 of the paper counts them.

The heads, losses, proposals and non-maximum suppression are those of torchvision. Our choices follow from the params
and multiply-adds in Table 2: the coarsest map of a backbone is its last one, after the network's 1x1 head convolution;
P6 is computed from P5; and two dense layers classify proposals and predict a box for each class.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN, RetinaNet
from torchvision.models.detection.faster_rcnn import TwoMLPHead
from torchvision.ops import MultiScaleRoIAlign
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool, LastLevelP6P7
from torchvision.ops.poolers import initLevelMapper

from nasgem_core.backbones.backbone import Backbone
from nasgem_core.detection.heads import Anchors, BoxPredictor, ProposalHead, RetinaHead
from nasgem_core.detection.pyramid import PyramidBackbone, freeze_normalisation
from nasgem_core.detection.settings import DetectorSettings

DETECTIONS = 100
"""Limit of detected objects per image: as many as COCO's measure uses."""
_ANCHORS = (32, 64, 128, 256, 512)
"""Side of the anchors of each map of a pyramid, in pixels at the paper's image size."""
_ASPECTS = (0.5, 1.0, 2.0)
_STRIDE = 32
"""Stride of a backbone's coarsest map; images are padded to multiples of it."""
_POOL = 7
_GROUP = 8
"""Channels per group of group normalisation: 32 groups of 256 channels, as is usual."""
_CANONICAL_SIZE = 224
"""Side of the proposals that belong to P4 (Eq. 1 of Lin et al. 2017a)."""
_LOSS_NAMES = {
    "classification": "classification",
    "bbox_regression": "box",
    "loss_classifier": "classification",
    "loss_box_reg": "box",
    "loss_objectness": "proposal",
    "loss_rpn_box_reg": "proposal_box",
}


class Detector(nn.Module):
    """A detector for labels 0..num_classes - 1.

    Args:
        backbone: a network that has maps with strides 8, 16, 32 (RetinaNet) or 4, 8, 16, 32 (Faster R-CNN).
        num_classes: number of categories, without the background.
        settings: head, sizes and normalisation.

    Raises:
        ParameterError: the backbone lacks one of the maps.
    """

    def __init__(self, backbone: Backbone, num_classes: int, settings: DetectorSettings) -> None:
        super().__init__()
        self.settings = settings
        self.num_classes = num_classes
        two_stages = settings.kind == "faster_rcnn"
        self.network = (_faster_rcnn if two_stages else _retinanet)(backbone, num_classes, settings)
        self.first_label = 1 if two_stages else 0
        """In Faster R-CNN class 0 is the background; RetinaNet has no class for it."""
        self.train()

    @property
    def lowest_score(self) -> float:
        """Only objects with a higher score are detected; .05 unless set."""
        return float(self._selector.score_thresh)

    @lowest_score.setter
    def lowest_score(self, score: float) -> None:
        """Detect objects above another score."""
        self._selector.score_thresh = score

    @property
    def _selector(self) -> Any:
        """The part of the network that keeps the best boxes."""
        return self.network.roi_heads if isinstance(self.network, FasterRCNN) else self.network

    @property
    def pyramid(self) -> PyramidBackbone:
        """The backbone with its pyramid."""
        return self.network.backbone

    def train(self, mode: bool = True) -> "Detector":
        """Switch between training and detecting; frozen normalisation stays frozen."""
        super().train(mode)
        if self.settings.frozen_normalisation:
            freeze_normalisation(self.pyramid.body)
        return self

    def forward(
        self, images: Sequence[Tensor], targets: Sequence[Mapping[str, Tensor]] | None = None
    ) -> dict[str, Tensor] | list[dict[str, Tensor]]:
        """Return the losses in training, and detections otherwise.

        Args:
            images: [3, H, W] each, of any size, as uint8 or floats in 0..1. They are resized and normalised here.
            targets: in training, for each image `boxes` [n, 4] (left, top, right, bottom, in its pixels) and
                `labels` [n].

        Returns:
            In training the losses by name, which are to be summed. Otherwise `boxes` [d, 4], `labels` [d] and `scores`
            [d] for each image, highest score first.
        """
        floats = [image if image.is_floating_point() else image / 255 for image in images]
        if self.training:
            shifted = [{"boxes": t["boxes"], "labels": t["labels"] + self.first_label} for t in targets or ()]
            return {_LOSS_NAMES[name]: loss for name, loss in self.network(floats, shifted).items()}
        return [{**found, "labels": found["labels"] - self.first_label} for found in self.network(floats)]


def _retinanet(backbone: Backbone, num_classes: int, settings: DetectorSettings) -> RetinaNet:
    channels, normalisation = settings.pyramid_channels, _normalisation(settings)
    # Three sides per octave. Given the number of channels of P5, torchvision's block computes P6 from P5.
    sides = tuple(tuple(side * settings.scale * 2 ** (third / 3) for third in range(3)) for side in _ANCHORS)
    anchors = Anchors(sides, (_ASPECTS,) * len(sides))
    return RetinaNet(
        PyramidBackbone(backbone, (8, 16, 32), channels, LastLevelP6P7(channels, channels), normalisation),
        num_classes,
        anchor_generator=anchors,
        head=RetinaHead(channels, anchors.num_anchors_per_location()[0], num_classes, normalisation),
        detections_per_img=DETECTIONS,
        **_resizing(settings),
    )


def _faster_rcnn(backbone: Backbone, num_classes: int, settings: DetectorSettings) -> FasterRCNN:
    channels = settings.pyramid_channels
    sides = tuple((side * settings.scale,) for side in _ANCHORS)
    canonical = max(1, round(_CANONICAL_SIZE * settings.scale))
    strides = (4, 8, 16, 32)
    pool = MultiScaleRoIAlign(["0", "1", "2", "3"], _POOL, sampling_ratio=2, canonical_scale=canonical)
    # torchvision would derive the scales of the maps from the first image, without its padding, and keep them: a first
    # image that is much wider than high, on a square canvas, would give wrong scales.
    pool.scales = [1 / stride for stride in strides]
    pool.map_levels = initLevelMapper(2, 5, canonical_scale=canonical)  # of P2 to P5
    anchors = Anchors(sides, (_ASPECTS,) * len(sides))
    return FasterRCNN(
        PyramidBackbone(backbone, strides, channels, LastLevelMaxPool(), _normalisation(settings)),
        rpn_anchor_generator=anchors,
        box_roi_pool=pool,
        box_head=TwoMLPHead(channels * _POOL**2, settings.box_channels),
        box_predictor=BoxPredictor(settings.box_channels, num_classes + 1),
        box_batch_size_per_image=settings.sampled_proposals,
        box_detections_per_img=DETECTIONS,
        rpn_head=ProposalHead(channels, anchors.num_anchors_per_location()[0]),
        **_resizing(settings),
    )


def _normalisation(settings: DetectorSettings) -> Callable[[int], nn.Module] | None:
    if not settings.group_normalisation:
        return None
    return lambda channels: nn.GroupNorm(math.gcd(channels, max(1, channels // _GROUP)), channels)


def _resizing(settings: DetectorSettings) -> dict[str, object]:
    return {
        "min_size": settings.short_side,
        "max_size": settings.long_side,
        "image_mean": list(settings.mean),
        "image_std": list(settings.std),
        # No side is longer than the long side, so this pads all images to the same square.
        "size_divisible": _STRIDE * math.ceil(settings.long_side / _STRIDE) if settings.square else _STRIDE,
    }
