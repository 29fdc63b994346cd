"""Which weights the networks of stage imagenet begin with."""

from dataclasses import replace

import pytest
import torch

from nasgem_core.backbones.scaled import scaled_to_budget
from nasgem_core.backbones.spec import ScaledSpec
from nasgem_core.errors import ParameterError
from tasks.stages.initial_weights import begin, say_beginnings
from tests.tasks.classifiers import SMALL

SPEC = ScaledSpec("mobilenet_v2", 3, (64, 64), "mobilenet_v2", 0.1, 16, 4)
OTHER = ScaledSpec("efficientnet_b0", 3, (64, 64), "efficientnet_b0", 0.1, 16, 4)
CLASSES = ("blue", "green", "red")


@pytest.fixture
def config(tmp_path):
    torch.save(SPEC.build().state_dict(), tmp_path / "before.pth")
    return replace(SMALL, dataset=str(tmp_path), weights=(str(tmp_path / "before.pth"),))


def test_each_network_begins_with_the_weights_that_fit_it(config):
    lines = []
    say_beginnings(config, [SPEC, OTHER], CLASSES, lines.append)
    source = config.weights[0]
    assert lines == [
        f"mobilenet_v2 begins with the weights of {source}",
        "efficientnet_b0 begins with random weights",
    ]
    network, other = SPEC.build(), OTHER.build()
    untouched = other.layers[0][0].weight.detach().clone()
    assert len(begin(config, network, CLASSES)) == 1 and begin(config, other, CLASSES) == []
    assert torch.equal(network.layers[0][0].weight, torch.load(source, weights_only=True)["layers.0.0.weight"])
    assert torch.equal(other.layers[0][0].weight, untouched)


def test_without_weights_nothing_is_said_or_changed(config):
    lines = []
    say_beginnings(replace(config, weights=()), [SPEC], CLASSES, lines.append)
    assert lines == [] and begin(replace(config, weights=()), SPEC.build(), CLASSES) == []


def test_weights_that_fit_no_network_are_refused_with_the_difference(config):
    wide = scaled_to_budget("mobilenet_v2", 3, (64, 64), 8_310_000)
    with pytest.raises(ParameterError, match=r"which fits none of mobilenet_v2, .*layers\.0\.0\.weight has the shape"):
        say_beginnings(config, [wide], CLASSES, lambda line: None)
