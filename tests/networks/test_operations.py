import pytest
import torch

from nasgem_core.errors import CellError
from nasgem_core.networks.operations import DepthwiseSeparable, build_operation, register_operation
from nasgem_core.operations import operation as analytic
from nasgem_core.operations.operation import Operation


def test_depthwise_separable_is_a_depthwise_then_a_pointwise_convolution():
    layer = DepthwiseSeparable(2, 3)
    x = torch.randn(1, 2, 5, 5)
    middle = torch.stack(
        [
            torch.nn.functional.conv2d(x[:, c : c + 1], layer.depthwise.weight[c : c + 1], padding=1)[:, 0]
            for c in range(2)
        ],
        1,
    )
    torch.testing.assert_close(layer(x), torch.einsum("oi,bihw->bohw", layer.pointwise.weight[:, :, 0, 0], middle))


@pytest.mark.parametrize("name", ["conv1x1", "dwconv3x3", "conv3x3"])
def test_layers_keep_height_and_width_and_have_no_bias(name):
    layer = build_operation(name, 4, 6)
    assert layer(torch.randn(2, 4, 7, 7)).shape == (2, 6, 7, 7)
    assert not any("bias" in key for key, _ in layer.named_parameters())


def test_unknown_operation_and_one_without_layer_are_told_apart():
    with pytest.raises(CellError, match="unknown operation 'no_such'"):
        build_operation("no_such", 1, 1)
    analytic.register(Operation("costs_only", lambda a, b: a, lambda a, b: b))
    try:
        with pytest.raises(CellError, match="'costs_only' has costs but no layer"):
            build_operation("costs_only", 1, 1)
    finally:
        analytic._REGISTRY.pop("costs_only")


def test_registering_makes_costs_and_layer_known():
    register_operation(
        Operation("doubling", lambda a, b: a * b, lambda a, b: 2 * b), lambda a, b: torch.nn.Conv2d(a, b, 1)
    )
    try:
        assert "doubling" in analytic.known_operations()
        assert build_operation("doubling", 2, 3).out_channels == 3
    finally:
        analytic._REGISTRY.pop("doubling")
