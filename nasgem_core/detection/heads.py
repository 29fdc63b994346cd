"""Anchors and heads of detectors that stay float32 in mixed precision.

torchvision takes the precision of anchors from the maps, and that of boxes from the output of a head. In bfloat16,
boxes at the right edge of an image of 1333 pixels would be rounded to multiples of 8 pixels. So in mixed precision
convolutions and dense layers are computed in 16 bits, but anchors, boxes and losses are not.
"""

import torch
from torch import Tensor
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.models.detection.rpn import RPNHead


class Anchors(AnchorGenerator):
    """Boxes of fixed sides and aspect ratios around every position of every map."""

    def set_cell_anchors(self, dtype: torch.dtype, device: torch.device) -> None:
        """Move the anchors of one position to the device, but keep their precision whatever that of the maps."""
        super().set_cell_anchors(torch.float32, device)


class RetinaHead(RetinaNetHead):
    """Predicts class logits and box shifts of every anchor."""

    def forward(self, maps: list[Tensor]) -> dict[str, Tensor]:
        """Return `cls_logits` [B, A, classes] and `bbox_regression` [B, A, 4] for the maps of a pyramid."""
        return {name: values.float() for name, values in super().forward(maps).items()}


class ProposalHead(RPNHead):
    """Predicts whether an anchor contains an object, and the shift of its box."""

    def forward(self, maps: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Return logits [B, a, H, W] and shifts [B, 4a, H, W] for each map [B, C, H, W] with a anchors per pixel."""
        logits, shifts = super().forward(maps)
        return [values.float() for values in logits], [values.float() for values in shifts]


class BoxPredictor(FastRCNNPredictor):
    """Predicts class logits of proposals, and a box for each class."""

    def forward(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits [P, classes] and shifts [P, 4 classes] of vectors [P, channels]."""
        logits, shifts = super().forward(vectors)
        return logits.float(), shifts.float()
