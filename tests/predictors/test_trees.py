import numpy as np
import pytest

from nasgem_core.errors import DataError
from nasgem_core.predictors.trees import BoostedTrees
from tests.predictors.ranking import OTHERS, ROWS, tau_on_others


def test_a_known_rule_is_learned(space, accuracies):
    assert tau_on_others(BoostedTrees(space), accuracies) > 0.7


def test_the_seed_alone_decides(space, accuracies):
    trees = BoostedTrees(space, members=1)
    first = trees.fit(ROWS, accuracies[ROWS], 0).predict(OTHERS)
    assert not np.array_equal(first, trees.fit(ROWS, accuracies[ROWS], 1).predict(OTHERS))
    assert np.array_equal(first, trees.fit(ROWS, accuracies[ROWS], 0).predict(OTHERS))


def test_more_labels_grow_larger_trees(space, accuracies, monkeypatch):
    monkeypatch.setattr("nasgem_core.predictors.trees._LARGE_TREES_AT", 100)
    large = tau_on_others(BoostedTrees(space, members=1), accuracies)
    assert large > 0.7
    monkeypatch.undo()
    assert large != tau_on_others(BoostedTrees(space, members=1), accuracies)


def test_isomorphic_cells_have_equal_scores(doubled, accuracies):
    scores = BoostedTrees(doubled).fit(ROWS, accuracies[ROWS], 0).predict(np.arange(len(doubled)))
    first, second = np.split(scores, 2)
    # A split may fall on what the rounding of a sum tells apart.
    assert np.isclose(first, second, atol=1e-9).mean() > 0.95
    assert np.abs(first - second).max() < 0.03 * first.std()


def test_equal_labels_are_refused(space):
    with pytest.raises(DataError, match="no two differ"):
        BoostedTrees(space).fit(ROWS, np.ones(len(ROWS)), 0)
