import numpy as np

from nasgem_core.kernel.wl import wl_similarity
from nasgem_core.predictors.rivals.pairs import space_pairs


def test_pairs_are_cells_of_the_space(space):
    pairs = space_pairs(space, 1000, 0.25, 4, 0)
    own = {cells.adjacency.tobytes() + cells.codes.tobytes() for cells in (space.cells[i] for i in range(len(space)))}
    for side in (pairs.left, pairs.right):
        assert {side[i].adjacency.tobytes() + side[i].codes.tobytes() for i in range(1000)} <= own


def test_similarity_spreads_more_than_over_independent_pairs(space):
    mixed, independent = (space_pairs(space, 2000, share, 4, 0) for share in (0.0, 1.0))
    spread, narrow = (wl_similarity(pairs.left, pairs.right, 3) for pairs in (mixed, independent))
    assert spread.std() > narrow.std() + 0.02
    assert spread.mean() > narrow.mean() + 0.02


def test_left_cells_are_drawn_evenly(space):
    pairs = space_pairs(space, 2 * len(space), 0.25, 4, 0)
    keys = [pairs.left[i].adjacency.tobytes() + pairs.left[i].codes.tobytes() for i in range(len(pairs))]
    assert sorted(keys[: len(space)]) == sorted(keys[len(space) :])


def test_pairs_repeat(space):
    first, second, other = (space_pairs(space, 300, 0.25, 4, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.right.adjacency, second.right.adjacency)
    assert not np.array_equal(first.right.adjacency, other.right.adjacency)
