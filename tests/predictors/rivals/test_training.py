import numpy as np
import pytest
import torch
from torch import nn

from nasgem_core.errors import DataError, ParameterError
from nasgem_core.predictors.rivals.losses import LOSSES
from nasgem_core.predictors.rivals.perceptron import flattened, flattened_adjacency
from nasgem_core.predictors.rivals.training import FitSettings, TrainedNetwork
from tests.predictors.rivals.checks import tau_on_others

SETTINGS = FitSettings("pairwise_hinge", rate=1e-2, decay=1e-3, steps=60)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_learns_an_order(space, accuracies, loss):
    settings = FitSettings(loss, rate=1e-2, decay=1e-3, steps=100)
    assert tau_on_others(flattened_adjacency(space, settings, width=32, layers=2, dropout=0.0), accuracies) > 0.4


def test_equal_arguments_give_equal_predictions_whatever_came_before(space, accuracies):
    rows, everything = np.arange(50), np.arange(len(space))
    state = torch.get_rng_state()
    predictor = flattened_adjacency(space, SETTINGS, width=32, layers=2, dropout=0.0)
    first = predictor.fit(rows, accuracies[rows], 5).predict(everything)
    other = predictor.fit(rows, accuracies[rows], 6).predict(everything)
    torch.rand(3)
    again = predictor.fit(rows, accuracies[rows], 5).predict(everything)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    torch.set_rng_state(state)
    predictor.fit(rows, accuracies[rows], 5)
    assert torch.equal(state, torch.get_rng_state())


def test_only_the_order_of_labels_counts(space, accuracies):
    rows, everything = np.arange(50), np.arange(len(space))
    predictor = flattened_adjacency(space, SETTINGS, width=32, layers=2, dropout=0.0)
    first = predictor.fit(rows, accuracies[rows], 5).predict(everything)
    assert np.array_equal(first, predictor.fit(rows, np.exp(9 * accuracies[rows]), 5).predict(everything))


def test_predictions_do_not_depend_on_what_else_is_asked(space, accuracies):
    rows, everything = np.arange(50), np.arange(len(space))
    predictor = flattened_adjacency(space, SETTINGS, width=32, layers=2, dropout=0.0).fit(rows, accuracies[rows], 5)
    assert predictor.predict(everything)[[7, 3]] == pytest.approx(predictor.predict(np.array([7, 3])), rel=1e-4)


@pytest.mark.parametrize(("labelled", "steps"), [(50, 20), (424, 20), (4 * 424, 40)])
def test_steps_grow_with_the_root_of_the_labels(space, labelled, steps):
    class Counting(nn.Module):
        calls = 0

        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(flattened(space, np.arange(1))[0].shape[1], 1)

        def forward(self, vectors):
            Counting.calls += 1
            assert len(vectors) == min(64, labelled)
            return self.linear(vectors)[:, 0]

    rows = np.arange(labelled) % len(space)
    settings = FitSettings("squared_error", rate=1e-2, decay=0.0, steps=20)
    TrainedNetwork(space, flattened, Counting, settings).fit(rows, np.linspace(0, 1, labelled), 0)
    assert Counting.calls == steps


def test_bad_input_is_named(space, accuracies):
    with pytest.raises(ParameterError, match="loss = 'mse'"):
        flattened_adjacency(space, FitSettings("mse", rate=1e-2, decay=0.0, steps=1), width=32, layers=2, dropout=0.0)
    with pytest.raises(DataError, match="labels has 4 values and no two differ"):
        flattened_adjacency(space, SETTINGS, width=32, layers=2, dropout=0.0).fit(np.arange(4), np.ones(4), 0)
