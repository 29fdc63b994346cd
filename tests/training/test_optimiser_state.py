import pytest
import torch
from torch import nn

from nasgem_core.training.optimiser_state import pack_optimiser, unpack_optimiser
from nasgem_core.training.optimisers import RMSprop


def model_and(make):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).to(memory_format=torch.channels_last)
    return model, make(model.parameters())


def take_steps(model, optimiser, seeds):
    for seed in seeds:
        optimiser.zero_grad()
        model(torch.randn(2, 3, 6, 6, generator=torch.Generator().manual_seed(seed))).square().sum().backward()
        optimiser.step()


@pytest.mark.parametrize(
    "make",
    [
        lambda parameters: RMSprop(parameters, 0.01),
        lambda parameters: torch.optim.SGD(parameters, 0.01, momentum=0.9),
        lambda parameters: torch.optim.SGD(parameters, 0.01),
        lambda parameters: torch.optim.Adam(parameters, 0.01),
    ],
)
def test_an_optimiser_goes_on_as_if_it_had_not_been_stored(make):
    model, optimiser = model_and(make)
    take_steps(model, optimiser, range(6))
    other, first = model_and(make)
    take_steps(other, first, range(3))
    tensors, numbers = pack_optimiser(first)
    stored = {name: value.clone(memory_format=torch.contiguous_format) for name, value in tensors.items()}
    second = make(other.parameters())
    unpack_optimiser(second, stored, numbers)
    take_steps(other, second, range(3, 6))
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))


def test_what_is_like_a_parameter_lies_in_memory_like_it():
    model, optimiser = model_and(lambda parameters: RMSprop(parameters, 0.01))
    take_steps(model, optimiser, [0])
    tensors, numbers = pack_optimiser(optimiser)
    unpack_optimiser(optimiser, {name: value.contiguous() for name, value in tensors.items()}, numbers)
    assert optimiser.state[model[0].weight]["momentum"].stride() == model[0].weight.stride()
