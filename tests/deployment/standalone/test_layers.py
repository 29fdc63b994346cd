import pytest
import torch

from nasgem_core.deployment.standalone.layers import KNOWN_OPERATIONS, build_operation
from nasgem_core.networks import operations
from nasgem_core.operations.operation import known_operations


@pytest.mark.parametrize("name", KNOWN_OPERATIONS)
def test_layers_are_those_of_the_search(name):
    ours, alone = operations.build_operation(name, 6, 4), build_operation(name, 6, 4)
    alone.load_state_dict(ours.state_dict())
    images = torch.randn(2, 6, 5, 5)
    assert torch.equal(alone(images), ours(images))


def test_the_built_in_operations_are_all_there():
    assert set(KNOWN_OPERATIONS) == {"conv1x1", "conv3x3", "dwconv3x3"} <= set(known_operations())
    with pytest.raises(ValueError, match="operation 'conv9x9' is unknown"):
        build_operation("conv9x9", 1, 1)
