import numpy as np
import torch

from nasgem_core.encoders.features import cell_features
from nasgem_core.predictors.rivals.perceptron import Perceptron, flattened, flattened_adjacency
from nasgem_core.predictors.rivals.training import FitSettings
from tests.predictors.rivals.checks import gradient_reaches_every_parameter, tau_on_others


def test_the_gradient_reaches_every_parameter(space):
    torch.manual_seed(0)
    inputs = flattened(space, np.arange(64))
    gradient_reaches_every_parameter(Perceptron(inputs[0].shape[1], 32, 3, 0.0), inputs)


def test_it_learns(space, accuracies):
    settings = FitSettings("pairwise_hinge", rate=1e-2, decay=1e-3, steps=150)
    assert tau_on_others(flattened_adjacency(space, settings, width=32, layers=2, dropout=0.0), accuracies) > 0.5


def test_numbering_does_not_matter_because_vertices_are_ordered_first(space, renumbered):
    rows = np.arange(len(space))
    plain = [cell_features(cells, cells.width) for cells in (space.cells, renumbered.cells)]
    assert (plain[0] != plain[1]).any(axis=1).mean() > 0.2
    assert torch.equal(flattened(space, rows)[0], flattened(renumbered, rows)[0])
