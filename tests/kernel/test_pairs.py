import numpy as np
import pytest

from nasgem_core.config.search import CellsConfig, PairsConfig
from nasgem_core.errors import CellError
from nasgem_core.kernel.pairs import Pairs, draw_pairs
from nasgem_core.kernel.wl import wl_similarity


def test_similarity_of_pairs_spreads():
    cells = CellsConfig()
    mixed = draw_pairs(cells, PairsConfig(count=4000), 0)
    independent = draw_pairs(cells, PairsConfig(count=4000, independent=1.0), 0)
    spread, narrow = (wl_similarity(p.left, p.right, 3) for p in (mixed, independent))
    counts, _ = np.histogram(spread, bins=10, range=(0, 1))
    assert (counts > 20).sum() >= 9
    assert spread.var() > 0.02
    assert spread.mean() > narrow.mean()


def test_pairs_are_reproducible_and_valid():
    a, b = (draw_pairs(CellsConfig(vertices=12), PairsConfig(count=200), 5) for _ in range(2))
    assert np.array_equal(a.right.adjacency, b.right.adjacency)
    assert len(list(a.left)) == len(list(a.right)) == len(a) == 200


def test_all_copies_without_edits_would_be_equal():
    pairs = draw_pairs(CellsConfig(vertices=8), PairsConfig(count=300, independent=0.0, max_edits=1), 1)
    similarity = wl_similarity(pairs.left, pairs.right, 3)
    assert 0.4 < np.isclose(similarity, 1).mean() < 0.8


def test_sides_must_match():
    pairs = draw_pairs(CellsConfig(vertices=8), PairsConfig(count=100), 1)
    with pytest.raises(CellError, match="100 left cells but 99 right ones"):
        Pairs(pairs.left, pairs.right[:99])
