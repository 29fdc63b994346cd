"""Anchors and heads of detectors that are float32 in mixed precision too.

torchvision takes the precision of anchors from the maps, and that of boxes from what a head puts out. In bfloat16 boxes
at the right edge of an image of 1333 pixels would stand on a grid of 8 of them. So convolutions and dense layers are
computed in 16 bits where the loop asks for it; anchors, boxes and losses are not.
"""

import torch
from torch import Tensor
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.models.detection.rpn import RPNHead


class Anchors(AnchorGenerator):
    """Boxes of fixed sides and aspects around every place of every map."""

    def set_cell_anchors(self, dtype: torch.dtype, device: torch.device) -> None:
        """Bring the anchors of one place to the device; the maps' precision is not taken over."""
        super().set_cell_anchors(torch.float32, device)


class RetinaHead(RetinaNetHead):
    """Class logits and box shifts of every anchor."""

    def forward(self, maps: list[Tensor]) -> dict[str, Tensor]:
        """Return `cls_logits` [B, A, classes] and `bbox_regression` [B, A, 4] for the maps of a pyramid."""
        return {name: values.float() for name, values in super().forward(maps).items()}


class ProposalHead(RPNHead):
    """Whether an anchor holds an object, and how its box is to be shifted."""

    def forward(self, maps: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Return for each map [B, C, H, W] the logits [B, a, H, W] and shifts [B, 4a, H, W] of a anchors a place."""
        logits, shifts = super().forward(maps)
        return [values.float() for values in logits], [values.float() for values in shifts]


class BoxPredictor(FastRCNNPredictor):
    """Class logits of proposals, and a box for each class."""

    def forward(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits [P, classes] and shifts [P, 4 classes] of vectors [P, channels]."""
        logits, shifts = super().forward(vectors)
        return logits.float(), shifts.float()
