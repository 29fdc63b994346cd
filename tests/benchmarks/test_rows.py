import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nasgem_core.benchmarks.rows import Columns, key_hashes, read_rows, table_from_rows
from nasgem_core.benchmarks.table import TabularSpace, write_table
from nasgem_core.cells.cell import Cell
from nasgem_core.errors import CellError, DataError
from nasgem_core.operations.registry import OPERATIONS
from tests.benchmarks.official import official

# Three cells; the last two are one cell with its vertices in another order.
ADJACENCY = np.triu(np.ones((3, 3), int), 1)
CHAIN = Cell(ADJACENCY, ("input", "conv1x1", "conv3x3"))
FORK = Cell([[0, 1, 1], [0, 0, 0], [0, 0, 0]], ("input", "conv1x1", "conv3x3"))
TURNED = Cell([[0, 1, 1], [0, 0, 0], [0, 0, 0]], ("input", "conv3x3", "conv1x1"))


def frame(**changes) -> pd.DataFrame:
    columns = {"cell": [CHAIN.to_json(), FORK.to_json()], "run0": [0.5, 0.625], "mean": [0.75, 0.25]}
    return pd.DataFrame(columns | changes)


def read(path, truth, **options) -> TabularSpace:
    return read_rows(path, "mine", Columns("run0", truth, **options)).table


def write(table: pd.DataFrame, path):
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path, index=False)
    return path


@pytest.fixture(params=["mine.csv", "mine.parquet"])
def path(request, tmp_path):
    return tmp_path / request.param


def test_own_tables_are_read(path):
    space = read(write(frame(macs=[10, 20]), path), "mean")
    assert list(space.cells) == [CHAIN, FORK] and (space.name, space.label, space.truth) == ("mine", "run0", "mean")
    assert {name: values.tolist() for name, values in space.metrics.items()} == {
        "run0": [0.5, 0.625],
        "mean": [0.75, 0.25],
        "macs": [10, 20],
    }
    assert [row.tobytes().hex() for row in space.hashes] == [CHAIN.canonical_key, FORK.canonical_key]


def test_label_and_truth_may_be_one_metric(path):
    space = read(write(frame().drop(columns="mean"), path), "run0")
    assert list(space.metrics) == ["run0"]


def test_isomorphic_cells_that_agree_are_kept_once(path):
    table = frame(cell=[FORK.to_json(), TURNED.to_json()], run0=[0.5, 0.5], mean=[0.75, 0.75])
    space = read(write(table, path), "mean")
    assert list(space.cells) == [FORK] and space.metrics["run0"].tolist() == [0.5]


def test_isomorphic_cells_that_disagree_are_refused_by_row(path):
    table = pd.concat([frame(), frame(cell=[CHAIN.to_json(), TURNED.to_json()])], ignore_index=True)
    table.loc[3, "mean"] = 0.125
    with pytest.raises(DataError, match=r"row 4 holds the same cell as row 2 .*'mean' is 0.125 and not 0.25"):
        read(write(table, path), "mean")


def test_isomorphic_cells_that_disagree_are_averaged_on_request_and_counted(path):
    table = pd.concat([frame(), frame(cell=[CHAIN.to_json(), TURNED.to_json()])], ignore_index=True)
    table.loc[3, "mean"] = 0.125
    found = read_rows(write(table, path), "mine", Columns("run0", "mean", duplicates="mean"))
    assert (found.rows, found.disagreeing, list(found.table.cells)) == (4, 1, [CHAIN, FORK])
    assert found.table.metrics["mean"].tolist() == [0.75, 0.1875]
    assert found.table.metrics["run0"].tolist() == [0.5, 0.625]


