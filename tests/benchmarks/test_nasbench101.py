from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from nasgem_core.benchmarks.graph_hash import graph_hashes
from nasgem_core.benchmarks.nasbench101 import BENCHMARK, LABEL, TRUTH, import_npz, import_tfrecord
from nasgem_core.benchmarks.nasbench101_cells import HASH_LABELS, OFFICIAL_NAMES, OPERATIONS
from nasgem_core.benchmarks.table import TabularSpace, read_table, write_table
from nasgem_core.cells.batch import CellBatch
from nasgem_core.errors import DataError
from nasgem_core.predictors.features.cell_features import feature_names
from nasgem_core.predictors.relevances import SUBTREES
from tests.benchmarks.official import official
from tests.benchmarks.tfrecords import encode_metrics, row, write_records

# Three cells of the benchmark: matrices, and codes of the vertices.
GRAPHS = [([[0, 1], [0, 0]], (1, 5)), ([[0, 1, 0], [0, 0, 1], [0, 0, 0]], (1, 2, 5))]
GRAPHS.append(([[0, 1, 1, 1], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]], (1, 4, 3, 5)))


def small_arrays() -> dict[str, np.ndarray]:
    adjacency, ops = np.zeros((3, 7, 7), np.uint8), np.full((3, 7), 255, np.uint8)
    for i, (matrix, codes) in enumerate(GRAPHS):
        adjacency[i, : len(codes), : len(codes)] = matrix
        ops[i, : len(codes)] = np.array(codes) - 1
    codes = np.where(ops == 255, 0, ops + 1).astype(np.uint8)
    hashes = graph_hashes(CellBatch(adjacency, codes, OPERATIONS), HASH_LABELS)
    order = np.lexsort(hashes.T[::-1])
    return {
        "hash16": hashes[order],
        "adjacency": adjacency[order],
        "ops": ops[order],
        "op_names": np.array(OFFICIAL_NAMES),
        LABEL: np.array([0.9, 0.8, 0.7], np.float32)[order],
        TRUTH: np.array([0.91, 0.81, 0.71])[order],
    }


def write_npz(path: Path, **changes) -> Path:
    np.savez(path, **{name: array for name, array in (small_arrays() | changes).items() if array is not None})
    return path


def records(epochs=(4, 108)) -> list[tuple]:
    """Return the rows of a file that tells of the three cells above, as the benchmark would write them."""
    space, found = small_arrays(), []
    for i in range(3):
        size = int((space["ops"][i] != 255).sum())
        digits = "".join(str(edge) for edge in space["adjacency"][i, :size, :size].ravel())
        names = ",".join(OFFICIAL_NAMES[op] for op in space["ops"][i, :size])
        key = space["hash16"][i].tobytes().hex()
        for run in range(3):
            for length in epochs:
                test = float(space[TRUTH][i]) - 0.01 * (run == 0) + 0.01 * (run == 1)
                found.append((key, length, digits, names, 100.0 + run, test - 0.02, test))
    return found


def write_tfrecord(path: Path, rows: list, params: dict[str, int]) -> Path:
    return write_records(path, [row(k, e, d, n, encode_metrics(params[k], s, v, t)) for k, e, d, n, s, v, t in rows])


@pytest.fixture
def npz_space(tmp_path):
    return import_npz(write_npz(tmp_path / "small.npz"))


@pytest.fixture
def params(npz_space):
    keys = [h.tobytes().hex() for h in npz_space.hashes]
    return dict(zip(keys, npz_space.metrics["params"].astype(int).tolist(), strict=True))


def test_both_files_give_one_space(tmp_path, npz_space, params):
    space = import_tfrecord(write_tfrecord(tmp_path / "a.tfrecord", records()[::-1], params))
    assert np.array_equal(space.hashes, npz_space.hashes) and list(space.cells) == list(npz_space.cells)
    for name in (TRUTH, "params", "macs"):
        np.testing.assert_allclose(space.metrics[name], npz_space.metrics[name], rtol=1e-6)
    # The rows were written backwards, so the first training that the file tells of is the last one.
    np.testing.assert_allclose(space.metrics[LABEL], npz_space.metrics[TRUTH], rtol=1e-6)
    np.testing.assert_allclose(space.metrics["val_acc_run0"], space.metrics[LABEL] - 0.02, rtol=1e-6)
    np.testing.assert_allclose(space.metrics["val_acc_mean3"], space.metrics[TRUTH] - 0.02, rtol=1e-6)
    assert space.metrics["training_seconds"].tolist() == [101] * 3


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (0, "00" * 16, "1 cells are not the graphs of their hashes"),
        (0, "zz", "is not a hash of 32 hexadecimal digits"),
        (2, "01", "has no graph of the benchmark"),
        (3, "input,conv5x5", "has no graph of the benchmark"),
    ],
)
def test_wrong_graphs_are_refused(tmp_path, params, place, value, message):
    rows = records(epochs=(108,))
    size = [rows[0][2], rows[0][3]]
    rows = [tuple(value if i == place and r[2:4] == tuple(size) else x for i, x in enumerate(r)) for r in rows]
    with pytest.raises(DataError, match=message):
        import_tfrecord(write_tfrecord(tmp_path / "a.tfrecord", rows, params | {value: 1}))


