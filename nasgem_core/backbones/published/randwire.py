"""RandWire-WS: stages wired at random (Xie et al. 2019, Table 1, small computation regime)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nasgem_core.backbones.backbone import Backbone, FeatureInfo
from nasgem_core.backbones.published.operations import depthwise_separable, relu_conv_bn
from nasgem_core.backbones.published.small_world import small_world_dag
from nasgem_core.backbones.published.strides import STRIDE, early_strides, last_of_each
from nasgem_core.networks.layout import IMAGE_CHANNELS

NUM_STAGES = 3
NUM_VERTICES = 32
NEIGHBOURS = 4
REWIRING = 0.75
HEAD_CHANNELS = 1280


class WiredVertex(nn.Module):
    """A weighted sum, ReLU, a 3x3 depthwise-separable convolution, batch normalisation.

    The weights are sigmoids of learned numbers, so that they are positive. A single input has no weight, because the
    normalisation would undo it.
    """

    def __init__(self, in_channels: int, channels: int, num_inputs: int, stride: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(num_inputs)) if num_inputs > 1 else None
        self.relu = nn.ReLU()
        self.convolution = depthwise_separable(in_channels, channels, 3, stride)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, inputs: list[Tensor]) -> Tensor:
        """Map tensors [B, in_channels, H, W] to [B, channels, H', W']."""
        total = inputs[0]
        if self.weights is not None:
            shares = torch.sigmoid(self.weights)
            total = shares[0] * inputs[0]
            for i in range(1, len(inputs)):
                total = total + shares[i] * inputs[i]
        return self.norm(self.convolution(self.relu(total)))


class WiredStage(nn.Module):
    """A random graph whose vertices without predecessors halve the stage's input.

    The output is the mean of the vertices without successors.

    Args:
        predecessors: the predecessors of each vertex, which have smaller numbers.
        in_channels: channels of the stage's input.
        channels: channels of every vertex.
    """

    def __init__(self, predecessors: Sequence[Sequence[int]], in_channels: int, channels: int) -> None:
        super().__init__()
        self.predecessors = tuple(tuple(sources) for sources in predecessors)
        used = {source for sources in self.predecessors for source in sources}
        self.outputs = tuple(vertex for vertex in range(len(self.predecessors)) if vertex not in used)
        self.vertices = nn.ModuleList(
            WiredVertex(channels, channels, len(sources), 1) if sources else WiredVertex(in_channels, channels, 1, 2)
            for sources in self.predecessors
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Map [B, in_channels, H, W] to [B, channels, ceil(H / 2), ceil(W / 2)]."""
        tensors: list[Tensor] = []
        for vertex, sources in zip(self.vertices, self.predecessors, strict=True):
            tensors.append(vertex([tensors[source] for source in sources] or [inputs]))
        return sum((tensors[vertex] for vertex in self.outputs[1:]), tensors[self.outputs[0]]) / len(self.outputs)


class RandWire(Backbone):
    """Two 3x3 convolutions with stride 2, three wired stages, a 1x1 convolution as head, pooling, a dense layer.

    The coarsest map is the output of the head, so that a detector uses the whole network.

    Args:
        channels: channels of the second convolution and of the vertices in the first stage, doubled in each later one.
        num_classes: length of the logits.
        seed: seed of the three graphs, WS(4, 0.75) with 32 vertices each.
        stride: stride of the coarsest map, see `early_strides`.

    Raises:
        ParameterError: the stride is unknown.
    """

    def __init__(self, channels: int, num_classes: int, seed: int, stride: int = STRIDE) -> None:
        super().__init__()
        first, second = early_strides(stride)
        stem = nn.Conv2d(IMAGE_CHANNELS, channels // 2, 3, first, padding=1, bias=False)
        self.stem_half = nn.Sequential(stem, nn.BatchNorm2d(channels // 2))
        self.stem_quarter = relu_conv_bn(channels // 2, channels, 3, second)
        stages, in_channels = [], channels
        for i in range(NUM_STAGES):
            graph = small_world_dag(NUM_VERTICES, NEIGHBOURS, REWIRING, NUM_STAGES * seed + i)
            stages.append(WiredStage(graph, in_channels, channels * 2**i))
            in_channels = channels * 2**i
        self.stages = nn.ModuleList(stages)
        self.head = nn.Sequential(*relu_conv_bn(in_channels, HEAD_CHANNELS), nn.ReLU())
        self.dropout = nn.Dropout(0.0)
        self.classifier = nn.Linear(HEAD_CHANNELS, num_classes)
        widths = (channels // 2, channels, channels, 2 * channels, HEAD_CHANNELS)
        strides = (first, first * second, stride // 4, stride // 2, stride)
        self._kept = last_of_each(strides)
        self.feature_info = tuple(FeatureInfo(widths[i], strides[i]) for i in self._kept)

    def forward_features(self, images: Tensor) -> list[Tensor]:
        """Return the last map of each resolution, finest first."""
        half = self.stem_half(images)
        maps = [half, self.stem_quarter(half)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        maps[-1] = self.head(maps[-1])
        return [maps[i] for i in self._kept]

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits [B, num_classes] of normalised images [B, 3, H, W]."""
        return self.classifier(self.dropout(self.forward_features(images)[-1].mean(dim=(2, 3))))
