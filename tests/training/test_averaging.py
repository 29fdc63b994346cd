import pytest
import torch
from torch import nn

from nasgem_core.training.averaging import WeightAverage


def fill(model, value):
    with torch.no_grad():
        model.weight.fill_(value)
        model.running_mean.fill_(-value)
        model.num_batches_tracked.fill_(int(value))
    return model


def test_the_average_is_that_of_the_formula_and_counts_are_copied():
    model = fill(nn.BatchNorm1d(2), 1.0)
    average = WeightAverage(model, 0.5)
    expected = 1.0
    for step, value in enumerate([2.0, 5.0, 3.0, 7.0, 7.0, 8.0, 1.0, 2.0, 9.0, 4.0, 4.0, 6.0]):
        fill(model, value)
        average.update(step)
        decay = min(0.5, (step + 1) / (step + 10))
        expected = decay * expected + (1 - decay) * value
        assert average.model.weight.tolist() == pytest.approx([expected] * 2, rel=1e-6)
        assert average.model.running_mean.tolist() == pytest.approx([-expected] * 2, rel=1e-6)
        assert average.model.num_batches_tracked == int(value)


def test_the_average_is_a_copy_that_is_not_trained():
    model = fill(nn.BatchNorm1d(2), 1.0)
    average = WeightAverage(model, 0.9)
    with torch.no_grad():
        model.weight.add_(1)
    assert average.model.weight.tolist() == [1, 1]
    assert not average.model.training and model.training
    assert not any(parameter.requires_grad for parameter in average.model.parameters())
