import numpy as np
import pytest
import torch
from torch import nn

from nasgem_core.training.optimisers import RMSprop, make_optimiser
from nasgem_core.training.recipe import TrainingRecipe


def test_rmsprop_follows_the_equations_of_tensorflow():
    generator = np.random.default_rng(0)
    start, gradients = generator.normal(size=3), generator.normal(size=(5, 3))
    weights, square, momentum = start.copy(), np.ones(3), np.zeros(3)
    parameter = nn.Parameter(torch.tensor(start))
    optimiser = RMSprop([parameter], 0.1, weight_decay=0.01)
    for gradient in gradients:
        full = gradient + 0.01 * weights
        square = 0.9 * square + 0.1 * full**2
        momentum = 0.9 * momentum + 0.1 * full / np.sqrt(square + 1e-3)
        weights = weights - momentum
        parameter.grad = torch.tensor(gradient)
        optimiser.step()
        np.testing.assert_allclose(parameter.detach().numpy(), weights, rtol=1e-12)


def test_rmsprop_leaves_what_has_no_gradient_and_takes_no_closure():
    parameters = [nn.Parameter(torch.ones(2)) for _ in range(2)]
    optimiser = RMSprop(parameters, 0.1)
    parameters[0].grad = torch.ones(2)
    optimiser.step()
    assert (parameters[0] < 1).all() and (parameters[1] == 1).all() and len(optimiser.state) == 1
    with pytest.raises(TypeError, match="does not take a closure"):
        optimiser.step(lambda: None)


@pytest.mark.parametrize(("name", "kind"), [("rmsprop", RMSprop), ("sgd", torch.optim.SGD)])
def test_biases_and_normalisation_are_not_penalised_and_frozen_weights_left_out(name, kind):
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1, bias=False))
    model[2].requires_grad_(False)
    optimiser = make_optimiser(model, TrainingRecipe(optimiser=name, weight_decay=0.3, momentum=0.8))
    assert isinstance(optimiser, kind)
    decays = {id(p): group["weight_decay"] for group in optimiser.param_groups for p in group["params"]}
    named = {key: decays.get(id(value)) for key, value in model.named_parameters()}
    assert named == {"0.weight": 0.3, "0.bias": 0, "1.weight": 0, "1.bias": 0, "2.weight": None}
    assert {group["momentum"] for group in optimiser.param_groups} == {0.8}
