"""GEMNet without its classifier: part of the exported Python files of detectors."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn

from nasgem_core.backbones.gemnet_modules import PlainGEMNet


class GEMNetMaps(PlainGEMNet):
    """GEMNet without its classifier: the maps of some stages, and that of the head for the last of them."""

    def __init__(
        self,
        layers: Sequence[Callable[[int, int], nn.Module]],
        edges: Sequence[Sequence[int]],
        *,
        feature_stages: Sequence[int],
        **numbers: Any,
    ) -> None:
        super().__init__(layers, edges, **numbers, num_classes=1)
        del self.dropout, self.classifier
        self.feature_stages = feature_stages

    def forward_features(self, images: Tensor) -> list[Tensor]:
        """Map normalised images [B, 3, H, W] to maps, finest first."""
        outputs = self.forward_stages(images)
        return [*(outputs[stage] for stage in self.feature_stages[:-1]), self.head(outputs[-1])]
