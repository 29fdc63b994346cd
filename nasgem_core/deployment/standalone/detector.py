"""Detectors on any backbone: the exported form of `nasgem_core.detection.detector`, with the same keys."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torchvision import ops
from torchvision.models import detection


class Pyramid(nn.Module):
    """Some maps of a backbone, all with the same number of channels, coarse ones added to fine ones."""

    def __init__(
        self,
        body: Any,
        levels: Sequence[int],
        level_channels: Sequence[int],
        channels: int,
        coarser: nn.Module,
        groups: int,
    ) -> None:
        super().__init__()
        self.body = body
        self.levels = levels
        self.fpn = ops.FeaturePyramidNetwork(list(level_channels), channels, coarser, normalisation(groups))
        self.out_channels = channels

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Map normalised images [B, 3, H, W] to maps, finest first."""
        maps = self.body.forward_features(images)
        return self.fpn({str(i): maps[level] for i, level in enumerate(self.levels)})


def normalisation(groups: int) -> Callable[[int], nn.Module] | None:
    """Return what makes the normalisation of a number of channels, by groups of them; None for 0 groups."""
    return (lambda channels: nn.GroupNorm(groups, channels)) if groups else None


class Detector(nn.Module):
    """A detector of torchvision for labels that begin with 0."""

    def __init__(self, network: nn.Module, first_label: int) -> None:
        super().__init__()
        self.network = network
        self.first_label = first_label

    def forward(self, images: Sequence[Tensor], targets: Sequence[Mapping[str, Tensor]] | None = None) -> Any:
        """Return boxes, labels and scores for each image [3, H, W]: uint8, or floats in 0..1.

        In training, return the losses by name, to be summed, for what `targets` names of each image: its `boxes`
        [n, 4], left, top, right and bottom in pixels, and `labels` [n]. Batch normalisation learns too; few images a
        step are too noisy for that, so put those layers into `eval()` then.
        """
        floats = [image if image.is_floating_point() else image / 255 for image in images]
        if self.training:
            if targets is None:
                raise ValueError("a detector in training needs targets: name them, or call eval() to detect")
            shifted = [{"boxes": t["boxes"], "labels": t["labels"] + self.first_label} for t in targets]
            return self.network(floats, shifted)
        return [{**found, "labels": found["labels"] - self.first_label} for found in self.network(floats)]


def retinanet(
    body: Any,
    categories: int,
    levels: Sequence[int],
    level_channels: Sequence[int],
    channels: int,
    groups: int,
    sides: Sequence[Sequence[float]],
    aspects: Sequence[float],
    **options: object,
) -> Detector:
    """Return RetinaNet: two heads of four convolutions each that every map of the pyramid passes through."""
    coarser = ops.feature_pyramid_network.LastLevelP6P7(channels, channels)
    anchors = detection.anchor_utils.AnchorGenerator(tuple(sides), (tuple(aspects),) * len(sides))
    head = detection.retinanet.RetinaNetHead(
        channels, anchors.num_anchors_per_location()[0], categories, normalisation(groups)
    )
    pyramid = Pyramid(body, levels, level_channels, channels, coarser, groups)
    return Detector(detection.RetinaNet(pyramid, categories, anchor_generator=anchors, head=head, **options), 0)


def faster_rcnn(
    body: Any,
    categories: int,
    levels: Sequence[int],
    level_channels: Sequence[int],
    channels: int,
    groups: int,
    sides: Sequence[Sequence[float]],
    aspects: Sequence[float],
    strides: Sequence[int],
    pooled: int,
    samples: int,
    canonical: int,
    box_channels: int,
    **options: object,
) -> Detector:
    """Return Faster R-CNN: proposals from every map of the pyramid, each judged by two dense layers."""
    pool = ops.MultiScaleRoIAlign(
        [str(i) for i in range(len(strides))], pooled, sampling_ratio=samples, canonical_scale=canonical
    )
    # torchvision would guess the scales from the first image, and wrongly from one that is much wider than high.
    pool.scales = [1 / stride for stride in strides]
    first, last = (stride.bit_length() - 1 for stride in (strides[0], strides[-1]))
    pool.map_levels = ops.poolers.initLevelMapper(first, last, canonical_scale=canonical)
    coarser = ops.feature_pyramid_network.LastLevelMaxPool()
    network = detection.FasterRCNN(
        Pyramid(body, levels, level_channels, channels, coarser, groups),
        rpn_anchor_generator=detection.anchor_utils.AnchorGenerator(tuple(sides), (tuple(aspects),) * len(sides)),
        box_roi_pool=pool,
        box_head=detection.faster_rcnn.TwoMLPHead(channels * pooled**2, box_channels),
        box_predictor=detection.faster_rcnn.FastRCNNPredictor(box_channels, categories + 1),
        **options,
    )
    return Detector(network, 1)
