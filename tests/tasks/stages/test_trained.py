import math

import numpy as np
import pytest

from nasgem_core.cells.sampling import sample_distinct_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import DataError
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.search.objective import Objective, ProxyNetworks, objective_class
from tasks.stages.trained import COLUMNS, SCHEMA, TrainedCells, read_trained, write_trained
from tasks.store.artifacts import read_table, write_table

SPACE = CellsConfig(vertices=6)
CELLS = sample_distinct_cells(SPACE, 3, 0)
NETWORKS = ProxyNetworks(NetworkLayout(width=4, stages=(1, 2), stem_stride=1, image_size=16), 10)
MACS = objective_class("macs").open("macs", NETWORKS, 0.1)


class Vertices(Objective):
    """Charges vertices, which some cells have been counted by hand."""

    label, unit = "vertices", "tens"

    def costs(self, cells):
        return 10**5 * cells.num_vertices.astype(np.int64)

    def sources(self, cells):
        return ["hand" if size > 3 else "machine" for size in cells.num_vertices]


VERTICES = Vertices("vertices", NETWORKS, 0.2)


def result(accuracy: float | None) -> dict:
    return {"accuracy": accuracy, "failed": accuracy is None, "reason": "" if accuracy else "the loss was nan"}


def trained(*accuracies: float | None, objective: Objective = MACS, origin: str = "random", **options) -> TrainedCells:
    cells = CELLS[: len(accuracies)]
    return TrainedCells.of(cells, [result(accuracy) for accuracy in accuracies], objective, origin=origin, **options)


def test_trainings_give_scores_and_costs():
    found = trained(0.8, 0.5, origin="predicted", number=2, predicted=np.array([0.7, 0.4]))
    costs = NETWORKS.complexity(CELLS[:2])
    np.testing.assert_allclose(found.score, np.array([0.8, 0.5]) - 0.1 * np.log10(costs.macs / 1e6))
    assert np.array_equal(found.macs, costs.macs) and np.array_equal(found.params, costs.params)
    row = found.row(0)
    assert (row["round"], row["origin"], row["predicted"], row["failed"]) == (2, "predicted", 0.7, False)
    assert row["key"] == CELLS.cell(0).canonical_key and row["cell"] == CELLS.cell(0).to_json()
    assert tuple(row) == COLUMNS and all(type(value) in (str, int, float, bool) for value in row.values())


def test_an_objective_of_its_own_adds_its_columns():
    found = trained(0.8, 0.5, 0.6, objective=VERTICES)
    sizes = CELLS.num_vertices
    np.testing.assert_allclose(found.columns["vertices_tens"], sizes / 10)
    assert found.columns["vertices_from"].tolist() == ["hand" if size > 3 else "machine" for size in sizes]
    np.testing.assert_allclose(found.score, np.array([0.8, 0.5, 0.6]) - 0.2 * np.log10(sizes / 10))
    assert trained(0.8).columns == {}
    again = trained(0.8, None).scored_by(VERTICES)
    assert again.score[0] == found.score[0] and math.isnan(again.score[1])
    assert again.columns.keys() == found.columns.keys() and again.scored_by(MACS).columns == {}
    measured = found.usable.measured(VERTICES)
    assert measured.costs.tolist() == (10**5 * sizes).tolist() and measured.penalty == 0.2


def test_a_failed_training_has_no_score():
    found = trained(None, 0.5)
    assert found.failed.tolist() == [True, False] and math.isnan(found.score[0]) and math.isnan(found.accuracy[0])
    assert found.reason.tolist() == ["the loss was nan", ""]
    assert len(found.usable) == len(found.ranked) == 1


def test_each_cell_can_have_a_name_behind_where_it_came_from():
    found = trained(0.5, 0.6, origin=["known: MobileNetV1", "random"])
    assert found.origin.tolist() == ["known: MobileNetV1", "random"] and found.kinds.tolist() == ["known", "random"]


def test_cells_are_joined_and_told_apart():
    one, other = trained(0.5, 0.6), trained(0.5, 0.6, 0.7, origin="random search", objective=VERTICES)
    both = TrainedCells.concatenate([TrainedCells.none(SPACE), one, other])
    assert len(both) == 5 and both.origin.tolist() == ["random"] * 2 + ["random search"] * 3
    assert list(both.distinct.key) == CELLS.keys and both.distinct.origin.tolist() == ["random"] * 2 + ["random search"]
    # Where a part has no such column its cells have none of its values.
    assert np.isnan(both.columns["vertices_tens"][:2]).all() and both.columns["vertices_from"][:2].tolist() == ["", ""]
    assert both.columns["vertices_tens"][2:].tolist() == other.columns["vertices_tens"].tolist()
    assert list(both[both.accuracy > 0.55].cells) == [CELLS.cell(1), CELLS.cell(1), CELLS.cell(2)]
    assert both.ranked.score.tolist() == sorted(both.score, reverse=True)


@pytest.mark.parametrize("objective", [MACS, VERTICES], ids=["macs", "vertices"])
def test_a_file_comes_back(tmp_path, objective):
    path, found = tmp_path / "cells.parquet", trained(0.5, None, 0.6, objective=objective)
    write_trained(path, found)
    back = read_trained(path, SPACE.operations, SPACE.vertices)
    assert list(back.cells) == list(CELLS) and back.cells.width == 6
    assert str(back.rows()) == str(found.rows())
    assert list(read_table(path, SCHEMA).columns) == [*COLUMNS, *found.columns]
    write_trained(path, TrainedCells.none(SPACE))
    empty = read_trained(path, SPACE.operations, SPACE.vertices)
    assert len(empty) == 0 and empty.macs.dtype == np.int64 and empty.failed.dtype == bool


def test_a_table_of_something_else_is_refused(tmp_path):
    path = tmp_path / "cells.parquet"
    write_trained(path, trained(0.5, 0.6))
    table = read_table(path, SCHEMA)
    write_table(path, SCHEMA, table.drop(columns="macs"))
    with pytest.raises(DataError, match=r"cells.parquet has no column 'macs': move it away"):
        read_trained(path, SPACE.operations, SPACE.vertices)
    table.loc[1, "cell"] = table.loc[1, "cell"].replace("conv1x1", "conv9x9").replace("dwconv3x3", "conv9x9")
    write_table(path, SCHEMA, table)
    with pytest.raises(DataError, match=r"cells.parquet, row 1: .*conv9x9"):
        read_trained(path, SPACE.operations, SPACE.vertices)


def test_the_best_cell_is_a_measured_one():
    found = trained(0.5, 0.9, None)
    assert found.best == int(np.nanargmax(found.score))
    for nothing in (trained(None, None), TrainedCells.none(SPACE)):
        with pytest.raises(DataError, match=r"all trainings failed; lower proxy\.learning_rate"):
            _ = nothing.best
