import numpy as np
import pytest
import torch

from nasgem_core.cells.cell import Cell
from nasgem_core.config.search import ProxyConfig
from nasgem_core.networks.cell_network import CellNetwork
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.training import replay
from nasgem_core.training.image_set import ImageSet
from nasgem_core.training.proxy_training import ProxyTraining, learning_rate_factor
from nasgem_core.training.step import Classifier

CONFIG = ProxyConfig(width=4, stages=(1, 2), stem_stride=2, epochs=3, least_steps=0, batch_size=16, augment=True)
CELL = Cell(np.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]]), ("input", "dwconv3x3", "conv1x1"))


def images():
    pixels = np.random.default_rng(0).integers(0, 256, (128, 12, 12, 3), np.uint8)
    labels = np.arange(128) % 2
    return ImageSet(pixels[:96], labels[:96], pixels[96:], labels[96:], ("a", "b"))


def test_learning_rate_rises_shortly_and_falls_to_zero():
    factors = np.array([learning_rate_factor(step, 100) for step in range(100)])
    assert factors.argmax() == 5 and factors.max() == 1
    assert (np.diff(factors[:6]) > 0).all() and (np.diff(factors[5:]) < 0).all()
    assert 0 < factors[0] < 0.2 and factors[-1] < 0.001
    assert learning_rate_factor(0, 1) > 0


def outcome(*, graphs):
    """Train as on a GPU with `graphs`, and as on the CPU without."""
    torch.manual_seed(0)
    network = CellNetwork(CELL, NetworkLayout.from_proxy(CONFIG, 12), 2)
    classifier = Classifier(network, torch.float32, channels_last=False)
    training = ProxyTraining(classifier, images(), CONFIG, 3, graphs=graphs)
    return [(training.run_epoch(), training.validate()) for _ in range(CONFIG.epochs)], training.note


def test_a_step_and_a_validation_are_captured_once_and_replayed(monkeypatch):
    captured = []

    def capture(function):
        captured.append(type(function).__name__)
        return function

    monkeypatch.setattr(replay, "capture_graph", capture)
    assert outcome(graphs=True) == outcome(graphs=False) and captured == ["TrainingStep", "Validation"]


def test_a_training_that_cannot_be_captured_goes_on_and_says_so(monkeypatch):
    def capture(_function):
        raise RuntimeError("not permitted when stream is capturing")

    monkeypatch.setattr(replay, "capture_graph", capture)
    epochs, note = outcome(graphs=True)
    assert (epochs, "") == outcome(graphs=False)
    assert note == "without a CUDA graph: not permitted when stream is capturing"


def test_the_images_of_an_epoch_and_their_rates_are_counted():
    torch.manual_seed(0)
    network = CellNetwork(CELL, NetworkLayout.from_proxy(CONFIG, 12), 2)
    training = ProxyTraining(Classifier(network, torch.float32, channels_last=False), images(), CONFIG, 3, graphs=False)
    training.run_epoch()
    assert training.images_seen == 96 and training.step_seconds > 0
    last = CONFIG.learning_rate * learning_rate_factor(5, 18)
    assert training._step.optimiser.param_groups[0]["lr"] == pytest.approx(last)
