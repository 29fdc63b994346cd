import numpy as np
import pytest

from nasgem_core.errors import CellError
from nasgem_core.operations import operation as operations
from nasgem_core.operations.operation import Operation, get_operation, known_operations, register


def test_costs_by_hand():
    # 8 channels in, 16 out: a 1x1 kernel has 128 weights, a 3x3 one nine times as many.
    costs = {name: get_operation(name) for name in ("conv1x1", "dwconv3x3", "conv3x3")}
    assert {name: operation.macs_per_pixel(8, 16) for name, operation in costs.items()} == {
        "conv1x1": 128,
        "dwconv3x3": 72 + 128,
        "conv3x3": 1152,
    }
    # Two more numbers a channel: scale and offset of the batch normalisation.
    assert costs["conv1x1"].params(8, 16) == 128 + 32


def test_costs_are_elementwise():
    channels = np.array([[1, 2], [3, 4]])
    assert get_operation("dwconv3x3").macs_per_pixel(channels, channels).tolist() == [[10, 22], [36, 52]]


def test_own_operations_are_known_by_name(monkeypatch):
    monkeypatch.setattr(operations, "_REGISTRY", dict(operations._REGISTRY))
    register(Operation("pool", lambda c_in, c_out: 0 * c_in, lambda c_in, c_out: 2 * c_out))
    assert known_operations()[-1] == "pool"
    assert get_operation("pool").macs_per_pixel(8, 8) == 0


def test_wrong_names_are_refused():
    with pytest.raises(CellError, match="unknown operation 'conv5x5': known are conv1x1, dwconv3x3, conv3x3"):
        get_operation("conv5x5")
    with pytest.raises(CellError, match="'input' is reserved"):
        register(Operation("input", lambda c_in, c_out: c_in, lambda c_in, c_out: c_in))