def test_operations_on_edges_become_vertices(path):
    texts = ["|their conv~0|+|their conv~0|pool~1|", '{"edges": [[0, 1, "pool"], [0, 2, "none"], [1, 2, "pool"]]}']
    space = read(write(frame(cell=texts), path), "mean", edges=True)
    first, second = space.cells
    assert (first.operations, first.num_edges) == (("input", "their conv", "their conv", "pool", "output"), 5)
    assert second.operations == ("input", "pool", "pool", "output")
    for wrong, message in (
        ("{}", "not a cell with operations on edges"),
        ('{"edges": [[0, 1, "\\ud800"]]}', "has half a character"),
    ):
        with pytest.raises(DataError, match=message):
            read(write(frame(cell=[texts[0], wrong]), path), "mean", edges=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mean": [0.75, np.nan]}, "row 2: 'mean' is"),
        ({"run0": [np.inf, 0.5]}, "row 1: 'run0' is"),
        ({"run0": ["0.5", "good"]}, "row 2: 'run0' is 'good': it must be a finite number"),
        ({"top5": [1.0, 1.0]}, "column 'top5' is unknown: remove it, or name it"),
        ({"cell": [CHAIN.to_json(), "{}"]}, "row 2: not a cell"),
        ({"cell": [CHAIN.to_json(), FORK.to_json().replace("conv3x3", "input")]}, "row 2: vertex 2 is 'input'"),
        ({"cell": [CHAIN.to_json(), FORK.to_json().replace("conv3x3", "")]}, "row 2: unknown operation ''"),
        ({"cell": [None, FORK.to_json()]}, "row 1: not a cell: not valid JSON"),
    ],
)
def test_wrong_rows_are_refused(path, changes, message):
    with pytest.raises(DataError, match=rf"{path.name}: {message}"):
        read(write(frame(**changes), path), "mean")


HOSTILE_CELLS = {
    "[" * 100_000: r"not valid JSON \(it is nested too deeply\)",
    '{"operations": ' * 50_000: r"not valid JSON \(it is nested too deeply\)",
    '{"operations": [[[]]], "operations": 5}': "given twice",
    CHAIN.to_json().replace("[0,1]", "[0,1],[0,1]"): r"field 'edges' holds \[0, 1\] twice",
    CHAIN.to_json().replace("conv1x1", "\\ud800"): "unknown operation",
    CHAIN.to_json()[:-1] + ',"schema":"nasgem.cell/1"}': "given twice",
}


@pytest.mark.parametrize(("cell", "message"), HOSTILE_CELLS.items(), ids=range(len(HOSTILE_CELLS)))
def test_hostile_cells_are_refused_by_row(path, cell, message):
    with pytest.raises(DataError, match=rf"{path.name}: row 2: .*{message}"):
        read(write(frame(cell=[CHAIN.to_json(), cell]), path), "mean")


GOOD = frame().to_csv(index=False)
HOSTILE_TEXTS = {
    "more values than names": (
        "".join(f"{line},7\n" for line in GOOD.splitlines()).replace("mean,7", "mean"),
        "heading",
    ),
    "fewer values": (GOOD + '"",.5\n', "row 3: 'mean' is"),
    "a nul": (GOOD.replace("0.625", "0.625\0"), "row 2: 'run0' is"),
    "a formula": (GOOD.replace("0.625", "=1+1"), "row 2: 'run0' is '=1\\+1': it must be a finite number"),
    "per cent": (GOOD.replace("0.625", "62 %"), "row 2: 'run0' is"),
    "a comma": (GOOD.replace("0.625", '"0,625"'), "row 2: 'run0' is"),
    "huge": (GOOD.replace("0.625", "9" * 5000), "row 2: 'run0' is"),
    "an escape": (GOOD.replace("0.625", "\x1b[31m"), r"row 2: 'run0' is '\\x1b"),
    "an open quote": (GOOD + '"a', "cannot be read as a table"),
    "semicolons": (GOOD.replace(",0", ";0"), "it must be a finite number"),
    "wide": (GOOD.replace("mean", "mean," + ",".join(map(str, range(50_000)))), "'0' is unknown|cannot be read"),
    "two columns": (GOOD.replace("cell,run0,mean", "cell,mean,mean"), "'run0' is missing"),
}


