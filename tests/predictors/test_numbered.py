from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kendalltau

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.edits import renumber_cells
from nasgem_core.errors import DataError
from nasgem_core.predictors import gp
from nasgem_core.predictors.numbered import NumberedProcess, is_readable
from nasgem_core.predictors.space import Space
from tests.predictors.features.oracle import FREE
from tests.predictors.ranking import OTHERS, ROWS, tau_on_others


@pytest.fixture(autouse=True)
def _short_fits(monkeypatch):
    monkeypatch.setattr(gp, "_STEPS", 40)


@pytest.fixture(scope="module")
def numbered(cells) -> Space:
    return Space.build(cells, FREE, numbered=True)


def by_place(cells: CellBatch) -> np.ndarray:
    """Return labels that no graph determines: what the vertices 1 to 3 are, two of them for and one against."""
    kinds = cells.codes[:, 1:4].astype(float)
    return kinds @ [1.0, -1.0, 0.7] + 0.01 * np.random.default_rng(0).normal(size=len(cells))


def test_labels_that_depend_on_the_numbers_of_vertices_are_learned(numbered, cells):
    found = tau_on_others(NumberedProcess(numbered), by_place(cells))
    on_graphs = tau_on_others(gp.GaussianProcess(numbered, "arc_cosine", gp.Relevances()), by_place(cells))
    assert found > 0.8 > 0.1 + on_graphs


def test_scores_are_those_of_the_numbers_that_are_given(numbered, cells):
    process = NumberedProcess(numbered).fit(ROWS, by_place(cells)[ROWS], 0)
    first = process.predict(OTHERS)
    again = Space.build(cells[OTHERS], FREE, numbered=True)
    np.testing.assert_allclose(process.predict(np.arange(len(OTHERS)), again), first, rtol=1e-4, atol=1e-5)
    renamed = renumber_cells(cells[OTHERS], np.ones(len(OTHERS), dtype=bool), 1)
    other = process.predict(np.arange(len(OTHERS)), Space.build(renamed, FREE, numbered=True))
    assert kendalltau(other, by_place(renamed))[0] > 0.8
    assert not np.allclose(first, other)
    assert len(process.predict(OTHERS[:0])) == 0


def test_spaces_without_numbers_or_with_too_many_are_refused(space, numbered):
    assert is_readable(numbered) and not is_readable(space)
    wide = np.zeros((1, 60, 60), np.uint8)
    codes = np.ones((1, 60), np.uint8)
    large = replace(numbered, numbered=CellBatch(wide, codes, FREE.operations))
    for unreadable in (space, large):
        with pytest.raises(DataError, match="no numbered vertices, or more than 1000 columns"):
            NumberedProcess(unreadable)
    process = NumberedProcess(numbered).fit(ROWS, np.arange(len(ROWS), dtype=float), 0)
    with pytest.raises(DataError, match="the cells to predict have no numbered vertices"):
        process.predict(OTHERS, space)
