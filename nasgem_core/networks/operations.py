"""The torch layer of each operation; its analytic twin is in `nasgem_core.operations.operation`."""

from collections.abc import Callable

from torch import Tensor, nn

from nasgem_core.errors import CellError
from nasgem_core.operations.operation import Operation, get_operation, register

LayerBuilder = Callable[[int, int], nn.Module]
"""From (input channels, output channels) to a layer that keeps height and width."""


class DepthwiseSeparable(nn.Module):
    """3x3 depthwise convolution, then a 1x1 (pointwise) convolution, nothing in between.

    Maps [B, in_channels, H, W] to [B, out_channels, H, W].
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False)
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Apply both convolutions."""
        return self.pointwise(self.depthwise(inputs))


_BUILDERS: dict[str, LayerBuilder] = {
    "conv1x1": lambda c_in, c_out: nn.Conv2d(c_in, c_out, 1, bias=False),
    "dwconv3x3": DepthwiseSeparable,
    "conv3x3": lambda c_in, c_out: nn.Conv2d(c_in, c_out, 3, padding=1, bias=False),
}


def register_operation(operation: Operation, build: LayerBuilder) -> None:
    """Make an operation known to cells, costs and networks.

    Args:
        operation: its name and costs; `params` counts the batch normalisation that follows, as for the built-in ones.
        build: makes the layer from (input channels, output channels). The layer must keep height and width;
            batch normalisation and ReLU follow it by themselves.
    """
    register(operation)
    _BUILDERS[operation.name] = build


def build_operation(name: str, in_channels: int, out_channels: int) -> nn.Module:
    """Return the layer of a registered operation, or raise `CellError` where it has none."""
    get_operation(name)
    if name not in _BUILDERS:
        raise CellError(f"operation {name!r} has costs but no layer: register it with register_operation")
    return _BUILDERS[name](in_channels, out_channels)
