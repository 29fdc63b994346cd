import logging

import pytest
import torch
from fvcore.nn import FlopCountAnalysis
from torch import nn

from nasgem_core.backbones.published.catalogue import published_network
from nasgem_core.backbones.shapes import shapes_only
from nasgem_core.detection.costs import PROPOSALS, DetectorCosts, detector_costs
from nasgem_core.detection.detector import Detector
from nasgem_core.detection.settings import DetectorSettings
from tests.detection.networks import SmallBackbone


class Pipeline(nn.Module):
    """What the paper counts of Faster R-CNN, as one forward pass that fvcore can follow."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, images, pooled):
        maps = list(self.network.backbone(images).values())
        if hasattr(self.network, "rpn"):
            heads = self.network.roi_heads
            return self.network.rpn.head(maps), heads.box_predictor(heads.box_head(pooled))
        return self.network.head(maps)


@pytest.mark.parametrize("kind", ["retinanet", "faster_rcnn"])
def test_costs_equal_those_that_fvcore_counts(kind):
    settings = DetectorSettings(kind=kind, pyramid_channels=8, box_channels=16)
    detector = Detector(SmallBackbone(4), 5, settings)
    costs = detector_costs(detector, 100, 131)
    logging.getLogger("fvcore").setLevel(logging.ERROR)
    inputs = (torch.zeros(1, 3, 100, 131), torch.zeros(PROPOSALS, 8, 7, 7))
    counted = FlopCountAnalysis(Pipeline(detector.network).eval(), inputs)
    by_kind = counted.unsupported_ops_warnings(False).uncalled_modules_warnings(False).by_operator()
    assert costs.macs == by_kind["conv"] + by_kind["linear"]
    assert costs.params == sum(parameter.numel() for parameter in detector.parameters())


def test_counting_leaves_the_detector_as_it_was():
    detector = Detector(SmallBackbone(4), 5, DetectorSettings(pyramid_channels=8))
    before = {name: value.clone() for name, value in detector.state_dict().items()}
    assert detector_costs(detector, 64, 64) == detector_costs(detector.eval(), 64, 64)
    assert not detector.training
    after = detector.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())


@pytest.mark.parametrize(
    ("network", "kind", "params", "macs"),
    [
        ("mobilenet_v2_1_4", "retinanet", 14.2, 170.5),
        ("mnasnet_1_3", "retinanet", 14.8, 169.2),
        ("mobilenet_v2_1_4", "faster_rcnn", 22.1, 133.4),
        ("mnasnet_1_3", "faster_rcnn", 22.6, 132.1),
    ],
)
def test_table_2_is_met_within_a_third_of_a_percent(network, kind, params, macs):
    with shapes_only():
        costs = detector_costs(Detector(published_network(network, 1000), 80, DetectorSettings(kind=kind)))
    assert isinstance(costs, DetectorCosts)
    assert costs.params / 1e6 == pytest.approx(params, rel=0.0033)
    assert costs.macs / 1e9 == pytest.approx(macs, rel=0.0033)
