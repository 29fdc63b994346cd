"""Predictors of own labels: any predictor of the catalogue, cells of any width, errors that name the remedy."""

import numpy as np
import pytest
from scipy.stats import kendalltau

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.sampling import sample_distinct_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import CellError, DataError, ParameterError
from nasgem_core.predictors import fitting
from nasgem_core.predictors.fitting import fit_predictor, pretrain_kind

SPACE = CellsConfig(vertices=8)
LABELLED = 50


@pytest.fixture(autouse=True)
def _small_reference(monkeypatch):
    monkeypatch.setattr(fitting, "_REFERENCE", 300)


@pytest.fixture(scope="module")
def labelled():
    """Cells whose label is a temperature that falls with their number of edges."""
    cells = sample_distinct_cells(SPACE, 160, 0)
    noise = np.random.default_rng(0).normal(size=len(cells))
    return cells, 300.0 - 2 * cells.adjacency.sum((1, 2), dtype=np.int64) + 0.2 * noise


@pytest.mark.parametrize("kind", ["gaussian_process", "boosted_trees", "nas_bowl"])
def test_it_predicts_labels_of_other_cells_in_their_unit(labelled, kind):
    cells, labels = labelled
    predicted = fit_predictor(cells[:LABELLED], labels[:LABELLED], kind=kind, space=SPACE).predict(cells[LABELLED:])
    assert kendalltau(predicted, labels[LABELLED:]).statistic > 0.5
    assert np.square(predicted - labels[LABELLED:]).mean() < 0.6 * labels[LABELLED:].var()


def test_single_cells_serve_as_well_as_a_batch(labelled):
    cells, labels = labelled
    of_batch = fit_predictor(cells[:LABELLED], labels[:LABELLED], kind="nas_bowl")
    of_list = fit_predictor(list(cells[:LABELLED]), list(labels[:LABELLED]), kind="nas_bowl")
    small = [cell for cell in cells[LABELLED:] if cell.num_vertices < 6]
    together = of_batch.predict(small)
    np.testing.assert_array_equal(together, of_list.predict(small))
    # Neither how many vertices the arrays have room for nor the other cells of a batch matter.
    np.testing.assert_allclose(of_batch.predict(small[:1]), together[:1], rtol=1e-6)
    roomy = CellBatch.from_cells(small, SPACE.operations[::-1], width=12)
    np.testing.assert_allclose(of_batch.predict(roomy), together, rtol=1e-6)


def test_the_seed_decides(labelled):
    cells, labels = labelled
    fits = [fit_predictor(cells[:20], labels[:20], kind="boosted_trees", seed=seed) for seed in (0, 0, 1)]
    first, again, other = (fit.predict(cells) for fit in fits)
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_labels_that_cannot_be_learned_are_refused(labelled):
    cells, labels = labelled
    with pytest.raises(DataError, match=r"labels has shape \(4,\) for 5 cells: give one for each"):
        fit_predictor(cells[:5], labels[:4])
    with pytest.raises(DataError, match="at least 4 cells"):
        fit_predictor(cells[:3], labels[:3])
    with pytest.raises(DataError, match="no two differ"):
        fit_predictor(cells[:5], [1.0] * 5)
    with pytest.raises(DataError, match=r"labels\[1\] = nan: leave out"):
        fit_predictor(cells[:5], [1.0, np.nan, 2.0, 3.0, 4.0])
    with pytest.raises(ParameterError, match="unknown predictor 'oracle'"):
        fit_predictor(cells[:5], labels[:5], kind="oracle")


def test_cells_of_another_space_are_refused(labelled):
    cells, labels = labelled
    with pytest.raises(CellError, match="not in this search space"):
        fit_predictor(cells[:20], labels[:20], space=CellsConfig(vertices=8, operations=("conv1x1", "conv3x3")))
    fitted = fit_predictor(cells[:20], labels[:20], kind="nas_bowl")
    with pytest.raises(DataError, match="the notation does not fit: a cell has the operation 'conv3x3'"):
        fitted.predict(sample_distinct_cells(CellsConfig(vertices=8, operations=("conv3x3",)), 5, 0))


def test_most_kinds_learn_nothing_before_labels():
    assert pretrain_kind("boosted_trees", SPACE, 0) == {}
