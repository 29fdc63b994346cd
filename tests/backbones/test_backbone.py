import pytest
import torch

from nasgem_core.backbones.backbone import Backbone


def test_a_backbone_without_its_methods_says_so():
    class Half(Backbone):
        """Gives neither method."""

    with pytest.raises(TypeError, match="Half has no feature maps"):
        Half().forward_features(torch.zeros(1, 3, 8, 8))
    with pytest.raises(TypeError, match="Half has no logits"):
        Half()(torch.zeros(1, 3, 8, 8))
