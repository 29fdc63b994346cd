"""Params and multiply-adds of a whole detector, counted as in Table 2 of the paper."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from nasgem_core.detection.settings import PAPER_LONG_SIDE, PAPER_SHORT_SIDE

if TYPE_CHECKING:
    from nasgem_core.detection.detector import Detector

PROPOSALS = 1000
"""Proposals per image that Faster R-CNN classifies when it detects."""


@dataclass(frozen=True)
class DetectorCosts:
    """Costs of one detector.

    Args:
        params: learned numbers, those of frozen normalisation included and those of the backbone's classifier not.
        macs: multiply-adds of convolutions and dense layers for one image. As in the paper, normalisation, resizing,
            pooling, interpolation and the selection of boxes are left out.
    """

    params: int
    macs: int


def detector_costs(detector: "Detector", height: int = PAPER_SHORT_SIDE, width: int = PAPER_LONG_SIDE) -> DetectorCosts:
    """Count the costs of a detector for an image of exactly that size, which is neither resized nor padded.

    Nothing is computed, as the tensors have shapes but no content, and the detector does not change.
    """
    from torch.utils.flop_counter import FlopCounterMode  # which loads triton

    path = _CountedPath(detector)
    state = {**dict(path.named_parameters()), **dict(path.named_buffers())}
    shapes = {name: tensor.to("meta") for name, tensor in state.items()}
    images = torch.empty(1, 3, height, width, device="meta")
    training = detector.training
    detector.eval()
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            torch.func.functional_call(path, shapes, (images,))
    finally:
        detector.train(training)
    params = sum(parameter.numel() for parameter in detector.parameters())
    # The counter counts a multiplication and an addition as two operations.
    return DetectorCosts(params, counter.get_total_flops() // 2)


class _CountedPath(nn.Module):
    """All convolutions and dense layers of a detector, without the selection of boxes between them."""

    def __init__(self, detector: "Detector") -> None:
        super().__init__()
        self.network = detector.network
        self.two_stages = detector.settings.kind == "faster_rcnn"

    def forward(self, images: Tensor) -> None:
        maps = list(self.network.backbone(images).values())
        if not self.two_stages:
            self.network.head(maps)
            return
        self.network.rpn.head(maps)
        heads = self.network.roi_heads
        side = heads.box_roi_pool.output_size[0]
        heads.box_predictor(heads.box_head(images.new_empty(PROPOSALS, maps[0].shape[1], side, side)))
