import pytest
import torch

from nasgem_core.deployment.standalone import detector as alone
from nasgem_core.detection.detector import Detector
from nasgem_core.detection.settings import DetectorSettings
from tests.deployment.detectors import pictures
from tests.detection.networks import SmallBackbone

SIDES = ((6.4,), (12.8,), (25.6,), (51.2,), (102.4,))


def test_faster_rcnn_knows_the_scales_of_its_maps():
    """A first picture that is much wider than high tells torchvision other scales than it tells of the maps."""
    options = {"min_size": 48, "max_size": 64, "size_divisible": 64, "box_score_thresh": 0.0}
    torch.manual_seed(0)
    numbers = (0, 1, 2, 3), (8, 16, 24, 32), 8, 0, SIDES, (0.5, 1.0, 2.0), (2, 4, 8, 16), 7, 2, 18, 16
    found = [alone.faster_rcnn(SmallBackbone(), 2, *numbers, **options).eval() for _ in range(2)]
    found[1].load_state_dict(found[0].state_dict())
    wide, high = pictures((20, 64), (64, 48))
    with torch.no_grad():
        found[1]([wide])
        for name, tensor in found[0]([high])[0].items():
            assert torch.equal(found[1]([high])[0][name], tensor)
    assert found[0].network.roi_heads.box_roi_pool.scales == [1 / 2, 1 / 4, 1 / 8, 1 / 16]


@pytest.mark.parametrize("groups", [0, 2])
def test_the_pyramid_is_ours(groups):
    ours = Detector(SmallBackbone(), 2, DetectorSettings(pyramid_channels=16, group_normalisation=groups > 0)).pyramid
    theirs = alone.Pyramid(ours.body, ours.levels, (24, 32, 40), 16, ours.fpn.extra_blocks, groups)
    assert list(theirs.state_dict()) == list(ours.state_dict())
    theirs.load_state_dict(ours.state_dict())
    images = torch.stack(pictures((64, 64)))
    with torch.no_grad():
        for name, tensor in ours.eval()(images).items():
            assert torch.equal(theirs.eval()(images)[name], tensor)


def test_labels_begin_with_0_and_bytes_are_fractions():
    class Network(torch.nn.Module):
        def forward(self, images):
            return [{"labels": torch.tensor([1, 2]), "scores": image.amax((1, 2))} for image in images]

    image = torch.full((3, 2, 2), 51, dtype=torch.uint8)
    (found,) = alone.Detector(Network(), 1).eval()([image])
    assert found["labels"].tolist() == [0, 1] and found["scores"].tolist() == pytest.approx([0.2] * 3)
