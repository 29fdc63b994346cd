import torch
from torch import nn

from nasgem_core.deployment.standalone.traced import place


def test_parts_stand_where_their_names_say():
    network = nn.Module()
    layer = nn.Linear(2, 3)
    place(network, "features.0.conv", layer)
    place(network, "features.0.scale", nn.Parameter(torch.ones(2)))
    place(network, "shift", torch.zeros(4))
    assert network.get_submodule("features.0.conv") is layer
    assert list(network.state_dict()) == ["shift", "features.0.scale", "features.0.conv.weight", "features.0.conv.bias"]
    assert [name for name, _ in network.named_buffers()] == ["shift"]
