import numpy as np
import torch

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.operations.operation import INPUT
from nasgem_core.predictors.rivals.lstm import ABSENT, SequenceScorer, lstm_predictor, tokens
from nasgem_core.predictors.rivals.training import FitSettings
from tests.predictors.rivals.checks import gradient_reaches_every_parameter, tau_on_others
from tests.predictors.rivals.conftest import bare_space


def test_tokens_by_hand():
    """0 -> 1 -> 2 and 0 -> 2, in room for four vertices: each vertex's edges, then its operation."""
    chain = Cell(np.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]]), (INPUT, "conv1x1", "dwconv3x3"))
    cells = CellBatch.from_cells([chain], ("conv1x1", "dwconv3x3"), width=4)
    sequence = tokens(bare_space(cells), np.array([0]))[0][0]
    assert sequence.tolist() == [1, ABSENT + 1, 1, 1, ABSENT + 2, 0, 0, 0, ABSENT]


def test_the_gradient_reaches_every_parameter(space):
    torch.manual_seed(0)
    gradient_reaches_every_parameter(SequenceScorer(3, 16, 0.0), tokens(space, np.arange(64)))


def test_it_learns(space, accuracies):
    settings = FitSettings("pairwise_hinge", rate=1e-2, decay=1e-3, steps=150)
    assert tau_on_others(lstm_predictor(space, settings, width=32, dropout=0.0), accuracies) > 0.4


def test_numbering_does_not_matter_because_vertices_are_ordered_first(space, renumbered):
    rows = np.arange(len(space))
    assert torch.equal(tokens(space, rows)[0], tokens(renumbered, rows)[0])


def test_the_order_of_tokens_matters(space):
    torch.manual_seed(0)
    network = SequenceScorer(3, 16, 0.0)
    sequences = tokens(space, np.arange(16))[0]
    assert not torch.allclose(network(sequences), network(sequences.flip(1)), rtol=1e-3)
