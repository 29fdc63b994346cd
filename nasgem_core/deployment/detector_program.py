"""A detector as one pass of tensor operations, for one picture on a canvas of fixed size: what programs are made of.

torchvision's own forward pass branches on what it finds, and cannot be captured. These passes use its layers, box
coding and non-maximum suppression, and choose the same boxes: candidates are taken by score before the threshold is
applied, which picks the same ones, as all above it come first.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import concat_box_prediction_layers
from torchvision.ops import nms, roi_align

from nasgem_core.detection.detector import Detector
from nasgem_core.networks.layout import IMAGE_CHANNELS

INPUTS = ("image", "size", "threshold")
OUTPUTS = ("boxes", "labels", "scores")
_SMALLEST_PROPOSAL = 1e-3
_SMALLEST_BOX = 1e-2
"""Sides in pixels below which Faster R-CNN drops a box, as torchvision has them."""


def canvas_of(detector: Detector) -> tuple[int, int]:
    """Return height and width, in pixels, to which a detector pads a picture of its short by its long side."""
    transform = detector.network.transform
    sides = transform.min_size[0], transform.max_size
    height, width = (transform.size_divisible * math.ceil(side / transform.size_divisible) for side in sides)
    return height, width


def detector_program(detector: Detector) -> tuple[nn.Module, tuple[Tensor, ...]]:
    """Return what is to be captured of a detector in evaluation mode, and an example of its inputs.

    Its inputs are `image` [3, height, width] with floats in 0..1, the picture in its upper left corner; `size` [2],
    height and width of the picture in it, which has been resized as the detector would; and `threshold` [], above
    which scores are listed. Its outputs are those of `Detector` for the resized picture.
    """
    height, width = canvas_of(detector)
    kind = _RetinaNet if detector.settings.kind == "retinanet" else _FasterRCNN
    example = (torch.zeros(IMAGE_CHANNELS, height, width), torch.tensor([height, width]), torch.tensor(0.05))
    return kind(detector, height, width).eval(), example


class _OneImage(nn.Module):
    """What both detectors share: the canvas, its anchors and the choice among boxes."""

    network: Any
    anchors: Tensor
    aside: Tensor
    below: Tensor

    def __init__(self, detector: Detector, height: int, width: int) -> None:
        super().__init__()
        self.network = detector.network
        self.height, self.width = height, width
        self.span = max(height, width) + 1.0
        """Farther apart than any two boxes of the canvas."""
        blank = torch.zeros(1, IMAGE_CHANNELS, height, width)
        generator = self.anchor_generator
        with torch.no_grad():
            maps = list(self.network.backbone(blank).values())
            (anchors,) = generator(ImageList(blank, [(height, width)]), maps)
        per_place = generator.num_anchors_per_location()[0]
        self.counts = [level.shape[2] * level.shape[3] * per_place for level in maps]
        self.register_buffer("anchors", anchors)
        self.register_buffer("aside", torch.tensor([[-9.0, -9.0, -8.0, -8.0], [-5.0, -5.0, -4.0, -4.0]]))
        self.register_buffer("below", torch.tensor([-1.0, -1.0]))

    @property
    def anchor_generator(self) -> Any:
        """Return what lays the anchors on the maps."""
        return self.network.anchor_generator

    def _maps(self, image: Tensor, size: Tensor) -> dict[str, Tensor]:
        """Return the pyramid of the picture on the canvas; what is not picture counts as the mean colour."""
        rows, columns = torch.arange(self.height) < size[0], torch.arange(self.width) < size[1]
        canvas = self.network.transform.normalize(image) * (rows[:, None] & columns)
        return self.network.backbone(canvas[None])

    def _clip(self, boxes: Tensor, size: Tensor) -> Tensor:
        return torch.minimum(boxes.clamp(min=0), torch.stack([size[1], size[0], size[1], size[0]]).to(boxes.dtype))

    def _choose(self, boxes: Tensor, scores: Tensor, groups: Tensor, overlap: float, most: int) -> Tensor:
        """Return the indices of the best boxes of each group, without those that overlap better ones.

        Boxes of other groups are shifted apart. Two boxes that come last by their scores and overlap none stand for
        what captured programs take for granted: that at least two are chosen.
        """
        shifted = boxes + (groups.to(boxes.dtype) * self.span)[:, None]
        chosen = nms(torch.cat([shifted, self.aside]), torch.cat([scores, self.below]), overlap)
        return chosen[:-2][:most]


class _RetinaNet(_OneImage):
    def forward(self, image: Tensor, size: Tensor, threshold: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        network = self.network
        outputs = network.head(list(self._maps(image, size).values()))
        levels = (values[0].split(self.counts) for values in (outputs["cls_logits"], outputs["bbox_regression"]))
        boxes, scores, labels = [], [], []
        for logits, codes, anchors in zip(*levels, self.anchors.split(self.counts), strict=True):
            candidates = min(network.topk_candidates, logits.numel())
            best, places = logits.sigmoid().flatten().topk(candidates)
            rows = places // logits.shape[1]
            boxes.append(network.box_coder.decode_single(codes[rows], anchors[rows]))
            scores.append(best)
            labels.append(places % logits.shape[1])
        found = self._clip(torch.cat(boxes), size), torch.cat(labels), torch.cat(scores)
        (listed,) = torch.where(found[2] > threshold)
        box, label, score = (values[listed] for values in found)
        chosen = self._choose(box, score, label, network.nms_thresh, network.detections_per_img)
        return box[chosen], label[chosen], score[chosen]


class _FasterRCNN(_OneImage):
    @property
    def anchor_generator(self) -> Any:
        return self.network.rpn.anchor_generator

    def forward(self, image: Tensor, size: Tensor, threshold: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        heads, maps = self.network.roi_heads, self._maps(image, size)
        proposals = self._proposals(maps, size)
        logits, codes = heads.box_predictor(heads.box_head(self._pooled(maps, proposals)))
        scores = logits.softmax(-1)[:, 1:]  # class 0 is the background
        classes = scores.shape[1]
        boxes = heads.box_coder.decode_single(codes, proposals).reshape(-1, classes + 1, 4)[:, 1:].reshape(-1, 4)
        found = self._clip(boxes, size), torch.arange(classes).repeat(proposals.shape[0]), scores.reshape(-1)
        (listed,) = torch.where((found[2] > threshold) & _have_sides(found[0], _SMALLEST_BOX))
        box, label, score = (values[listed] for values in found)
        chosen = self._choose(box, score, label, heads.nms_thresh, heads.detections_per_img)
        return box[chosen], label[chosen], score[chosen]

    def _proposals(self, maps: dict[str, Tensor], size: Tensor) -> Tensor:
        rpn = self.network.rpn
        objectness, codes = concat_box_prediction_layers(*rpn.head(list(maps.values())))
        levels = (values.split(self.counts) for values in (objectness.flatten(), codes, self.anchors))
        boxes, scores, groups = [], [], []
        for level, (logits, codes_of_level, anchors) in enumerate(zip(*levels, strict=True)):
            best, places = logits.topk(min(rpn.pre_nms_top_n(), logits.numel()))
            boxes.append(rpn.box_coder.decode_single(codes_of_level[places], anchors[places]))
            scores.append(best.sigmoid())
            groups.append(torch.full_like(places, level))
        found = self._clip(torch.cat(boxes), size), torch.cat(scores), torch.cat(groups)
        (listed,) = torch.where(_have_sides(found[0], _SMALLEST_PROPOSAL))
        box, score, group = (values[listed] for values in found)
        return box[self._choose(box, score, group, rpn.nms_thresh, rpn.post_nms_top_n())]

    def _pooled(self, maps: dict[str, Tensor], proposals: Tensor) -> Tensor:
        """Return the map of each proposal, cut out of the level that suits its size."""
        pool = self.network.roi_heads.box_roi_pool
        levels = pool.map_levels([proposals])
        regions = torch.cat([torch.zeros_like(proposals[:, :1]), proposals], dim=1)
        pooled = torch.zeros(proposals.shape[0], self.network.backbone.out_channels, *pool.output_size)
        for level, (name, scale) in enumerate(zip(pool.featmap_names, pool.scales, strict=True)):
            (own,) = torch.where(levels == level)
            cut = roi_align(maps[name], regions[own], pool.output_size, scale, pool.sampling_ratio)
            pooled = pooled.index_put((own,), cut)
        return pooled


def _have_sides(boxes: Tensor, smallest: float) -> Tensor:
    return ((boxes[:, 2:] - boxes[:, :2]) >= smallest).all(dim=1)
