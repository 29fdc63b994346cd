import numpy as np
import pytest

from nasgem_core.errors import DataError
from nasgem_core.predictors.features.cell_features import cell_features, feature_names
from nasgem_core.predictors.notation import lay_out
from nasgem_core.predictors.space import Space
from tests.predictors.features.oracle import FREE


def test_features_are_standardised_and_cut(cells, space):
    raw = cell_features(lay_out(cells, FREE), FREE).astype(np.float64)
    names = feature_names(len(FREE.operations))
    kept = raw.std(0) > 1e-6
    assert space.names == tuple(np.array(names)[kept].tolist())
    assert 0 < kept.sum() < len(names)
    wanted = np.clip((raw - raw.mean(0))[:, kept] / raw.std(0)[kept], -4, 4)
    np.testing.assert_allclose(space.features, wanted, atol=1e-4)
    assert (space.features.dtype, len(space)) == (np.float32, len(cells))


def test_renaming_vertices_changes_nothing_that_predictors_read(doubled):
    first, second = np.split(np.arange(len(doubled)), 2)
    np.testing.assert_allclose(doubled.features[first], doubled.features[second], atol=1e-4)
    assert np.array_equal(*(np.sort(doubled.subtree_labels(rows), axis=2) for rows in (first, second)))
    assert not np.array_equal(doubled.cells.adjacency[first], doubled.cells.adjacency[second])


def test_groups_are_the_names_without_their_detail(cells):
    latency = np.random.default_rng(0).normal(size=len(cells))
    space = Space.build(cells, FREE, {"measured:latency": latency})
    assert space.groups[-1] == "measured"
    assert "subset:paths" in space.groups and "count" in space.groups
    expected = (latency - latency.mean()) / latency.std()
    np.testing.assert_allclose(space.features[:, -1], np.clip(expected, -4, 4), atol=1e-5)


@pytest.mark.parametrize("values", [np.zeros(3), np.full(600, np.nan)])
def test_columns_that_do_not_fit_are_refused(cells, values):
    with pytest.raises(DataError, match="column 'own:x' must hold one finite number for each of 600 cells"):
        Space.build(cells, FREE, {"own:x": values})
