import math

import numpy as np
import pandas as pd
import pytest

from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import DataError
from tasks.stages.trained import (
    COLUMNS,
    SCHEMA,
    best_row,
    cells_of,
    latency_words,
    read_trained,
    trained_row,
    trained_table,
    with_latency,
    write_trained,
)
from tasks.store.artifacts import write_table

BATCH = sample_cells(CellsConfig(vertices=6), 3, 0)
CELLS = list(BATCH)


def result(accuracy: float | None) -> dict:
    return {"accuracy": accuracy, "failed": accuracy is None, "reason": "" if accuracy else "the loss was nan"}


def table(*accuracies: float | None):
    return trained_table(
        [
            trained_row(cell, "random", 0, float("nan"), result(accuracy), (10_000_000, 5_000), 0.1)
            for cell, accuracy in zip(CELLS, accuracies, strict=False)
        ]
    )


def test_a_row_holds_score_and_costs():
    row = trained_row(CELLS[0], "predicted", 2, 0.7, result(0.8), (100_000_000, 5_000), 0.1)
    assert row["score"] == pytest.approx(0.8 - 0.1 * 2)  # log10 of 100 million MACs in millions is 2
    assert (row["macs"], row["params"], row["round"], row["origin"]) == (100_000_000, 5_000, 2, "predicted")
    assert row["key"] == CELLS[0].canonical_key and not row["failed"]


def test_a_row_holds_the_latency_that_was_charged_and_what_tells_it(tmp_path):
    row = trained_row(CELLS[0], "predicted", 2, 0.7, result(0.8), (9, 5), 0.1, 2_500_000, "model")
    assert (row["latency_ms"], row["latency_from"]) == (2.5, "model")
    assert row["score"] == pytest.approx(0.8 - 0.1 * np.log10(row["latency_ms"]))
    write_trained(tmp_path / "cells.parquet", trained_table([row]))
    back = read_trained(tmp_path / "cells.parquet")
    assert latency_words(back.iloc[0]) == ("2.5", "model")
    both = pd.concat([back, table(0.5)], ignore_index=True)
    assert latency_words(both.iloc[1]) == latency_words(table(0.5).iloc[0]) == ("-", "-")


def test_without_a_charged_latency_a_table_has_no_such_columns():
    assert list(table(0.5, None).columns) == list(COLUMNS) == list(table().columns)
    own = with_latency(table(0.5, 0.6), np.array([10**6, 3 * 10**6]), ["measurement", "model"])
    assert list(own["latency_ms"]) == [1, 3] and list(own["latency_from"]) == ["measurement", "model"]
    assert list(with_latency(own, np.array([7, 8]), ["", ""]).columns) == list(COLUMNS)


def test_a_failed_training_has_no_score():
    row = trained_row(CELLS[0], "random", 0, 0.7, result(None), (1_000_000, 5), 0.1)
    assert row["failed"] and math.isnan(row["score"]) and math.isnan(row["accuracy"])
    assert row["reason"] == "the loss was nan"


def test_a_table_comes_back(tmp_path):
    path = tmp_path / "cells.parquet"
    write_trained(path, table(0.5, None, 0.6))
    back = read_trained(path)
    assert back.equals(table(0.5, None, 0.6))
    assert list(cells_of(back, BATCH.operation_names, 6)) == CELLS
    write_trained(path, table())
    assert len(read_trained(path)) == 0 and read_trained(path)["macs"].dtype == np.int64


def test_a_table_of_something_else_is_refused(tmp_path):
    path = tmp_path / "cells.parquet"
    write_table(path, SCHEMA, table(0.5).drop(columns="macs"))
    with pytest.raises(DataError, match=r"cells.parquet has no column 'macs': move it away"):
        read_trained(path)
    broken = table(0.5, 0.6)
    broken.loc[1, "cell"] = broken.loc[1, "cell"].replace("conv1x1", "conv9x9").replace("dwconv3x3", "conv9x9")
    with pytest.raises(DataError, match=r"row 1 of the trained cells: .*conv9x9"):
        cells_of(broken, BATCH.operation_names, 6)


def test_the_best_row_is_a_measured_one():
    assert best_row(table(0.5, 0.6, None)) == 1
    with pytest.raises(DataError, match=r"all trainings failed; lower proxy\.learning_rate"):
        best_row(table(None, None))
    with pytest.raises(DataError, match="all trainings failed"):
        best_row(table())
