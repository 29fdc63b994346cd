import pytest
import torch

from nasgem_core.config.transfer import DETECTORS
from tests.detection.test_detector import small_detector


@pytest.mark.parametrize("kind", DETECTORS)
def test_boxes_keep_their_precision_where_convolutions_have_16_bits(kind):
    detector = small_detector(kind, short_side=256, long_side=1333)
    images = [torch.rand(3, 256, 1330, generator=torch.Generator().manual_seed(0))]
    targets = [{"boxes": torch.tensor([[1201.3, 100.7, 1290.6, 190.2]]), "labels": torch.tensor([1])}]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses = detector(images, targets)
        detector.eval().lowest_score = 0.0
        with torch.no_grad():
            (found,) = detector(images)
    assert {loss.dtype for loss in losses.values()} == {torch.float32} == {found["boxes"].dtype}
    right = found["boxes"][:, 2]
    right = right[(right > 512) & (right < 1330)]
    assert len(right) > 10 and (right % 4 != 0).float().mean() > 0.3, "bfloat16 would leave multiples of 4"