@pytest.mark.parametrize(("text", "message"), HOSTILE_TEXTS.values(), ids=HOSTILE_TEXTS)
def test_hostile_texts_are_refused(tmp_path, text, message):
    (tmp_path / "mine.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=rf"mine\.csv.*({message})"):
        read(tmp_path / "mine.csv", "mean")


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_marks_and_ends_of_lines_are_no_content(tmp_path, mark, end):
    (tmp_path / "mine.csv").write_bytes((mark + GOOD.replace("\n", end)).encode())
    assert read(tmp_path / "mine.csv", "mean").metrics["run0"].tolist() == [0.5, 0.625]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[1.0], [2.0]]),
        pa.array([{"a": 1}, {"a": 2}]),
        pa.array([0, 1], pa.timestamp("s")),
        pa.array([0, 1], pa.date32()),
        pa.array([0, 1], pa.duration("s")),
        pa.array([True, False]),
        pa.array([None, None]),
        pa.array([0.5, None]),
    ],
    ids=str,
)
def test_columns_that_hold_no_numbers_are_refused(tmp_path, column):
    cells = pa.array([CHAIN.to_json(), FORK.to_json()])
    pq.write_table(pa.table({"cell": cells, "run0": column}), tmp_path / "mine.parquet")
    with pytest.raises(DataError, match=r"mine\.parquet: .*'run0' (is|must hold)"):
        read(tmp_path / "mine.parquet", "run0")


def test_a_column_that_is_there_twice_is_refused(tmp_path):
    columns = [pa.array([CHAIN.to_json()]), pa.array([0.5]), pa.array([0.25])]
    pq.write_table(pa.Table.from_arrays(columns, ["cell", "run0", "run0"]), tmp_path / "mine.parquet")
    with pytest.raises(DataError, match=r"mine\.parquet.*run0"):
        read(tmp_path / "mine.parquet", "run0")


def test_further_metrics_are_read_when_named(path):
    space = read(write(frame(top5=[1.0, 0.5]), path), "mean", others=("top5",))
    assert space.metrics["top5"].tolist() == [1, 0.5]


def test_missing_columns_and_empty_tables_are_refused(path):
    with pytest.raises(DataError, match="column 'mean' is missing; the file has cell, run0"):
        read(write(frame().drop(columns="mean"), path), "mean")
    with pytest.raises(DataError, match="has no rows"):
        read(write(frame()[:0], path), "mean")


def test_files_that_are_no_table_are_refused(path, tmp_path):
    with pytest.raises(DataError, match=rf"{path.name} cannot be read"):
        read(path, "mean")
    path.write_bytes(b"")
    with pytest.raises(DataError, match=rf"{path.name} cannot be read"):
        read(path, "mean")
    path.write_bytes(b'\xff\xfe"a,b\n1\n')
    with pytest.raises(DataError, match=path.name):
        read(path, "mean")
    with pytest.raises(DataError, match=r"is a .parquet or .csv file"):
        read(tmp_path / "mine.xlsx", "mean")


def test_cells_in_memory_become_a_space():
    space = table_from_rows("mine", [CHAIN, FORK], {"acc": np.array([0.5, 0.25])}, Columns("acc", "acc")).table
    assert space.metrics["acc"].dtype == np.float32 and np.array_equal(space.hashes, key_hashes(space.cells))
    with pytest.raises(DataError, match=r"mine: row 2 holds the same cell as row 1"):
        table_from_rows("mine", [TURNED, FORK], {"acc": np.array([0.5, 0.25])}, Columns("acc", "acc"))


def test_operations_may_have_names_of_the_table_s_own(path, tmp_path):
    texts = [cell.to_json().replace("conv3x3", "their pooling").replace("conv1x1", "b") for cell in (CHAIN, FORK)]
    space = read(write(frame(cell=texts), path), "mean")
    assert space.cells.cell(0).operations == ("input", "b", "their pooling")
    assert not {"b", "their pooling"} & set(OPERATIONS.names())
    with pytest.raises(CellError, match="'their pooling'"):
        OPERATIONS.get("their pooling")
    write_table(space, tmp_path / "written.parquet")
    code = (
        "from pathlib import Path; from nasgem_core.benchmarks.table import read_table; "
        f"print([cell.operations[-1] for cell in read_table(Path({str(tmp_path / 'written.parquet')!r})).cells])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['their pooling', 'their pooling']"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "rows"), [("macro", 6_561), ("enas5", 5_519), ("trans_micro", 1_011)])
def test_published_tables_with_names_of_their_own_are_read(name, rows):
    path = official(f"tables/{name}.parquet")
    others = [column for column in pd.read_parquet(path) if column not in ("cell", "accuracy", "params", "macs")]
    space = read_rows(path, name, Columns("accuracy", "accuracy", others)).table
    assert 0.9 * rows < len(space) <= rows
    assert set(space.cells.operation_names) - set(OPERATIONS.names())
