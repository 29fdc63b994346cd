import copy

import pytest
import torch
from torch import nn

from nasgem_core.training.low_precision import LowPrecisionWeights


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=1, groups=8),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 5),
    )


def loss_of(module, images, labels):
    with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
        logits = module(images).float()
    return nn.functional.cross_entropy(logits, labels)


def test_steps_are_those_of_autocast_to_the_bit():
    plain, reduced = network(), network()
    images, labels = torch.randn(6, 3, 8, 8), torch.randint(0, 5, (6,))
    weights = LowPrecisionWeights(reduced, torch.bfloat16)
    ours, theirs = torch.optim.Adam(weights.parameters), torch.optim.Adam(plain.parameters())
    for _ in range(4):
        expected = loss_of(plain, images, labels)
        theirs.zero_grad()
        expected.backward()
        theirs.step()
        found = loss_of(reduced, images, labels)
        reduced.zero_grad()
        found.backward()
        weights.take_gradients()
        ours.step()
        weights.cast()
        assert found.item() == expected.item()
    assert reduced[0].weight.dtype == torch.bfloat16 and reduced[1].weight.dtype == torch.float32
    torch.testing.assert_close(reduced[0].weight, plain[0].weight.bfloat16(), rtol=0, atol=0)


def test_the_optimiser_gets_each_parameter_once_in_32_bits():
    module = network()
    before = copy.deepcopy(list(module.parameters()))
    parameters = LowPrecisionWeights(module, torch.bfloat16).parameters
    assert {parameter.dtype for parameter in parameters} == {torch.float32}
    assert sorted(parameter.numel() for parameter in parameters) == sorted(parameter.numel() for parameter in before)


def test_a_weight_that_the_loss_does_not_use_has_no_gradient():
    module = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
    weights = LowPrecisionWeights(module, torch.bfloat16)
    module[0](torch.ones(1, 2, dtype=torch.bfloat16)).sum().backward()
    weights.take_gradients()
    assert [parameter.grad is None for parameter in weights.parameters] == [False, False, True, True]


@pytest.mark.gpu
def test_on_a_gpu_the_casts_of_all_weights_are_few_kernels():
    module = network().cuda()
    weights = LowPrecisionWeights(module, torch.bfloat16)
    weights.cast()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        weights.cast()
        torch.cuda.synchronize()
    assert sum(event.count for event in profile.key_averages() if event.device_time_total > 0) <= 2
