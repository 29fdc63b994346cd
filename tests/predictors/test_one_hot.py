import numpy as np
import pytest

from nasgem_core.cells.edits import renumber_cells
from nasgem_core.predictors.catalogue import PREDICTORS
from nasgem_core.predictors.one_hot import OneHot, process, ridge
from nasgem_core.predictors.relevances import Relevances
from nasgem_core.predictors.space import Space
from tests.predictors.features.oracle import FREE
from tests.predictors.ranking import OTHERS, ROWS, tau_on_others


@pytest.mark.parametrize("name", ["one_hot_boosting", "one_hot_process", "one_hot_ridge"])
def test_labels_of_numbered_vertices_are_learned_and_learned_alike_again(cells, name):
    numbered = Space.build(cells, FREE, numbered=True)
    labels = cells.codes[:, 1:4] @ np.array([1.0, -1.0, 0.7]) + 0.01 * np.random.default_rng(0).normal(size=len(cells))
    predictor = PREDICTORS.get(name).build(numbered, {}, Relevances())
    assert tau_on_others(predictor, labels) > 0.6
    first = predictor.predict(OTHERS)
    assert np.array_equal(first, predictor.fit(ROWS, labels[ROWS], 3).predict(OTHERS))
    assert len(predictor.predict(OTHERS[:0])) == 0


def test_vertices_are_numbered_as_the_table_writes_them_or_else_as_they_are_laid_out(cells, space):
    renamed = renumber_cells(cells, np.ones(len(cells), dtype=bool), 1)
    labels = cells.codes[:, 1].astype(float) + np.linspace(0, 0.1, len(cells))
    one, other = (
        OneHot(Space.build(batch, FREE, numbered=True), ridge).fit(ROWS, labels[ROWS], 0) for batch in (cells, renamed)
    )
    assert not np.allclose(one.predict(OTHERS), other.predict(OTHERS))
    laid_out = OneHot(space, ridge).fit(ROWS, labels[ROWS], 0)
    assert len(laid_out.predict(OTHERS)) == len(OTHERS)


def test_of_many_labels_a_part_decides_on_the_length_scale(monkeypatch):
    monkeypatch.setattr("nasgem_core.predictors.one_hot._LEARNED_ROWS", 40)
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(120, 3))
    targets = columns[:, 0] + 0.1 * rng.normal(size=120)
    few, many = process(columns[:40], targets[:40], 0), process(columns, targets, 0)
    assert np.array_equal(few.kernel_.theta, many.kernel_.theta)
    assert np.corrcoef(many.predict(columns), targets)[0, 1] > 0.98
