"""A small backbone for tests of detectors, with a map of every stride."""

from itertools import pairwise

from torch import Tensor, nn

from nasgem_core.backbones.backbone import Backbone, FeatureInfo


class SmallBackbone(Backbone):
    """Five strided convolutions."""

    def __init__(self, width: int = 8, num_classes: int = 3) -> None:
        super().__init__()
        widths = [3, *(width * (stage + 1) for stage in range(5))]
        self.stages = nn.ModuleList(
            nn.Sequential(nn.Conv2d(c_in, c_out, 3, 2, 1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU())
            for c_in, c_out in pairwise(widths)
        )
        self.feature_info = tuple(FeatureInfo(c, 2 ** (i + 1)) for i, c in enumerate(widths[1:]))
        self.classifier = nn.Linear(widths[-1], num_classes)

    def forward_features(self, images: Tensor) -> list[Tensor]:
        maps = []
        for stage in self.stages:
            images = stage(images)
            maps.append(images)
        return maps

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.forward_features(images)[-1].mean(dim=(2, 3)))
