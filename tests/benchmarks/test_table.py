import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nasgem_core.benchmarks import table
from nasgem_core.benchmarks.rows import key_hashes
from nasgem_core.benchmarks.table import TabularSpace, content_hash, is_table, read_table, write_table
from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import DataError
from nasgem_core.operations import registry as operations


def random_space(rows=400, vertices=9) -> TabularSpace:
    cells = sample_cells(CellsConfig(vertices=vertices), rows, 1)
    generator = np.random.default_rng(0)
    metrics = {name: generator.random(rows, dtype=np.float32) for name in ("acc_run0", "acc_mean", "params")}
    return TabularSpace("mine", cells, metrics, "acc_run0", "acc_mean", key_hashes(cells))


def assert_same(a: TabularSpace, b: TabularSpace) -> None:
    assert (a.name, a.label, a.truth, list(a.metrics)) == (b.name, b.label, b.truth, list(b.metrics))
    assert a.cells.operation_names == b.cells.operation_names
    assert np.array_equal(a.cells.adjacency, b.cells.adjacency) and np.array_equal(a.cells.codes, b.cells.codes)
    assert all(np.array_equal(a.metrics[name], b.metrics[name]) for name in a.metrics)
    assert np.array_equal(a.hashes, b.hashes)


@pytest.mark.parametrize(("rows", "vertices"), [(400, 9), (3, 30), (1, 2)])
def test_what_is_written_is_read(tmp_path, rows, vertices):
    space = random_space(rows, vertices)
    write_table(space, tmp_path / "new" / "space.parquet")
    again = read_table(tmp_path / "new" / "space.parquet")
    assert_same(space, again)
    assert list(again.cells) == list(space.cells) and len(again) == rows
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["space.parquet"]


def test_same_space_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_table(random_space(), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_table_is_known_by_its_header(tmp_path):
    write_table(random_space(), tmp_path / "space.parquet")
    assert is_table(tmp_path / "space.parquet")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    (tmp_path / "cells.csv").write_text("cell,accuracy")
    for name in ("other.parquet", "cells.csv", "missing.parquet"):
        assert not is_table(tmp_path / name)


def test_the_hash_is_of_the_content(tmp_path):
    space = random_space()
    write_table(space, tmp_path / "space.parquet")
    assert content_hash(read_table(tmp_path / "space.parquet")) == content_hash(space)
    metrics = {**space.metrics, "acc_mean": space.metrics["acc_mean"] + np.float32(1e-6)}
    assert content_hash(replace(space, metrics=metrics)) != content_hash(space)
    assert content_hash(replace(space, label="acc_mean")) != content_hash(space)


def test_a_row_takes_few_bytes(tmp_path):
    # 3 random metrics of 4 bytes, a hash of 16, 9 operations and 5 bytes of edges, and a footer.
    write_table(random_space(4000), tmp_path / "space.parquet")
    assert (tmp_path / "space.parquet").stat().st_size < 4000 * (12 + 16 + 9 + 5) + 4000


def test_operations_of_a_table_become_known_but_not_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(operations, "_TABULAR", set())
    space = random_space()
    cells = CellBatch(
        space.cells.adjacency, space.cells.codes, tuple(f"their_{n}" for n in space.cells.operation_names)
    )
    write_table(replace(space, cells=cells), tmp_path / "space.parquet")
    again = read_table(tmp_path / "space.parquet")
    assert again.cells.cell(0).operations[1].startswith("their_")
    assert not [name for name in operations.OPERATIONS.names() if name.startswith("their_")]


def test_truncated_and_altered_files_are_refused(tmp_path):
    path = tmp_path / "space.parquet"
    write_table(random_space(60), path)
    content = path.read_bytes()
    for size in range(0, len(content), 37):
        path.write_bytes(content[:size])
        with pytest.raises(DataError, match=r"space.parquet"):
            read_table(path)
    unseen = []
    for place in range(4, len(content), 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 16]) + content[place + 1 :])
        try:
            assert_same(read_table(path), random_space(60))
            unseen.append(place)
        except DataError as error:
            assert "space.parquet" in str(error)
    # A few bytes of a parquet file bear on nothing that is read, such as offsets and the writer's name.
    assert len(unseen) < 0.2 * len(content) / 7


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "space.parquet"
    with pytest.raises(DataError, match=r"there is no table .*space.parquet"):
        read_table(path)
    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(DataError, match=r"space.parquet is a parquet file but not a table of cells"):
        read_table(path)
    write_table(random_space(), path)
    written = pq.read_table(path)
    header = json.loads(written.schema.metadata[b"nasgem"]) | {"schema": "nasgem.table/99"}
    pq.write_table(written.replace_schema_metadata({**written.schema.metadata, b"nasgem": json.dumps(header)}), path)
    with pytest.raises(DataError, match=r"space.parquet has the schema 'nasgem.table/99'"):
        read_table(path)
    pq.write_table(written.drop_columns("params"), path)
    with pytest.raises(DataError, match=r"space.parquet: a column is missing"):
        read_table(path)
    pq.write_table(written.slice(1), path)
    with pytest.raises(DataError, match=r"space.parquet is not what was written"):
        read_table(path)


def test_a_failing_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "space.parquet"
    write_table(random_space(5), path)
    content = path.read_bytes()

    def fail(*_, **__):
        raise OSError("the disk is full")

    monkeypatch.setattr(table.pq, "write_table", fail)
    with pytest.raises(DataError, match=r"cannot write the table .* the disk is full"):
        write_table(random_space(6), path)
    assert path.read_bytes() == content and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": "accuracy"}, "label = 'accuracy' is not a metric of this table: it has acc_run0, acc_mean, params"),
        ({"truth": "x"}, "truth = 'x' is not a metric"),
        ({"metrics": {"acc_run0": np.zeros(400)}}, "float64 of shape"),
        ({"metrics": {"acc_run0": np.zeros(399, np.float32)}}, r"must be float32 of shape \(400,\)"),
        ({"metrics": {"codes": np.zeros(400, np.float32)}}, "cannot be named 'codes'"),
        ({"hashes": np.zeros((400, 8), np.uint8)}, r"hashes must be uint8 of shape \(400, 16\)"),
    ],
)
def test_wrong_spaces_are_refused(change, message):
    with pytest.raises(DataError, match=message):
        replace(random_space(), **change)


def test_values_that_are_not_finite_are_refused_by_row():
    space = random_space()
    space.metrics["acc_mean"][6] = np.nan
    with pytest.raises(DataError, match="metric 'acc_mean' is nan in row 7"):
        replace(space, name="mine")
