import numpy as np
import pytest
import torch

from nasgem_core.cells.batch import CellBatch
from nasgem_core.predictors.encoder import EMBEDDING, Encoder, graphs_of, pretrain
from nasgem_core.predictors.space import Space

KINDS = 5


@pytest.fixture
def encoder() -> Encoder:
    torch.manual_seed(0)
    return Encoder(KINDS).eval()


def embeddings(encoder: Encoder, space: Space, rows: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return encoder(graphs_of(space, rows)).numpy()


def test_graphs_are_those_of_the_cells(space):
    rows = np.array([5, 0])
    adjacency, kinds, mask, last = graphs_of(space, rows)
    sizes = space.cells.num_vertices[rows]
    assert np.array_equal(adjacency.numpy(), space.cells.adjacency[rows])
    assert mask.sum(1).tolist() == sizes.tolist() and last.tolist() == (sizes - 1).tolist()
    assert kinds.shape == (2, space.cells.width, KINDS)
    assert torch.equal(kinds.sum(2), mask)
    for i, row in enumerate(rows):
        # Three operations by their codes, then the input, then the output.
        operations = space.cells.codes[row, 1 : sizes[i] - 1].astype(int) - 2
        assert kinds[i].argmax(1)[: sizes[i]].tolist() == [3, *operations.tolist(), 4]


def test_isomorphic_cells_have_equal_embeddings(encoder, doubled):
    first, second = np.split(embeddings(encoder, doubled, np.arange(len(doubled))), 2)
    np.testing.assert_allclose(first, second, atol=1e-4)
    assert len(np.unique(first.round(3), axis=0)) > 300


def test_room_for_more_vertices_changes_no_embedding(encoder, space):
    cells = space.cells
    adjacency = np.pad(cells.adjacency, ((0, 0), (0, 2), (0, 2)))
    roomy = CellBatch(adjacency, np.pad(cells.codes, ((0, 0), (0, 2))), cells.operation_names)
    both = [embeddings(encoder, Space(batch, space.features, space.names), np.arange(50)) for batch in (cells, roomy)]
    np.testing.assert_allclose(*both, atol=1e-5)


def test_messages_go_both_ways(encoder, space):
    one, *_ = graphs_of(space, np.array([0]))
    _, kinds, mask, last = graphs_of(space, np.array([0]))
    whole = encoder((one, kinds, mask, last))
    # Embeddings are of the output, the input and the sum: the input's state knows what comes after it.
    kinds = kinds.clone()
    kinds[0, 1, :3] = kinds[0, 1, :3].roll(1)
    changed = encoder((one, kinds, mask, last))
    for part in (slice(0, 64), slice(64, 128), slice(128, 192)):
        assert not torch.allclose(whole[:, part], changed[:, part], atol=1e-4)


def test_the_gradient_reaches_every_parameter(encoder, space):
    encoder(graphs_of(space, np.arange(64))).square().sum().backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_pretraining_repeats_and_draws_from_streams_of_its_own(space):
    state = torch.get_rng_state()
    first = pretrain(space, 0, steps=3)
    assert torch.equal(state, torch.get_rng_state())
    for a, b in zip(first.parameters(), pretrain(space, 0, steps=3).parameters(), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(first.inputs.weight, pretrain(space, 1, steps=3).inputs.weight)


@pytest.mark.slow
def test_pretraining_learns_the_features(encoder, space):
    # A linear map of embeddings tells the features of cells that it was not made from.
    errors = []
    for one in (encoder, pretrain(space, 0, steps=120)):
        inputs = np.c_[embeddings(one, space, np.arange(len(space))), np.ones(len(space))]
        square = inputs[:400].T @ inputs[:400] + np.eye(EMBEDDING + 1)
        matrix = np.linalg.solve(square, inputs[:400].T @ space.features[:400])
        errors.append(np.square(inputs[400:] @ matrix - space.features[400:]).mean())
    assert errors[1] < 0.9 * errors[0]