def test_wrong_records_are_refused_by_number(tmp_path, params):
    good = records(epochs=(108,))
    whole = [row(k, e, d, n, encode_metrics(params[k], s, v, t)) for k, e, d, n, s, v, t in good]
    path = tmp_path / "a.tfrecord"
    for record in (
        b"no json",
        b"[1, 2]",
        b'{"a": 1}',
        b"7",
        b'["k", 108, "01", "input", "!"]',
        b'["k",108,"","","CAE="]',
        b'[["k"],108,"","","CAE="]',
        b"[" * 100_000,
        b'["k",' + b"9" * 5000 + b',"","","CAE="]',
    ):
        with pytest.raises(DataError, match=r"a.tfrecord: record 3 is not one of NAS-Bench-101"):
            import_tfrecord(write_records(path, [*whole[:2], record, *whole[2:]]))
    with pytest.raises(DataError, match="has 2 trainings, not 3"):
        import_tfrecord(write_records(path, whole[:-1]))
    with pytest.raises(DataError, match="has no training of 108 epochs"):
        import_tfrecord(write_tfrecord(path, records(epochs=(36,)), params))
    with pytest.raises(DataError, match="has other parameters than its graph"):
        import_tfrecord(write_tfrecord(path, good, {key: count + 100 for key, count in params.items()}))


def test_wrong_npz_files_are_refused(tmp_path):
    path, arrays = tmp_path / "small.npz", small_arrays()
    for change, message in [
        ({"ops": None}, "not an npz file of NAS-Bench-101"),
        ({"op_names": arrays["op_names"][::-1]}, "op_names must be input"),
        ({LABEL: arrays[LABEL][:2]}, f"{LABEL} has shape"),
        ({"hash16": arrays["hash16"][::-1]}, "cells are not the graphs of their hashes"),
        ({"adjacency": arrays["adjacency"].swapaxes(1, 2)}, "is not a graph from an input to an output"),
        ({"ops": np.where(arrays["ops"] == 4, 3, arrays["ops"])}, "is not a graph from an input to an output"),
        ({"ops": np.where(arrays["ops"] == 255, 7, arrays["ops"])}, "is not a graph from an input to an output"),
        ({TRUTH: np.array([0.9, 92.0, 0.9])}, f"{TRUTH} is 92.0, not between 0 and 1, in row 2"),
        ({LABEL: np.array([0.9, 0.9, -1.0])}, f"{LABEL} is -1.0, not between 0 and 1, in row 3"),
        ({LABEL: np.array(["a", "b", "c"])}, f"{LABEL} holds values of type str"),
        ({"adjacency": arrays["adjacency"] * 2}, "is not a graph from an input to an output"),
        ({"adjacency": arrays["adjacency"] * np.int64(257)}, "adjacency holds numbers that are not bytes"),
        ({"adjacency": arrays["adjacency"] * 0.5}, "adjacency holds values of type float64, not whole numbers"),
        ({name: arrays[name][:0] for name in arrays if name != "op_names"}, "has no cells"),
        ({name: arrays[name][[0, 1, 0]] for name in arrays if name != "op_names"}, "rows 1 and 3 hold the same cell"),
        ({"ops": np.array(5)}, "has shape"),
        ({TRUTH: np.array([0.9, np.nan, 0.9])}, "is nan, not between 0 and 1, in row 2"),
    ]:
        with pytest.raises(DataError, match=message):
            import_npz(write_npz(path, **change))
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(DataError, match=r"small.npz is not an npz file"):
        import_npz(path)


def test_the_prior_emphasises_groups_that_exist():
    assert BENCHMARK.notation is not None
    known = {name.rpartition(":")[0] for name in feature_names(len(BENCHMARK.notation.operations))}
    assert known >= set(BENCHMARK.prior.emphasis)
    assert BENCHMARK.prior.of("walk") > BENCHMARK.prior.of("count") > BENCHMARK.prior.of(SUBTREES) == -1


def import_official(path: Path, rows: int, folder: Path) -> TabularSpace:
    """Import a file with rows of the benchmark, and store and read the table."""
    space = import_npz(path)
    # All cells differ by our keys as they do by the benchmark's hashes, which the import has compared row by row.
    assert len(set(space.cells.keys)) == len(np.unique(space.hashes, axis=0)) == len(space) == rows
    write_table(space, folder / "nasbench101.parquet")
    assert (folder / "nasbench101.parquet").stat().st_size < 34 * rows
    again = read_table(folder / "nasbench101.parquet")
    assert np.array_equal(again.cells.adjacency, space.cells.adjacency)
    assert np.array_equal(again.metrics["macs"], space.metrics["macs"])
    return space


def correlation(space: TabularSpace) -> float:
    """Return Spearman's rho of one training and the mean of three, which is .982 for the whole benchmark."""
    return float(spearmanr(space.metrics[LABEL], space.metrics[TRUTH]).statistic)


@pytest.mark.slow
def test_ten_thousand_cells_of_the_benchmark(tmp_path):
    with np.load(official("nasbench101.npz")) as archive:
        arrays = dict(archive)
    rows = np.sort(np.random.default_rng(0).choice(len(arrays[TRUTH]), 10_000, replace=False))
    part = {name: array if name == "op_names" else array[rows] for name, array in arrays.items()}
    np.savez(tmp_path / "part.npz", **part)
    space = import_official(tmp_path / "part.npz", len(rows), tmp_path)
    assert correlation(space) == pytest.approx(0.982, abs=2e-3)


@pytest.mark.nightly
def test_the_whole_benchmark(tmp_path):
    space = import_official(official("nasbench101.npz"), 423_624, tmp_path)
    assert correlation(space) == pytest.approx(0.982, abs=5e-4)
    assert space.metrics[TRUTH].max() == pytest.approx(0.943176, abs=5e-7)
