"""An operation from outside the tree, for tests: nothing in the package knows it."""

from torch import Tensor, nn

from nasgem_core.operations.operation import Operation


class Gated(nn.Module):
    """A 1x1 convolution, weighted by a depthwise 1x1 one."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.gate = nn.Conv2d(in_channels, in_channels, 1, groups=in_channels, bias=False)
        self.project = nn.Conv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map [B, in_channels, H, W] to [B, out_channels, H, W]."""
        return self.project(inputs * self.gate(inputs).sigmoid())


GATED = Operation(
    "gated",
    macs_per_pixel=lambda c_in, c_out: c_in + c_in * c_out,
    params=lambda c_in, c_out: c_in + c_in * c_out + 2 * c_out,
    layer=Gated,
)
